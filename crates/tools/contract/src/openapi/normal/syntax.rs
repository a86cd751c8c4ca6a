//! What is read of a schema as it is written.

use serde_json::{Map, Value};

use super::keywords::is_annotation;

/// How much a schema allows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Everything,
    Something,
    Nothing,
}

/// The identity of a schema within its document.
pub(in crate::openapi) fn address(schema: &Value) -> usize {
    std::ptr::from_ref(schema).addr()
}

/// What a schema forbids to be forbidden, if it does nothing else.
pub(super) fn double_negation(negated: &Value) -> Option<&Value> {
    let mut said = negated.as_object()?.iter().filter(|(key, _)| !is_annotation(key));
    let (key, schema) = said.next()?;
    (key == "not" && said.next().is_none()).then_some(schema)
}

/// The reference of a schema; empty if it has none.
pub(super) fn pointer(schema: &Value) -> &str {
    schema["$ref"].as_str().unwrap_or_default()
}

/// The members of a keyword that has a list; none if it is absent.
pub(super) fn list<'a>(fields: &'a Map<String, Value>, key: &str) -> &'a [Value] {
    fields.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

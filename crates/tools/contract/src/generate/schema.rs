//! Parts of schemas that requests are made from.

use serde_json::{Map, Value};

use crate::openapi::{fields, resolve};

/// Marks a property that holds the id of a thing: the path of the operation that creates such things.
pub(super) const REFERS_TO: &str = "x-refers-to";

/// The type of a schema, of several the first that is not null.
pub(super) fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(kinds) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            kinds.find(|kind| *kind != "null").unwrap_or("null")
        }
        Value::Null if schema["properties"].is_object() => "object",
        kind => kind.as_str().unwrap_or_default(),
    }
}

/// The schema itself, or of several the first that is not of null.
pub(super) fn non_null(schema: &Value) -> &Value {
    let mut choices = ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    choices.find(|choice| choice["type"] != "null").unwrap_or(schema)
}

/// The object that a schema describes: itself, or one of its alternatives; null if it is none.
pub(super) fn object_schema<'a>(document: &'a Value, schema: &'a Value, depth: usize) -> &'a Value {
    let schema = resolve(document, schema);
    if schema["properties"].is_object() || depth > 3 {
        return schema;
    }
    let alternatives =
        ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let mut alternatives = alternatives.map(|schema| object_schema(document, schema, depth + 1));
    alternatives.find(|schema| schema["properties"].is_object()).unwrap_or(schema)
}

/// The schema of a parameter, which may stand in its content.
pub(super) fn parameter_schema(parameter: &Value) -> &Value {
    let content = || fields(&parameter["content"]).next().map(|(_, content)| &content["schema"]);
    parameter.get("schema").or_else(content).unwrap_or(&Value::Null)
}

/// The values that a document gives of a schema.
pub(super) fn examples(schema: &Value) -> impl Iterator<Item = &Value> + use<'_> {
    schema["examples"].as_array().into_iter().flatten().chain(schema.get("example"))
}

/// Whether a field of a form is a file.
pub(super) fn is_file(field: &Value) -> bool {
    field["format"] == "binary" || field.get("contentMediaType").is_some()
}

/// A schema as text, with what it refers to.
pub(super) fn text_of(document: &Value, schema: &Value, depth: usize) -> String {
    let mut text = schema.to_string();
    if depth < 4 {
        let mut visit = |value: &Value| {
            if value.get("$ref").is_some() {
                text += &text_of(document, resolve(document, value), depth + 1);
            }
        };
        walk(schema, &mut visit);
    }
    text
}

/// Calls `visit` with a value and all that is within it.
pub(super) fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => Map::values(fields).for_each(|field| walk(field, visit)),
        _ => {}
    }
}

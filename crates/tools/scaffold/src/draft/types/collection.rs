//! Lists, sets, tuples and dictionaries.

use serde_json::{Map, Value};

use super::{ORDERED, Typed, Types, Use, plain, rules, unboxed};
use crate::draft::attributes::lengths;

/// The longest tuple that the document knows.
const MAX_TUPLE: usize = 12;

/// What else than types of the document a dictionary has as its keys.
const KEYS: [&str; 9] =
    ["String", "Uuid", "Uuid1", "Uuid3", "Uuid4", "Uuid5", "Uuid6", "Uuid7", "Uuid8"];

impl Types<'_> {
    pub(super) fn array(&mut self, schema: &Value, hint: &str, usage: Use) -> Typed {
        if let Some(items) = schema["prefixItems"].as_array() {
            if items.len() > MAX_TUPLE || schema["items"].is_object() || items.is_empty() {
                let reason =
                    format!("`{hint}` is a list of any JSON: a tuple of this kind is no type");
                self.loosen(schema, usage, reason);
                return plain("Vec<Value>");
            }
            let mut names = Vec::new();
            for (index, item) in items.iter().enumerate() {
                names.push(self.alone(item, &format!("{hint}{index}"), usage, None));
            }
            let count = items.len();
            let is_whole = |key: &str| schema[key].as_u64() == u64::try_from(count).ok();
            if !is_whole("minItems") || !is_whole("maxItems") {
                self.note(schema, format!("`{hint}` is a tuple of {count}"), false);
            }
            return plain(&format!("({},)", names.join(", ")));
        }
        let is_set = schema["uniqueItems"] == true;
        let item = self.alone(&schema["items"], &format!("{hint}Item"), usage, None);
        let item = self.held(unboxed(&item), &schema["items"], hint, usage);
        let mut name = format!("Vec<{item}>");
        if is_set && (ORDERED.contains(&item) || self.is_ordered(item)) {
            name = format!("BTreeSet<{item}>");
        } else if is_set {
            let reason = format!("`{hint}` is a list: the items of the set have no order");
            self.loosen(schema, usage, reason);
        }
        Typed { name, constraints: lengths(schema, "Items") }
    }

    pub(super) fn dictionary(&mut self, schema: &Value, hint: &str, usage: Use) -> Typed {
        self.note_unsupported(schema, hint, usage, rules::DICTIONARY);
        let mut values = &schema["additionalProperties"];
        let mut names = schema["propertyNames"].as_object().cloned();
        if let Some(patterns) = schema["patternProperties"].as_object() {
            let first = patterns.iter().next();
            if let (1, Some((pattern, inner))) = (patterns.len(), first) {
                values = inner;
                names.get_or_insert_default().insert("pattern".to_owned(), pattern.clone().into());
            } else {
                self.loosen(schema, usage, format!("the keys of `{hint}` may be any text"));
            }
        }
        let keys = match names {
            Some(names) => self.keys(schema, names, hint, usage),
            None => "String".to_owned(),
        };
        if *values == false {
            self.loosen(schema, usage, format!("`{hint}` may have any keys, not none"));
        }
        let values = match values {
            Value::Null | Value::Bool(_) => "Value".to_owned(),
            values => self.alone(values, &format!("{hint}Value"), usage, None),
        };
        let values = self.held(unboxed(&values), &schema["additionalProperties"], hint, usage);
        let constraints = lengths(schema, "Properties");
        Typed { name: format!("IndexMap<{keys}, {values}>"), constraints }
    }

    /// The type of what a collection holds: of one that is only written, the document cannot say that
    /// this is null.
    fn held<'t>(&mut self, ty: &'t str, schema: &Value, hint: &str, usage: Use) -> &'t str {
        if ty != "()" || usage == Use::Read {
            return ty;
        }
        self.loosen(schema, usage, format!("what `{hint}` holds may be any JSON, not only null"));
        "Value"
    }

    /// The type of a dictionary's keys; pydantic does not say that they are texts.
    fn keys(
        &mut self,
        schema: &Value,
        mut names: Map<String, Value>,
        hint: &str,
        usage: Use,
    ) -> String {
        if !names.contains_key("$ref") {
            names.entry("type").or_insert_with(|| "string".into());
        }
        let keys = self.alone(&names.into(), &format!("{hint}Key"), usage, None);
        if KEYS.contains(&keys.as_str()) || self.is_ordered(&keys) {
            return keys;
        }
        self.loosen(schema, usage, format!("the keys of `{hint}` may be any text"));
        "String".to_owned()
    }
}

//! Lists, sets, tuples and dictionaries.

use serde_json::Value;

use super::{ORDERED, Typed, Types, Use, plain, rules, unboxed};
use crate::draft::attributes::lengths;

/// The longest tuple that the document knows.
const MAX_TUPLE: usize = 12;

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
        let item = unboxed(&item);
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
        if let Some(patterns) = schema["patternProperties"].as_object() {
            if let (1, Some((_, inner))) = (patterns.len(), patterns.iter().next()) {
                values = inner;
            }
            self.loosen(schema, usage, format!("the keys of `{hint}` may be any text"));
        } else if schema["propertyNames"].is_object() {
            self.loosen(schema, usage, format!("the keys of `{hint}` may be any text"));
        }
        if *values == false {
            self.loosen(schema, usage, format!("`{hint}` may have any keys, not none"));
        }
        let values = match values {
            Value::Null | Value::Bool(_) => "Value".to_owned(),
            values => self.alone(values, &format!("{hint}Value"), usage, None),
        };
        let values = unboxed(&values);
        let constraints = lengths(schema, "Properties");
        Typed { name: format!("IndexMap<String, {values}>"), constraints }
    }
}

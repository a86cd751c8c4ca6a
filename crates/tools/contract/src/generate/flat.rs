//! A document whose `allOf` are merged, so that requests are made from whole schemas.

use serde_json::{Map, Value};

use crate::openapi::resolve;

/// How deep merged schemas may be within one another: they may hold themselves.
const MAX_DEPTH: usize = 3;

/// The document with each `allOf` written as one schema, or as a reference if it has one part only.
pub(super) fn flattened(document: &Value) -> Value {
    let mut flat = document.clone();
    flatten(&mut flat, document, 0);
    flat
}

fn flatten(value: &mut Value, document: &Value, depth: usize) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| flatten(item, document, depth)),
        Value::Object(fields) => {
            let mut depth = depth;
            if let Some(Value::Array(parts)) = fields.get("allOf")
                && depth < MAX_DEPTH
            {
                let is_reference = |part: &Value| part.get("$ref").is_some();
                if parts.len() == 1 && is_reference(&parts[0]) && !fields.contains_key("properties")
                {
                    let reference = parts[0]["$ref"].clone();
                    fields.remove("allOf");
                    fields.insert("$ref".to_owned(), reference);
                } else {
                    *fields = merged(fields, document, 0);
                    depth += 1;
                }
            }
            fields.values_mut().for_each(|value| flatten(value, document, depth));
        }
        _ => {}
    }
}

/// A schema with what the parts of its `allOf` say.
fn merged(schema: &Map<String, Value>, document: &Value, depth: usize) -> Map<String, Value> {
    let mut whole = schema.clone();
    let Some(Value::Array(parts)) = whole.shift_remove("allOf") else { return whole };
    for part in &parts {
        let Some(part) = resolve(document, part).as_object() else { continue };
        let part = if depth < MAX_DEPTH { merged(part, document, depth + 1) } else { part.clone() };
        for (key, value) in part {
            match (whole.get_mut(&key), value) {
                (Some(Value::Object(known)), Value::Object(more)) if key == "properties" => {
                    for (name, property) in more {
                        known.entry(name).or_insert(property);
                    }
                }
                (Some(Value::Array(known)), Value::Array(more)) if key == "required" => {
                    known.extend(more);
                }
                (Some(_), _) => {}
                (None, value) => _ = whole.insert(key, value),
            }
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_part_counts() {
        let document = json!({"components": {"schemas": {
            "A": {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
            "B": {"allOf": [{"$ref": "#/components/schemas/A"}, {"required": ["b"], "properties": {"b": {}}}]},
            "C": {"type": "object", "properties": {"c": {"allOf": [{"$ref": "#/components/schemas/C"}]}}},
        }}});
        let flat = flattened(&document);
        let b = &flat["components"]["schemas"]["B"];
        assert_eq!(b["required"], json!(["a", "b"]));
        assert!(b["properties"]["a"].is_object() && b["properties"]["b"].is_object());
        let c = &flat["components"]["schemas"]["C"]["properties"]["c"];
        assert_eq!(*c, json!({"$ref": "#/components/schemas/C"}));
    }
}

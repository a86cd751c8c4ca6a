//! Whether a value is one that a schema allows.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

use crate::openapi::{fields, resolve};

/// How deep schemas are followed: they may refer to themselves.
const MAX_DEPTH: usize = 24;

/// Whether the schema allows the value, as far as its keywords are understood. A variable is allowed
/// everywhere.
pub(crate) fn is_valid(document: &Value, schema: &Value, value: &Value) -> bool {
    allows(document, schema, value, MAX_DEPTH)
}

fn allows(document: &Value, schema: &Value, value: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else { return true };
    if value.as_str().is_some_and(|text| text.starts_with("${")) {
        return true;
    }
    let schema = resolve(document, schema);
    if let Some(all) = schema.as_bool() {
        return all;
    }
    let is_one = |schema: &Value| allows(document, schema, value, depth);
    let list = |key: &str| schema[key].as_array().map(Vec::as_slice);
    let same = |known: &Value| equal(known, value);
    if value.is_null() && schema["nullable"] == true {
        return true;
    }
    schema.get("const").is_none_or(same)
        && list("enum").is_none_or(|values| values.iter().any(same))
        && list("allOf").is_none_or(|parts| parts.iter().all(is_one))
        && list("anyOf").is_none_or(|choices| choices.iter().any(is_one))
        && list("oneOf").is_none_or(|choices| choices.iter().any(is_one))
        && schema.get("not").is_none_or(|not| !is_one(not))
        && is_of_type(&schema["type"], value)
        && match value {
            Value::String(text) => text_fits(schema, text),
            Value::Number(number) => {
                number.as_f64().is_none_or(|number| number_fits(schema, number))
            }
            Value::Array(items) => {
                let length = items.len() as u64;
                schema["minItems"].as_u64().is_none_or(|min| length >= min)
                    && schema["maxItems"].as_u64().is_none_or(|max| length <= max)
                    && (schema["uniqueItems"] != true
                        || (1..items.len()).all(|at| !items[..at].contains(&items[at])))
                    && schema.get("items").is_none_or(|schema| {
                        items.iter().all(|item| allows(document, schema, item, depth))
                    })
            }
            Value::Object(object) => {
                let known = &schema["properties"];
                let required = schema["required"].as_array().into_iter().flatten();
                let is_there =
                    |name: &Value| name.as_str().is_none_or(|name| object.contains_key(name));
                required.into_iter().all(is_there)
                    && fields(known).all(|(name, schema)| {
                        object.get(name).is_none_or(|value| allows(document, schema, value, depth))
                    })
                    && object.iter().filter(|(name, _)| known.get(name).is_none()).all(
                        |(_, value)| match &schema["additionalProperties"] {
                            Value::Null => true,
                            other => allows(document, other, value, depth),
                        },
                    )
            }
            _ => true,
        }
}

/// Whether a text matches a pattern; true if the pattern is not understood.
fn matches(pattern: &str, text: &str) -> bool {
    thread_local! {
        static KNOWN: RefCell<HashMap<String, Option<Regex>>> = RefCell::default();
    }
    KNOWN.with_borrow_mut(|known| {
        if !known.contains_key(pattern) {
            // Pydantic writes every decimal so; what it rules out is no number either way.
            let plain = pattern.replace("(?!^[-+.]*$)", "");
            known.insert(pattern.to_owned(), Regex::new(&plain).ok());
        }
        known.get(pattern).and_then(Option::as_ref).is_none_or(|regex| regex.is_match(text))
    })
}

/// Equal, with numbers by their value.
fn equal(a: &Value, b: &Value) -> bool {
    a == b || matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a.total_cmp(&b).is_eq())
}

fn is_of_type(types: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "string" => value.is_string(),
        "integer" => {
            value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|n| n.fract() == 0.0)
        }
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    };
    match types {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

fn number_fits(schema: &Value, number: f64) -> bool {
    // OpenAPI 3.0 has flags where 3.1 has numbers.
    let bound = |key: &str| schema[key].as_f64();
    let flag = |key: &str| schema[key] == true;
    bound("minimum").is_none_or(|min| number > min || (number >= min && !flag("exclusiveMinimum")))
        && bound("maximum")
            .is_none_or(|max| number < max || (number <= max && !flag("exclusiveMaximum")))
        && bound("exclusiveMinimum").is_none_or(|min| number > min)
        && bound("exclusiveMaximum").is_none_or(|max| number < max)
        && bound("multipleOf").filter(|step| *step > 0.0).is_none_or(|step| {
            let times = number / step;
            (times - times.round()).abs() < 1e-9
        })
}

fn text_fits(schema: &Value, text: &str) -> bool {
    let length = text.chars().count() as u64;
    schema["minLength"].as_u64().is_none_or(|min| length >= min)
        && schema["maxLength"].as_u64().is_none_or(|max| length <= max)
        && schema["pattern"].as_str().is_none_or(|pattern| matches(pattern, text))
        && schema["format"].as_str().is_none_or(|format| has_format(format, text))
}

fn has_format(format: &str, text: &str) -> bool {
    let matches = |pattern: &str| matches(pattern, text);
    let date = r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])";
    match format {
        "email" => matches(r"^[\w.+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$"),
        "uuid" => matches(r"(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"),
        "date" => matches(&format!("{date}$")) && !text.contains("-02-3"),
        "date-time" => {
            matches(&format!(r"{date}T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d\d:\d\d)$"))
                && !text.contains("-02-3")
        }
        "time" => matches(r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?"),
        "duration" => matches(r"^-?P(\d|T)"),
        "uri" | "url" => matches(r"^[a-z]+://[^\s]+$"),
        "ipv4" => matches(r"^(\d{1,3}\.){3}\d{1,3}$"),
        "ipv6" => text.contains(':'),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_keyword_counts() {
        for (schema, right, wrong) in [
            (json!({"type": "string", "maxLength": 2}), json!("ab"), json!("abc")),
            (json!({"type": "string", "pattern": "^a$"}), json!("a"), json!("ab")),
            (json!({"type": "string", "format": "date"}), json!("2026-01-02"), json!("x")),
            (json!({"type": ["integer", "null"]}), json!(null), json!("1")),
            (json!({"minimum": 1, "exclusiveMinimum": true}), json!(2), json!(1)),
            (json!({"exclusiveMaximum": 3}), json!(2), json!(3)),
            (json!({"multipleOf": 0.1}), json!(0.3), json!(0.35)),
            (json!({"enum": ["a", 1]}), json!(1.0), json!("b")),
            (json!({"anyOf": [{"type": "string"}, {"const": 1}]}), json!(1), json!(2)),
            (json!({"items": {"type": "string"}, "minItems": 1}), json!(["a"]), json!([1])),
            (json!({"required": ["a"]}), json!({"a": 1}), json!({})),
            (json!({"properties": {"a": {"type": "string"}}}), json!({"a": "b"}), json!({"a": 1})),
            (json!({"additionalProperties": false}), json!({}), json!({"a": 1})),
            (json!({"uniqueItems": true}), json!([1, 2]), json!([1, 1])),
            (json!({"not": {"type": "null"}}), json!(1), json!(null)),
        ] {
            assert!(is_valid(&Value::Null, &schema, &right), "{schema}: {right}");
            assert!(!is_valid(&Value::Null, &schema, &wrong), "{schema}: {wrong}");
        }
    }
}

//! The requests of the cases.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use super::types::Types;

/// The request of a case.
pub(super) struct Samples {
    pub(super) path: String,
    pub(super) query: Vec<String>,
}

impl Samples {
    /// Puts a value in the place of a parameter of the path, with or without a convertor.
    pub(super) fn replace(&mut self, name: &str, value: &str) {
        let start = self.path.find(&format!("{{{name}}}"));
        let start = start.or_else(|| self.path.find(&format!("{{{name}:")));
        if let Some(start) = start
            && let Some(length) = self.path[start..].find('}')
        {
            self.path.replace_range(start..=start + length, value);
        }
    }

    pub(super) fn finish(self) -> String {
        match self.query.as_slice() {
            [] => self.path,
            query => format!("{}?{}", self.path, query.join("&")),
        }
    }
}

/// A value that the schema allows, as far as one is easily found.
pub(super) fn sample(types: &Types<'_>, schema: &Value, depth: usize) -> Value {
    if depth > 8 {
        return Value::Null;
    }
    let deeper = |schema: &Value| sample(types, schema, depth + 1);
    if let Some(value) = schema.get("default").filter(|value| !value.is_null()) {
        return value.clone();
    }
    if let Some(reference) = schema["$ref"].as_str() {
        return types.component(reference).map_or(Value::Null, |(_, schema)| deeper(schema));
    }
    for key in ["allOf", "anyOf", "oneOf"] {
        if let Some(first) = schema[key].as_array().and_then(|all| all.first()) {
            return deeper(first);
        }
    }
    if let Some(value) = schema.get("const").or_else(|| schema["enum"].get(0)) {
        return value.clone();
    }
    match schema["type"].as_str() {
        Some("string") => text(schema),
        Some("integer" | "number") => {
            let low = schema["minimum"]
                .as_f64()
                .or_else(|| Some(schema["exclusiveMinimum"].as_f64()? + 1.0));
            let high = schema["maximum"]
                .as_f64()
                .or_else(|| Some(schema["exclusiveMaximum"].as_f64()? - 1.0));
            #[expect(clippy::cast_possible_truncation, reason = "a sample")]
            let value = low.or(high).unwrap_or(1.0).ceil() as i64;
            json!(value)
        }
        Some("boolean") => json!(true),
        Some("array") => match schema["prefixItems"].as_array() {
            Some(items) => items.iter().map(deeper).collect(),
            None => json!([deeper(&schema["items"])]),
        },
        Some("object") => {
            let required = schema["required"].as_array();
            let required = required.into_iter().flatten().filter_map(Value::as_str);
            let fields =
                required.map(|name| (name.to_owned(), deeper(&schema["properties"][name])));
            Value::Object(fields.collect())
        }
        _ => Value::Null,
    }
}

fn text(schema: &Value) -> Value {
    json!(match schema["format"].as_str() {
        Some("uuid") => "6fa459ea-ee8a-4ca4-894e-db77e160355e".to_owned(),
        Some("date-time") => "2026-11-25T12:00:00Z".to_owned(),
        Some("date") => "2026-11-25".to_owned(),
        Some("time") => "12:00:00".to_owned(),
        Some("duration") => "PT1H".to_owned(),
        Some("email") => "someone@example.com".to_owned(),
        Some("uri") => "https://example.com/".to_owned(),
        _ => {
            let least = schema["minLength"].as_u64().unwrap_or(1).max(1);
            "text".chars().cycle().take(usize::try_from(least).unwrap_or(1).max(4)).collect()
        }
    })
}

/// The required fields of a form, each item of a list for itself.
pub(super) fn form(types: &Types<'_>, fields: &Value, is_multipart: bool) -> String {
    let required = fields["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut parts = Vec::new();
    for name in required {
        let schema = &fields["properties"][name];
        let is_list = schema["type"] == "array";
        let is_file = [schema, &schema["items"]].iter().any(|schema| {
            schema["contentMediaType"] == "application/octet-stream" || schema["format"] == "binary"
        });
        let value = match sample(types, schema, 0) {
            Value::Array(items) if is_list => items.first().map_or_else(String::new, plain),
            value => plain(&value),
        };
        parts.push(if is_file {
            json!({"name": name, "filename": "a.txt", "content_type": "text/plain", "text": value})
        } else {
            json!({"name": name, "text": value})
        });
    }
    if is_multipart {
        return format!("multipart: {}", Value::Array(parts));
    }
    let pairs = parts.iter().map(|part| {
        let encoded = |key: &str| encoded(part[key].as_str().unwrap_or_default());
        format!("{}={}", encoded("name"), encoded("text"))
    });
    format!("form: {}", json!(pairs.collect::<Vec<_>>().join("&")))
}

/// What a URL and a form take for more than a character (RFC 3986, 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

pub(super) fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

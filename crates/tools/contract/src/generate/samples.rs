//! Values for a schema: valid ones, those at its limits, and invalid ones.

use serde_json::{Map, Value, json};

use crate::openapi::{fields, resolve};

/// The maximum depth of a value, as a model may refer to itself.
const MAX_DEPTH: usize = 12;

/// Makes values; each e-mail address is different.
pub(super) struct Samples<'a> {
    pub document: &'a Value,
    pub addresses: usize,
}

impl<'a> Samples<'a> {
    /// A valid value.
    pub(super) fn valid(&mut self, schema: &'a Value) -> Value {
        self.valid_within(schema, MAX_DEPTH)
    }

    /// `depth` is how much deeper a model that refers to itself may go.
    fn valid_within(&mut self, schema: &'a Value, depth: usize) -> Value {
        let Some(depth) = depth.checked_sub(1) else { return Value::Null };
        let schema = resolve(self.document, schema);
        if let Some(value) = schema.get("const").or_else(|| schema["enum"].get(0)) {
            return value.clone();
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            if let Some(first) = schema[key].get(0) {
                return self.valid_within(first, depth);
            }
        }
        match kind(schema) {
            "string" => self.text(schema).into(),
            "integer" | "number" => lowest(schema).into(),
            "boolean" => true.into(),
            "array" => {
                let least = schema["minItems"].as_u64().unwrap_or(0);
                // Where lists may be empty, lists within lists are.
                let usual = u64::from(depth > MAX_DEPTH / 2);
                let count = least.clamp(usual, 20);
                (0..count).map(|_| self.valid_within(&schema["items"], depth)).collect()
            }
            "object" => {
                let mut object = Map::new();
                for (name, property) in fields(&schema["properties"]) {
                    object.insert(name.clone(), self.valid_within(property, depth));
                }
                object.into()
            }
            _ => Value::Null,
        }
    }

    fn text(&mut self, schema: &Value) -> String {
        match schema["format"].as_str() {
            Some("email") => {
                self.addresses += 1;
                format!("generated{}@example.com", self.addresses)
            }
            Some("uuid") => "00000000-0000-4000-8000-000000000000".to_owned(),
            Some("date-time") => "2026-01-02T03:04:05Z".to_owned(),
            Some("date") => "2026-01-02".to_owned(),
            Some("time") => "03:04:05".to_owned(),
            Some("duration") => "P1D".to_owned(),
            Some("uri") => "http://example.com/".to_owned(),
            _ => {
                let length = usize::try_from(schema["minLength"].as_u64().unwrap_or(4));
                "text".chars().cycle().take(length.unwrap_or(4).max(1)).collect()
            }
        }
    }

    /// Valid and invalid values, each with its name.
    pub(super) fn of(&mut self, schema: &'a Value) -> Vec<(String, Value)> {
        let schema = resolve(self.document, schema);
        let mut samples: Vec<(String, Value)> = Vec::new();
        let mut add = |what: &str, value: Value| samples.push((what.to_owned(), value));
        add("null", Value::Null);
        for key in ["anyOf", "oneOf", "allOf"] {
            for choice in schema[key].as_array().into_iter().flatten() {
                samples.extend(self.of(choice));
            }
        }
        for value in schema["enum"].as_array().into_iter().flatten() {
            samples.push(("one of its values".into(), value.clone()));
        }
        samples.extend(self.of_kind(schema));
        // Two choices have many samples in common.
        let mut seen: Vec<Value> = Vec::new();
        samples.retain(|(_, value)| {
            let new = !seen.contains(value);
            seen.push(value.clone());
            new
        });
        samples
    }

    fn of_kind(&mut self, schema: &'a Value) -> Vec<(String, Value)> {
        let mut samples: Vec<(String, Value)> = match kind(schema) {
            "string" => {
                let mut samples = texts(schema);
                samples.push(("a right text".into(), self.text(schema).into()));
                samples
            }
            "integer" | "number" => numbers(schema),
            "boolean" => [json!(true), json!(false), json!("yes"), json!("off"), json!("maybe")]
                .map(|value| ("a truth value or not".into(), value))
                .into(),
            "array" => {
                let item = self.valid(&schema["items"]);
                let list = |count: usize| Value::Array(vec![item.clone(); count]);
                let most = schema["maxItems"].as_u64().unwrap_or(3).min(100);
                let most = usize::try_from(most).unwrap_or(3);
                vec![
                    ("an empty list".into(), list(0)),
                    ("a list at its limit".into(), list(most)),
                    ("a list over its limit".into(), list(most + 1)),
                ]
            }
            _ => Vec::new(),
        };
        let wrong = [json!("text"), json!(7), json!(1.5), json!(true), json!([]), json!({})];
        samples.extend(wrong.map(|value| ("of any kind".to_owned(), value)));
        samples
    }
}

pub(super) fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(kinds) => kinds[0].as_str().unwrap_or_default(),
        kind => kind.as_str().unwrap_or_default(),
    }
}

/// The smallest number that is allowed, else 1.
fn lowest(schema: &Value) -> i64 {
    let bound = |key: &str| schema[key].as_f64().map(whole);
    bound("minimum").or_else(|| bound("exclusiveMinimum").map(|bound| bound + 1)).unwrap_or(1)
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, as is right for a bound")]
fn whole(bound: f64) -> i64 {
    bound as i64
}

fn numbers(schema: &Value) -> Vec<(String, Value)> {
    let mut samples: Vec<(String, Value)> = Vec::new();
    for key in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
        if let Some(bound) = schema[key].as_f64().map(whole) {
            for value in [bound.saturating_sub(1), bound, bound.saturating_add(1)] {
                samples.push((format!("at its {key}"), value.into()));
            }
        }
    }
    let others = [
        json!(0),
        json!(-1),
        json!(1.0),
        json!(2.5),
        json!("3"),
        json!(" 3 "),
        json!("3.0"),
        json!("three"),
        json!(""),
    ];
    samples.extend(others.map(|value| ("a number or not".to_owned(), value)));
    samples
}

fn texts(schema: &Value) -> Vec<(String, Value)> {
    let mut samples: Vec<(String, Value)> = Vec::new();
    for (key, over) in [("minLength", false), ("maxLength", true)] {
        let Some(length) = schema[key].as_u64().and_then(|length| usize::try_from(length).ok())
        else {
            continue;
        };
        // As long as it may be, and one character too long or too short.
        let beyond = if over { length + 1 } else { length.saturating_sub(1) };
        for (length, c) in [(length, "a"), (beyond, "a"), (length, "é"), (length, "😀")] {
            samples.push((format!("at its {key}"), c.repeat(length.min(100_000)).into()));
        }
    }
    let formats: &[&str] = match schema["format"].as_str() {
        Some("email") => &["a@b", "@example.com", "A@EXAMPLE.COM", "ä@example.com", "a b@c.de"],
        Some("uuid") => &[
            "00000000-0000-4000-8000-00000000000",
            "00000000000040008000000000000000",
            "{00000000-0000-4000-8000-000000000000}",
        ],
        Some("date-time" | "date" | "time") => {
            &["2026-02-30", "2026-01-02T03:04:05+02:00", "1735689600", "24:00"]
        }
        _ => &[],
    };
    samples.extend(formats.iter().map(|text| ("of its format or not".into(), json!(text))));
    let others = ["", " ", "line\nbreak", "<b>&amp;\"'\\", "日本語", "e\u{301}", "\u{7f}\u{200b}"];
    samples.extend(others.map(|text| ("any text".to_owned(), json!(text))));
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_refers_to_itself_comes_to_an_end() {
        let again = json!({"$ref": "#/components/schemas/Node"});
        let node = json!({"type": "object", "properties": {
            "nodes": {"type": "array", "items": again},
            "parent": {"anyOf": [again, {"type": "null"}]},
        }});
        let document = json!({"components": {"schemas": {"Node": node}}});
        let mut samples = Samples { document: &document, addresses: 0 };
        let value = samples.valid(&document["components"]["schemas"]["Node"]);
        assert_eq!(value["nodes"][0]["nodes"].as_array().map(Vec::len), Some(1));
        assert!(value.to_string().len() < 10_000, "{value}");
    }
}

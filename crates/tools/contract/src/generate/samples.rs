//! Values for a schema: valid ones, those at its limits, and invalid ones.

use serde_json::{Map, Value, json};

use super::pattern::matching;
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
            "integer" | "number" => number(schema),
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
                let limit = |key: &str| usize::try_from(schema[key].as_u64()?).ok();
                let most = limit("maxLength").unwrap_or(usize::MAX);
                let least = limit("minLength").unwrap_or(0);
                if let Some(pattern) = schema["pattern"].as_str() {
                    let example = schema["examples"].get(0).or_else(|| schema.get("example"));
                    let example = example.and_then(Value::as_str).map(ToOwned::to_owned);
                    if let Some(text) = example.or_else(|| matching(pattern, least, most)) {
                        return text;
                    }
                }
                let length = least.max(4.min(most)).max(usize::from(most > 0)).min(100_000);
                "text".chars().cycle().take(length).collect()
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

/// A number that is allowed: the smallest, else the largest below 1, else 1.
fn number(schema: &Value) -> Value {
    let bound = |key: &str| schema[key].as_f64();
    let is_whole = kind(schema) == "integer";
    // OpenAPI 3.0 has flags.
    let flag = |key: &str| schema[key] == true;
    let lower =
        bound("exclusiveMinimum").or_else(|| bound("minimum").filter(|_| flag("exclusiveMinimum")));
    let upper =
        bound("exclusiveMaximum").or_else(|| bound("maximum").filter(|_| flag("exclusiveMaximum")));
    let value = match (lower, bound("minimum"), upper.or_else(|| bound("maximum"))) {
        (Some(lower), _, Some(upper)) if !is_whole && lower + 1.0 >= upper => lower.midpoint(upper),
        (Some(lower), ..) => lower.floor() + 1.0,
        (None, Some(lower), _) => {
            if is_whole {
                lower.ceil()
            } else {
                lower
            }
        }
        (None, None, Some(most)) if upper.is_some() && most <= 1.0 => most.ceil() - 1.0,
        (None, None, Some(most)) if most < 1.0 => {
            if is_whole {
                most.floor()
            } else {
                most
            }
        }
        _ => 1.0,
    };
    let value = match bound("multipleOf") {
        Some(step) if step > 0.0 => (value / step).ceil() * step,
        _ => value,
    };
    if value.fract() == 0.0 { whole(value).into() } else { value.into() }
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
    fn valid_values_keep_to_their_limits() {
        for (schema, expected) in [
            (json!({"type": "string", "maxLength": 2}), json!("te")),
            (json!({"type": "string", "minLength": 6}), json!("textte")),
            (json!({"type": "string", "pattern": "^\\d{5}$"}), json!("11111")),
            (json!({"type": "integer", "maximum": -3}), json!(-3)),
            (json!({"type": "integer", "exclusiveMinimum": 0}), json!(1)),
            (json!({"type": "integer", "minimum": 7, "multipleOf": 5}), json!(10)),
            (json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}), json!(0.5)),
        ] {
            let mut samples = Samples { document: &Value::Null, addresses: 0 };
            assert_eq!(samples.valid(&schema), expected, "{schema}");
        }
    }

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

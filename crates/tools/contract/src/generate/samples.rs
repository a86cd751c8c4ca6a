//! Values for a schema: valid ones, those at its limits, and invalid ones.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::pattern::matching;
use super::valid::is_valid;
use crate::openapi::{fields, resolve};

/// The maximum depth of a value, as a model may refer to itself.
const MAX_DEPTH: usize = 12;
/// How deep within a value its parts are varied.
const MAX_NESTING: usize = 4;
/// The longest text that is sent, in characters.
const MAX_LENGTH: usize = 100_000;
/// Marks a property that holds the id of a thing: the path of the operation that creates such things.
pub(super) const REFERS_TO: &str = "x-refers-to";
/// Texts in several scripts and cases, some with what a search or an encoding could take for its own.
const WORDS: [&str; 8] =
    ["text", "Beta", "alpha", "Émile", "zeta_x", "Alpha 100%", "beta", "O'Brien"];

/// Makes values; each e-mail address and each text of a resource is different.
pub(super) struct Samples<'a> {
    pub document: &'a Value,
    /// The number of the text or address made last.
    pub serial: usize,
    /// The variables with the ids of created things, by the path of what creates them.
    pub created: BTreeMap<String, Vec<String>>,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place {
    /// Which of the possible values it is.
    number: usize,
    /// How much deeper a model that refers to itself may go.
    depth: usize,
    /// Whether it is one of many, or a parameter: numbers are small, texts need not be unique.
    is_small: bool,
}

impl<'a> Samples<'a> {
    /// A valid value for each number: the first has everything that it may have, several of the others
    /// lack optional fields.
    pub(super) fn nth(&mut self, schema: &'a Value, number: usize) -> Value {
        self.at(schema, Place { number, depth: MAX_DEPTH, is_small: false })
    }

    /// A valid value of a parameter.
    pub(super) fn parameter(&mut self, schema: &'a Value) -> Value {
        self.at(schema, Place { number: 0, depth: MAX_DEPTH, is_small: true })
    }

    fn at(&mut self, schema: &'a Value, place: Place) -> Value {
        let Some(depth) = place.depth.checked_sub(1) else { return Value::Null };
        let place = Place { depth, ..place };
        let number = place.number;
        if let Some(value) = self.reference(schema, number) {
            return value;
        }
        let schema = resolve(self.document, schema);
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(values) = schema["enum"].as_array().filter(|values| !values.is_empty()) {
            return values[number % values.len()].clone();
        }
        let example = examples(schema).nth(number);
        if let Some(example) = example.filter(|value| is_valid(self.document, schema, value)) {
            return example.clone();
        }
        for key in ["anyOf", "oneOf"] {
            let Some(choices) = schema[key].as_array() else { continue };
            let some: Vec<_> = choices.iter().filter(|choice| choice["type"] != "null").collect();
            if some.len() < choices.len() && number % 4 == 3 {
                return Value::Null;
            }
            if !some.is_empty() {
                // Whole rows differ in few of their branches.
                return self.at(some[(number / 2) % some.len()], place);
            }
        }
        match kind(schema) {
            "string" => self.text(schema, place).into(),
            "integer" | "number" => {
                let numbers = valid_numbers(schema, place.is_small);
                // Some rows share a number.
                numbers[(number * 2 / 3) % numbers.len()].clone()
            }
            "boolean" => (number % 2 == 0).into(),
            "array" => {
                let least = schema["minItems"].as_u64().unwrap_or(0);
                let most = schema["maxItems"].as_u64().unwrap_or(20).min(20);
                // Where lists may be empty, lists within lists are.
                let usual = if depth <= MAX_DEPTH / 2 { 0 } else { [1, 2, 0, 3][number % 4] };
                let count = usual.clamp(least.min(most), most);
                (0..count)
                    .map(|index| {
                        let number = number + usize::try_from(index).unwrap_or(0);
                        self.at(&schema["items"], Place { number, is_small: true, ..place })
                    })
                    .collect()
            }
            "object" => {
                let mut object = Map::new();
                let required = schema["required"].as_array();
                for (index, (name, property)) in fields(&schema["properties"]).enumerate() {
                    let is_required =
                        required.is_some_and(|names| names.iter().any(|known| known == name));
                    let is_left_out =
                        depth < MAX_DEPTH / 2 || (number > 0 && (number + index) % 5 == 4);
                    if is_required || !is_left_out {
                        object.insert(name.clone(), self.at(property, place));
                    }
                }
                if object.is_empty() && schema["additionalProperties"].is_object() {
                    let value = self.at(&schema["additionalProperties"], place);
                    object.insert("key".to_owned(), value);
                }
                object.into()
            }
            _ => Value::Null,
        }
    }

    /// The id of a created thing, where the schema is one of an id.
    fn reference(&self, schema: &Value, number: usize) -> Option<Value> {
        let created = self.created.get(schema[REFERS_TO].as_str()?)?;
        let variable = created.get(number % created.len().max(1))?;
        let is_number = schema.to_string().contains(r#""integer""#);
        Some(Value::String(format!("${{{}{variable}}}", if is_number { "#" } else { "" })))
    }

    fn text(&mut self, schema: &Value, place: Place) -> String {
        let Place { number, is_small, .. } = place;
        let pick = |texts: &[&str]| texts[number % texts.len()].to_owned();
        match schema["format"].as_str() {
            Some("email") => {
                self.serial += 1;
                return format!("generated{}@example.com", self.serial);
            }
            Some("uuid") => return format!("00000000-0000-4000-8000-{number:012}"),
            Some("date-time") => return pick(&MOMENTS),
            Some("date") => return pick(&DATES),
            Some("time") => return pick(&["03:04:05", "23:59:59.123456", "00:00:00"]),
            Some("duration") => return pick(&["P1D", "PT1H30M", "P3DT0.5S"]),
            Some("uri" | "url") => return format!("http://example.com/{number}"),
            Some("ipv4") => return format!("192.0.2.{}", 1 + number % 200),
            Some("ipv6") => return format!("2001:db8::{:x}", 1 + number % 200),
            Some("byte") => return "dGV4dA==".to_owned(),
            Some("json-string") => return "{}".to_owned(),
            _ => {}
        }
        let limit = |key: &str| usize::try_from(schema[key].as_u64()?).ok();
        let most = limit("maxLength").unwrap_or(usize::MAX).min(MAX_LENGTH);
        let least = limit("minLength").unwrap_or(0).min(MAX_LENGTH);
        if !is_small {
            self.serial += 1;
        }
        if let Some(pattern) = schema["pattern"].as_str() {
            let choice = if is_small { number } else { self.serial };
            if let Some(text) = matching(pattern, least, most, choice) {
                return text;
            }
        }
        let word = WORDS[number % WORDS.len()];
        let mut text = if is_small { word.to_owned() } else { format!("{word} {}", self.serial) };
        if text.chars().count() > most {
            // What makes it different stands at its end.
            let surplus = text.chars().count() - most;
            text = text.chars().skip(surplus).collect();
            if text.starts_with(' ') {
                text.replace_range(0..1, "t");
            }
        }
        let missing = least.saturating_sub(text.chars().count());
        text.extend("text".chars().cycle().take(missing));
        text
    }

    /// Valid and invalid values, each with its name.
    pub(super) fn variants(&mut self, schema: &'a Value) -> Vec<(String, Value)> {
        self.variants_within(schema, 0)
    }

    fn variants_within(&mut self, schema: &'a Value, nesting: usize) -> Vec<(String, Value)> {
        let mut all: Vec<(String, Value)> = Vec::new();
        for number in 0..3 {
            all.extend(self.reference(schema, number).map(|id| ("another thing".to_owned(), id)));
        }
        let schema = resolve(self.document, schema);
        let mut add = |what: &str, value: &Value| all.push((what.to_owned(), value.clone()));
        examples(schema).for_each(|value| add("an example", value));
        for value in schema["enum"].as_array().into_iter().flatten().chain(schema.get("const")) {
            add("one of its values", value);
        }
        if let Some(value) = schema.get("default") {
            add("its default", value);
        }
        add("null", &Value::Null);
        if let Some(text) = schema["enum"].get(0).and_then(Value::as_str) {
            add("a value in other case", &json!(swapped(text)));
            add("none of its values", &json!(format!("{text}x")));
        }
        for key in ["anyOf", "oneOf"] {
            for choice in schema[key].as_array().into_iter().flatten() {
                if nesting < MAX_NESTING {
                    all.extend(self.variants_within(choice, nesting + 1));
                }
            }
        }
        match kind(schema) {
            "string" if schema.get("enum").is_none() && schema.get("const").is_none() => {
                all.extend(self.texts(schema));
            }
            "integer" | "number" => all.extend(numbers(schema)),
            "boolean" => {
                let values =
                    [json!(true), json!(false), json!("yes"), json!("off"), json!("maybe")];
                all.extend(values.map(|value| ("a truth value or not".to_owned(), value)));
            }
            "array" if nesting < MAX_NESTING => all.extend(self.lists(schema, nesting)),
            "object" if nesting < MAX_NESTING => all.extend(self.objects(schema, nesting)),
            _ => {}
        }
        let wrong = [json!("text"), json!(7), json!({}), json!(1.5), json!(true), json!([])];
        let wrong = wrong.into_iter().take(if nesting == 0 { 6 } else { 3 });
        all.extend(wrong.map(|value| ("of any kind".to_owned(), value)));
        // Two choices have many samples in common.
        let mut seen: Vec<Value> = Vec::new();
        all.retain(|(_, value)| {
            let is_new = !seen.contains(value);
            seen.push(value.clone());
            is_new
        });
        all
    }

    fn lists(&mut self, schema: &'a Value, nesting: usize) -> Vec<(String, Value)> {
        let items = &schema["items"];
        let mut item = |number: usize| {
            self.at(items, Place { number, depth: MAX_DEPTH - nesting, is_small: true })
        };
        let [a, b] = [item(0), item(1)];
        let most = schema["maxItems"].as_u64().and_then(|most| usize::try_from(most).ok());
        let most = most.unwrap_or(3).min(100);
        let mut many = |count: usize| Value::Array((0..count).map(&mut item).collect());
        let mut lists = vec![
            ("an empty list".to_owned(), json!([])),
            ("a list of two".to_owned(), json!([a, b])),
            ("a list in another order".to_owned(), json!([b, a])),
            ("a list with one twice".to_owned(), json!([a, a])),
            ("a list of one".to_owned(), json!([a])),
            ("a list at its limit".to_owned(), many(most)),
            ("a list over its limit".to_owned(), many(most + 1)),
        ];
        if let Some(least) = schema["minItems"].as_u64().filter(|least| (2..100).contains(least)) {
            let least = usize::try_from(least).unwrap_or(2);
            lists.push(("a list at its minimum".to_owned(), many(least)));
            lists.push(("a list under its minimum".to_owned(), many(least - 1)));
        }
        for (what, value) in self.variants_within(items, nesting + 1) {
            lists.push((format!("an item: {what}"), json!([value])));
        }
        lists
    }

    fn objects(&mut self, schema: &'a Value, nesting: usize) -> Vec<(String, Value)> {
        let place = |number| Place { number, depth: MAX_DEPTH - nesting, is_small: nesting > 0 };
        let whole = self.at(schema, place(0));
        let mut objects = vec![
            ("an object".to_owned(), whole.clone()),
            ("another object".to_owned(), self.at(schema, place(1))),
        ];
        let with = |change: &dyn Fn(&mut Map<String, Value>)| {
            let mut object = whole.as_object().cloned().unwrap_or_default();
            change(&mut object);
            Value::Object(object)
        };
        for (name, property) in fields(&schema["properties"]) {
            let absent = with(&|object| _ = object.shift_remove(name));
            objects.push((format!("{name}: absent"), absent));
            for (what, value) in self.variants_within(property, nesting + 1) {
                let changed = with(&|object| _ = object.insert(name.clone(), value.clone()));
                objects.push((format!("{name}: {what}"), changed));
            }
        }
        let more = with(&|object| _ = object.insert("unknown".to_owned(), json!(1)));
        objects.push(("an unknown field".to_owned(), more));
        objects
    }

    fn texts(&mut self, schema: &Value) -> Vec<(String, Value)> {
        let mut samples: Vec<(String, Value)> = Vec::new();
        let mut add = |what: &str, text: String| samples.push((what.to_owned(), text.into()));
        let is_plain = schema.get("pattern").is_none() && schema.get("format").is_none();
        if !is_plain {
            let place = |number| Place { number, depth: MAX_DEPTH, is_small: true };
            let own: Vec<String> = (0..4).map(|number| self.text(schema, place(number))).collect();
            let first = own[0].clone();
            own.into_iter().for_each(|text| add("of its form", text));
            add("one character more", format!("{first}1"));
            add("another character more", format!("{first}x"));
            add("something before", format!("x{first}"));
            let mut less = first.clone();
            less.pop();
            add("one character less", less);
            add("in other case", swapped(&first));
            add("padded", format!(" {first}"));
        }
        for (key, is_over) in [("minLength", false), ("maxLength", true)] {
            let Some(length) = schema[key].as_u64().and_then(|length| usize::try_from(length).ok())
            else {
                continue;
            };
            // As long as it may be, and one character too long or too short.
            let beyond = if is_over { length + 1 } else { length.saturating_sub(1) };
            for (length, c) in [(length, "a"), (beyond, "a"), (length, "é"), (length, "😀")] {
                add(&format!("at its {key}"), c.repeat(length.min(MAX_LENGTH)));
            }
        }
        let formats: &[&str] = match schema["format"].as_str() {
            Some("email") => &["a@b", "@example.com", "A@EXAMPLE.COM", "ä@example.com", "a b@c.de"],
            Some("uuid") => &[
                "00000000-0000-4000-8000-00000000000",
                "00000000000040008000000000000000",
                "{00000000-0000-4000-8000-000000000000}",
            ],
            Some("date-time" | "date" | "time") => &[
                "2026-02-30",
                "2026-01-02T03:04:05+02:00",
                "2026-01-02T03:04:05",
                "2026-01-02",
                "1735689600",
                "24:00",
                "2001-01-01",
                "2999-12-31",
                "2999-12-31T00:00:00Z",
            ],
            _ => &[],
        };
        formats.iter().for_each(|text| add("of its format or not", (*text).to_owned()));
        if is_plain {
            let others = [
                " padded ",
                "e\u{301}",
                "STRASSE straße",
                "日本語 😀",
                "two  blanks",
                "O'Brien 100%_\\",
                "null",
            ];
            others.iter().for_each(|text| add("any text", (*text).to_owned()));
            if schema.get("maxLength").is_none() {
                add("a long text", "long ".repeat(60));
            }
        }
        let others = ["", " ", "line\nbreak", "<b>&amp;\"'\\", "\u{7f}\u{200b}"];
        others.iter().for_each(|text| add("any text", (*text).to_owned()));
        samples
    }
}

const MOMENTS: [&str; 4] = [
    "2026-01-02T03:04:05Z",
    "2026-03-29T02:30:00+02:00",
    "2025-12-31T23:59:59.123456+05:30",
    "2027-06-15T12:00:00.500-08:00",
];
const DATES: [&str; 4] = ["2026-01-02", "2026-12-31", "2028-02-29", "2026-06-30"];

/// The values that a document gives of a schema.
fn examples(schema: &Value) -> impl Iterator<Item = &Value> {
    schema["examples"].as_array().into_iter().flatten().chain(schema.get("example"))
}

/// A text with its letters in the other case.
pub(super) fn swapped(text: &str) -> String {
    text.chars()
        .flat_map(|c| -> Vec<char> {
            if c.is_lowercase() { c.to_uppercase().collect() } else { c.to_lowercase().collect() }
        })
        .collect()
}

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

/// The numbers to choose from, at least one.
fn valid_numbers(schema: &Value, is_small: bool) -> Vec<Value> {
    let bound = |key: &str| schema[key].as_f64().map(|bound| json_number(bound));
    let limits = [bound("minimum"), bound("maximum")].into_iter().flatten();
    let usual: &[Value] = match (kind(schema), is_small) {
        ("integer", true) => &[json!(2), json!(1), json!(3), json!(4)],
        ("integer", false) => &[json!(100), json!(5), json!(1), json!(7), json!(2), json!(0)],
        _ => &[12.5, 2.675, 99.99, 7.0, 1.005, 99.999, 0.125, 1234.565].map(json_number),
    };
    let mut numbers: Vec<Value> = usual.iter().cloned().chain(limits).collect();
    numbers.retain(|value| is_valid(&Value::Null, schema, value));
    if numbers.is_empty() {
        numbers.push(number(schema));
    }
    numbers
}

/// A number as JSON writes it, without a fraction if it has none.
fn json_number(number: f64) -> Value {
    let is_exact = number.abs() < 9e15 && number.fract() == 0.0;
    if is_exact { whole(number).into() } else { number.into() }
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
    json_number(value)
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, as is right for a bound")]
fn whole(bound: f64) -> i64 {
    bound as i64
}

fn numbers(schema: &Value) -> Vec<(String, Value)> {
    let mut samples: Vec<(String, Value)> = Vec::new();
    let is_whole = kind(schema) == "integer";
    for key in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
        let Some(bound) = schema[key].as_f64() else { continue };
        for distance in if is_whole { [-1.0, 0.0, 1.0] } else { [-0.01, 0.0, 0.01] } {
            samples.push((format!("at its {key}"), json_number(bound + distance)));
        }
    }
    let right = valid_numbers(schema, true).into_iter().chain(valid_numbers(schema, false));
    samples.extend(right.map(|value| ("a right number".to_owned(), value)));
    let large: [Value; 8] = [
        json!(2_147_483_647_i64),
        json!(2_147_483_648_i64),
        json!(9_007_199_254_740_993_i64),
        json!(i64::MAX),
        json!(9_223_372_036_854_775_808_u64),
        json!(-2_147_483_649_i64),
        json!(0.1 + 0.2),
        json!(1e-7),
    ];
    samples.extend(large.map(|value| ("large or precise".to_owned(), value)));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(document: &Value) -> Samples<'_> {
        Samples { document, serial: 0, created: BTreeMap::new() }
    }

    /// Whatever a schema says, the values that should be valid are, each of the first.
    #[test]
    fn valid_values_are_valid() {
        for schema in [
            json!({"type": "string", "maxLength": 2}),
            json!({"type": "string", "minLength": 60}),
            json!({"type": "string", "pattern": "^\\d{5}$"}),
            json!({"type": "string", "pattern": "^[A-Z]{3}-\\d{4}$", "maxLength": 8}),
            json!({"type": "string", "format": "email"}),
            json!({"type": "string", "format": "date-time"}),
            json!({"type": "string", "format": "date"}),
            json!({"type": "string", "format": "uuid"}),
            json!({"type": "string", "enum": ["a", "b"]}),
            json!({"type": "integer", "maximum": -3}),
            json!({"type": "integer", "exclusiveMinimum": 0}),
            json!({"type": "integer", "minimum": 7, "multipleOf": 5}),
            json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
            json!({"type": "number", "minimum": 0, "exclusiveMinimum": true, "maximum": 0.1}),
            json!({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 3}),
            json!({"type": ["null", "integer"]}),
            json!({"anyOf": [{"type": "null"}, {"type": "string", "pattern": "^a+$"}]}),
            json!({"type": "object", "additionalProperties": {"type": "integer"}}),
            json!({"type": "object", "required": ["a"], "properties": {
                "a": {"type": "object", "required": ["zip"], "properties": {
                    "zip": {"type": "string", "pattern": "^\\d{5}$"},
                }},
                "b": {"oneOf": [{"const": "x"}, {"type": "boolean"}]},
            }}),
        ] {
            let document = Value::Null;
            let mut samples = samples(&document);
            for number in 0..12 {
                let value = samples.nth(&schema, number);
                assert!(is_valid(&document, &schema, &value), "{schema}: {value}");
            }
        }
    }

    #[test]
    fn texts_of_rows_are_unique() {
        let schema = json!({"type": "string", "maxLength": 4});
        let mut samples = samples(&Value::Null);
        let texts: std::collections::BTreeSet<_> =
            (0..50).map(|number| samples.nth(&schema, number).to_string()).collect();
        assert_eq!(texts.len(), 50);
    }

    #[test]
    fn a_model_that_refers_to_itself_comes_to_an_end() {
        let again = json!({"$ref": "#/components/schemas/Node"});
        let node = json!({"type": "object", "properties": {
            "nodes": {"type": "array", "items": again},
            "parent": {"anyOf": [again, {"type": "null"}]},
        }});
        let document = json!({"components": {"schemas": {"Node": node}}});
        let mut samples = samples(&document);
        let value = samples.nth(&document["components"]["schemas"]["Node"], 0);
        assert_eq!(value["nodes"][0]["nodes"].as_array().map(Vec::len), Some(1));
        assert!(value.to_string().len() < 10_000, "{value}");
        let variants = samples.variants(&document["components"]["schemas"]["Node"]);
        assert!(variants.len() < 2_000, "{}", variants.len());
    }
}

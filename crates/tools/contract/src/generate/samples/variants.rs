//! Variants of a value: every kind of valid one, those at the limits, and invalid ones.

use serde_json::{Map, Value, json};

use super::numbers::numbers;
use super::{MAX_DEPTH, MAX_LENGTH, MAX_NESTING, MAX_PARTS, Position, Samples};
use crate::generate::schema::{examples, kind};
use crate::generate::text::swapped;
use crate::openapi::{fields, resolve};

impl<'a> Samples<'a> {
    /// Valid and invalid values, each with its name.
    pub(in crate::generate) fn variants(&mut self, schema: &'a Value) -> Vec<(String, Value)> {
        self.variants = self.max_variants;
        let mut all = self.variants_within(schema, 0);
        all.truncate(self.max_variants);
        all
    }

    fn variants_within(&mut self, schema: &'a Value, nesting: usize) -> Vec<(String, Value)> {
        let mut all: Vec<(String, Value)> = Vec::new();
        if self.variants == 0 {
            return all;
        }
        self.parts = MAX_PARTS;
        for number in 0..6 {
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
        self.variants = self.variants.saturating_sub(all.len());
        all
    }

    fn lists(&mut self, schema: &'a Value, nesting: usize) -> Vec<(String, Value)> {
        let items = &schema["items"];
        let mut item =
            |number: usize| self.at(items, Position::of(number, MAX_DEPTH - nesting, true));
        let [a, b] = [item(0), item(1)];
        let max = schema["maxItems"].as_u64().and_then(|max| usize::try_from(max).ok());
        let max = max.unwrap_or(3).min(100);
        let mut many = |count: usize| Value::Array((0..count).map(&mut item).collect());
        let mut lists = vec![
            ("an empty list".to_owned(), json!([])),
            ("a list of two".to_owned(), json!([a, b])),
            ("a list in another order".to_owned(), json!([b, a])),
            ("a list with one twice".to_owned(), json!([a, a])),
            ("a list of one".to_owned(), json!([a])),
            ("a list at its limit".to_owned(), many(max)),
            ("a list over its limit".to_owned(), many(max + 1)),
        ];
        if let Some(min) = schema["minItems"].as_u64().filter(|min| (2..100).contains(min)) {
            let min = usize::try_from(min).unwrap_or(2);
            lists.push(("a list at its minimum".to_owned(), many(min)));
            lists.push(("a list under its minimum".to_owned(), many(min - 1)));
        }
        for (what, value) in self.variants_within(items, nesting + 1) {
            lists.push((format!("an item: {what}"), json!([value])));
        }
        lists
    }

    fn objects(&mut self, schema: &'a Value, nesting: usize) -> Vec<(String, Value)> {
        let position = |number| Position::of(number, MAX_DEPTH - nesting, nesting > 0);
        let whole = self.at(schema, position(0));
        let mut objects = vec![
            ("an object".to_owned(), whole.clone()),
            ("another object".to_owned(), self.at(schema, position(1))),
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
            let position = |number| Position::of(number, MAX_DEPTH, true);
            let own: Vec<String> =
                (0..4).map(|number| self.text(schema, position(number))).collect();
            let first = own[0].clone();
            for text in own {
                add("of its form", text);
            }
            add("one character more", format!("{first}1"));
            add("another character more", format!("{first}x"));
            add("something before", format!("x{first}"));
            let mut less = first.clone();
            less.pop();
            add("one character less", less);
            add("in other case", swapped(&first));
            add("padded", format!(" {first}"));
            let middle = first.char_indices().nth(first.chars().count() / 2);
            if let Some((middle, _)) = middle.filter(|(middle, _)| *middle > 0) {
                add("with a blank within", format!("{} {}", &first[..middle], &first[middle..]));
            }
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
        for text in formats {
            add("of its format or not", (*text).to_owned());
        }
        if is_plain {
            let others = [
                " padded ",
                "e\u{301}",
                "STRASSE straße",
                "日本語 😀",
                "two  blanks",
                "@Some_One2 and #Tag-1: http://example.com/A?b=1&c=%20",
                "O'Brien 100%_\\",
                "null",
            ];
            for text in others {
                add("any text", text.to_owned());
            }
            if schema.get("maxLength").is_none() {
                add("a long text", "long ".repeat(60));
            }
        }
        let others = ["", " ", "line\nbreak", "<b>&amp;\"'\\", "\u{7f}\u{200b}"];
        for text in others {
            add("any text", text.to_owned());
        }
        samples
    }
}

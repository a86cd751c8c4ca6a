//! Values for a schema: valid ones, those at its limits, and invalid ones.

mod names;
mod numbers;
mod variants;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) use self::names::least;
use self::names::{is_share, is_to_come, usual};
use self::numbers::valid_numbers;
use super::draft::plain;
use super::pattern::matching;
use super::related::non_null;
use super::valid::is_valid;
use crate::openapi::{fields, resolve};

/// The maximum depth of a value, as a model may refer to itself.
const MAX_DEPTH: usize = 12;
/// How deep within a value its parts are varied.
const MAX_NESTING: usize = 4;
/// How many parts a value has at most, and how many variants: models may refer to one another.
const MAX_PARTS: usize = 400;
const MAX_VARIANTS: usize = 300;
/// How many years later a moment is at most.
const MAX_YEARS: usize = 500;
/// How many years later a moment is that should be still to come: leap years among leap years.
const TO_COME: usize = 12;
/// How many numbers are tried for one that has the form which is asked for.
const FITTING: usize = 8;
/// The longest text that is sent, in characters.
const MAX_LENGTH: usize = 100_000;
/// Marks a property that holds the id of a thing: the path of the operation that creates such things.
pub(in crate::generate) const REFERS_TO: &str = "x-refers-to";
/// Texts in several scripts and cases, some with what a search or an encoding could take for its own.
const WORDS: [&str; 8] =
    ["text", "Beta", "alpha", "Émile", "zeta_x", "Alpha 100%", "beta", "O'Brien"];

/// Makes values; each e-mail address and each text of a resource is different.
pub(super) struct Samples<'a> {
    pub document: &'a Value,
    /// The number of the text or address made last.
    pub serial: usize,
    /// The users who created things, by number, and the variables with their ids, by the path of what
    /// creates them; and by that path, `#` and the name of a field the texts that they were given.
    pub created: BTreeMap<String, Vec<(usize, String)>>,
    /// Who sends what is made: of the things, the sender's own come first.
    pub caller: usize,
    /// Whether texts are those that the document gives as examples, as far as there are any.
    pub has_examples: bool,
    /// How many years later moments are than they would be, so that things that may not be at the same
    /// time can be made many times.
    pub years: usize,
    /// How many parts the value that is being made may still have.
    parts: usize,
    /// How many variants a value has at most, and how many may still be made.
    most_variants: usize,
    variants: usize,
}

/// Where a value stands.
#[derive(Clone, Copy)]
struct Place {
    /// Which of the possible values it is.
    number: usize,
    /// How many fields of the same form stand before it that could hold the same value.
    field: usize,
    /// How much deeper a model that refers to itself may go.
    depth: usize,
    /// Whether it is one of many, or a parameter: numbers are small, texts need not be unique.
    is_small: bool,
    /// Whether it is a moment that should be still to come, as its name says.
    is_to_come: bool,
}

impl Place {
    const fn of(number: usize, depth: usize, is_small: bool) -> Self {
        Self { number, field: 0, depth, is_small, is_to_come: false }
    }
}

impl<'a> Samples<'a> {
    /// `share` is how many changes of an operation there is room for.
    pub(super) fn new(document: &'a Value, share: usize) -> Self {
        let most_variants = share.min(MAX_VARIANTS);
        Self {
            document,
            serial: 0,
            created: BTreeMap::new(),
            caller: 0,
            has_examples: true,
            years: 0,
            parts: 0,
            most_variants,
            variants: 0,
        }
    }

    /// A valid value for each number: the first has everything that it may have, several of the others
    /// lack optional fields.
    pub(super) fn nth(&mut self, schema: &'a Value, number: usize) -> Value {
        self.parts = MAX_PARTS;
        self.at(schema, Place::of(number, MAX_DEPTH, false))
    }

    /// A valid value of a parameter. `others` are those given to the parameters before it: two of one
    /// kind are in ascending order.
    pub(super) fn parameter(&mut self, schema: &'a Value, others: &mut Vec<String>) -> Value {
        self.parts = MAX_PARTS;
        let field = nth_of_its_kind(self.document, schema, others);
        self.at(schema, Place { field, ..Place::of(0, MAX_DEPTH, true) })
    }

    /// The values that the document gives of a schema.
    pub(super) fn examples_of(&self, schema: &'a Value) -> impl Iterator<Item = &'a Value> {
        examples(resolve(self.document, schema))
    }

    fn at(&mut self, schema: &'a Value, place: Place) -> Value {
        let Some(depth) = place.depth.checked_sub(1) else { return Value::Null };
        self.parts = self.parts.saturating_sub(1);
        // What is too large already gets nothing that need not be there.
        let depth = if self.parts == 0 { depth.min(MAX_DEPTH / 2 - 1) } else { depth };
        let place = Place { depth, ..place };
        let number = place.number;
        if let Some(value) = self.reference(schema, number + place.field) {
            return value;
        }
        let schema = resolve(self.document, schema);
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(values) = schema["enum"].as_array().filter(|values| !values.is_empty()) {
            return values[number % values.len()].clone();
        }
        let is_later = self.years > 0 && schema["format"] == "date-time";
        let is_text = kind(resolve(self.document, non_null(schema))) == "string";
        let example = examples(schema).nth(number);
        let example = example.filter(|_| !is_later && (self.has_examples || !is_text));
        if let Some(example) = example.filter(|value| is_valid(self.document, schema, value)) {
            return example.clone();
        }
        for key in ["anyOf", "oneOf"] {
            let Some(choices) = schema[key].as_array() else { continue };
            let some: Vec<_> = choices.iter().filter(|choice| choice["type"] != "null").collect();
            if some.len() < choices.len() && number % 4 == 3 {
                return Value::Null;
            }
            let is = |choice: &&&Value, kinds: &[&str]| {
                let choice = resolve(self.document, choice);
                kinds.contains(&kind(choice)) && choice.get("format").is_none()
            };
            let find = |kinds: &[&str]| some.iter().find(|choice| is(choice, kinds)).copied();
            if let (Some(of), Some(text)) = (find(&["integer", "number"]), find(&["string"])) {
                return self.written(of, text, place);
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
                let own = &numbers[(number * 2 / 3) % numbers.len()];
                let later =
                    own.as_i64().and_then(|own| own.checked_add(place.field.try_into().ok()?));
                let later = later.map(Value::from).filter(|_| !place.is_small);
                later
                    .filter(|value| is_valid(self.document, schema, value))
                    .unwrap_or_else(|| own.clone())
            }
            "boolean" => number.is_multiple_of(2).into(),
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
            "object" => self.object(schema, place),
            _ => Value::Null,
        }
    }

    /// A number that may be written as a text, as decimals are: the text has the rules.
    fn written(&mut self, of: &'a Value, text: &Value, place: Place) -> Value {
        let number = place.number;
        let numbers = number..number + FITTING;
        let values: Vec<Value> =
            numbers.map(|number| self.at(of, Place { number, ..place })).collect();
        let fits = |value: &&Value| is_valid(self.document, text, &Value::from(plain(value)));
        match values.iter().find(fits) {
            Some(value) if number % 4 >= 2 => plain(value).into(),
            Some(value) => value.clone(),
            None => values.into_iter().next().unwrap_or(Value::Null),
        }
    }

    fn object(&mut self, schema: &'a Value, place: Place) -> Value {
        let number = place.number;
        let mut object = Map::new();
        let required = schema["required"].as_array();
        let mut kinds = Vec::new();
        for (index, (name, property)) in fields(&schema["properties"]).enumerate() {
            let is_required = required.is_some_and(|names| names.iter().any(|known| known == name));
            let is_left_out = place.depth < MAX_DEPTH / 2
                || (number > 0 && (number + index) % 5 == 4)
                || self.refers_to_nothing(property);
            let field = nth_of_its_kind(self.document, property, &mut kinds);
            if !is_required && is_left_out {
                continue;
            }
            let place = Place {
                field,
                is_to_come: is_to_come(name),
                is_small: place.is_small || is_share(name),
                ..place
            };
            let value = self.at(property, place);
            let is_whole = kind(resolve(self.document, non_null(property))) == "integer";
            let usual = usual(name).filter(|_| number == 0 && is_whole).map(Value::from);
            let usual = usual.filter(|usual| is_valid(self.document, property, usual));
            object.insert(name.clone(), usual.unwrap_or(value));
        }
        if object.is_empty() && schema["additionalProperties"].is_object() {
            let value = self.at(&schema["additionalProperties"], place);
            object.insert("key".to_owned(), value);
        }
        object.into()
    }

    /// Whether a schema is one of the id of a thing, and there is none yet.
    fn refers_to_nothing(&self, schema: &Value) -> bool {
        let mark = schema[REFERS_TO].as_str();
        mark.is_some_and(|mark| self.created.get(mark).is_none_or(Vec::is_empty))
    }

    /// The id of a created thing, where the schema is one of an id.
    fn reference(&self, schema: &Value, number: usize) -> Option<Value> {
        let created = self.created.get(schema[REFERS_TO].as_str()?)?;
        let (own, others): (Vec<_>, Vec<_>) =
            created.iter().partition(|(user, _)| *user == self.caller);
        // The rows of each user begin with another number.
        let number = number.saturating_sub(2 * self.caller) % created.len().max(1);
        let (_, variable) = own.into_iter().chain(others).nth(number)?;
        if schema[REFERS_TO].as_str().is_some_and(|mark| mark.contains('#')) {
            // A text of the thing, not its id.
            return Some(variable.clone().into());
        }
        let is_number = schema.to_string().contains(r#""integer""#);
        Some(Value::String(format!("${{{}{variable}}}", if is_number { "#" } else { "" })))
    }

    fn text(&mut self, schema: &Value, place: Place) -> String {
        let Place { number, field, is_small, is_to_come, .. } = place;
        let later = |moment: String, years: usize| {
            let (year, rest) = moment.split_at(4);
            let more = if is_to_come { TO_COME } else { 0 };
            format!("{}{rest}", year.parse().unwrap_or(0) + years + more)
        };
        let pick = |texts: &[&str]| texts[number % texts.len()].to_owned();
        match schema["format"].as_str() {
            Some("email") => {
                self.serial += 1;
                return format!("generated{}@example.com", self.serial);
            }
            Some("uuid") => return format!("00000000-0000-4000-8000-{number:012}"),
            Some("date-time") => {
                return later(pick(MOMENTS[field % MOMENTS.len()]), self.years % MAX_YEARS);
            }
            Some("date") => return later(pick(&DATES[field % DATES.len()]), 0),
            Some("time") => return pick(&TIMES[field % TIMES.len()]),
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
}

/// Moments by row, for the first field of a form, for the second and so on: each a little later.
const MOMENTS: [&[&str; 4]; 3] = [
    &[
        "2026-01-02T03:04:05Z",
        "2026-03-29T02:30:00+02:00",
        "2025-12-31T23:59:59.123456+05:30",
        "2027-06-15T12:00:00.500-08:00",
    ],
    &[
        "2026-01-02T04:34:45.500Z",
        "2026-03-29T03:30:00+02:00",
        "2026-01-01T00:45:00.123456+05:30",
        "2027-06-15T22:10:40.250-08:00",
    ],
    &[
        "2026-01-02T05:00:00Z",
        "2026-03-29T04:15:00+02:00",
        "2026-01-01T01:30:00+05:30",
        "2027-06-15T23:59:59-08:00",
    ],
];
const DATES: [[&str; 4]; 3] = [
    ["2026-01-02", "2026-12-31", "2028-02-29", "2026-06-30"],
    ["2026-01-05", "2027-01-01", "2028-03-01", "2026-07-31"],
    ["2026-01-31", "2027-01-04", "2028-03-31", "2026-08-01"],
];
const TIMES: [[&str; 3]; 3] = [
    ["03:04:05", "22:59:59.123456", "00:00:00"],
    ["04:30:45", "23:30:00", "00:00:01"],
    ["05:00:00", "23:59:59.123456", "12:00:00"],
];

/// How many of the values `others` are of the kind of this schema, so that one could be taken for the
/// other; adds it to them.
fn nth_of_its_kind(document: &Value, schema: &Value, others: &mut Vec<String>) -> usize {
    let choices = ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let main = choices.into_iter().find(|choice| choice["type"] != "null").unwrap_or(schema);
    let resolved = resolve(document, main);
    let own = match schema[REFERS_TO].as_str().or_else(|| resolved["format"].as_str()) {
        Some(own) => own.to_owned(),
        None => kind(resolved).to_owned(),
    };
    let before = others.iter().filter(|other| **other == own).count();
    others.push(own);
    before
}

/// The values that a document gives of a schema.
fn examples(schema: &Value) -> impl Iterator<Item = &Value> + use<'_> {
    schema["examples"].as_array().into_iter().flatten().chain(schema.get("example"))
}

/// A text with its letters in the other case.
pub(in crate::generate) fn swapped(text: &str) -> String {
    text.chars()
        .flat_map(|c| -> Vec<char> {
            if c.is_lowercase() { c.to_uppercase().collect() } else { c.to_lowercase().collect() }
        })
        .collect()
}

/// The type of a schema, of several the first that is not null.
pub(in crate::generate) fn kind(schema: &Value) -> &str {
    match &schema["type"] {
        Value::Array(kinds) => {
            let mut kinds = kinds.iter().filter_map(Value::as_str);
            kinds.find(|kind| *kind != "null").unwrap_or("null")
        }
        Value::Null if schema["properties"].is_object() => "object",
        kind => kind.as_str().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
            let mut samples = Samples::new(&document, MAX_VARIANTS);
            for number in 0..12 {
                let value = samples.nth(&schema, number);
                assert!(is_valid(&document, &schema, &value), "{schema}: {value}");
            }
        }
    }

    #[test]
    fn texts_of_rows_are_unique() {
        let schema = json!({"type": "string", "maxLength": 4});
        let mut samples = Samples::new(&Value::Null, MAX_VARIANTS);
        let texts: std::collections::BTreeSet<_> =
            (0..50).map(|number| samples.nth(&schema, number).to_string()).collect();
        assert_eq!(texts.len(), 50);
    }

    #[test]
    fn fields_of_a_form_are_in_ascending_order() {
        let moment = json!({"type": "string", "format": "date-time"});
        let owner = json!({"type": "integer", REFERS_TO: "/people"});
        let schema = json!({"type": "object", "required": ["from", "to", "start", "end", "day"],
        "properties": {
            "from": owner, "start": moment, "least": {"type": "integer"},
            "end": {"anyOf": [moment, {"type": "null"}]}, "to": owner,
            "most": {"type": "integer"}, "until": {"type": "string", "format": "date"},
        }});
        let mut samples = Samples::new(&Value::Null, MAX_VARIANTS);
        let ids = ["generated1", "generated2"].map(|id| (0, id.to_owned()));
        samples.created.insert("/people".to_owned(), ids.to_vec());
        for number in 0..8 {
            let value = samples.nth(&schema, number);
            assert_ne!(value["from"], value["to"], "{value}");
            if let (Some(start), Some(end)) = (value["start"].as_str(), value["end"].as_str()) {
                // Each pair has one offset.
                assert!(start[start.len() - 1..] == end[end.len() - 1..] && start < end, "{value}");
            }
            if let (Some(least), Some(most)) = (value["least"].as_i64(), value["most"].as_i64()) {
                assert!(least < most, "{value}");
            }
        }
    }

    #[test]
    fn a_decimal_is_a_number_in_either_form() {
        let schema = json!({"anyOf": [
            {"type": "number", "exclusiveMinimum": 0},
            {"type": "string", "pattern": "^(?!^[-+.]*$)[+-]?0*\\d*\\.?\\d*$"},
        ]});
        let mut samples = Samples::new(&Value::Null, MAX_VARIANTS);
        let values: Vec<_> = (0..8).map(|number| samples.nth(&schema, number)).collect();
        assert!(values.iter().any(Value::is_string) && values.iter().any(Value::is_number));
        for value in values {
            assert!(plain(&value).parse::<f64>().is_ok(), "{value}");
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
        let mut samples = Samples::new(&document, MAX_VARIANTS);
        let value = samples.nth(&document["components"]["schemas"]["Node"], 0);
        assert_eq!(value["nodes"][0]["nodes"].as_array().map(Vec::len), Some(1));
        assert!(value.to_string().len() < 10_000, "{value}");
        let variants = samples.variants(&document["components"]["schemas"]["Node"]);
        assert!(variants.len() <= MAX_VARIANTS, "{}", variants.len());
    }
}

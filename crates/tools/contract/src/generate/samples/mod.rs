//! Values for a schema: valid ones, those at its limits, and invalid ones.

mod names;
mod numbers;
#[cfg(test)]
mod tests;
mod texts;
mod variants;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

pub(super) use self::names::least;
use self::names::{is_share, is_to_come, usual};
use self::numbers::valid_numbers;
use super::schema::{REFERS_TO, examples, kind, non_null};
use super::text::plain;
use crate::openapi::{fields, resolve};
use crate::valid::is_valid;

/// The maximum depth of a value, as a model may refer to itself.
const MAX_DEPTH: usize = 12;
/// How deep within a value its parts are varied.
const MAX_NESTING: usize = 4;
/// How many parts a value has at most, and how many variants: models may refer to one another.
const MAX_PARTS: usize = 400;
const MAX_VARIANTS: usize = 300;
/// How many numbers are tried for one that has the form which is asked for.
const FITTING: usize = 8;
/// The longest text that is sent, in characters.
const MAX_LENGTH: usize = 100_000;
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
    max_variants: usize,
    variants: usize,
}

/// Which value of a schema is made, and what surrounds it.
#[derive(Clone, Copy)]
struct Position {
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

impl Position {
    const fn of(number: usize, depth: usize, is_small: bool) -> Self {
        Self { number, field: 0, depth, is_small, is_to_come: false }
    }
}

impl<'a> Samples<'a> {
    /// `share` is how many changes of an operation there is room for.
    pub(super) fn new(document: &'a Value, share: usize) -> Self {
        let max_variants = share.min(MAX_VARIANTS);
        Self {
            document,
            serial: 0,
            created: BTreeMap::new(),
            caller: 0,
            has_examples: true,
            years: 0,
            parts: 0,
            max_variants,
            variants: 0,
        }
    }

    /// A valid value for each number: the first has everything that it may have, several of the others
    /// lack optional fields.
    pub(super) fn nth(&mut self, schema: &'a Value, number: usize) -> Value {
        self.parts = MAX_PARTS;
        self.at(schema, Position::of(number, MAX_DEPTH, false))
    }

    /// A valid value of a parameter. `others` are those given to the parameters before it: two of one
    /// kind are in ascending order.
    pub(super) fn parameter(&mut self, schema: &'a Value, others: &mut Vec<String>) -> Value {
        self.parts = MAX_PARTS;
        let field = nth_of_its_kind(self.document, schema, others);
        self.at(schema, Position { field, ..Position::of(0, MAX_DEPTH, true) })
    }

    /// The values that the document gives of a schema.
    pub(super) fn examples_of(&self, schema: &'a Value) -> impl Iterator<Item = &'a Value> {
        examples(resolve(self.document, schema))
    }

    fn at(&mut self, schema: &'a Value, position: Position) -> Value {
        let Some(depth) = position.depth.checked_sub(1) else { return Value::Null };
        self.parts = self.parts.saturating_sub(1);
        // What is too large already gets nothing that need not be there.
        let depth = if self.parts == 0 { depth.min(MAX_DEPTH / 2 - 1) } else { depth };
        let position = Position { depth, ..position };
        let number = position.number;
        if let Some(value) = self.reference(schema, number + position.field) {
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
                return self.written(of, text, position);
            }
            if !some.is_empty() {
                // Whole rows differ in few of their branches.
                return self.at(some[(number / 2) % some.len()], position);
            }
        }
        match kind(schema) {
            "string" => self.text(schema, position).into(),
            "integer" | "number" => {
                let numbers = valid_numbers(schema, position.is_small);
                // Some rows share a number.
                let own = &numbers[(number * 2 / 3) % numbers.len()];
                let later =
                    own.as_i64().and_then(|own| own.checked_add(position.field.try_into().ok()?));
                let later = later.map(Value::from).filter(|_| !position.is_small);
                later
                    .filter(|value| is_valid(self.document, schema, value))
                    .unwrap_or_else(|| own.clone())
            }
            "boolean" => number.is_multiple_of(2).into(),
            "array" => {
                let min = schema["minItems"].as_u64().unwrap_or(0);
                let max = schema["maxItems"].as_u64().unwrap_or(20).min(20);
                // Where lists may be empty, lists within lists are.
                let usual = if depth <= MAX_DEPTH / 2 { 0 } else { [1, 2, 0, 3][number % 4] };
                let count = usual.clamp(min.min(max), max);
                (0..count)
                    .map(|index| {
                        let number = number + usize::try_from(index).unwrap_or(0);
                        self.at(&schema["items"], Position { number, is_small: true, ..position })
                    })
                    .collect()
            }
            "object" => self.object(schema, position),
            _ => Value::Null,
        }
    }

    /// A number that may be written as a text, as decimals are: the text has the rules.
    fn written(&mut self, of: &'a Value, text: &Value, position: Position) -> Value {
        let number = position.number;
        let numbers = number..number + FITTING;
        let values: Vec<Value> =
            numbers.map(|number| self.at(of, Position { number, ..position })).collect();
        let fits = |value: &&Value| is_valid(self.document, text, &Value::from(plain(value)));
        match values.iter().find(fits) {
            Some(value) if number % 4 >= 2 => plain(value).into(),
            Some(value) => value.clone(),
            None => values.into_iter().next().unwrap_or(Value::Null),
        }
    }

    fn object(&mut self, schema: &'a Value, position: Position) -> Value {
        let number = position.number;
        let mut object = Map::new();
        let required = schema["required"].as_array();
        let mut kinds = Vec::new();
        for (index, (name, property)) in fields(&schema["properties"]).enumerate() {
            let is_required = required.is_some_and(|names| names.iter().any(|known| known == name));
            let is_left_out = position.depth < MAX_DEPTH / 2
                || (number > 0 && (number + index) % 5 == 4)
                || self.refers_to_nothing(property);
            let field = nth_of_its_kind(self.document, property, &mut kinds);
            if !is_required && is_left_out {
                continue;
            }
            let position = Position {
                field,
                is_to_come: is_to_come(name),
                is_small: position.is_small || is_share(name),
                ..position
            };
            let value = self.at(property, position);
            let is_whole = kind(resolve(self.document, non_null(property))) == "integer";
            let usual = usual(name).filter(|_| number == 0 && is_whole).map(Value::from);
            let usual = usual.filter(|usual| is_valid(self.document, property, usual));
            object.insert(name.clone(), usual.unwrap_or(value));
        }
        if object.is_empty() && schema["additionalProperties"].is_object() {
            let value = self.at(&schema["additionalProperties"], position);
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
}

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

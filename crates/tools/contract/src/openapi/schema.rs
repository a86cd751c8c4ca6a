//! Two schemas: whether the new one lets through less, more, or something else.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::change::{Change, Class, DOCUMENTATION, Direction};
use super::document::{fields, resolve};

/// How the values that a schema allows have changed.
#[derive(Clone, Copy)]
enum Shift {
    /// Fewer are allowed.
    Narrower,
    /// More are allowed.
    Wider,
    /// Others are allowed.
    Other,
}

pub(super) struct Schemas<'a> {
    old: &'a Value,
    new: &'a Value,
    direction: Direction,
    /// The pairs of references that are being compared: schemas may hold themselves.
    open: Vec<(&'a Value, &'a Value)>,
    pub(super) changes: Vec<Change>,
}

impl<'a> Schemas<'a> {
    pub(super) const fn new(old: &'a Value, new: &'a Value, direction: Direction) -> Self {
        Self { old, new, direction, open: Vec::new(), changes: Vec::new() }
    }

    fn add(&mut self, class: Class, path: &str, what: impl Into<String>) {
        let (direction, path, what) = (Some(self.direction), path.to_owned(), what.into());
        self.changes.push(Change { class, direction, path, what });
    }

    fn shift(&mut self, shift: Shift, path: &str, what: impl Into<String>) {
        let class = match (shift, self.direction) {
            (Shift::Narrower, Direction::Response) | (Shift::Wider, Direction::Request) => {
                Class::NonBreaking
            }
            _ => Class::Breaking,
        };
        self.add(class, path, what);
    }

    pub(super) fn compare(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        if old == new && self.old == self.new {
            return;
        }
        if self.open.iter().any(|&(a, b)| std::ptr::eq(a, old) && std::ptr::eq(b, new)) {
            return;
        }
        self.open.push((old, new));
        self.documentation(path, old, new);
        self.types(path, old, new);
        self.choices(path, old, new);
        self.limits(path, old, new);
        self.texts(path, old, new);
        self.object(path, old, new);
        if old.get("items").is_some() || new.get("items").is_some() {
            self.compare(&format!("{path}[]"), member(old, "items"), member(new, "items"));
        }
        let (before, after) = (list(old, "prefixItems"), list(new, "prefixItems"));
        if before.len() != after.len() {
            self.shift(Shift::Other, path, "has another number of items");
        }
        for (index, (before, after)) in before.iter().zip(after).enumerate() {
            self.compare(&format!("{path}[{index}]"), before, after);
        }
        let (before, after) = (list(old, "allOf"), list(new, "allOf"));
        if before.len() != after.len() {
            self.shift(Shift::Other, path, "has another number of parts in allOf");
        }
        for (before, after) in before.iter().zip(after) {
            self.compare(path, before, after);
        }
        self.open.pop();
    }

    fn documentation(&mut self, path: &str, old: &Value, new: &Value) {
        for key in DOCUMENTATION.into_iter().chain(["deprecated", "readOnly", "writeOnly"]) {
            if old.get(key) != new.get(key) {
                self.add(Class::Documentation, path, format!("{key} changed"));
            }
        }
        match (old.get("default"), new.get("default")) {
            (Some(before), Some(after)) if before != after => {
                self.shift(Shift::Other, path, format!("the default {before} is {after} now"));
            }
            (Some(before), None) => {
                self.shift(Shift::Other, path, format!("the default {before} was removed"));
            }
            (None, Some(after)) => {
                self.add(Class::NonBreaking, path, format!("has the default {after} now"));
            }
            _ => {}
        }
    }

    fn types(&mut self, path: &str, old: &Value, new: &Value) {
        let (before, after) = (old["type"].as_str(), new["type"].as_str());
        // A schema without a type is one of choices, or allows anything.
        let (shift, before, after) = match (before, after) {
            (Some(before), Some(after)) if before == after => return,
            // Every integer is a number.
            (Some("integer"), Some("number")) => (Shift::Wider, "integer", "number"),
            (Some("number"), Some("integer")) => (Shift::Narrower, "number", "integer"),
            (Some(before), Some(after)) => (Shift::Other, before, after),
            (Some(before), None) if alternatives(new).is_empty() => {
                (Shift::Wider, before, "anything")
            }
            (None, Some(after)) if alternatives(old).is_empty() => {
                (Shift::Narrower, "anything", after)
            }
            _ => return,
        };
        self.shift(shift, path, format!("was {before} and is {after} now"));
    }

    /// `enum` and `const`, and the alternatives of `anyOf` and `oneOf`.
    fn choices(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        let (before, after) = (values(old), values(new));
        match (&before, &after) {
            (Some(before), Some(after)) => {
                for value in before.difference(after) {
                    self.shift(Shift::Narrower, path, format!("{value} is not allowed any more"));
                }
                for value in after.difference(before) {
                    self.shift(Shift::Wider, path, format!("{value} is allowed now"));
                }
            }
            (None, Some(_)) => {
                self.shift(Shift::Narrower, path, "only certain values are allowed now");
            }
            (Some(_), None) => {
                self.shift(Shift::Wider, path, "not only certain values are allowed now");
            }
            (None, None) => {}
        }
        let (before, after) = (alternatives(old), alternatives(new));
        if before.is_empty() && after.is_empty() {
            return;
        }
        // One schema is a choice of one.
        let or_self = |list: Vec<&'a Value>, whole: &'a Value| {
            if list.is_empty() && whole["type"].is_string() { vec![whole] } else { list }
        };
        let (mut before, mut after) = (or_self(before, old), or_self(after, new));
        before.retain(|&choice| {
            let counterpart = after.iter().position(|&other| self.is_same(choice, other));
            counterpart.map(|counterpart| after.remove(counterpart)).is_none()
        });
        // What is left over on both sides was changed, if it is still of the same kind.
        before.retain(|&choice| {
            let kind = |choice, document| kind(resolve(document, choice));
            let old_kind = kind(choice, self.old);
            let counterpart = after.iter().position(|&other| kind(other, self.new) == old_kind);
            let counterpart = counterpart.map(|counterpart| after.remove(counterpart));
            if let Some(counterpart) = counterpart
                && !(std::ptr::eq(choice, old) && std::ptr::eq(counterpart, new))
            {
                self.compare(path, choice, counterpart);
            }
            counterpart.is_none()
        });
        for choice in before {
            let what = format!("{} is not allowed any more", kind(resolve(self.old, choice)));
            self.shift(Shift::Narrower, path, what);
        }
        for choice in after {
            let what = format!("{} is allowed now", kind(resolve(self.new, choice)));
            self.shift(Shift::Wider, path, what);
        }
    }

    /// Whether nothing is different between two schemas.
    fn is_same(&self, old: &'a Value, new: &'a Value) -> bool {
        let mut schemas = Self::new(self.old, self.new, self.direction);
        schemas.open.clone_from(&self.open);
        schemas.compare("", old, new);
        schemas.changes.is_empty()
    }

    fn limits(&mut self, path: &str, old: &Value, new: &Value) {
        const LOWER: [&str; 5] =
            ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
        const UPPER: [&str; 5] =
            ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
        for key in LOWER.into_iter().chain(UPPER) {
            let bound = |schema: &Value| schema[key].as_f64();
            let is_lower = LOWER.contains(&key);
            let shift = match (bound(old), bound(new)) {
                (Some(before), Some(after)) if before.total_cmp(&after).is_eq() => continue,
                (Some(before), Some(after)) if (after > before) == is_lower => Shift::Narrower,
                (None, Some(_)) => Shift::Narrower,
                (Some(_), _) => Shift::Wider,
                (None, None) => continue,
            };
            let show = |schema: &Value| schema.get(key).map_or("nothing".into(), Value::to_string);
            let what = format!("{key} was {} and is {} now", show(old), show(new));
            self.shift(shift, path, what);
        }
        match (old["uniqueItems"] == true, new["uniqueItems"] == true) {
            (false, true) => self.shift(Shift::Narrower, path, "items must be unique now"),
            (true, false) => self.shift(Shift::Wider, path, "items need not be unique now"),
            _ => {}
        }
    }

    fn texts(&mut self, path: &str, old: &Value, new: &Value) {
        for key in ["pattern", "format", "multipleOf", "contentMediaType", "contentEncoding"] {
            let shift = match (old.get(key), new.get(key)) {
                (before, after) if before == after => continue,
                (Some(before), Some(after)) if before.as_f64().is_some() => {
                    if before.as_f64() == after.as_f64() {
                        continue;
                    }
                    Shift::Other
                }
                (None, _) => Shift::Narrower,
                (_, None) => Shift::Wider,
                _ => Shift::Other,
            };
            let show = |schema: &Value| schema.get(key).map_or("nothing".into(), Value::to_string);
            let what = format!("{key} was {} and is {} now", show(old), show(new));
            self.shift(shift, path, what);
        }
    }

    fn object(&mut self, path: &str, old: &'a Value, new: &'a Value) {
        let (before, after) = (member(old, "properties"), member(new, "properties"));
        let requires = |schema: &Value, name: &str| {
            list(schema, "required").iter().any(|required| *required == name)
        };
        for (name, property) in fields(before) {
            let path = format!("{path}.{name}");
            match after.get(name) {
                Some(counterpart) => {
                    match (requires(old, name), requires(new, name)) {
                        (false, true) => self.shift(Shift::Narrower, &path, "is required now"),
                        (true, false) => self.shift(Shift::Wider, &path, "may be absent now"),
                        _ => {}
                    }
                    self.compare(&path, property, counterpart);
                }
                None => self.shift(Shift::Other, &path, "was removed"),
            }
        }
        for (name, _) in fields(after) {
            if before.get(name).is_none() {
                let path = format!("{path}.{name}");
                if requires(new, name) && self.direction == Direction::Request {
                    self.add(Class::Breaking, &path, "is new and required");
                } else {
                    self.add(Class::NonBreaking, &path, "is new");
                }
            }
        }
        let closed = |schema: &Value| schema["additionalProperties"] == false;
        match (closed(old), closed(new)) {
            (false, true) => self.shift(Shift::Narrower, path, "other fields are refused now"),
            (true, false) => self.shift(Shift::Wider, path, "other fields are allowed now"),
            _ => {}
        }
        let values = |schema: &'a Value| {
            schema.get("additionalProperties").filter(|values| values.is_object())
        };
        if let (Some(before), Some(after)) = (values(old), values(new)) {
            self.compare(&format!("{path}.*"), before, after);
        }
    }
}

fn member<'a>(schema: &'a Value, key: &str) -> &'a Value {
    schema.get(key).unwrap_or(&Value::Null)
}

fn list<'a>(schema: &'a Value, key: &str) -> &'a [Value] {
    schema.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A copy in which no schema has several types: `[string, null]`, and `nullable` of OpenAPI 3.0, is a
/// choice between schemas of one type each.
pub(super) fn one_type_each(value: &Value) -> Value {
    /// What holds data and no schemas.
    const DATA: [&str; 5] = ["enum", "const", "default", "example", "examples"];
    /// What belongs to the field and not to a choice.
    const OUTSIDE: [&str; 4] = ["title", "description", "default", "deprecated"];
    let fields = match value {
        Value::Array(items) => return items.iter().map(one_type_each).collect(),
        Value::Object(fields) => fields,
        other => return other.clone(),
    };
    let mut fields: Map<String, Value> = fields
        .iter()
        .map(|(key, value)| {
            let is_data = DATA.contains(&key.as_str());
            (key.clone(), if is_data { value.clone() } else { one_type_each(value) })
        })
        .collect();
    let mut types: Vec<Value> = match &fields.get("type") {
        Some(Value::Array(types)) => types.clone(),
        Some(kind @ Value::String(_)) => vec![(*kind).clone()],
        _ => Vec::new(),
    };
    if !types.is_empty() && fields.remove("nullable") == Some(Value::Bool(true)) {
        types.push("null".into());
    }
    if let [kind] = types.as_slice() {
        fields.insert("type".into(), kind.clone());
    }
    if types.len() < 2 {
        return fields.into();
    }
    let mut outside = Map::new();
    for key in OUTSIDE {
        outside.extend(fields.remove(key).map(|value| (key.to_owned(), value)));
    }
    let choice = |kind: Value| {
        let mut choice = if kind == "null" { Map::new() } else { fields.clone() };
        choice.insert("type".into(), kind);
        Value::Object(choice)
    };
    outside.insert("anyOf".into(), types.into_iter().map(choice).collect());
    outside.into()
}

/// What a schema is called in a message.
fn kind(schema: &Value) -> String {
    let name = schema["title"].as_str().filter(|_| schema["type"] == "object");
    match name {
        Some(name) => name.to_owned(),
        None => schema["type"].as_str().unwrap_or("another kind of value").to_owned(),
    }
}

fn values(schema: &Value) -> Option<BTreeSet<String>> {
    match (schema.get("enum").and_then(Value::as_array), schema.get("const")) {
        (Some(values), _) => Some(values.iter().map(Value::to_string).collect()),
        (None, Some(value)) => Some([value.to_string()].into()),
        (None, None) => None,
    }
}

fn alternatives(schema: &Value) -> Vec<&Value> {
    list(schema, "anyOf").iter().chain(list(schema, "oneOf")).collect()
}

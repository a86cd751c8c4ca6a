//! The normal form of the schemas of a document.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::choice::{Choice, Choices, Kind, Parts};
use super::keywords::is_annotation;
use super::number::canonical;
use super::own;
use super::syntax::{Extent, address, double_negation, list, pointer};
use super::union::{mark, simple};
use crate::openapi::exact;

/// How many choices a merge of unions may have before the unions are compared each by itself.
const MAX_CHOICES: usize = 4096;
/// How many schemas may be nested in one another by composition.
const MAX_DEPTH: usize = 100;

/// How deep an annotation is looked for in what a schema is composed of.
const MAX_DEPTH_OF_MARKS: usize = 8;

/// The components that extend a component, by its address: their names and schemas.
pub(super) type Subtypes<'a> = HashMap<usize, Vec<(&'a str, &'a Value)>>;

/// Normalises the schemas of one document, each once.
pub(in crate::openapi) struct Normaliser<'a> {
    pub(in crate::openapi) document: &'a Value,
    known: RefCell<HashMap<Vec<usize>, Choices<'a>>>,
    parts: RefCell<HashMap<usize, Choices<'a>>>,
    /// Whether a schema that is composed of itself was met.
    is_cyclic: Cell<bool>,
    /// Whether what stands beside a reference counts: not before OpenAPI 3.1.
    siblings_count: bool,
    pub(super) subtypes: OnceCell<Subtypes<'a>>,
    /// The digits of large numbers, by their addresses.
    digits: BTreeMap<usize, &'a str>,
}

impl<'a> Normaliser<'a> {
    pub(in crate::openapi) fn new(document: &'a Value) -> Self {
        let (known, parts, subtypes) = (RefCell::default(), RefCell::default(), OnceCell::new());
        let version = document["openapi"].as_str().unwrap_or_default();
        let siblings_count = !version.starts_with("3.0");
        let (is_cyclic, digits) = (Cell::new(false), exact::digits(document));
        Self { document, known, parts, is_cyclic, siblings_count, subtypes, digits }
    }

    /// Whether equal values are all that they look like.
    pub(in crate::openapi) fn is_exact(&self) -> bool {
        self.digits.is_empty()
    }

    /// A text that is the same for equal values of this document and of others.
    fn canonical(&self, value: &Value) -> String {
        self.digits.get(&address(value)).map_or_else(|| canonical(value), |&digits| digits.into())
    }

    /// Whether a schema is a reference beside which nothing counts.
    pub(in crate::openapi) fn is_bare_reference(&self, schema: &Value) -> bool {
        !self.siblings_count && schema.get("$ref").is_some_and(Value::is_string)
    }

    /// A schema that is nothing but a reference to another: itself, or the only schema that it is
    /// composed of.
    fn reference<'b>(&self, schema: &'b Value) -> Option<&'b Value> {
        let fields = schema.as_object()?;
        if self.is_bare_reference(schema) && fields.get("nullable") != Some(&Value::Bool(true)) {
            return Some(schema);
        }
        let mut assertions = fields.iter().filter(|(key, _)| !is_annotation(key));
        let (key, value) = assertions.next()?;
        if assertions.next().is_some() {
            return None;
        }
        match (key.as_str(), value) {
            ("$ref", Value::String(_)) => Some(schema),
            ("allOf" | "anyOf" | "oneOf", Value::Array(parts)) => match parts.as_slice() {
                [part] => self.reference(part),
                _ => None,
            },
            _ => None,
        }
    }

    /// What a schema that is nothing but a reference stands for, and the name of the component.
    pub(in crate::openapi) fn target(&self, parts: &Parts<'a>) -> (Parts<'a>, Option<&'a str>) {
        let &[mut schema] = parts.as_slice() else { return (parts.clone(), None) };
        let mut name = None;
        for _ in 0..MAX_DEPTH {
            let Some(reference) = self.reference(schema) else { break };
            let (pointer, target) = (pointer(reference), self.resolve(reference));
            name = name.or_else(|| pointer.rsplit('/').next());
            schema = target;
        }
        (vec![schema], name)
    }

    /// Whether a schema is marked with the annotation: `readOnly`, `writeOnly`. What is composed of
    /// several is if one of them is, a union if all but null are.
    pub(in crate::openapi) fn is_marked(&self, schema: &'a Value, key: &str) -> bool {
        self.is_marked_within(schema, key, MAX_DEPTH_OF_MARKS)
    }

    fn is_marked_within(&self, schema: &'a Value, key: &str, depth: usize) -> bool {
        let Some(fields) = schema.as_object() else { return false };
        let within = |schema: &'a Value| depth > 0 && self.is_marked_within(schema, key, depth - 1);
        let is_null = |schema: &Value| schema["type"] == "null";
        (fields.get(key) == Some(&Value::Bool(true)) && !self.is_bare_reference(schema))
            || (fields.get("$ref").is_some_and(Value::is_string) && within(self.resolve(schema)))
            || list(fields, "allOf").iter().any(within)
            || ["anyOf", "oneOf"].iter().any(|key| {
                let members = list(fields, key);
                members.iter().any(|member| !is_null(member))
                    && members.iter().all(|member| is_null(member) || within(member))
            })
    }

    /// Whether a schema allows everything or nothing, as far as it says so outright.
    fn extent(&self, schema: &'a Value) -> Extent {
        let (target, _) = self.target(&vec![schema]);
        match target.first() {
            Some(Value::Bool(false)) => Extent::Nothing,
            Some(Value::Object(fields)) => {
                let mut said = fields.iter().filter(|(key, _)| !is_annotation(key));
                match (said.next(), said.next()) {
                    (None, _) => Extent::Everything,
                    (Some((key, negated)), None) if key == "not" => match negated {
                        Value::Bool(true) => Extent::Nothing,
                        Value::Bool(false) => Extent::Everything,
                        Value::Object(fields) if fields.is_empty() => Extent::Nothing,
                        _ => Extent::Something,
                    },
                    _ => Extent::Something,
                }
            }
            _ => Extent::Everything,
        }
    }

    fn resolve(&self, reference: &'a Value) -> &'a Value {
        let pointer = pointer(reference);
        let pointer = pointer.strip_prefix('#').unwrap_or(pointer);
        self.document.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// The choices that a schema is a union of; none if it allows nothing.
    pub(in crate::openapi) fn choices(&self, parts: &[&'a Value]) -> Choices<'a> {
        let key: Vec<usize> = parts.iter().map(|part| address(part)).collect();
        if let Some(known) = self.known.borrow().get(&key) {
            return Rc::clone(known);
        }
        let mut choices = vec![anything()];
        for &part in parts {
            let own = self.part(part, &mut Vec::new()).unwrap_or_else(|| Rc::new(vec![anything()]));
            choices = Self::both(&choices, &own);
        }
        let choices = Rc::new(choices);
        self.known.borrow_mut().insert(key, Rc::clone(&choices));
        choices
    }

    /// The choices of one schema; none if it is composed of itself.
    fn part(&self, schema: &'a Value, open: &mut Vec<usize>) -> Option<Choices<'a>> {
        let fields = match schema {
            Value::Bool(false) => return Some(Rc::new(Vec::new())),
            Value::Object(fields) => fields,
            _ => return Some(Rc::new(vec![anything()])),
        };
        let address = address(schema);
        if open.contains(&address) || open.len() > MAX_DEPTH {
            self.is_cyclic.set(true);
            return None;
        }
        if let Some(known) = self.parts.borrow().get(&address) {
            return Some(Rc::clone(known));
        }
        open.push(address);
        let choices = Rc::new(self.composed(schema, fields, open));
        open.pop();
        if !self.is_cyclic.get() {
            self.parts.borrow_mut().insert(address, Rc::clone(&choices));
        }
        if open.is_empty() {
            self.is_cyclic.set(false);
        }
        Some(choices)
    }

    fn composed(
        &self,
        schema: &'a Value,
        fields: &'a Map<String, Value>,
        open: &mut Vec<usize>,
    ) -> Vec<Rc<Choice<'a>>> {
        let is_nullable = fields.get("nullable") == Some(&Value::Bool(true));
        let mut choices = if self.is_bare_reference(schema) {
            vec![anything()]
        } else {
            own::choices(fields, &|schema| self.extent(schema), &|value| self.canonical(value))
        };
        if fields.get("$ref").is_some_and(Value::is_string) {
            let target = self.resolve(schema);
            let name = pointer(schema).rsplit('/').next();
            if let Some(inner) = self.part(target, open) {
                let named = inner.iter().enumerate().map(|(index, choice)| {
                    if choice.origin.is_some() {
                        return Rc::clone(choice);
                    }
                    let mut named = (**choice).clone();
                    named.origin = Some((target, index));
                    named.label = if inner.len() == 1 { name } else { named.label.or(name) };
                    if inner.len() == 1 {
                        // It is compared with the component.
                        named.discriminator = None;
                    }
                    Rc::new(named)
                });
                choices = Self::both(&choices, &named.collect::<Vec<_>>());
            }
        }
        if !self.is_bare_reference(schema) {
            choices = self.combined(choices, schema, fields, open);
        }
        if is_nullable && !choices.iter().any(|c| matches!(c.kind, Kind::Any | Kind::Null)) {
            choices.push(Rc::new(Choice::of(Kind::Null)));
        }
        let mut choices = simple(choices);
        if let [only] = choices.as_mut_slice()
            && only.origin.is_none()
            && let Some(title) = fields.get("title").and_then(Value::as_str)
            && only.label != Some(title)
        {
            *only = Rc::new(Choice { label: Some(title), ..(**only).clone() });
        }
        choices
    }

    /// What is left of choices by the schemas that a schema is composed of.
    fn combined(
        &self,
        mut choices: Vec<Rc<Choice<'a>>>,
        schema: &'a Value,
        fields: &'a Map<String, Value>,
        open: &mut Vec<usize>,
    ) -> Vec<Rc<Choice<'a>>> {
        let double_negation = fields.get("not").and_then(double_negation);
        for part in list(fields, "allOf").iter().chain(double_negation) {
            if let Some(part) = self.part(part, open) {
                choices = Self::both(&choices, &part);
            }
        }
        for key in ["anyOf", "oneOf"] {
            let alternatives = list(fields, key);
            if alternatives.is_empty() {
                continue;
            }
            let mut union = Vec::new();
            let mut is_whole = true;
            for alternative in alternatives {
                match self.part(alternative, open) {
                    Some(part) => union.extend(part.iter().cloned()),
                    // A union that holds itself gains nothing by that.
                    None if self.leads_to(alternative, schema) => {}
                    None => is_whole = false,
                }
            }
            if is_whole {
                if key == "oneOf" {
                    mark(&mut union, fields.contains_key("discriminator"));
                }
                choices = Self::both(&choices, &union);
            }
        }
        if own::is_evaluated(fields)
            && ["unevaluatedProperties", "unevaluatedItems"].iter().any(|k| fields.contains_key(*k))
        {
            for choice in &mut choices {
                let mut closed = (**choice).clone();
                closed.origin = None;
                own::close(&mut closed, fields, &|schema| self.extent(schema));
                *choice = Rc::new(closed.tidy());
            }
        }
        choices
    }

    /// Whether a schema is nothing but a reference to another.
    fn leads_to(&self, schema: &'a Value, target: &'a Value) -> bool {
        self.target(&vec![schema]).0.first().is_some_and(|found| std::ptr::eq(*found, target))
    }

    /// The choices of what two unions both allow.
    fn both(a: &[Rc<Choice<'a>>], b: &[Rc<Choice<'a>>]) -> Vec<Rc<Choice<'a>>> {
        if let [only] = a
            && only.kind == Kind::Any
            && only.is_plain()
            && only.discriminator.is_none()
        {
            return b.to_vec();
        }
        if a.len().saturating_mul(b.len()) > MAX_CHOICES {
            // Too many to merge them: the smaller union holds of each member of the larger one.
            let (large, small) = if a.len() > b.len() { (a, b) } else { (b, a) };
            let small = Rc::new(small.to_vec());
            let with = |choice: &Rc<Choice<'a>>| {
                let mut with = Choice { origin: None, ..(**choice).clone() };
                with.further.push(Rc::clone(&small));
                Rc::new(with)
            };
            return large.iter().map(with).collect();
        }
        let pairs = a.iter().flat_map(|a| b.iter().map(move |b| a.and(b)));
        simple(pairs.flatten().collect())
    }
}

fn anything<'a>() -> Rc<Choice<'a>> {
    Rc::new(Choice::of(Kind::Any))
}

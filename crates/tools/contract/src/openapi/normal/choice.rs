//! The normal form of a schema: a union of choices, each of one kind of value.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Number, Value};

use super::number::{beyond, number, order, whole};

/// A schema that has not been normalised yet: every part must hold.
pub(in crate::openapi) type Parts<'a> = Vec<&'a Value>;

/// The kind of value that a choice allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::openapi) enum Kind {
    Any,
    Null,
    Boolean,
    Integer,
    Number,
    String,
    Array,
    Object,
}

impl Kind {
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "null" => Self::Null,
            "boolean" => Self::Boolean,
            "integer" => Self::Integer,
            "number" => Self::Number,
            "string" => Self::String,
            "array" => Self::Array,
            "object" => Self::Object,
            _ => return None,
        })
    }

    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(_) => Self::Boolean,
            Value::Number(number) if whole(number).is_some() => Self::Integer,
            Value::Number(_) => Self::Number,
            Value::String(_) => Self::String,
            Value::Array(_) => Self::Array,
            Value::Object(_) => Self::Object,
        }
    }

    /// What values of both kinds are.
    pub(super) fn and(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Any, kind) | (kind, Self::Any) => Some(kind),
            (Self::Integer, Self::Number) | (Self::Number, Self::Integer) => Some(Self::Integer),
            (a, b) => (a == b).then_some(a),
        }
    }

    pub(in crate::openapi) const fn name(self) -> &'static str {
        match self {
            Self::Any => "anything",
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::String => "string",
            Self::Array => "array",
            Self::Object => "object",
        }
    }
}

/// Keywords that hold for values of every kind.
const GENERAL: [&str; 6] = ["not", "if", "then", "else", "$dynamicRef", "$recursiveRef"];

/// One end of a range.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::openapi) struct Bound {
    pub value: Number,
    pub exclusive: bool,
}

/// What an object may hold besides its properties.
#[derive(Clone, Debug, Default)]
pub(in crate::openapi) enum Additional<'a> {
    #[default]
    Anything,
    Nothing,
    Values(Parts<'a>),
}

/// A schema of one kind of value.
#[derive(Clone, Debug)]
pub(in crate::openapi) struct Choice<'a> {
    pub kind: Kind,
    /// The only values, as canonical texts.
    pub values: Option<BTreeSet<String>>,
    /// Lower bounds by keyword: `minimum`, `minLength`, `minItems`, `minProperties`.
    pub lower: BTreeMap<&'static str, Bound>,
    /// Upper bounds by keyword: `maximum`, `maxLength`, `maxItems`, `maxProperties`.
    pub upper: BTreeMap<&'static str, Bound>,
    /// `pattern`, `format`, `multipleOf`, `contentEncoding`, `contentMediaType`.
    pub facets: BTreeMap<&'static str, BTreeSet<String>>,
    pub unique: bool,
    pub items: Parts<'a>,
    pub prefix: Vec<Parts<'a>>,
    pub properties: BTreeMap<&'a str, Parts<'a>>,
    pub required: BTreeSet<&'a str>,
    pub additional: Additional<'a>,
    /// Keywords whose change is only reported, not understood, with what holds of each.
    pub others: BTreeMap<&'a str, Vec<&'a Value>>,
    /// The component it was written as: its schema and which of its choices.
    pub origin: Option<(&'a Value, usize)>,
    /// What people call it: the component's name or the title.
    pub label: Option<&'a str>,
    pub discriminator: Option<&'a Value>,
}

impl Choice<'_> {
    pub(super) const fn of(kind: Kind) -> Self {
        Self {
            kind,
            values: None,
            lower: BTreeMap::new(),
            upper: BTreeMap::new(),
            facets: BTreeMap::new(),
            unique: false,
            items: Vec::new(),
            prefix: Vec::new(),
            properties: BTreeMap::new(),
            required: BTreeSet::new(),
            additional: Additional::Anything,
            others: BTreeMap::new(),
            origin: None,
            label: None,
            discriminator: None,
        }
    }

    /// Whether it allows every value of its kind.
    pub(in crate::openapi) fn is_plain(&self) -> bool {
        self.values.is_none() && self.is_unlimited()
    }

    /// Whether nothing but its `values` limits it.
    pub(super) fn is_unlimited(&self) -> bool {
        self.lower.is_empty()
            && self.upper.is_empty()
            && self.facets.is_empty()
            && !self.unique
            && self.items.is_empty()
            && self.prefix.is_empty()
            && self.properties.is_empty()
            && self.required.is_empty()
            && matches!(self.additional, Additional::Anything)
            && self.others.is_empty()
    }
}

impl<'a> Choice<'a> {
    /// The same choice as one of a union with the discriminator.
    fn within(self: &Rc<Self>, discriminator: Option<&'a Value>) -> Rc<Self> {
        let same = match (self.discriminator, discriminator) {
            (Some(own), Some(other)) => std::ptr::eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        if same {
            return Rc::clone(self);
        }
        Rc::new(Self { discriminator, ..(**self).clone() })
    }
}

impl Choice<'_> {
    /// The choice of the values that both allow, if there may be any.
    pub(super) fn and(self: &Rc<Self>, other: &Rc<Self>) -> Option<Rc<Self>> {
        let kind = self.kind.and(other.kind)?;
        let discriminator = self.discriminator.or(other.discriminator);
        // What limits nothing leaves the other as it was written: its component and its name.
        for (limit, kept) in [(self, other), (other, self)] {
            if limit.is_plain() && kept.kind == kind {
                return Some(kept.within(discriminator));
            }
        }
        let mut both = Self { kind, ..(**self).clone() };
        both.origin = None;
        // The name of a component tells more than the title of the union around it.
        both.label = match (self.origin, other.origin) {
            (None, Some(_)) => other.label.or(self.label),
            _ => self.label.or(other.label),
        };
        both.discriminator = discriminator;
        both.values = match (&self.values, &other.values) {
            (Some(a), Some(b)) => Some(a.intersection(b).cloned().collect()),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        for (key, bound) in &other.lower {
            tighten(&mut both.lower, key, bound, true);
        }
        for (key, bound) in &other.upper {
            tighten(&mut both.upper, key, bound, false);
        }
        for (key, texts) in &other.facets {
            both.facets.entry(*key).or_default().extend(texts.iter().cloned());
        }
        both.unique |= other.unique;
        both.items.extend(&other.items);
        for (index, parts) in other.prefix.iter().enumerate() {
            match both.prefix.get_mut(index) {
                Some(own) => own.extend(parts),
                None => both.prefix.push(parts.clone()),
            }
        }
        for (name, parts) in &other.properties {
            let own = both.properties.entry(*name).or_default();
            let new = parts.iter().filter(|part| !own.iter().any(|own| std::ptr::eq(*own, **part)));
            let new: Vec<_> = new.copied().collect();
            own.extend(new);
        }
        both.required.extend(&other.required);
        both.additional = match (&self.additional, &other.additional) {
            (Additional::Nothing, _) | (_, Additional::Nothing) => Additional::Nothing,
            (Additional::Values(a), Additional::Values(b)) => {
                Additional::Values(a.iter().chain(b).copied().collect())
            }
            (Additional::Values(a), _) | (_, Additional::Values(a)) => {
                Additional::Values(a.clone())
            }
            _ => Additional::Anything,
        };
        for (key, values) in &other.others {
            both.others.entry(*key).or_default().extend(values);
        }
        Some(Rc::new(both.tidy()))
    }

    /// Leaves out what says nothing of values of its kind, and writes equal limits in one way.
    pub(super) fn tidy(mut self) -> Self {
        let applies = |of: Kind| {
            self.kind == Kind::Any
                || self.kind == of
                || (of == Kind::Number && self.kind == Kind::Integer)
        };
        let keyword_kind = |key: &str| match key {
            "minimum" | "maximum" | "multipleOf" => Kind::Number,
            "minLength" | "maxLength" | "pattern" | "contentEncoding" | "contentMediaType"
            | "contentSchema" => Kind::String,
            "minItems" | "maxItems" | "contains" | "minContains" | "maxContains"
            | "unevaluatedItems" => Kind::Array,
            _ => Kind::Object,
        };
        self.lower.retain(|key, _| applies(keyword_kind(key)));
        self.upper.retain(|key, _| applies(keyword_kind(key)));
        self.facets.retain(|key, _| match *key {
            "format" => !matches!(self.kind, Kind::Null | Kind::Boolean),
            key => applies(keyword_kind(key)),
        });
        self.others.retain(|key, _| GENERAL.contains(key) || applies(keyword_kind(key)));
        if !applies(Kind::Array) {
            self.unique = false;
            self.items.clear();
            self.prefix.clear();
        }
        if !applies(Kind::Object) {
            self.properties.clear();
            self.required.clear();
            self.additional = Additional::Anything;
        }
        let one = BTreeSet::from(["1".to_owned()]);
        if self.kind == Kind::Number && self.facets.get("multipleOf") == Some(&one) {
            self.kind = Kind::Integer;
        }
        if self.kind == Kind::Integer {
            for (limits, step) in [(&mut self.lower, 1), (&mut self.upper, -1)] {
                for bound in limits.values_mut() {
                    let next = match whole(&bound.value) {
                        Some(value) if bound.exclusive => number(value + step),
                        Some(_) => None,
                        None => beyond(&bound.value, step > 0),
                    };
                    if let Some(value) = next {
                        *bound = Bound { value, exclusive: false };
                    }
                }
            }
            let multiple = self.facets.get("multipleOf");
            if multiple.is_some_and(|of| of.iter().all(|of| of == "1")) {
                self.facets.remove("multipleOf");
            }
        }
        let says_nothing = |bound: &Bound| whole(&bound.value) == Some(0) && !bound.exclusive;
        self.lower.retain(|key, bound| *key == "minimum" || !says_nothing(bound));
        let both = ["true", "false"].map(ToOwned::to_owned).into();
        if self.kind == Kind::Null || (self.kind == Kind::Boolean && self.values == Some(both)) {
            self.values = None;
        }
        self
    }
}

/// Adds a bound where it is tighter than the one that is there.
pub(super) fn tighten(
    limits: &mut BTreeMap<&'static str, Bound>,
    key: &'static str,
    bound: &Bound,
    lower: bool,
) {
    let tighter = limits.get(key).is_none_or(|known| {
        let order = order(&bound.value, &known.value);
        let order = if lower { order } else { order.reverse() };
        order.is_gt() || (order.is_eq() && bound.exclusive)
    });
    if tighter {
        limits.insert(key, bound.clone());
    }
}

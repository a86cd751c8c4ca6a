//! The normal form of a schema: a union of choices, each of one kind of value.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::{Number, Value};

use super::number::{beyond, is_whole, number, whole};

/// A schema that has not been normalised yet: every part must hold.
pub(in crate::openapi) type Parts<'a> = Vec<&'a Value>;

/// The members of a union.
pub(in crate::openapi) type Choices<'a> = Rc<Vec<Rc<Choice<'a>>>>;

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
            Value::Number(number) if is_whole(number) => Self::Integer,
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
    /// Unions that must hold as well, of which there are too many members to merge them.
    pub further: Vec<Rc<Vec<Rc<Self>>>>,
    /// How it stands to the other members of its union.
    pub exclusion: Exclusion,
}

/// Whether a value may fit several members of a union.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::openapi) enum Exclusion {
    /// It may: `anyOf`.
    #[default]
    None,
    /// A discriminator chooses: `oneOf` with one.
    Tagged,
    /// It may fit one only, as `oneOf` has it.
    One,
    /// The same, and one of the members holds all values of another.
    Overlapping,
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
            further: Vec::new(),
            exclusion: Exclusion::None,
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
            && self.further.is_empty()
    }
}

impl Choice<'_> {
    /// Leaves out what says nothing of values of its kind, and writes equal limits in one way.
    pub(super) fn tidy(mut self) -> Self {
        let kind = self.kind;
        let applies = |of: Kind| {
            kind == Kind::Any || kind == of || (of == Kind::Number && kind == Kind::Integer)
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
        if applies(Kind::Array) {
            self.tidy_items();
        } else {
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
            self.tidy_width();
            let multiple = self.facets.get("multipleOf");
            if multiple.is_some_and(|of| of.iter().all(|of| of == "1")) {
                self.facets.remove("multipleOf");
            }
        }
        let required = self.required.len();
        self.lower.retain(|key, bound| match (*key, whole(&bound.value)) {
            ("minimum", _) => true,
            // As many are required by their names.
            ("minProperties", Some(least)) => usize::try_from(least).is_ok_and(|n| n > required),
            (_, least) => least != Some(0) || bound.exclusive,
        });
        let both = ["true", "false"].map(ToOwned::to_owned).into();
        if self.kind == Kind::Null || (self.kind == Kind::Boolean && self.values == Some(both)) {
            self.values = None;
        }
        self
    }

    /// Leaves out what no item is held to, as there are not so many.
    fn tidy_items(&mut self) {
        let max = self.upper.get("maxItems").and_then(|bound| whole(&bound.value));
        let Some(max) = max.and_then(|max| usize::try_from(max).ok()) else { return };
        if max <= self.prefix.len() {
            self.prefix.truncate(max);
            self.items.clear();
        }
    }

    /// Leaves out the bounds that the format of an integer has anyway.
    fn tidy_width(&mut self) {
        let Some(formats) = self.facets.get("format") else { return };
        let (min, max) = if formats.contains("int32") {
            (i128::from(i32::MIN), i128::from(i32::MAX))
        } else if formats.contains("int64") {
            (i128::from(i64::MIN), i128::from(i64::MAX))
        } else {
            return;
        };
        self.lower.retain(|_, bound| whole(&bound.value).is_none_or(|value| value > min));
        self.upper.retain(|_, bound| whole(&bound.value).is_none_or(|value| value < max));
    }
}

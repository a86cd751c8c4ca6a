//! From a value to a Rust type by pydantic's lax rules, collecting every error.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::errors::{Errors, Loc};
use crate::value::Value;

/// What a field demands beyond its type. The derive fills it from `#[schema(…)]`, which the
/// document shows, and `#[decode(…)]`, which it does not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Constraints {
    pub min_length: Option<usize>,
    pub max_length: Option<usize>,
    pub minimum: Option<i64>,
    pub maximum: Option<i64>,
    pub pattern: Option<Pattern>,
    /// Refuses what a `varchar(n)` cannot hold on every database: more than `n` characters, U+0000.
    pub storable: Option<usize>,
}

impl Constraints {
    pub const NONE: Self = Self {
        min_length: None,
        max_length: None,
        minimum: None,
        maximum: None,
        pattern: None,
        storable: None,
    };
}

/// A regular expression of which only the anchored literal is supported: `^literal$`.
#[derive(Clone, Copy, Debug)]
pub struct Pattern(pub &'static str);

impl Pattern {
    pub(crate) fn matches(self, text: &str) -> bool {
        self.0.strip_prefix('^').and_then(|p| p.strip_suffix('$')) == Some(text)
    }
}

/// A type that a request can carry.
pub trait Decode: Sized {
    /// Decodes `input`, or adds what is wrong with it to `errors` and gives `None`.
    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self>;

    /// What the value is when its field is absent; `None` if the field is required.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether a value that serde has read meets the constraints, so that [`Self::decode`] would
    /// give the same value.
    fn meets(&self, _constraints: &Constraints) -> bool {
        true
    }
}

/// A struct whose fields come from an object or from parameters; implemented by the derive.
pub trait Model: Sized {
    fn from_fields(fields: &impl Fields, at: &Loc<'_>, errors: &mut Errors) -> Option<Self>;
}

/// Where the fields of a [`Model`] come from.
pub trait Fields {
    fn get(&self, name: &str) -> Option<&Value>;

    /// What the error of a missing field echoes.
    fn whole(&self) -> &Value;
}

/// The fields of an object.
struct Object<'a>(&'a Value);

impl Fields for Object<'_> {
    fn get(&self, name: &str) -> Option<&Value> {
        match self.0 {
            Value::Object(fields) => fields.get(name),
            _ => None,
        }
    }

    fn whole(&self) -> &Value {
        self.0
    }
}

/// Decodes a model from a value, which must be an object.
pub fn decode_model<M: Model>(input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<M> {
    if matches!(input, Value::Object(_)) {
        return M::from_fields(&Object(input), at, errors);
    }
    let msg = "Input should be a valid dictionary or object to extract fields from";
    errors.add("model_attributes_type", at, msg, input, None)
}

/// Decodes one field of a model; the derive calls it for each.
pub fn decode_field<T: Decode>(
    fields: &impl Fields,
    name: &str,
    constraints: &Constraints,
    default: Option<fn() -> T>,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<T> {
    let at = at.field(name);
    match (fields.get(name), default) {
        (Some(input), _) => T::decode(input, constraints, &at, errors),
        (None, Some(default)) => Some(default()),
        (None, None) => T::absent().or_else(|| errors.missing(&at, fields.whole())),
    }
}

/// Reads a struct from an object and nothing else; serde alone would take a list as well.
pub struct ObjectOnly<T>(PhantomData<T>);

impl<T> ObjectOnly<T> {
    #[expect(clippy::new_without_default, reason = "only the derive's code makes one")]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectOnly<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// `T | None = None`.
impl<T: Decode> Decode for Option<T> {
    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        match input {
            Value::Null => Some(None),
            _ => T::decode(input, constraints, at, errors).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        self.as_ref().is_none_or(|value| value.meets(constraints))
    }
}

/// A field of a partial update: `T | None = None` read with `exclude_unset`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Patch<T> {
    /// The request does not name the field.
    #[default]
    Absent,
    /// The request names it, with null.
    Null,
    Value(T),
}

impl<T> Patch<T> {
    /// The new value, if there is one: null counts as absent.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// The new value of something that may be null; `None` if the request does not name it.
    pub fn nullable(self) -> Option<Option<T>> {
        match self {
            Self::Absent => None,
            Self::Null => Some(None),
            Self::Value(value) => Some(Some(value)),
        }
    }
}

impl<T: Decode> Decode for Patch<T> {
    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        match input {
            Value::Null => Some(Self::Null),
            _ => T::decode(input, constraints, at, errors).map(Self::Value),
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::Absent)
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        match self {
            Self::Value(value) => value.meets(constraints),
            Self::Absent | Self::Null => true,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

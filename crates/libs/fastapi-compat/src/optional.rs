//! Values that may be null or absent, and those behind a pointer.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::constraints::{Accepts, Constraints};
use crate::decode::Decode;
use crate::errors::{Errors, Loc};
use crate::openapi::{self, RefOrSchema};
use crate::value::Value;

/// For a model that holds one of its own kind.
impl<T: Decode> Decode for Box<T> {
    const ACCEPTS: Accepts = T::ACCEPTS;
    const SEQUENCE: bool = T::SEQUENCE;

    fn json_schema() -> RefOrSchema {
        T::json_schema()
    }

    fn name(constraints: &Constraints) -> Cow<'static, str> {
        T::name(constraints)
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        T::decode(input, constraints, at, errors).map(Self::new)
    }

    fn absent() -> Option<Self> {
        T::absent().map(Self::new)
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        T::meets(self, constraints)
    }
}

/// `T | None = None`.
impl<T: Decode> Decode for Option<T> {
    const ACCEPTS: Accepts = T::ACCEPTS;
    const SEQUENCE: bool = T::SEQUENCE;

    fn json_schema() -> RefOrSchema {
        openapi::optional(T::json_schema())
    }

    fn name(constraints: &Constraints) -> Cow<'static, str> {
        format!("nullable[{}]", T::name(constraints)).into()
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        match input {
            Value::Null if !constraints.not_null => Some(None),
            _ => T::decode(input, constraints, at, errors).map(Some),
        }
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        self.as_ref().map_or(!constraints.not_null, |value| value.meets(constraints))
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
    /// The request names it, with a value.
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

/// What is absent is written as its default, null.
impl<T: Serialize> Serialize for Patch<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Absent | Self::Null => serializer.serialize_none(),
            Self::Value(value) => serializer.serialize_some(value),
        }
    }
}

impl<T: Decode> Decode for Patch<T> {
    const ACCEPTS: Accepts = T::ACCEPTS;
    const SEQUENCE: bool = T::SEQUENCE;

    fn json_schema() -> RefOrSchema {
        openapi::optional(T::json_schema())
    }

    fn name(constraints: &Constraints) -> Cow<'static, str> {
        Option::<T>::name(constraints)
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        match input {
            Value::Null if !constraints.not_null => Some(Self::Null),
            _ => T::decode(input, constraints, at, errors).map(Self::Value),
        }
    }

    fn absent() -> Option<Self> {
        Some(Self::Absent)
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        match self {
            Self::Value(value) => value.meets(constraints),
            Self::Absent | Self::Null => !constraints.not_null,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Option::deserialize(deserializer)?.map_or(Self::Null, Self::Value))
    }
}

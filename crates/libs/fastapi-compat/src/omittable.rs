//! Values that may be left out.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{__dev::ComposeSchema, PartialSchema, ToSchema};

use crate::constraints::{Accepts, Constraints};
use crate::decode::Decode;
use crate::errors::{Errors, Loc};
use crate::openapi::{self, Foreign, RefOrSchema};
use crate::value::Value;

/// A value that may be left out, but not be null: `value: T = None`. The document has the schema of
/// `T`.
///
/// A field of this type has `#[schema(default_factory = Omittable(None))]`, by which it is not
/// required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Omittable<T>(pub Option<T>);

impl<T> Omittable<T> {
    /// Whether it is left out: for serde's `skip_serializing_if`.
    pub fn is_omitted(&self) -> bool {
        self.0.is_none()
    }
}

impl<T: Decode> Decode for Omittable<T> {
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
        T::decode(input, constraints, at, errors).map(|value| Self(Some(value)))
    }

    fn absent() -> Option<Self> {
        Some(Self(None))
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        self.0.as_ref().is_none_or(|value| value.meets(constraints))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Omittable<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(|value| Self(Some(value)))
    }
}

impl<T: ComposeSchema> ComposeSchema for Omittable<T> {
    fn compose(generics: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        openapi::inlined::<Self>(|| T::compose(generics))
    }
}

impl<T: ToSchema> ToSchema for Omittable<T>
where
    Self: PartialSchema,
{
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl<T: Foreign<Via>, Via> Foreign<Via> for Omittable<T> {
    fn foreign_schema() -> RefOr<Schema> {
        T::foreign_schema()
    }
}

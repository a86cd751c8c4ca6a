//! What the document can describe: types with utoipa's `ToSchema`, and those of other crates that only
//! utoipa itself could give it.

use std::marker::PhantomData;

use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use super::collection;

/// What the document can describe: every type with utoipa's [`ToSchema`], by `#[derive(Decode)]`,
/// by our `#[derive(Schema)]` or by utoipa's own derive, and what utoipa only knows inside its
/// macros: [`Uuid`](uuid::Uuid), chrono's `DateTime<Utc>`, tuples, and collections of these.
///
/// `Via` is which of the two; the compiler finds it.
#[diagnostic::on_unimplemented(
    message = "the OpenAPI document cannot describe `{Self}`",
    label = "neither utoipa's `ToSchema` nor a type that the document knows",
    note = "add `#[derive(fastapi_compat::Schema)]` or `#[derive(utoipa::ToSchema)]` to it, or \
            `#[derive(fastapi_compat::Decode)]` if requests carry it, too"
)]
pub trait Documented<Via> {
    /// The schema, or a reference to it.
    fn schema() -> RefOr<Schema>;
}

/// By utoipa's [`ToSchema`].
#[derive(Debug)]
pub struct ViaToSchema;

impl<T: ToSchema + ?Sized> Documented<ViaToSchema> for T {
    fn schema() -> RefOr<Schema> {
        collection::documented::<T>()
    }
}

/// By [`Foreign`].
#[derive(Debug)]
pub struct ViaForeign<Via>(PhantomData<Via>);

impl<T: Foreign<Via> + ?Sized, Via> Documented<ViaForeign<Via>> for T {
    fn schema() -> RefOr<Schema> {
        T::foreign_schema()
    }
}

/// Types of other crates for which only utoipa itself could implement its trait, and what holds
/// them.
pub trait Foreign<Via> {
    /// The schema, or one with references in it.
    fn foreign_schema() -> RefOr<Schema>;
}

/// Finds out whether a type has utoipa's trait, where the code of a derive cannot know it.
#[derive(Debug)]
pub struct Lookup<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized> Default for Lookup<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

/// The type has it: it is made known, so that it becomes a component where it is used.
pub trait HasSchema {
    /// Makes it known.
    fn make_known(&self);
}

impl<T: ToSchema + ?Sized> HasSchema for Lookup<T> {
    fn make_known(&self) {
        collection::know::<T>();
    }
}

/// It has not.
pub trait HasNone {
    /// Does nothing.
    fn make_known(&self);
}

impl<T: ?Sized> HasNone for &Lookup<T> {
    fn make_known(&self) {}
}

/// [`Decode::json_schema`](crate::Decode::json_schema) of a type that is [`Documented`].
macro_rules! json_schema {
    () => {
        fn json_schema() -> $crate::openapi::RefOrSchema {
            <Self as $crate::openapi::Documented<_>>::schema()
        }
    };
}
pub(crate) use json_schema;

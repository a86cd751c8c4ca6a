//! Schemas of what is made of other types: lists, dictionaries, optional values, tuples.

#[cfg(feature = "json-text")]
use serde_json::json;
#[cfg(feature = "json-text")]
use utoipa::openapi::Type;
use utoipa::openapi::schema::ArrayItems;
use utoipa::openapi::{ArrayBuilder, Object, OneOfBuilder, RefOr, Schema};

#[cfg(feature = "json-text")]
use super::collection::is_output;
use super::visit::{null, of_keywords};
#[cfg(feature = "json-text")]
use super::visit::{set, typed};

/// A list, or a set.
pub(crate) fn array(items: RefOr<Schema>, is_set: bool) -> RefOr<Schema> {
    ArrayBuilder::new().items(items).unique_items(is_set).into()
}

/// A schema where utoipa takes no reference.
pub(super) fn plain(schema: RefOr<Schema>) -> Schema {
    match schema {
        RefOr::Ref(schema) => of_keywords([("$ref".to_owned(), schema.ref_location.into())]),
        RefOr::T(schema) => schema,
    }
}

/// A dictionary.
pub(crate) fn dictionary(names: RefOr<Schema>, values: RefOr<Schema>) -> RefOr<Schema> {
    let mut object = Object::new();
    object.property_names = Some(Box::new(plain(names)));
    object.additional_properties = Some(Box::new(values.into()));
    object.into()
}

/// As utoipa has it of an `Option`.
pub(crate) fn optional(schema: RefOr<Schema>) -> RefOr<Schema> {
    OneOfBuilder::new().item(null()).item(schema).into()
}

/// A tuple.
pub(crate) fn tuple<const N: usize>(items: [RefOr<Schema>; N]) -> RefOr<Schema> {
    let tuple = ArrayBuilder::new().items(ArrayItems::False).prefix_items(items.map(plain));
    tuple.min_items(Some(N)).max_items(Some(N)).into()
}

/// JSON in a text, which is what it holds in an answer.
#[cfg(feature = "json-text")]
pub(crate) fn json_text(inner: RefOr<Schema>) -> RefOr<Schema> {
    if is_output() {
        return inner;
    }
    let mut schema = typed(Type::String).into();
    set(&mut schema, "contentMediaType", "application/json".into());
    set(&mut schema, "contentSchema", json!(inner));
    schema
}

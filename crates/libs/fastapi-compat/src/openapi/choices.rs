//! Schemas of literals, enumerations and unions.

use serde_json::{Value, json};
use utoipa::openapi::schema::{AnyOfBuilder, SchemaType};
use utoipa::openapi::{Discriminator, OneOfBuilder, RefOr, Schema, Type};

use super::visit::{location, typed};
use crate::choice::Fixed;
use crate::dialect::{Switch, has};

/// What a literal or an enumeration may be.
pub fn choices(values: &[Fixed]) -> RefOr<Schema> {
    let are = |kind: fn(&Fixed) -> bool| values.iter().all(kind);
    let mut schema = typed(if are(|value| matches!(value, Fixed::Str(_))) {
        Type::String.into()
    } else if are(|value| matches!(value, Fixed::Int(_))) {
        Type::Integer.into()
    } else if are(|value| matches!(value, Fixed::Bool(_))) {
        Type::Boolean.into()
    } else {
        SchemaType::AnyValue
    });
    schema.enum_values = Some(values.iter().map(json).collect());
    if let ([value], true) = (values, has(Switch::ConstantsAreEnumerations)) {
        schema.extensions = Some([("const", json(value))].into_iter().collect());
    }
    schema.into()
}

/// What a literal may be: if that is one value, a constant.
pub fn literal(values: &[Fixed]) -> RefOr<Schema> {
    let mut schema = choices(values);
    if let ([value], RefOr::T(Schema::Object(object))) = (values, &mut schema) {
        if !has(Switch::ConstantsAreEnumerations) {
            object.enum_values = None;
        }
        object.extensions = Some([("const", json(value))].into_iter().collect());
    }
    schema
}

fn json(value: &Fixed) -> Value {
    match value {
        Fixed::Str(text) => json!(text),
        Fixed::Int(value) => json!(value),
        Fixed::Bool(value) => json!(value),
    }
}

/// What a union may be whose discriminator is a function.
pub fn one_of(choices: Vec<RefOr<Schema>>) -> RefOr<Schema> {
    choices.into_iter().fold(OneOfBuilder::new(), OneOfBuilder::item).into()
}

/// What a union may be; with a discriminator and the tags of its models.
pub fn any_of(choices: Vec<RefOr<Schema>>, tags: Option<(&str, &[Fixed])>) -> RefOr<Schema> {
    let Some((discriminator, tags)) = tags else {
        let union = AnyOfBuilder::new();
        return choices.into_iter().fold(union, AnyOfBuilder::item).into();
    };
    let targets = choices.iter().map(|choice| location(choice).map(str::to_owned));
    let mapping = tags.iter().map(|tag| tag.text()).zip(targets);
    // A union in this one has no name.
    let mapping: Vec<_> = mapping.filter_map(|(tag, target)| Some((tag, target?))).collect();
    let union = OneOfBuilder::new()
        .discriminator(Some(Discriminator::with_mapping(discriminator, mapping)));
    let mut models = choices;
    // A model may have several tags.
    models.dedup();
    models.into_iter().fold(union, OneOfBuilder::item).into()
}

//! The fields of models in the document, with their constraints, and as parameters.

use serde_json::Value;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayItems, SchemaType};
use utoipa::openapi::{ArrayBuilder, Object, RefOr, Required, Schema, Type};
use utoipa::{Number, ToSchema};

use super::collection::{self, is_output};
use super::documented::Documented;
use super::library_types::decimal_pattern;
use super::shapes::plain;
use super::visit::{has_default, inside_option, is_optional, location, set};
use crate::constraints::{self, Constraints};

/// Adds the constraints of a field to the schema of its type.
fn constrain(schema: &mut RefOr<Schema>, constraints: &Constraints) {
    if constraints.not_null {
        let (inner, _) = inside_option(schema);
        *schema = std::mem::take(inner);
    }
    let Constraints { min_length: min, max_length: max, .. } = *constraints;
    let number = |number: Option<constraints::Number>| {
        let number = number?;
        // A bound of a decimal stands in the code as a text, a constant only as a value.
        Some(match (number.text.parse::<isize>(), number.text.parse::<f64>()) {
            (Ok(value), _) => Number::Int(value),
            (Err(_), Ok(value)) => Number::Float(value),
            _ => match isize::try_from(number.int) {
                Ok(value) if number.float.fract() == 0.0 => Number::Int(value),
                _ => Number::Float(number.float),
            },
        })
    };
    match inside_option(schema).0 {
        RefOr::T(Schema::Object(object)) => match &object.schema_type {
            SchemaType::Type(Type::Integer | Type::Number) => {
                for (bound, keyword) in [
                    (constraints.ge, &mut object.minimum),
                    (constraints.le, &mut object.maximum),
                    (constraints.gt, &mut object.exclusive_minimum),
                    (constraints.lt, &mut object.exclusive_maximum),
                    (constraints.multiple_of, &mut object.multiple_of),
                ] {
                    if let Some(bound) = number(bound) {
                        *keyword = Some(bound);
                    }
                }
            }
            SchemaType::Type(Type::String) => {
                object.min_length = min.or(object.min_length);
                object.max_length = max.or(object.max_length);
                if let Some(pattern) = constraints.pattern {
                    object.pattern = Some(pattern.text.to_owned());
                }
                let (digits, places) = (constraints.max_digits, constraints.decimal_places);
                if (digits.is_some() || places.is_some()) && object.pattern.is_some() {
                    object.pattern = Some(decimal_pattern(digits, places));
                }
            }
            SchemaType::Type(Type::Object) => {
                object.min_properties = min.or(object.min_properties);
                object.max_properties = max.or(object.max_properties);
            }
            _ => {}
        },
        RefOr::T(Schema::Array(array)) if array.prefix_items.is_empty() => {
            array.min_items = min.or(array.min_items);
            array.max_items = max.or(array.max_items);
        }
        RefOr::T(Schema::AnyOf(choices)) => {
            choices.items.iter_mut().for_each(|choice| constrain(choice, constraints));
        }
        _ => {}
    }
}

/// Adds what pydantic calls `json_schema_extra`: it takes precedence over the schema.
pub fn note(schema: &mut RefOr<Schema>, notes: Value) {
    if let Value::Object(notes) = notes {
        for (keyword, value) in notes {
            set(schema, &keyword, value);
        }
    }
}

/// The schema of a type with constraints, and what else the document shows of it.
pub fn constrained<T: Documented<Via> + ?Sized, Via>(
    constraints: &Constraints,
    notes: Value,
) -> RefOr<Schema> {
    let mut schema = T::schema();
    constrain(&mut schema, constraints);
    note(&mut schema, notes);
    schema
}

/// Whether a field must be given.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// By its type: optional ones need not.
    ByType,
    /// It must, even if it is optional.
    Required,
    /// It need not, and has a default, which the document shows if it is known.
    Default(Option<Value>),
}

/// The fields of a model on their way into the document.
#[derive(Default)]
pub struct FieldSchemas(Object);

impl FieldSchemas {
    /// Adds a field, with its names in requests and in answers; `notes` are what the document shows
    /// beside its type.
    pub fn add<T: Documented<Via> + ?Sized, Via>(
        &mut self,
        name: &str,
        written: &str,
        constraints: &Constraints,
        presence: Presence,
        notes: Value,
    ) {
        let name = if is_output() { written } else { name };
        let mut schema = T::schema();
        let is_required = match presence {
            Presence::ByType => !is_optional(&schema) && !has_default(&schema),
            Presence::Required => true,
            Presence::Default(_) => false,
        };
        constrain(&mut schema, constraints);
        note(&mut schema, notes);
        if let Presence::Default(Some(default)) = presence {
            set(&mut schema, "default", default);
        }
        if is_required {
            self.0.required.push(name.to_owned());
        }
        self.0.properties.insert(name.to_owned(), schema);
    }

    /// What has no field is kept, by a dictionary of this type.
    pub fn keep_extra<T: Documented<Via> + ?Sized, Via>(&mut self) {
        if let RefOr::T(Schema::Object(dictionary)) = T::schema() {
            self.0.additional_properties = dictionary.additional_properties;
        }
    }

    /// The named tuple of these fields.
    pub fn finish_tuple(self, notes: Value) -> RefOr<Schema> {
        let Self(object) = self;
        let (min, max) = (object.required.len(), object.properties.len());
        let items = object.properties.into_iter().map(|(name, mut schema)| {
            if location(inside_option(&mut schema).0).is_none() {
                super::dialect::name(&mut schema, &super::dialect::title(&name));
            }
            plain(schema)
        });
        let tuple = ArrayBuilder::new().items(ArrayItems::False).prefix_items(items);
        let min = Some(min).filter(|&min| min > 0);
        let mut schema = tuple.min_items(min).max_items(Some(max)).into();
        note(&mut schema, notes);
        schema
    }

    /// The model of these fields.
    pub fn finish(self, forbids_extra: bool, notes: Value) -> RefOr<Schema> {
        let Self(mut object) = self;
        if forbids_extra {
            let free_form = utoipa::openapi::schema::AdditionalProperties::FreeForm(false);
            object.additional_properties = Some(Box::new(free_form));
        }
        let mut schema = object.into();
        note(&mut schema, notes);
        schema
    }
}

/// The fields of a model as parameters, for [`IntoParams`](utoipa::IntoParams); `renamed` are those that
/// have another name as a parameter, with that.
pub fn parameters<T: ToSchema>(
    location: Option<ParameterIn>,
    renamed: &[(&str, &str)],
) -> Vec<Parameter> {
    let RefOr::T(Schema::Object(model)) = collection::written_out::<T>() else {
        return Vec::new();
    };
    let location = location.unwrap_or(ParameterIn::Query);
    let parameter = |(name, schema): (String, RefOr<Schema>)| {
        let is_required = model.required.contains(&name);
        let other = renamed.iter().find(|(from, _)| *from == name);
        ParameterBuilder::new()
            .name(other.map_or(name.as_str(), |(_, to)| to))
            .parameter_in(location.clone())
            .required(if is_required { Required::True } else { Required::False })
            .schema(Some(schema))
            .build()
    };
    model.properties.clone().into_iter().map(parameter).collect()
}

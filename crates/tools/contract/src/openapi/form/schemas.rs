//! The form of schemas, at every level.

use serde_json::{Map, Value};

use super::{Form, Location, Part, object, wrong};
use crate::openapi::form_error::FormError;
use crate::openapi::normal::is_annotation;

const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// Whether a schema says more of its values than what it refers to.
pub(super) fn says_more(schema: &Value) -> bool {
    let fields = schema.as_object();
    fields.is_some_and(|fields| fields.keys().any(|key| key != "$ref" && !is_annotation(key)))
}

impl<'a> Form<'a> {
    pub(super) fn schema(
        &mut self,
        schema: &'a Value,
        location: &Location<'_>,
    ) -> Result<(), FormError> {
        let fields = match schema {
            Value::Bool(_) | Value::Null => return Ok(()),
            Value::Object(fields) => fields,
            other => return Err(wrong(other, "a schema: an object or a boolean", location)),
        };
        self.reference(Part::Schema, schema, fields, location)?;
        // Null, which some generators write for nothing, says nothing.
        for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            self.keyword(key, value, &location.at(key))?;
        }
        Ok(())
    }

    fn keyword(
        &mut self,
        key: &str,
        value: &'a Value,
        location: &Location<'_>,
    ) -> Result<(), FormError> {
        let must = |holds: bool, expected: &str| {
            if holds { Ok(()) } else { Err(wrong(value, expected, location)) }
        };
        match key {
            "type" => types(value, location),
            "not"
            | "if"
            | "then"
            | "else"
            | "contains"
            | "propertyNames"
            | "additionalItems"
            | "additionalProperties"
            | "unevaluatedItems"
            | "unevaluatedProperties"
            | "contentSchema" => self.schema(value, location),
            // Before 2020-12 one for each item.
            "items" if value.is_array() => self.schemas(value, location),
            "items" => self.schema(value, location),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.schemas(value, location),
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                self.each(Part::Schema, value, location)
            }
            "minimum" | "maximum" | "multipleOf" | "minLength" | "maxLength" | "minItems"
            | "maxItems" | "minProperties" | "maxProperties" | "minContains" | "maxContains" => {
                must(value.is_number(), "a number")
            }
            "exclusiveMinimum" | "exclusiveMaximum" => {
                must(value.is_number() || value.is_boolean(), "a number or a boolean")
            }
            "pattern" | "format" | "contentEncoding" | "contentMediaType" => {
                must(value.is_string(), "a text")
            }
            "nullable" | "uniqueItems" | "readOnly" | "writeOnly" => {
                must(value.is_boolean(), "a boolean")
            }
            "enum" => must(value.is_array(), "a list"),
            // In drafts before the fourth it was said of the property itself; pydantic writes what it
            // is given.
            "required" if value.is_boolean() || value == "true" || value == "false" => Ok(()),
            "required" => names(value, location),
            "dependentRequired" => {
                let mut lists = object(value, location)?.iter();
                lists.try_for_each(|(name, list)| names(list, &location.at(name)))
            }
            "dependencies" => object(value, location)?.iter().try_for_each(|(name, value)| {
                let location = location.at(name);
                if value.is_array() {
                    names(value, &location)
                } else {
                    self.schema(value, &location)
                }
            }),
            "discriminator" => discriminator(object(value, location)?, location),
            _ => Ok(()),
        }
    }

    fn schemas(&mut self, schemas: &'a Value, location: &Location<'_>) -> Result<(), FormError> {
        let list = schemas.as_array().ok_or_else(|| wrong(schemas, "a list", location))?;
        list.iter()
            .enumerate()
            .try_for_each(|(index, schema)| self.schema(schema, &location.at(&index.to_string())))
    }
}

fn types(value: &Value, location: &Location<'_>) -> Result<(), FormError> {
    let known = |kind: &Value, location: &Location<'_>| match kind {
        Value::String(kind) if TYPES.contains(&kind.as_str()) => Ok(()),
        Value::String(kind) => {
            Err(location.error(format!("`{kind}` is no type; there are {}", TYPES.join(", "))))
        }
        other => Err(wrong(other, "the name of a type", location)),
    };
    match value {
        Value::Array(kinds) => kinds
            .iter()
            .enumerate()
            .try_for_each(|(index, kind)| known(kind, &location.at(&index.to_string()))),
        kind => known(kind, location),
    }
}

fn names(value: &Value, location: &Location<'_>) -> Result<(), FormError> {
    let list = value.as_array().ok_or_else(|| wrong(value, "a list of names", location))?;
    list.iter().enumerate().try_for_each(|(index, name)| match name {
        Value::String(_) => Ok(()),
        other => Err(wrong(other, "a name", &location.at(&index.to_string()))),
    })
}

fn discriminator(fields: &Map<String, Value>, location: &Location<'_>) -> Result<(), FormError> {
    match fields.get("propertyName") {
        Some(Value::String(_)) => {}
        Some(value) => return Err(wrong(value, "a text", &location.at("propertyName"))),
        None => return Err(location.error("has no `propertyName`")),
    }
    let Some(mapping) = fields.get("mapping").filter(|mapping| !mapping.is_null()) else {
        return Ok(());
    };
    let location = location.at("mapping");
    object(mapping, &location)?.iter().try_for_each(|(key, target)| match target {
        Value::String(_) => Ok(()),
        other => Err(wrong(other, "a text", &location.at(key))),
    })
}

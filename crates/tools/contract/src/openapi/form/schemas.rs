//! The form of schemas, at every level.

use serde_json::{Map, Value};

use super::{Form, Part, Place, object, wrong};
use crate::openapi::bundle::Fault;
use crate::openapi::normal::is_annotation;

const TYPES: [&str; 7] = ["null", "boolean", "integer", "number", "string", "array", "object"];

/// Whether a schema says more of its values than what it refers to.
pub(super) fn says_more(schema: &Value) -> bool {
    let fields = schema.as_object();
    fields.is_some_and(|fields| fields.keys().any(|key| key != "$ref" && !is_annotation(key)))
}

impl<'a> Form<'a> {
    pub(super) fn schema(&mut self, schema: &'a Value, place: &Place<'_>) -> Result<(), Fault> {
        let fields = match schema {
            Value::Bool(_) | Value::Null => return Ok(()),
            Value::Object(fields) => fields,
            other => return Err(wrong(other, "a schema: an object or a boolean", place)),
        };
        self.reference(Part::Schema, schema, fields, place)?;
        // Null, which some generators write for nothing, says nothing.
        for (key, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
            self.keyword(key, value, &place.at(key))?;
        }
        Ok(())
    }

    fn keyword(&mut self, key: &str, value: &'a Value, place: &Place<'_>) -> Result<(), Fault> {
        let must = |holds: bool, expected: &str| {
            if holds { Ok(()) } else { Err(wrong(value, expected, place)) }
        };
        match key {
            "type" => types(value, place),
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
            | "contentSchema" => self.schema(value, place),
            // Before 2020-12 one for each item.
            "items" if value.is_array() => self.schemas(value, place),
            "items" => self.schema(value, place),
            "allOf" | "anyOf" | "oneOf" | "prefixItems" => self.schemas(value, place),
            "properties" | "patternProperties" | "$defs" | "definitions" | "dependentSchemas" => {
                self.each(Part::Schema, value, place)
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
            "required" => names(value, place),
            "dependentRequired" => {
                let mut lists = object(value, place)?.iter();
                lists.try_for_each(|(name, list)| names(list, &place.at(name)))
            }
            "dependencies" => object(value, place)?.iter().try_for_each(|(name, value)| {
                let place = place.at(name);
                if value.is_array() { names(value, &place) } else { self.schema(value, &place) }
            }),
            "discriminator" => discriminator(object(value, place)?, place),
            _ => Ok(()),
        }
    }

    fn schemas(&mut self, schemas: &'a Value, place: &Place<'_>) -> Result<(), Fault> {
        let list = schemas.as_array().ok_or_else(|| wrong(schemas, "a list", place))?;
        list.iter()
            .enumerate()
            .try_for_each(|(index, schema)| self.schema(schema, &place.at(&index.to_string())))
    }
}

fn types(value: &Value, place: &Place<'_>) -> Result<(), Fault> {
    let known = |kind: &Value, place: &Place<'_>| match kind {
        Value::String(kind) if TYPES.contains(&kind.as_str()) => Ok(()),
        Value::String(kind) => {
            Err(place.fault(format!("`{kind}` is no type; there are {}", TYPES.join(", "))))
        }
        other => Err(wrong(other, "the name of a type", place)),
    };
    match value {
        Value::Array(kinds) => kinds
            .iter()
            .enumerate()
            .try_for_each(|(index, kind)| known(kind, &place.at(&index.to_string()))),
        kind => known(kind, place),
    }
}

fn names(value: &Value, place: &Place<'_>) -> Result<(), Fault> {
    let list = value.as_array().ok_or_else(|| wrong(value, "a list of names", place))?;
    list.iter().enumerate().try_for_each(|(index, name)| match name {
        Value::String(_) => Ok(()),
        other => Err(wrong(other, "a name", &place.at(&index.to_string()))),
    })
}

fn discriminator(fields: &Map<String, Value>, place: &Place<'_>) -> Result<(), Fault> {
    match fields.get("propertyName") {
        Some(Value::String(_)) => {}
        Some(value) => return Err(wrong(value, "a text", &place.at("propertyName"))),
        None => return Err(place.fault("has no `propertyName`")),
    }
    let Some(mapping) = fields.get("mapping").filter(|mapping| !mapping.is_null()) else {
        return Ok(());
    };
    let place = place.at("mapping");
    object(mapping, &place)?.iter().try_for_each(|(key, target)| match target {
        Value::String(_) => Ok(()),
        other => Err(wrong(other, "a text", &place.at(key))),
    })
}

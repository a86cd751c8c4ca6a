//! The rules of JSON Schema, and those that each type of ours has.

/// Every keyword that decides which values are valid.
pub(super) const ALL: &[&str] = &[
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contains",
    "contentMediaType",
    "dependentRequired",
    "dependentSchemas",
    "else",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "if",
    "items",
    "maxContains",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minContains",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "not",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "then",
    "type",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
];

/// Of an enumeration.
pub(super) const CHOICE: &[&str] = &["const", "enum", "type"];

/// Of a struct.
pub(super) const MODEL: &[&str] =
    &["additionalProperties", "patternProperties", "properties", "required", "type"];

/// Of a map.
pub(super) const DICTIONARY: &[&str] = &[
    "additionalProperties",
    "maxProperties",
    "minProperties",
    "patternProperties",
    "propertyNames",
    "type",
];

const NUMBER: &[&str] =
    &["exclusiveMaximum", "exclusiveMinimum", "format", "maximum", "minimum", "multipleOf", "type"];

/// Of a type that is no object.
pub(super) fn of(kind: Option<&str>) -> &'static [&'static str] {
    match kind {
        Some("string") => {
            &["contentMediaType", "format", "maxLength", "minLength", "pattern", "type"]
        }
        Some("integer" | "number") => NUMBER,
        Some("array") => &["items", "maxItems", "minItems", "prefixItems", "type", "uniqueItems"],
        Some("boolean" | "null") => &["type"],
        _ => &[],
    }
}

//! What stands before a type, a field or a handler.

use serde_json::{Map, Value};

use super::names::title;

/// The words of a schema that become types and constraints.
const WORDS: [&str; 35] = [
    "$ref",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "contentMediaType",
    "default",
    "description",
    "discriminator",
    "enum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maxProperties",
    "maximum",
    "minItems",
    "minLength",
    "minProperties",
    "minimum",
    "multipleOf",
    "oneOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "properties",
    "propertyNames",
    "required",
    "title",
    "type",
    "uniqueItems",
    "unevaluatedItems",
    "$defs",
];

/// A description as a doc comment, if it is plain prose.
pub(super) fn doc(schema: &Value, indent: &str) -> String {
    let text = description(schema).filter(|text| is_prose(text)).unwrap_or_default();
    let line = |line: &str| format!("{indent}/// {line}").trim_end().to_owned() + "\n";
    text.lines().map(line).collect()
}

pub(super) fn description(schema: &Value) -> Option<&str> {
    schema["description"].as_str().filter(|text| !text.trim().is_empty())
}

/// Whether a text is the same behind `///`, and no Markdown that lints have rules for.
pub(super) fn is_prose(text: &str) -> bool {
    let is_plain = |line: &str| {
        let starts = line.is_empty() || line.starts_with(|c: char| c.is_alphabetic());
        starts && line.trim_end() == line && !line.contains(['[', '<', '`', '\r', '\t'])
    };
    text.trim() == text && text.split('\n').all(is_plain) && !text.contains("\n\n\n")
}

/// What a schema says besides, such as examples: pydantic's `json_schema_extra`. A title is said
/// if it is not the one that its field would have.
pub(super) fn extra(schema: &Value, field: Option<&str>) -> Option<String> {
    let mut extra = Map::new();
    for (key, value) in schema.as_object()? {
        let is_said = match key.as_str() {
            "title" => field.is_some_and(|field| *value != title(field)),
            "description" => value.as_str().is_some_and(|text| !is_prose(text)),
            word => !WORDS.contains(&word),
        };
        if is_said {
            extra.insert(key.clone(), value.clone());
        }
    }
    (!extra.is_empty()).then(|| format!("extra = json!({})", literal(&Value::Object(extra))))
}

/// A JSON value as Rust has its texts.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{text:?}"),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{key:?}: {}", literal(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

pub(super) fn bounds(schema: &Value) -> Vec<String> {
    let names = [
        ("minimum", "ge"),
        ("maximum", "le"),
        ("exclusiveMinimum", "gt"),
        ("exclusiveMaximum", "lt"),
        ("multipleOf", "multiple_of"),
    ];
    let bound = |(key, name): (&str, &str)| {
        let value = schema[key].as_f64()?;
        let text = if value.fract() == 0.0 { format!("{value:.0}") } else { value.to_string() };
        Some(format!("{name} = {text}"))
    };
    names.into_iter().filter_map(bound).collect()
}

pub(super) fn lengths(schema: &Value, what: &str) -> Vec<String> {
    let length = |(end, name): (&str, &str)| {
        Some(format!("{name} = {}", schema[format!("{end}{what}")].as_u64()?))
    };
    [("min", "min_length"), ("max", "max_length")].into_iter().filter_map(length).collect()
}

/// A raw string.
fn raw(text: &str) -> String {
    let mut fence = String::new();
    while text.contains(&format!("\"{fence}")) {
        fence.push('#');
    }
    format!("r{fence}\"{text}\"{fence}")
}

/// A pattern, if Rust's regular expressions have all that is in it.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    regex::Regex::new(text)
        .map_err(|_| format!("the pattern {text} is none that Rust's regular expressions know"))?;
    Ok(format!("pattern = {}", raw(text)))
}

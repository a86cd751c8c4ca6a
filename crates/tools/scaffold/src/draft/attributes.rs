//! What stands before a type, a field or a handler.

use serde_json::{Map, Number, Value};

use crate::templates::rust_text;

/// The keywords that become types, constraints and doc comments.
const KEYWORDS: [&str; 33] = [
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
];

/// A description as a doc comment, if it is plain text.
pub(super) fn doc(schema: &Value, indent: &str) -> String {
    let text = description(schema).filter(|text| is_plain(text)).unwrap_or_default();
    let line = |line: &str| format!("{indent}/// {line}").trim_end().to_owned() + "\n";
    text.lines().map(line).collect()
}

pub(super) fn description(schema: &Value) -> Option<&str> {
    schema["description"].as_str().filter(|text| !text.trim().is_empty())
}

/// Whether a text is the same behind `///`, and no Markdown that lints have rules for.
pub(super) fn is_plain(text: &str) -> bool {
    let is_plain = |line: &str| {
        let starts = line.is_empty() || line.starts_with(|c: char| c.is_alphabetic());
        starts
            && line.trim_end() == line
            && !line.contains(['[', '<', '`'])
            && !line.contains(is_odd)
    };
    text.trim() == text && text.split('\n').all(is_plain) && !text.contains("\n\n\n")
}

/// Whether a character must not stand in code as it is: controls, and what changes the direction of
/// the text around it.
pub(super) fn is_odd(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}')
}

/// A text in one line of a comment.
pub(super) fn comment(text: &str) -> String {
    text.chars().map(|c| if is_odd(c) { ' ' } else { c }).collect::<String>().trim().to_owned()
}

/// The other keywords of a schema, such as examples: pydantic's `json_schema_extra`. `title` is the
/// one that it has by its position, which is left out; `default` is one that no value of Rust is.
pub(super) fn extra(
    schema: &Value,
    title: Option<&str>,
    default: Option<&Value>,
) -> Option<String> {
    let mut extra = Map::new();
    if let Some(default) = default {
        extra.insert("default".to_owned(), default.clone());
    }
    for (key, value) in schema.as_object()? {
        let is_extra = match key.as_str() {
            "title" => value.as_str() != title,
            // A type of its own has a format.
            "format" => schema["type"].is_null(),
            "description" => value.as_str().is_some_and(|text| !is_plain(text)),
            keyword => !KEYWORDS.contains(&keyword) && !refers(value),
        };
        if is_extra {
            extra.insert(key.clone(), value.clone());
        }
    }
    (!extra.is_empty()).then(|| format!("extra = json!({})", literal(&Value::Object(extra))))
}

/// Whether there is a reference in a value, which only the document could follow.
fn refers(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(refers),
        Value::Object(fields) => fields.contains_key("$ref") || fields.values().any(refers),
        _ => false,
    }
}

/// A number as Rust has it: with separators, and no more than fits into 64 bits.
pub(super) fn number(number: &Number) -> String {
    let whole = number.as_f64().filter(|value| value.fract() == 0.0);
    match (number.as_i64(), whole) {
        (Some(value), _) => separated(&value.to_string()),
        (None, Some(value)) => {
            #[expect(clippy::cast_possible_truncation, reason = "the last that there is, then")]
            let value = value as i64;
            separated(&value.to_string())
        }
        (None, None) => number.to_string(),
    }
}

/// `-1_000_000`
fn separated(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let mut text = sign.to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// How many values `json!` is given at once: it recurses for each, and the compiler has a limit.
const MAX_IN_MACRO: usize = 16;

/// How many values a value is made of.
fn count(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(count).sum::<usize>() + 1,
        Value::Object(fields) => fields.values().map(count).sum::<usize>() + 1,
        _ => 1,
    }
}

/// A JSON value as `json!` takes it.
pub(super) fn literal(value: &Value) -> String {
    let is_small = count(value) <= MAX_IN_MACRO;
    let part = |value: &Value| format!("json!({})", literal(value));
    match value {
        Value::Array(items) if !is_small => {
            let items: Vec<_> = items.iter().map(part).collect();
            format!("serde_json::Value::from_iter([{}])", items.join(", "))
        }
        Value::Object(fields) if !is_small => {
            let fields = fields.iter().map(|(key, value)| format!("({key:?}, {})", part(value)));
            format!("serde_json::Value::from_iter([{}])", fields.collect::<Vec<_>>().join(", "))
        }
        Value::String(text) => format!("{text:?}"),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{key:?}: {}", literal(value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        // A number without a type is an `i32` there.
        Value::Number(value) if value.as_i64().is_some_and(|one| i32::try_from(one).is_err()) => {
            format!("{}_i64", number(value))
        }
        Value::Number(value) if value.is_i64() => number(value),
        Value::Number(value) if value.is_u64() => format!("{value}_u64"),
        other => other.to_string(),
    }
}

/// The bounds that fit into 64 bits, and whether these are all.
pub(super) fn bounds(schema: &Value) -> (Vec<String>, bool) {
    let names = [
        ("minimum", "ge"),
        ("maximum", "le"),
        ("exclusiveMinimum", "gt"),
        ("exclusiveMaximum", "lt"),
        ("multipleOf", "multiple_of"),
    ];
    let (mut bounds, mut is_whole) = (Vec::new(), true);
    for (key, name) in names {
        let Some(bound) = schema[key].as_number() else { continue };
        let is_small = bound.as_i64().is_some()
            || bound.as_f64().is_some_and(|bound| bound.abs() < 9e18 && bound.is_finite());
        if is_small {
            bounds.push(format!("{name} = {}", number(bound)));
        } else {
            is_whole = false;
        }
    }
    (bounds, is_whole)
}

pub(super) fn lengths(schema: &Value, what: &str) -> Vec<String> {
    let length = |(end, name): (&str, &str)| {
        Some(format!("{name} = {}", schema[format!("{end}{what}")].as_u64()?))
    };
    [("min", "min_length"), ("max", "max_length")].into_iter().filter_map(length).collect()
}

/// A raw string.
fn raw(text: &str) -> String {
    if text.contains(is_odd) {
        return rust_text(text);
    }
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

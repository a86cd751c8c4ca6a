//! Values and names as texts of requests.

use serde_json::Value;

/// A value as it is written in a query, a path or a form.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        value => value.to_string(),
    }
}

/// A text with its letters in the other case.
pub(super) fn swapped(text: &str) -> String {
    text.chars()
        .flat_map(|c| -> Vec<char> {
            if c.is_lowercase() { c.to_uppercase().collect() } else { c.to_lowercase().collect() }
        })
        .collect()
}

/// Whether a media type is one of JSON: `application/json`, or with the suffix `+json`.
pub(super) fn is_json(media_type: &str) -> bool {
    let main = media_type.split(';').next().unwrap_or_default().trim();
    main == "application/json" || main.ends_with("+json")
}

/// Whether a value can be sent in a header.
pub(super) fn is_header(value: &str) -> bool {
    value.trim() == value && value.chars().all(|c| c == ' ' || c.is_ascii_graphic())
}

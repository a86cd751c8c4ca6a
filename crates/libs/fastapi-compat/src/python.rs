//! The few pieces of Python's text handling that error messages show.

use crate::characters::{is_assigned, major_category};
use crate::value::{Value, float_repr};
use unicode_general_category::{GeneralCategory, get_general_category};

/// `repr` of a text: quoted, with what cannot be printed escaped.
pub(crate) fn repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut out = String::from(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if c == ' ' || !matches!(major_category(c), 'Z' | 'C') => out.push(c),
            c => {
                let escaped = match u32::from(c) {
                    code @ ..=0xFF => format!("\\x{code:02x}"),
                    code @ ..=0xFFFF => format!("\\u{code:04x}"),
                    code => format!("\\U{code:08x}"),
                };
                out.push_str(&escaped);
            }
        }
    }
    out.push(quote);
    out
}

/// `str` of a value.
pub(crate) fn str(value: &Value) -> String {
    match value {
        Value::Str(text) | Value::Surrogates(text) => text.clone(),
        value => value_repr(value),
    }
}

/// `repr` of a value.
fn value_repr(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Int(value) => value.to_string(),
        Value::BigInt(digits) => digits.clone(),
        Value::Float(value) if value.is_nan() => "nan".into(),
        Value::Float(value) if value.is_infinite() => {
            if *value > 0.0 { "inf" } else { "-inf" }.into()
        }
        Value::Float(value) => float_repr(*value),
        Value::Str(text) | Value::Surrogates(text) => repr(text),
        Value::File(file) => format!("UploadFile(filename={})", repr(file.filename())),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(value_repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| format!("{}: {}", repr(name), value_repr(value)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// `unicodedata.name`, or `U+…` for a character without a name.
pub(crate) fn character_name(c: char) -> String {
    let code = u32::from(c);
    let fallback = || {
        if code < 0xFFFF { format!("U+{code:04X}") } else { format!("U+{code:08X}") }
    };
    // Python gives control characters no name, this library gives them their aliases.
    if get_general_category(c) == GeneralCategory::Control || !is_assigned(c) {
        return fallback();
    }
    unicode_names2::name(c).map_or_else(fallback, |name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_as_python_quotes_them() {
        assert_eq!(repr("a"), "'a'");
        assert_eq!(repr("it's"), "\"it's\"");
        assert_eq!(repr("\u{80}\n\u{2028}é"), r"'\x80\n\u2028é'");
    }

    #[test]
    fn characters_have_their_names() {
        assert_eq!(character_name(' '), "SPACE");
        assert_eq!(character_name('\0'), "U+0000");
        assert_eq!(character_name('\u{301}'), "COMBINING ACUTE ACCENT");
    }
}

//! The few pieces of Python's text handling that error messages show.

use std::fmt::Write;

#[cfg(feature = "email")]
use crate::characters::is_assigned;
use crate::characters::major_category;
use crate::float_repr::float_repr;
use crate::value::Value;
#[cfg(feature = "email")]
use unicode_general_category::{GeneralCategory, get_general_category};

/// `repr` of a text: quoted, with what cannot be printed escaped.
pub(crate) fn repr(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_repr(text, &mut out);
    out
}

fn write_repr(text: &str, out: &mut String) {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => out.extend(['\\', c]),
            c if c == ' ' || !matches!(major_category(c), 'Z' | 'C') => out.push(c),
            c => {
                // Writing to a text cannot fail.
                let _ = match u32::from(c) {
                    code @ ..=0xFF => write!(out, "\\x{code:02x}"),
                    code @ ..=0xFFFF => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push(quote);
}

/// `str` of a value.
pub(crate) fn str(value: &Value) -> String {
    match value {
        Value::Str(text) | Value::Surrogates(text) => text.to_string(),
        value => {
            let mut out = String::new();
            write_value(value, &mut out);
            out
        }
    }
}

/// Writes the `repr` of a value.
fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("None"),
        Value::Bool(true) => out.push_str("True"),
        Value::Bool(false) => out.push_str("False"),
        Value::Int(value) => out.push_str(&value.to_string()),
        Value::BigInt(digits) => out.push_str(digits),
        Value::Float(value) if value.is_nan() => out.push_str("nan"),
        Value::Float(value) if value.is_infinite() => {
            out.push_str(if *value > 0.0 { "inf" } else { "-inf" });
        }
        Value::Float(value) => out.push_str(&float_repr(*value)),
        Value::Str(text) | Value::Surrogates(text) => write_repr(text, out),
        Value::File(file) => {
            out.push_str("UploadFile(filename=");
            write_repr(file.filename(), out);
            out.push(')');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_value(&item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push('{');
            for (index, (name, value)) in fields.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { ", " });
                write_repr(&name, out);
                out.push_str(": ");
                write_value(&value, out);
            }
            out.push('}');
        }
    }
}

#[cfg(feature = "email")]
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

    #[cfg(feature = "email")]
    #[test]
    fn characters_have_their_names() {
        assert_eq!(character_name(' '), "SPACE");
        assert_eq!(character_name('\0'), "U+0000");
        assert_eq!(character_name('\u{301}'), "COMBINING ACUTE ACCENT");
    }
}

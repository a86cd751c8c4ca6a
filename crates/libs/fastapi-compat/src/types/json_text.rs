//! `Json[T]`: JSON in a text.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, deserialize_by_rules};
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::RefOrSchema;
use crate::value::Value;

/// `Json[T]`: a text that is JSON, decoded as a `T`. In an answer it is the `T`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct JsonText<T>(pub T);

/// Parses a text, or says why it is no JSON.
fn parse(text: &str) -> Result<Value, String> {
    let value = Value::from_json(text.to_owned());
    match (serde_json::from_str::<serde_json::Value>(text), value) {
        (Ok(_), Some(value)) => Ok(value),
        (Ok(_), None) => Err("number out of range at line 1 column 1".to_owned()),
        // Those are numbers here as in Python.
        (Err(error), Some(value))
            if text.contains("NaN")
                || text.contains("Infinity")
                || error.to_string().starts_with("number out of range") =>
        {
            Ok(value)
        }
        (Err(_), _) => Err(fault(text)),
    }
}

/// Why a text is no JSON, in the words of pydantic's parser. It knows `NaN` and `Infinity` as numbers,
/// and expects the rest of them after their first letter.
fn fault(text: &str) -> String {
    let known = without_names(text);
    let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&known) else {
        return "number out of range at line 1 column 1".to_owned();
    };
    let start = match error.line().checked_sub(2) {
        Some(before) => known.iter().enumerate().filter(|(_, byte)| **byte == b'\n').nth(before),
        None => None,
    };
    let start = start.map_or(0, |(index, _)| index + 1);
    let at = (start + error.column()).saturating_sub(1);
    let rest = known.get(at..).unwrap_or_default();
    let message = error.to_string();
    let name = match rest.first() {
        Some(b'N') if message.starts_with("expected value") => "NaN",
        Some(b'I') if message.starts_with("expected value") => "Infinity",
        Some(b'I') if message.starts_with("invalid number") => "Infinity",
        _ => return message,
    };
    let same = name.bytes().zip(rest).take_while(|(expected, found)| expected == *found).count();
    let (line, column) = (error.line(), error.column() + same);
    if same == rest.len() {
        format!("EOF while parsing a value at line {line} column {}", column - 1)
    } else {
        format!("expected ident at line {line} column {column}")
    }
}

/// The text with lists of the same length for the numbers that have names: like these, they are no keys.
fn without_names(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    let (mut index, mut is_string) = (0, false);
    while let Some(byte) = bytes.get(index) {
        match byte {
            b'\\' if is_string => index += 1,
            b'"' => is_string = !is_string,
            _ if is_string => {}
            _ => {
                let rest = &text.as_bytes()[index..];
                let names = [&b"NaN"[..], b"Infinity", b"-Infinity"];
                if let Some(name) = names.into_iter().find(|name| rest.starts_with(name)) {
                    let last = index + name.len() - 1;
                    bytes[index..last].fill(b' ');
                    (bytes[index], bytes[last]) = (b'[', b']');
                    index = last;
                }
            }
        }
        index += 1;
    }
    bytes
}

impl<T: Decode> Decode for JsonText<T> {
    const ACCEPTS: Accepts = Accepts::NONE;

    fn json_schema() -> RefOrSchema {
        crate::openapi::json_text(T::json_schema())
    }

    fn name(_: &Constraints) -> Cow<'static, str> {
        format!("json[{}]", T::name(&Constraints::NONE)).into()
    }

    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        errors.fits(Exactness::Lax);
        let (Value::Str(text) | Value::Surrogates(text)) = input else {
            let msg = "JSON input should be string, bytes or bytearray";
            return errors.add("json_type", at, msg, input, &[]);
        };
        match parse(text) {
            Ok(value) => {
                let is_json = std::mem::replace(&mut errors.is_json, true);
                let decoded = T::decode(&value, &Constraints::NONE, at, errors);
                errors.is_json = is_json;
                decoded.map(Self)
            }
            Err(reason) => {
                let msg = format!("Invalid JSON: {reason}");
                errors.add("json_invalid", at, msg, input, &[("error", reason.into())])
            }
        }
    }
}

impl<T: Serialize> Serialize for JsonText<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Decode> Deserialize<'de> for JsonText<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_by_rules(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    const CASES: &[(&str, Option<&str>)] = &[
        ("NN", Some("expected ident at line 1 column 2")),
        ("N", Some("EOF while parsing a value at line 1 column 1")),
        ("Na", Some("EOF while parsing a value at line 1 column 2")),
        ("NaN", None),
        ("NaNx", Some("trailing characters at line 1 column 4")),
        ("[NaN,NN]", Some("expected ident at line 1 column 7")),
        ("[NaN, Infinity, -Infinity, x]", Some("expected value at line 1 column 28")),
        ("I", Some("EOF while parsing a value at line 1 column 1")),
        ("Inf", Some("EOF while parsing a value at line 1 column 3")),
        ("Infinitx", Some("expected ident at line 1 column 8")),
        ("-I", Some("EOF while parsing a value at line 1 column 2")),
        ("-Inf", Some("EOF while parsing a value at line 1 column 4")),
        ("-Infinitx", Some("expected ident at line 1 column 9")),
        ("{\"a\": N}", Some("expected ident at line 1 column 8")),
        ("[1,\n NaX]", Some("expected ident at line 2 column 4")),
        ("[\"NaN\", Nix]", Some("expected ident at line 1 column 10")),
        ("nN", Some("expected ident at line 1 column 2")),
        ("-N", Some("invalid number at line 1 column 2")),
        ("-NaN", Some("invalid number at line 1 column 2")),
        ("[NaN", Some("EOF while parsing a list at line 1 column 4")),
        ("\"\\\"\" N", Some("trailing characters at line 1 column 6")),
        ("NaN NaN", Some("trailing characters at line 1 column 5")),
        ("Infinity1", Some("trailing characters at line 1 column 9")),
        ("1NaN", Some("trailing characters at line 1 column 2")),
        ("{NaN: 1}", Some("key must be a string at line 1 column 2")),
        ("{\"a\" NaN}", Some("expected `:` at line 1 column 6")),
        ("[-Infinity x", Some("expected `,` or `]` at line 1 column 12")),
    ];

    #[test]
    fn faults_are_those_of_pydantic() {
        // As `TypeAdapter(Json).validate_python` says them.
        for (text, expected) in CASES {
            assert_eq!(parse(text).err().as_deref(), *expected, "{text}");
        }
    }
}

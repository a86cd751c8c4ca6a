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

/// Parses a text, or says why it is no JSON: by the parser of pydantic.
fn parse(text: &str) -> Result<Value, String> {
    let bytes = text.as_bytes();
    if let Err(error) = jiter::JsonValue::parse(bytes, true) {
        return Err(error.description(bytes));
    }
    Value::from_json(text.to_owned()).ok_or_else(|| "number out of range at line 1 column 1".into())
}

impl<T: Decode> Decode for JsonText<T> {
    const JSON_OF_SEQUENCE: bool = T::SEQUENCE;

    const ACCEPTS: Accepts = Accepts::NONE;

    fn json_schema() -> RefOrSchema {
        crate::openapi::json_text(T::json_schema())
    }

    fn name(_: &Constraints) -> Cow<'static, str> {
        format!("json[{}]", T::name(&Constraints::NONE)).into()
    }

    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        errors.fits(Exactness::Lax);
        if matches!(input, Value::Surrogates(_)) {
            return errors.not_unicode(at, input);
        }
        let Value::Str(text) = input else {
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
    fn errors_are_those_of_pydantic() {
        // As `TypeAdapter(Json).validate_python` says them.
        for (text, expected) in CASES {
            assert_eq!(parse(text).err().as_deref(), *expected, "{text}");
        }
    }
}

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
        (Err(error), _) => Err(error.to_string()),
    }
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

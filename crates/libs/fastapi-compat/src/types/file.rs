//! Decoding files of a multipart form.

use std::borrow::Cow;

use indexmap::IndexMap;
use serde::{Deserialize, Deserializer};

use crate::constraints::{Accepts, Constraints};
use crate::decode::Decode;
use crate::errors::{Errors, Loc};
use crate::openapi::json_schema;
use crate::value::{UploadFile, Value};

impl Decode for UploadFile {
    const ACCEPTS: Accepts = Accepts::NONE;

    json_schema!();

    fn name(_: &Constraints) -> Cow<'static, str> {
        "function-plain[_validate()]".into()
    }

    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        if let Value::File(file) = input {
            return Some(file.clone());
        }
        let class = match input {
            Value::Null => "NoneType",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::BigInt(_) => "int",
            Value::Float(_) => "float",
            Value::Array(_) => "list",
            Value::Object(_) => "dict",
            Value::Str(_) | Value::Surrogates(_) | Value::File(_) => "str",
        };
        let msg = format!("Value error, Expected UploadFile, received: <class '{class}'>");
        let empty = IndexMap::new().into();
        errors.add("value_error", at, msg, input, &[("error", empty)])
    }
}

/// JSON carries no files.
impl<'de> Deserialize<'de> for UploadFile {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        Err(serde::de::Error::custom("no file"))
    }
}

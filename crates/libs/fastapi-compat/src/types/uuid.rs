//! `UUID`.

use std::borrow::Cow;

use uuid::Uuid;

use crate::constraints::{Accepts, Constraints};
use crate::decode::Decode;
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

impl Decode for Uuid {
    const ACCEPTS: Accepts = Accepts::NONE;

    json_schema!();

    fn name(_: &Constraints) -> Cow<'static, str> {
        "uuid".into()
    }

    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        let (Value::Str(text) | Value::Surrogates(text)) = input else {
            let msg = "UUID input should be a string, bytes or UUID object";
            return errors.add("uuid_type", at, msg, input, &[]);
        };
        match Self::parse_str(text) {
            Ok(id) => {
                errors.fits(Exactness::Lax);
                Some(id)
            }
            Err(error) => {
                let error = error.to_string();
                let msg = format!("Input should be a valid UUID, {error}");
                errors.add("uuid_parsing", at, msg, input, &[("error", error.into())])
            }
        }
    }
}

//! `Any` and `None`.

use std::borrow::Cow;

use crate::constraints::{Accepts, Constraints};
use crate::decode::Decode;
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

impl Decode for Value {
    const ACCEPTS: Accepts = Accepts::IN_STRICT;

    json_schema!();

    fn name(_: &Constraints) -> Cow<'static, str> {
        "any".into()
    }

    fn decode(input: &Value, _: &Constraints, _: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        errors.fits(Exactness::Strict);
        Some(input.clone())
    }
}

impl Decode for () {
    const ACCEPTS: Accepts = Accepts::IN_STRICT;

    json_schema!();

    fn name(_: &Constraints) -> Cow<'static, str> {
        "none".into()
    }

    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        match input {
            Value::Null => Some(()),
            _ => errors.add("none_required", at, "Input should be None", input, &[]),
        }
    }
}

//! `bool`.

use std::borrow::Cow;

use crate::constraints::{Accepts, Constraints};
use crate::decode::Decode;
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

impl Decode for bool {
    const IS_CHECKBOX: bool = true;

    const ACCEPTS: Accepts = Accepts::STRICT.and(Accepts::IN_STRICT);

    json_schema!();

    fn name(_: &Constraints) -> Cow<'static, str> {
        "bool".into()
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        const TYPE: &str = "Input should be a valid boolean";
        const TRUE: [&str; 6] = ["1", "on", "t", "true", "y", "yes"];
        const FALSE: [&str; 6] = ["0", "off", "f", "false", "n", "no"];
        let is_one_of =
            |text: &str, words: [&str; 6]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if let Value::Bool(value) = input {
            return Some(*value);
        }
        if constraints.strict || errors.is_strict {
            return errors.add("bool_type", at, TYPE, input, &[]);
        }
        errors.fits(Exactness::Lax);
        match input {
            Value::Int(value @ 0..=1) => Some(*value == 1),
            #[expect(clippy::float_cmp, reason = "only the exact values are booleans")]
            Value::Float(value) if *value == 0.0 || *value == 1.0 => Some(*value == 1.0),
            Value::Str(text) if is_one_of(text, TRUE) => Some(true),
            Value::Str(text) if is_one_of(text, FALSE) => Some(false),
            Value::Surrogates(_) => errors.not_unicode(at, input),
            Value::Int(_) | Value::Str(_) => {
                let msg = "Input should be a valid boolean, unable to interpret input";
                errors.add("bool_parsing", at, msg, input, &[])
            }
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e18 => {
                let msg = "Input should be a valid boolean, unable to interpret input";
                errors.add("bool_parsing", at, msg, input, &[])
            }
            _ => errors.add("bool_type", at, TYPE, input, &[]),
        }
    }
}

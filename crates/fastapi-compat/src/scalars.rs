//! The scalar types that a request can carry.

use uuid::Uuid;

use crate::decode::{Constraints, Decode};
use crate::email::EmailStr;
use crate::errors::{Context, Errors, Loc};
use crate::json::MAX_INT_DIGITS;
use crate::value::Value;

impl Decode for String {
    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let text = match input {
            Value::Str(text) => text,
            Value::Surrogates(_) => {
                let msg =
                    "Input should be a valid string, unable to parse raw data as a unicode string";
                return errors.add("string_unicode", at, msg, input, None);
            }
            _ => {
                return errors.add(
                    "string_type",
                    at,
                    "Input should be a valid string",
                    input,
                    None,
                );
            }
        };
        let length = text.chars().count();
        let characters = |n| if n == 1 { "character" } else { "characters" };
        if let Some(min) = constraints.min_length.filter(|&min| length < min) {
            let msg = format!("String should have at least {min} {}", characters(min));
            return errors.add("string_too_short", at, msg, input, Some(Context::MinLength(min)));
        }
        let max_length = constraints.max_length.or(constraints.storable);
        if let Some(max) = max_length.filter(|&max| length > max) {
            let msg = format!("String should have at most {max} {}", characters(max));
            return errors.add("string_too_long", at, msg, input, Some(Context::MaxLength(max)));
        }
        if let Some(pattern) = constraints.pattern.filter(|pattern| !pattern.matches(text)) {
            let msg = format!("String should match pattern '{}'", pattern.0);
            let ctx = Context::Pattern(pattern.0);
            return errors.add("string_pattern_mismatch", at, msg, input, Some(ctx));
        }
        if constraints.storable.is_some() && text.contains('\0') {
            let msg = "String should not contain the character U+0000";
            return errors.add("string_nul", at, msg, input, None);
        }
        Some(text.clone())
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        // Most texts are shorter in bytes than the limit is in characters: no need to count those.
        let fits = |max| self.len() <= max || self.chars().count() <= max;
        constraints.min_length.is_none_or(|min| self.chars().take(min).count() == min)
            && constraints.max_length.is_none_or(fits)
            && constraints.storable.is_none_or(|max| fits(max) && !self.contains('\0'))
            && constraints.pattern.is_none_or(|pattern| pattern.matches(self))
    }
}

/// A text that a `varchar(N)` can hold, where no field's attributes can say so: in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storable<const N: usize>(pub String);

impl<const N: usize> Decode for Storable<N> {
    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        let constraints = Constraints { storable: Some(N), ..Constraints::NONE };
        String::decode(input, &constraints, at, errors).map(Self)
    }
}

impl Decode for EmailStr {
    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        let text = String::decode(input, &Constraints::NONE, at, errors)?;
        match Self::parse(&text) {
            Ok(email) => Some(email),
            Err(reason) => {
                let msg = format!("value is not a valid email address: {reason}");
                errors.add("value_error", at, msg, input, Some(Context::Reason(reason)))
            }
        }
    }
}

impl Decode for bool {
    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        const TRUE: [&str; 6] = ["1", "on", "t", "true", "y", "yes"];
        const FALSE: [&str; 6] = ["0", "off", "f", "false", "n", "no"];
        let is_one_of =
            |text: &str, words: [&str; 6]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        match input {
            Value::Bool(value) => Some(*value),
            Value::Int(value @ 0..=1) => Some(*value == 1),
            #[expect(clippy::float_cmp, reason = "only the exact values are booleans")]
            Value::Float(value) if *value == 0.0 || *value == 1.0 => Some(*value == 1.0),
            Value::Str(text) if is_one_of(text, TRUE) => Some(true),
            Value::Str(text) if is_one_of(text, FALSE) => Some(false),
            Value::Int(_) | Value::Str(_) | Value::Surrogates(_) => {
                let msg = "Input should be a valid boolean, unable to interpret input";
                errors.add("bool_parsing", at, msg, input, None)
            }
            Value::Float(value) if value.fract() == 0.0 && value.abs() < 9.0e18 => {
                let msg = "Input should be a valid boolean, unable to interpret input";
                errors.add("bool_parsing", at, msg, input, None)
            }
            _ => errors.add("bool_type", at, "Input should be a valid boolean", input, None),
        }
    }
}

/// An integer that may be too large for the type, compared with the bounds all the same.
enum Integer {
    Fits(i64),
    /// Beyond 64 bits, above or below.
    Beyond {
        negative: bool,
    },
}

impl Decode for i64 {
    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        const PARSING: &str =
            "Input should be a valid integer, unable to parse string as an integer";
        const SIZE: &str = "Unable to parse input string as an integer, exceeded maximum size";
        let integer = match input {
            Value::Int(value) => Integer::Fits(*value),
            Value::Bool(value) => Integer::Fits((*value).into()),
            Value::BigInt(digits) => Integer::Beyond { negative: digits.starts_with('-') },
            Value::Float(value) if !value.is_finite() => {
                return errors.add(
                    "finite_number",
                    at,
                    "Input should be a finite number",
                    input,
                    None,
                );
            }
            Value::Float(value) if value.fract() != 0.0 => {
                let msg = "Input should be a valid integer, got a number with a fractional part";
                return errors.add("int_from_float", at, msg, input, None);
            }
            #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
            Value::Float(value) if value.abs() < 9_223_372_036_854_775_808.0 => {
                Integer::Fits(*value as Self)
            }
            Value::Float(_) => return errors.add("int_parsing_size", at, SIZE, input, None),
            Value::Str(text) => match parse_integer(text) {
                Ok(integer) => integer,
                Err(IntegerError::Text) => {
                    return errors.add("int_parsing", at, PARSING, input, None);
                }
                Err(IntegerError::Size) => {
                    return errors.add("int_parsing_size", at, SIZE, input, None);
                }
            },
            Value::Surrogates(_) => return errors.add("int_parsing", at, PARSING, input, None),
            _ => {
                return errors.add("int_type", at, "Input should be a valid integer", input, None);
            }
        };
        let below = |min| match integer {
            Integer::Fits(value) => value < min,
            Integer::Beyond { negative } => negative,
        };
        let above = |max| match integer {
            Integer::Fits(value) => value > max,
            Integer::Beyond { negative } => !negative,
        };
        // pydantic looks at the upper bound first.
        if let Some(max) = constraints.maximum.filter(|&max| above(max)) {
            let msg = format!("Input should be less than or equal to {max}");
            return errors.add("less_than_equal", at, msg, input, Some(Context::Le(max)));
        }
        if let Some(min) = constraints.minimum.filter(|&min| below(min)) {
            let msg = format!("Input should be greater than or equal to {min}");
            return errors.add("greater_than_equal", at, msg, input, Some(Context::Ge(min)));
        }
        match integer {
            Integer::Fits(value) => Some(value),
            // Python has no largest integer; without bounds the type itself is one.
            Integer::Beyond { .. } => errors.add("int_parsing_size", at, SIZE, input, None),
        }
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        constraints.minimum.is_none_or(|min| *self >= min)
            && constraints.maximum.is_none_or(|max| *self <= max)
    }
}

enum IntegerError {
    Text,
    Size,
}

/// pydantic's reading of an integer in a text: white space around it, a sign, single underscores
/// between digits and a fraction of zeros are accepted.
fn parse_integer(text: &str) -> Result<Integer, IntegerError> {
    let text = text.trim();
    let (negative, unsigned) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let integer = match unsigned.split_once('.') {
        Some((integer, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => integer,
        Some(_) => return Err(IntegerError::Text),
        None => unsigned,
    };
    let digits = integer.split('_').try_fold(String::new(), |digits, group| {
        let valid = !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
        valid.then(|| digits + group).ok_or(IntegerError::Text)
    })?;
    let significant = digits.trim_start_matches('0');
    if significant.len() > MAX_INT_DIGITS {
        return Err(IntegerError::Size);
    }
    let sign = if negative { "-" } else { "" };
    Ok(match format!("{sign}0{significant}").parse() {
        Ok(value) => Integer::Fits(value),
        Err(_) => Integer::Beyond { negative },
    })
}

impl Decode for Uuid {
    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        let (Value::Str(text) | Value::Surrogates(text)) = input else {
            let msg = "UUID input should be a string, bytes or UUID object";
            return errors.add("uuid_type", at, msg, input, None);
        };
        match Self::parse_str(text) {
            Ok(id) => Some(id),
            Err(error) => {
                let error = error.to_string();
                let msg = format!("Input should be a valid UUID, {error}");
                errors.add("uuid_parsing", at, msg, input, Some(Context::Error(error)))
            }
        }
    }
}

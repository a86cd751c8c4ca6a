//! `int`: without bounds, and the integers of Rust.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use num_bigint::BigInt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::constraints::{Accepts, BrokenBound, Constraints, Number};
use crate::decode::Decode;
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Exactness, Loc};
use crate::json::MAX_INT_DIGITS;
use crate::openapi::json_schema;
use crate::value::Value;
use crate::value_serde::raw;

/// An integer as Python has it: without a largest one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Integer {
    /// Within 64 bits.
    Small(i64),
    /// Beyond 64 bits.
    Big(BigInt),
}

impl Integer {
    fn cmp_int(&self, other: i64) -> Ordering {
        match self {
            Self::Small(value) => value.cmp(&other),
            Self::Big(value) => value.cmp(&BigInt::from(other)),
        }
    }

    fn is_multiple_of(&self, divisor: i64) -> bool {
        match self {
            Self::Small(value) => value.checked_rem(divisor).unwrap_or(0) == 0,
            Self::Big(value) => value % divisor == BigInt::ZERO,
        }
    }
}

impl Ord for Integer {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (_, Self::Small(other)) => self.cmp_int(*other),
            (Self::Small(value), Self::Big(_)) => other.cmp_int(*value).reverse(),
            (Self::Big(value), Self::Big(other)) => value.cmp(other),
        }
    }
}

impl PartialOrd for Integer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Integer {
    fn from(value: i64) -> Self {
        Self::Small(value)
    }
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Small(value) => value.fmt(f),
            Self::Big(value) => value.fmt(f),
        }
    }
}

impl Serialize for Integer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Small(value) => serializer.serialize_i64(*value),
            // The only way that a dictionary's key can go as well; few numbers are longer. A
            // `serde_json::Value` refuses it, and has no other number for it than the nearest float.
            Self::Big(value) => match i128::try_from(value) {
                Ok(value) if !makes_a_tree::<S>() => serializer.serialize_i128(value),
                _ => raw(value.to_string(), serializer),
            },
        }
    }
}

/// Whether a serialiser makes a `serde_json::Value`.
fn makes_a_tree<S>() -> bool {
    std::any::type_name::<S>() == std::any::type_name::<serde_json::value::Serializer>()
}

impl std::str::FromStr for Integer {
    type Err = num_bigint::ParseBigIntError;

    /// Reads decimal digits, with a sign or without; takes the square of their number.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(value) => Ok(Self::Small(value)),
            Err(_) => text.parse().map(Self::Big),
        }
    }
}

impl From<Integer> for Value {
    fn from(value: Integer) -> Self {
        match value {
            Integer::Small(value) => Self::Int(value),
            Integer::Big(value) => Self::BigInt(value.to_string().into()),
        }
    }
}

impl<'de> Deserialize<'de> for Integer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        i64::deserialize(deserializer).map(Self::Small)
    }
}

const ACCEPTED: Accepts =
    Accepts::BOUNDS.and(Accepts::MULTIPLE).and(Accepts::STRICT).and(Accepts::IN_STRICT);

const TYPE: &str = "Input should be a valid integer";
const PARSING: &str = "Input should be a valid integer, unable to parse string as an integer";
pub(crate) const SIZE: &str = "Unable to parse input string as an integer, exceeded maximum size";

/// Reads an integer by pydantic's lax rules, without looking at the constraints.
fn read(input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<Integer> {
    if !matches!(input, Value::Int(_) | Value::BigInt(_)) {
        errors.fits(Exactness::Lax);
    }
    match input {
        Value::Int(value) => Some(Integer::Small(*value)),
        Value::Bool(value) => Some(Integer::Small((*value).into())),
        Value::BigInt(digits) => digits.parse().ok(),
        Value::Float(value) if !value.is_finite() => {
            errors.add("finite_number", at, "Input should be a finite number", input, &[])
        }
        Value::Float(value) if value.fract() != 0.0 => {
            let msg = "Input should be a valid integer, got a number with a fractional part";
            errors.add("int_from_float", at, msg, input, &[])
        }
        #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
        Value::Float(value) if value.abs() < 9_223_372_036_854_775_808.0 => {
            Some(Integer::Small(*value as i64))
        }
        Value::Float(_) => errors.add("int_parsing_size", at, SIZE, input, &[]),
        Value::Str(text) => match parse(text) {
            Ok(integer) => Some(integer),
            Err(IntegerError::Text) => errors.add("int_parsing", at, PARSING, input, &[]),
            Err(IntegerError::Size) => errors.add("int_parsing_size", at, SIZE, input, &[]),
        },
        Value::Surrogates(_) => errors.not_unicode(at, input),
        _ => errors.add("int_type", at, TYPE, input, &[]),
    }
}

enum IntegerError {
    Text,
    Size,
}

/// pydantic's reading of an integer in a text: white space around it, a sign, leading zeros, single
/// underscores between digits and a fraction of zeros are accepted. A minus sign may follow the leading
/// zeros as well; no zero may stand before the digits behind it, but an underscore.
fn parse(text: &str) -> Result<Integer, IntegerError> {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let digits = plain.bytes().take_while(u8::is_ascii_digit).count();
    if digits > MAX_INT_DIGITS && !plain.starts_with('0') {
        return Err(IntegerError::Size);
    }
    let text = text.trim();
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let (mut sign, unsigned) = match unsigned.strip_prefix('-') {
        Some(unsigned) if unsigned.len() + 1 == text.len() => ("-", unsigned),
        Some(_) => return Err(IntegerError::Text),
        None => ("", unsigned),
    };
    let integer = match unsigned.split_once('.') {
        Some((integer, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => integer,
        Some(_) => return Err(IntegerError::Text),
        None => unsigned,
    };
    // Between leading zeros any number of underscores is skipped.
    let keeps_zeros = sign == "-" && has(Switch::MinusBeforeZeros);
    let mut significant = match integer.strip_prefix('0') {
        _ if keeps_zeros => digits_behind_sign(integer)?,
        Some(rest) => match rest.trim_start_matches(['0', '_']) {
            "" if rest.ends_with('_') => return Err(IntegerError::Text),
            "" => "0",
            significant => significant,
        },
        None => integer,
    };
    let late = significant.strip_prefix('-').filter(|_| sign.is_empty());
    if let Some(negative) = late.filter(|_| integer.starts_with('0')) {
        (sign, significant) = ("-", digits_behind_sign(negative)?);
    }
    let grouped = significant.split('_').try_fold(String::from(sign), |digits, group| {
        let valid = !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
        valid.then(|| digits + group).ok_or(IntegerError::Text)
    })?;
    if grouped.len() - sign.len() > MAX_INT_DIGITS {
        return Err(IntegerError::Text);
    }
    grouped.parse().map_err(|_| IntegerError::Text)
}

/// What stands behind a minus sign: perhaps an underscore, and no leading zeros.
fn digits_behind_sign(digits: &str) -> Result<&str, IntegerError> {
    let digits = digits.strip_prefix('_').unwrap_or(digits);
    let has_zeros = digits.len() > 1 && digits.starts_with('0');
    if has_zeros { Err(IntegerError::Text) } else { Ok(digits) }
}

/// The first constraint that is not met, in pydantic's order.
fn broken(value: &Integer, constraints: &Constraints) -> Option<BrokenBound<i64>> {
    if let Some(divisor) = constraints.multiple_of.filter(|n| !value.is_multiple_of(n.int)) {
        return Some(BrokenBound::multiple_of(divisor.int));
    }
    constraints.broken_bound(|bound| Some(bound.int), |&bound| Some(value.cmp_int(bound)))
}

impl Decode for Integer {
    const ACCEPTS: Accepts = ACCEPTED;

    json_schema!();

    fn name(constraints: &Constraints) -> Cow<'static, str> {
        if constraints.bounds_a_number() { "constrained-int" } else { "int" }.into()
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let is_integer = matches!(input, Value::Int(_) | Value::BigInt(_));
        if !is_integer && (constraints.strict || errors.is_strict) {
            return errors.add("int_type", at, TYPE, input, &[]);
        }
        let value = read(input, at, errors)?;
        match broken(&value, constraints) {
            None => Some(value),
            Some(broken) => broken.add(|&bound| bound.into(), input, at, errors),
        }
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        broken(self, constraints).is_none()
    }
}

/// Python has no largest integer; here the type itself is a bound.
impl Decode for i64 {
    const ACCEPTS: Accepts = ACCEPTED;

    json_schema!();

    fn name(constraints: &Constraints) -> Cow<'static, str> {
        Integer::name(constraints)
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        match Integer::decode(input, constraints, at, errors)? {
            Integer::Small(value) => Some(value),
            Integer::Big(_) => errors.add("int_parsing_size", at, SIZE, input, &[]),
        }
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        broken(&Integer::Small(*self), constraints).is_none()
    }
}

/// Smaller ones are what `Field(ge=…, le=…)` with their bounds is in Python.
macro_rules! bounded {
    ($($integer:ty)*) => {$(
        impl Decode for $integer {
            const ACCEPTS: Accepts = ACCEPTED;

            json_schema!();

            fn name(_: &Constraints) -> Cow<'static, str> {
                "constrained-int".into()
            }

            fn decode(
                input: &Value,
                constraints: &Constraints,
                at: &Loc<'_>,
                errors: &mut Errors,
            ) -> Option<Self> {
                const MIN: Number = Number { text: "", int: <$integer>::MIN as i64, float: 0.0 };
                const MAX: Number = Number { text: "", int: <$integer>::MAX as i64, float: 0.0 };
                let bounded = Constraints {
                    ge: constraints.ge.or(Some(MIN)),
                    le: constraints.le.or(Some(MAX)),
                    ..*constraints
                };
                i64::decode(input, &bounded, at, errors)?.try_into().ok()
            }

            fn meets(&self, constraints: &Constraints) -> bool {
                i64::from(*self).meets(constraints)
            }
        }
    )*};
}

bounded!(i8 i16 i32 u8 u16 u32);

//! `Decimal`: any number of digits, written as Python writes it.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use num_bigint::BigInt;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use unicode_general_category::{GeneralCategory, get_general_category};

use super::text::plural;
use crate::constraints::{Accepts, BrokenBound, Constraints, Number};
use crate::decode::{Decode, deserialize_by_rules};
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Exactness, Loc};
use crate::float_repr::float_repr;
use crate::marked;
use crate::openapi::json_schema;
use crate::value::Value;

/// The precision with which Python divides.
const PRECISION: usize = 28;
/// What is smaller becomes zero when Python divides: its `Etiny`, and a digit of rounding.
const SMALLEST_EXPONENT: i64 = -1_000_027;
/// The smallest exponent of the first digit of what Python does not round to zero.
const TINY: i64 = -1_000_026;
/// The largest exponent of Python's decimals.
const MAX_EXPONENT: i64 = 999_999_999_999_999_999;
/// The smallest exponent of the last digit.
const MIN_EXPONENT: i64 = -1_999_999_999_999_999_997;

/// A decimal number with its trailing zeros: `1.10` is not written as `1.1`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    kind: Kind,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Kind {
    /// The digits, without leading zeros, times ten to the power of the exponent.
    Finite {
        digits: String,
        exponent: i64,
    },
    Infinite,
    /// With the digits that Python keeps, and whether it signals.
    NotANumber {
        signaling: bool,
        payload: String,
    },
}

/// A text that is no decimal number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseDecimalError;

impl fmt::Display for ParseDecimalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no decimal number")
    }
}

impl std::error::Error for ParseDecimalError {}

/// Reads what Python's `Decimal(text)` reads: white space around it and underscores anywhere are
/// dropped, digits may be of any script.
impl FromStr for Decimal {
    type Err = ParseDecimalError;

    fn from_str(text: &str) -> Result<Self, ParseDecimalError> {
        let ascii: String = text
            .trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
            .chars()
            .filter(|&c| c != '_')
            .map(|c| digit_value(c).map_or(c, |digit| char::from(b'0' + digit)))
            .collect();
        let (negative, rest) = match ascii.strip_prefix(['+', '-']) {
            Some(rest) => (ascii.starts_with('-'), rest),
            None => (false, ascii.as_str()),
        };
        let lower = rest.to_ascii_lowercase();
        if lower == "inf" || lower == "infinity" {
            return Ok(Self { negative, kind: Kind::Infinite });
        }
        let not_a_number = lower
            .strip_prefix("snan")
            .map(|payload| (true, payload))
            .or_else(|| lower.strip_prefix("nan").map(|payload| (false, payload)));
        if let Some((signaling, payload)) = not_a_number {
            if !payload.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(ParseDecimalError);
            }
            let payload = payload.trim_start_matches('0').to_owned();
            return Ok(Self { negative, kind: Kind::NotANumber { signaling, payload } });
        }
        let (mantissa, exponent) = match lower.split_once('e') {
            Some((mantissa, exponent)) => (mantissa, read_exponent(exponent)?),
            None => (lower.as_str(), 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(ParseDecimalError);
        }
        let digits = match all.trim_start_matches('0') {
            "" => "0",
            digits => digits,
        };
        let exponent = exponent - length(fraction);
        let finite = Self { negative, kind: Kind::Finite { digits: digits.into(), exponent } };
        if exponent < MIN_EXPONENT || finite.adjusted() > MAX_EXPONENT {
            return Err(ParseDecimalError);
        }
        Ok(finite)
    }
}

/// The value of a decimal digit of any script.
pub(crate) fn digit_value(c: char) -> Option<u8> {
    let is_digit = |c: char| get_general_category(c) == GeneralCategory::DecimalNumber;
    if c.is_ascii() || !is_digit(c) {
        return None;
    }
    // The digits of a script stand in a row of ten from zero on, and rows may touch.
    let before = (1..=u32::from(c)).map_while(|back| char::from_u32(u32::from(c) - back));
    u8::try_from(before.take_while(|&c| is_digit(c)).count() % 10).ok()
}

fn read_exponent(text: &str) -> Result<i64, ParseDecimalError> {
    // Beyond any that is accepted, and no sum with a length overflows.
    const LIMIT: i64 = 4 * MAX_EXPONENT;
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(ParseDecimalError);
    }
    let magnitude = match digits.trim_start_matches('0') {
        "" => 0,
        digits => digits.parse().map_or(LIMIT, |magnitude: i64| magnitude.min(LIMIT)),
    };
    Ok(if text.starts_with('-') { -magnitude } else { magnitude })
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

impl Decimal {
    /// As many times a power of ten: `Decimal::new(990, 2)` is `9.90`.
    ///
    /// ```
    /// assert_eq!(fastapi_compat::Decimal::new(-990, 2).to_string(), "-9.90");
    /// ```
    pub fn new(digits: i64, decimal_places: u32) -> Self {
        let exponent = -i64::from(decimal_places);
        let kind = Kind::Finite { digits: digits.unsigned_abs().to_string(), exponent };
        Self { negative: digits < 0, kind }
    }

    /// Whether it is neither infinite nor not a number.
    pub fn is_finite(&self) -> bool {
        matches!(self.kind, Kind::Finite { .. })
    }

    /// The sign, the digits without leading zeros, and the power of ten that they are times of; `None`
    /// for what is no finite number.
    #[cfg(feature = "rust_decimal")]
    pub(super) fn parts(&self) -> Option<(bool, &str, i64)> {
        match &self.kind {
            Kind::Finite { digits, exponent } => Some((self.negative, digits, *exponent)),
            _ => None,
        }
    }

    fn is_nan(&self) -> bool {
        matches!(self.kind, Kind::NotANumber { .. })
    }

    fn is_zero(&self) -> bool {
        matches!(&self.kind, Kind::Finite { digits, .. } if digits == "0")
    }

    /// The exponent of the first digit.
    fn adjusted(&self) -> i64 {
        match &self.kind {
            Kind::Finite { digits, exponent } => exponent + length(digits) - 1,
            _ => 0,
        }
    }

    /// Compares two numbers; neither may be "not a number".
    fn compare(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.is_zero(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let signs = sign(self).cmp(&sign(other));
        if signs.is_ne() || self.is_zero() {
            return signs;
        }
        let magnitudes = match (&self.kind, &other.kind) {
            (Kind::Finite { digits: a, .. }, Kind::Finite { digits: b, .. }) => {
                let (a, b) = (a.trim_end_matches('0'), b.trim_end_matches('0'));
                self.adjusted().cmp(&other.adjusted()).then_with(|| a.cmp(b))
            }
            (Kind::Finite { .. }, _) => Ordering::Less,
            (_, Kind::Finite { .. }) => Ordering::Greater,
            _ => Ordering::Equal,
        };
        if self.negative { magnitudes.reverse() } else { magnitudes }
    }

    /// Whether the quotient, of 28 digits as in Python, is an integer that Python can divide by one.
    fn is_multiple_of(&self, divisor: &Self) -> bool {
        let (Kind::Finite { digits: a, exponent: e }, Kind::Finite { digits: b, exponent: f }) =
            (&self.kind, &divisor.kind)
        else {
            return false;
        };
        if self.is_zero() {
            return true;
        }
        let magnitude = self.adjusted() - divisor.adjusted();
        if magnitude < SMALLEST_EXPONENT {
            return true; // the quotient becomes zero
        }
        if !(-2..=length("9".repeat(PRECISION).as_str())).contains(&magnitude) {
            return false;
        }
        // Digits that only decide whether the quotient is exact are not divided: that would take the
        // square of their number.
        let needed = PRECISION + b.len() + 1;
        let (a, rest) = a.split_at_checked(needed).unwrap_or((a, ""));
        let nothing_lost = rest.bytes().all(|digit| digit == b'0');
        // a·10^e ÷ b·10^f, scaled so that the quotient has at least 28 digits.
        let scale = length(b) - length(a) + 1 + i64::try_from(PRECISION).unwrap_or(i64::MAX);
        let scale = usize::try_from(scale).unwrap_or(0);
        let (Ok(a), Ok(b)) = (format!("{a}{}", "0".repeat(scale)).parse(), b.parse::<BigInt>())
        else {
            return false;
        };
        let a: BigInt = a;
        let (quotient, exact) = (&a / &b, nothing_lost && (&a % &b) == BigInt::ZERO);
        let exponent = e - f + length(rest) - i64::try_from(scale).unwrap_or(i64::MAX);
        let (digits, exponent) = round(&quotient.to_string(), exponent, exact);
        // An integer of over 28 digits: Python's remainder is an invalid operation.
        if length(&digits) + exponent > i64::try_from(PRECISION).unwrap_or(i64::MAX) {
            return false;
        }
        let fraction = usize::try_from(-exponent).unwrap_or(0).min(digits.len());
        let whole_zero = usize::try_from(-exponent).is_ok_and(|places| places > digits.len());
        digits[digits.len() - fraction..].bytes().all(|digit| digit == b'0')
            && !(whole_zero && digits.bytes().any(|digit| digit != b'0'))
    }

    /// The decimal places and the digits, with trailing zeros and without.
    fn counts(&self) -> ((u64, u64), (u64, u64)) {
        let Kind::Finite { digits, exponent } = &self.kind else {
            return ((0, 0), (0, 0));
        };
        let count = |digits: u64, exponent: i64| match u64::try_from(exponent) {
            Ok(zeros) => (0, digits.saturating_add(zeros)),
            Err(_) => (exponent.unsigned_abs(), digits.max(exponent.unsigned_abs())),
        };
        let counts = count(digits.len() as u64, *exponent);
        if has(Switch::DecimalsAreRounded) && (digits.len() > PRECISION || self.adjusted() < TINY) {
            return (counts, self.rounded().counts().1);
        }
        let zeros = length(digits) - length(digits.trim_end_matches('0'));
        let normalized = match *exponent {
            _ if self.is_zero() => (0, 1),
            0.. => counts,
            exponent => count(digits.len() as u64 - zeros.unsigned_abs(), exponent + zeros),
        };
        (counts, normalized)
    }

    /// As Python's `normalize` rounds it: to 28 digits, and to zero below the smallest exponent.
    fn rounded(&self) -> Self {
        let (digits, exponent) = match &self.kind {
            Kind::Finite { digits, exponent } if self.adjusted() >= TINY => {
                round(digits, *exponent, true)
            }
            _ => ("0".to_owned(), 0),
        };
        Self { negative: self.negative, kind: Kind::Finite { digits, exponent } }
    }

    /// As FastAPI writes it into the `ctx` of an error: an integer if it has no decimal places.
    fn encoded(&self) -> Value {
        match &self.kind {
            Kind::Finite { digits, exponent: exponent @ 0.. } => {
                let zeros = "0".repeat(usize::try_from(*exponent).unwrap_or(0));
                let sign = if self.negative { "-" } else { "" };
                let text = format!("{sign}{digits}{zeros}");
                text.parse().map_or_else(|_| Value::BigInt(text.into()), Value::Int)
            }
            _ => self.to_string().parse().map_or(Value::Null, Value::Float),
        }
    }
}

/// Rounds to 28 digits, half to even; `exact` is whether nothing was lost before.
fn round(digits: &str, exponent: i64, exact: bool) -> (String, i64) {
    let Some((kept, lost)) =
        digits.split_at_checked(PRECISION).filter(|(_, lost)| !lost.is_empty())
    else {
        return (digits.to_owned(), exponent);
    };
    let half = format!("5{}", "0".repeat(lost.len() - 1));
    let odd = kept.bytes().last().is_some_and(|digit| digit % 2 == 1);
    let up = match lost.cmp(half.as_str()) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => !exact || odd,
    };
    let kept: BigInt = kept.parse().unwrap_or_default();
    ((kept + u8::from(up)).to_string(), exponent + length(lost))
}

/// As Python's `str` writes it.
impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.negative {
            f.write_str("-")?;
        }
        let (digits, exponent) = match &self.kind {
            Kind::Infinite => return f.write_str("Infinity"),
            Kind::NotANumber { signaling, payload } => {
                return write!(f, "{}NaN{payload}", if *signaling { "s" } else { "" });
            }
            Kind::Finite { digits, exponent } => (digits, *exponent),
        };
        let adjusted = self.adjusted();
        if exponent <= 0 && adjusted >= -6 {
            let places = usize::try_from(-exponent).unwrap_or(0);
            let padded = format!("{digits:0>width$}", width = places + 1);
            let (whole, fraction) = padded.split_at(padded.len() - places);
            f.write_str(whole)?;
            return if fraction.is_empty() { Ok(()) } else { write!(f, ".{fraction}") };
        }
        let (first, rest) = digits.split_at(1);
        f.write_str(first)?;
        if !rest.is_empty() {
            write!(f, ".{rest}")?;
        }
        write!(f, "E{adjusted:+}")
    }
}

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        marked::mark(marked::DECIMAL, self, serializer)
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_by_rules(deserializer)
    }
}

/// The first bound that is not kept, in pydantic's order.
fn broken(value: &Decimal, constraints: &Constraints) -> Option<BrokenBound<Decimal>> {
    let parse = |number: Number| number.text.parse::<Decimal>().ok();
    let divisor = constraints.multiple_of.and_then(parse);
    if let Some(divisor) = divisor.filter(|divisor| !value.is_multiple_of(divisor)) {
        return Some(BrokenBound::multiple_of(divisor));
    }
    constraints.broken_bound(parse, |bound| (!value.is_nan()).then(|| value.compare(bound)))
}

/// Which digits are too many: the type of the error, the limit, and what is limited.
type TooMany = (&'static str, u64, &'static str, &'static str);

fn too_many_digits(value: &Decimal, constraints: &Constraints) -> Option<TooMany> {
    let ((places, digits), (least_places, least_digits)) = value.counts();
    if let Some(max) = constraints.max_digits.filter(|&max| digits > max && least_digits > max) {
        return Some(("decimal_max_digits", max, "digit{s} in total", "max_digits"));
    }
    let max_places = constraints.decimal_places?;
    if places > max_places && least_places > max_places {
        return Some(("decimal_max_places", max_places, "decimal place{s}", "decimal_places"));
    }
    let whole = digits.saturating_sub(places);
    let least_whole = least_digits.saturating_sub(least_places);
    let max = constraints.max_digits.map(|max| max.saturating_sub(max_places));
    let max = max.filter(|&max| whole > max && least_whole > max)?;
    Some(("decimal_whole_digits", max, "digit{s} before the decimal point", "whole_digits"))
}

impl Decode for Decimal {
    const ACCEPTS: Accepts =
        Accepts::BOUNDS.and(Accepts::MULTIPLE).and(Accepts::DIGITS).and(Accepts::INFINITY);

    json_schema!();

    fn name(_: &Constraints) -> Cow<'static, str> {
        "decimal".into()
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        errors.fits(Exactness::Lax);
        let parsed: Result<Self, _> = match input {
            Value::Int(value) => value.to_string().parse(),
            Value::BigInt(text) | Value::Str(text) => text.parse(),
            Value::Float(value) if value.is_finite() => float_repr(*value).parse(),
            Value::Float(value) => value.to_string().parse(),
            Value::Surrogates(_) => Err(ParseDecimalError),
            _ => {
                let msg = "Decimal input should be an integer, float, string or Decimal object";
                return errors.add("decimal_type", at, msg, input, &[]);
            }
        };
        let Ok(value) = parsed else {
            let msg = "Input should be a valid decimal";
            return errors.add("decimal_parsing", at, msg, input, &[]);
        };
        if !value.is_finite() && constraints.allow_inf_nan != Some(true) {
            let msg = "Input should be a finite number";
            return errors.add("finite_number", at, msg, input, &[]);
        }
        if let Some((kind, max, what, key)) = too_many_digits(&value, constraints) {
            let what = what.replace("{s}", plural(usize::try_from(max).unwrap_or(usize::MAX)));
            let msg = format!("Decimal input should have no more than {max} {what}");
            return errors.add(kind, at, msg, input, &[(key, max.into())]);
        }
        match broken(&value, constraints) {
            None => Some(value),
            Some(broken) => broken.add(Self::encoded, input, at, errors),
        }
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        (self.is_finite() || constraints.allow_inf_nan == Some(true))
            && too_many_digits(self, constraints).is_none()
            && broken(self, constraints).is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_end_where_pythons_do() {
        for (text, read) in [
            ("1e-1999999999999999997", true),
            ("1e-1999999999999999998", false),
            ("0.11e-1999999999999999996", false),
            (".11e-9999999999999999999999999", false),
            ("0e-1999999999999999998", false),
            ("0e999999999999999999", true),
            ("0e1000000000000000000", false),
            ("1e999999999999999999", true),
            ("1e1000000000000000000", false),
        ] {
            assert_eq!(text.parse::<Decimal>().is_ok(), read, "{text}");
        }
    }

    #[test]
    fn multiples_of_a_million_digits_are_found_at_once() {
        let divisor: Decimal = "0.1".parse().unwrap();
        let zeros = "0".repeat(1_000_000);
        for (text, is_multiple) in [
            (format!("3.1{zeros}"), true),
            (format!("3.1{zeros}1"), true), // 28 digits of the quotient have no room for it
            (format!("3.11{zeros}"), false),
        ] {
            let value: Decimal = text.parse().unwrap();
            assert_eq!(value.is_multiple_of(&divisor), is_multiple, "{}", &text[..5]);
        }
    }
}

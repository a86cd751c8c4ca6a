//! Decimals as columns of a database hold them.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::decimal::Decimal;
use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, deserialize_by_rules};
use crate::errors::{Errors, Loc};
use crate::marked;
use crate::openapi::json_schema;
use crate::value::Value;

/// As many digits as `rust_decimal` can always hold.
const MAX_DIGITS: u64 = 28;

/// A `Decimal` with as many decimal places as its column, whatever a request gave: `1` and `1.0` are
/// shown as `1.00`, and zero has no sign. What it cannot hold is refused: over 28 digits, or more
/// places; `max_digits` and `decimal_places` narrow that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numeric<const PLACES: u32>(rust_decimal::Decimal);

impl<const PLACES: u32> Numeric<PLACES> {
    /// `None` if it has too many digits.
    fn new(decimal: &Decimal) -> Option<Self> {
        let (negative, digits, exponent) = decimal.parts()?;
        // Zeros at the end are not counted as digits.
        let bare = digits.trim_end_matches('0');
        let zeros = i64::try_from(digits.len() - bare.len()).ok()?;
        if bare.is_empty() {
            return Some(Self::default());
        }
        let mantissa = bare.parse::<i128>().ok()?;
        let mantissa = if negative { -mantissa } else { mantissa };
        let places = u32::try_from(i64::from(PLACES) + exponent + zeros).ok()?;
        let scaled = mantissa.checked_mul(10_i128.checked_pow(places)?)?;
        rust_decimal::Decimal::try_from_i128_with_scale(scaled, PLACES).ok().map(Self)
    }
}

impl<const PLACES: u32> Default for Numeric<PLACES> {
    fn default() -> Self {
        Self(rust_decimal::Decimal::new(0, PLACES))
    }
}

impl<const PLACES: u32> From<Numeric<PLACES>> for rust_decimal::Decimal {
    fn from(Numeric(value): Numeric<PLACES>) -> Self {
        value
    }
}

impl<const PLACES: u32> From<rust_decimal::Decimal> for Numeric<PLACES> {
    fn from(value: rust_decimal::Decimal) -> Self {
        Self(value)
    }
}

impl<const PLACES: u32> Serialize for Numeric<PLACES> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = format_args!("{:.*}", PLACES as usize, self.0);
        marked::mark(marked::DECIMAL, &text, serializer)
    }
}

impl<'de, const PLACES: u32> Deserialize<'de> for Numeric<PLACES> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_by_rules(deserializer)
    }
}

impl<const PLACES: u32> Decode for Numeric<PLACES> {
    const ACCEPTS: Accepts = Decimal::ACCEPTS;

    json_schema!();

    fn name(constraints: &Constraints) -> Cow<'static, str> {
        Decimal::name(constraints)
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let places = u64::from(PLACES);
        let bounded = Constraints {
            max_digits: Some(constraints.max_digits.unwrap_or(MAX_DIGITS).min(MAX_DIGITS)),
            decimal_places: Some(constraints.decimal_places.unwrap_or(places).min(places)),
            ..*constraints
        };
        Self::new(&Decimal::decode(input, &bounded, at, errors)?)
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        let exact: Result<Decimal, _> = self.0.to_string().parse();
        exact.is_ok_and(|decimal| decimal.meets(constraints))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let numeric = Numeric::<2>::new(&text.parse().unwrap())?;
        Some(serde_json::to_value(numeric).unwrap().as_str().unwrap().to_owned())
    }

    #[test]
    fn places_are_the_columns() {
        for (text, expected) in [
            ("1", "1.00"),
            ("-1.5", "-1.50"),
            ("1E+3", "1000.00"),
            ("-0", "0.00"),
            ("0E+9", "0.00"),
            ("0.10000000000000000000000000000000000", "0.10"),
            ("99999999999999999999999999.99", "99999999999999999999999999.99"),
        ] {
            assert_eq!(shown(text).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(shown("NaN"), None);
        assert_eq!(shown("1E+30"), None);
        assert_eq!(shown("0.001"), None);
    }

    #[test]
    fn by_itself_it_is_as_wide_as_it_can_be() {
        let read = |text: &str| serde_json::from_str::<Numeric<2>>(text).is_ok();
        assert!(read("1.5") && read("\"1e3\""));
        assert!(!read("1.555") && !read("1e40"));
        let wider = Constraints { max_digits: Some(40), ..Constraints::NONE };
        let mut errors = Errors::default();
        let long = Value::Str("1".repeat(39).into());
        assert_eq!(Numeric::<2>::decode(&long, &wider, &Loc::root("body"), &mut errors), None);
        assert!(!errors.is_empty(), "it is refused with an error");
    }
}

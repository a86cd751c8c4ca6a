//! `ByteSize`: a number of bytes, or a text with a unit.

use std::borrow::Cow;
use std::fmt;
use std::sync::LazyLock;

use regex::Regex;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::constraints::{Accepts, Constraints, Number, regex};
use crate::decode::{Decode, deserialize_by_rules};
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::json_schema;
use crate::types::Integer;
use crate::types::decimal::digit_value;
use crate::value::Value;

/// A number of bytes: `"1.5 GiB"`, `"10kb"` or an integer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteSize(pub Integer);

pub(crate) const PATTERN: &str = r"^\s*(\d*\.?\d+)\s*(\w+)?";

/// How many bytes a unit has.
fn factor(unit: &str) -> Option<f64> {
    const PREFIXES: &str = "kmgtpe";
    let (unit, bits) = match unit.strip_suffix("bit") {
        Some(unit) => (unit, 8.0),
        // Without it there is only the first letter.
        None => (unit.strip_suffix('b').or((unit.len() == 1).then_some(unit))?, 1.0),
    };
    if unit.is_empty() {
        return Some(1.0 / bits);
    }
    let (prefix, base) = match unit.strip_suffix('i') {
        Some(prefix) => (prefix, 1024.0_f64),
        None => (unit, 1000.0),
    };
    let power = PREFIXES.find(prefix).filter(|_| prefix.len() == 1)?;
    Some(base.powi(i32::try_from(power + 1).ok()?) / bits)
}

/// Digits of any script as those of ASCII.
fn ascii(text: &str) -> String {
    text.chars().map(|c| digit_value(c).map_or(c, |digit| char::from(b'0' + digit))).collect()
}

/// What Python's `int` reads of a text that begins like a number.
fn plain(text: &str) -> Option<Integer> {
    let text = text.trim();
    let is_number = text
        .split('_')
        .all(|digits| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()));
    is_number.then(|| text.replace('_', "").parse().ok())?
}

fn refuse<T>(input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<T> {
    let msg = "could not parse value and unit from byte string";
    errors.add("byte_size", at, msg, input, &[])
}

impl Decode for ByteSize {
    const ACCEPTS: Accepts = Accepts::NONE;

    json_schema!();

    fn name(_: &Constraints) -> Cow<'static, str> {
        "function-after[_validate(), union[constrained-str,constrained-int]]".into()
    }

    fn decode(input: &Value, _: &Constraints, at: &Loc<'_>, errors: &mut Errors) -> Option<Self> {
        static TEXT: LazyLock<Regex> = LazyLock::new(|| regex(PATTERN));
        const ZERO: Number = Number { text: "0", int: 0, float: 0.0 };
        errors.fits(Exactness::Lax);
        let matched = match input {
            Value::Str(text) => TEXT.captures(text).map(|matched| (text, matched)),
            _ => None,
        };
        let Some((text, matched)) = matched else {
            let positive = Constraints { ge: Some(ZERO), ..Constraints::NONE };
            let number = Integer::decode(input, &positive, at, &mut Errors::default());
            return number.map(Self).or_else(|| refuse(input, at, errors));
        };
        if let Some(number) = plain(&ascii(text)) {
            return Some(Self(number));
        }
        let unit = matched.get(2).map_or("b", |unit| unit.as_str());
        let Some(factor) = factor(&unit.to_lowercase()) else {
            let msg = format!("could not interpret byte unit: {unit}");
            return errors.add("byte_size_unit", at, msg, input, &[("unit", unit.into())]);
        };
        let scalar: Option<f64> =
            matched.get(1).and_then(|scalar| ascii(scalar.as_str()).parse().ok());
        let bytes = scalar.map(|scalar| (scalar * factor).trunc()).filter(|size| size.is_finite());
        let bytes = bytes.and_then(|bytes| format!("{bytes:.0}").parse().ok());
        bytes.map(Self).or_else(|| refuse(input, at, errors))
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for ByteSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ByteSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_by_rules(deserializer)
    }
}

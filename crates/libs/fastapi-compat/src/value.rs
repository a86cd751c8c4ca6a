//! A JSON value as Python sees it.

use std::fmt;

use indexmap::IndexMap;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::types::UploadFile;

/// A decoded input, kept so that an error can echo it as Python would write it again.
///
/// Richer than `serde_json::Value` where Python is: integers have no bounds, floats may be infinite
/// or not a number, and strings may hold lone surrogates.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits: its digits, with a sign if it is negative.
    BigInt(String),
    Float(f64),
    Str(String),
    /// A string with lone surrogates, each replaced by U+FFFD: no Rust string can hold them.
    Surrogates(String),
    Array(Vec<Value>),
    Object(IndexMap<String, Value>),
    /// A file of a form.
    File(UploadFile),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string()), Self::Int)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

/// What serde reads as Python would; what it reads otherwise is refused.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        // serde_json makes floats of long integers, whose digits are lost then.
        if value.abs() >= 9e15 {
            return Err(E::custom("perhaps an integer"));
        }
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::with_capacity(items.size_hint().unwrap_or(0).min(1024));
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = IndexMap::new();
        while let Some((name, value)) = entries.next_entry()? {
            fields.insert(name, value);
        }
        Ok(Value::Object(fields))
    }
}

/// As pydantic writes it in an answer.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.write(serializer, |value, serializer| serializer.serialize_f64(value), |value| value)
    }
}

/// As Python's `json.dumps` writes it, in an error.
pub(crate) struct Dumped<'a>(pub &'a Value);

impl Serialize for Dumped<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer, |value, serializer| raw(float_repr(value), serializer), Dumped)
    }
}

pub(crate) fn dump<S: Serializer>(value: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    Dumped(value).serialize(serializer)
}

impl Value {
    fn write<'a, S: Serializer, T: Serialize>(
        &'a self,
        serializer: S,
        float: fn(f64, S) -> Result<S::Ok, S::Error>,
        item: fn(&'a Self) -> T,
    ) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::BigInt(digits) => raw(digits.clone(), serializer),
            // FastAPI fails here with a 500; null is what JavaScript makes of them.
            Self::Float(value) if !value.is_finite() => serializer.serialize_unit(),
            Self::Float(value) => float(*value, serializer),
            Self::Str(text) | Self::Surrogates(text) => serializer.serialize_str(text),
            Self::File(file) => file.serialize(serializer),
            Self::Array(items) => serializer.collect_seq(items.iter().map(item)),
            Self::Object(fields) => {
                serializer.collect_map(fields.iter().map(|(name, value)| (name, item(value))))
            }
        }
    }
}

/// Writes a number as it stands.
pub(crate) fn raw<S: Serializer>(number: String, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::value::RawValue::from_string(number)
        .map_err(serde::ser::Error::custom)?
        .serialize(serializer)
}

/// A finite float as Python's `repr` writes it: the shortest digits that read back the same, with
/// an exponent below 1e-4 and from 1e16 on.
pub(crate) fn float_repr(value: f64) -> String {
    // The shortest digits, of two that are equally near the even ones, as Python picks them; the
    // standard library picks the greater.
    let text = serde_json::Number::from_f64(value).map_or_else(String::new, |n| n.to_string());
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |text| ("-", text));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    // How many digits stand before the point.
    let point =
        exponent.parse().unwrap_or(0) + signed(whole.len()) - signed(all.len() - digits.len());
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return format!("{sign}0.0");
    }
    let zeros = |count: i64| "0".repeat(usize::try_from(count).unwrap_or(0));
    match usize::try_from(point) {
        _ if !(-3..=16).contains(&point) => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            let exponent = point - 1;
            let direction = if exponent < 0 { '-' } else { '+' };
            format!("{sign}{first}{dot}{rest}e{direction}{:02}", exponent.abs())
        }
        Ok(before @ 1..) => match digits.split_at_checked(before) {
            Some((whole, fraction)) if !fraction.is_empty() => format!("{sign}{whole}.{fraction}"),
            _ => format!("{sign}{digits}{}.0", zeros(point - signed(digits.len()))),
        },
        _ => format!("{sign}0.{}{digits}", zeros(-point)),
    }
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        for (value, repr) in [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e5, "100000.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1e100, "1e+100"),
            (1.234_567_890_123_456_8e17, "1.2345678901234568e+17"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (5e-324, "5e-324"),
            (0.0, "0.0"),
            (-12.5, "-12.5"),
            (1_210_775_175_297_885.2, "1210775175297885.2"),
            (f64::MAX, "1.7976931348623157e+308"),
        ] {
            assert_eq!(float_repr(value), repr);
        }
    }
}

//! `bytes`, `SecretStr` and `SecretBytes`.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::text::plural;
use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, deserialize_by_rules};
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::json_schema;
use crate::value::Value;

/// Python's `bytes`: the UTF-8 of a text, or a file of a form, whose content it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ByteString(pub Vec<u8>);

/// A text that answers, logs and messages do not show.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct SecretStr(String);

/// Bytes that answers, logs and messages do not show.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct SecretBytes(Vec<u8>);

impl SecretStr {
    /// Hides a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Python's `get_secret_value`.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl SecretBytes {
    /// Hides bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// Python's `get_secret_value`.
    pub fn reveal(&self) -> &[u8] {
        &self.0
    }
}

const BYTES_TYPE: &str = "Input should be a valid bytes";

fn bytes(input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<Vec<u8>> {
    errors.fits(Exactness::Lax);
    match input {
        Value::Str(text) => Some(text.as_bytes().to_vec()),
        Value::File(file) => Some(file.content().to_vec()),
        Value::Surrogates(_) => errors.not_unicode(at, input),
        _ => errors.add("bytes_type", at, BYTES_TYPE, input, &[]),
    }
}

impl Decode for ByteString {
    const ACCEPTS: Accepts = Accepts::LENGTH;

    json_schema!();

    fn name(constraints: &Constraints) -> Cow<'static, str> {
        let is_constrained = constraints.min_length.or(constraints.max_length).is_some();
        if is_constrained { "constrained-bytes" } else { "bytes" }.into()
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        let bytes = Self(bytes(input, at, errors)?);
        if bytes.meets(constraints) {
            return Some(bytes);
        }
        // FastAPI reads a file before it is validated, and shows what it read.
        let read = match input {
            Value::File(_) => Some(String::from_utf8_lossy(&bytes.0).into_owned().into()),
            _ => None,
        };
        let input = read.as_ref().unwrap_or(input);
        if let Some(min) = constraints.min_length.filter(|&min| bytes.0.len() < min) {
            let msg = format!("Data should have at least {min} byte{}", plural(min));
            return errors.add("bytes_too_short", at, msg, input, &[("min_length", min.into())]);
        }
        let max = constraints.max_length.unwrap_or(usize::MAX);
        let msg = format!("Data should have at most {max} byte{}", plural(max));
        errors.add("bytes_too_long", at, msg, input, &[("max_length", max.into())])
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        constraints.min_length.is_none_or(|min| self.0.len() >= min)
            && constraints.max_length.is_none_or(|max| self.0.len() <= max)
    }
}

/// As UTF-8; FastAPI fails with a 500 for other bytes.
impl Serialize for ByteString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = std::str::from_utf8(&self.0).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(text)
    }
}

/// The bounds of a secret's length.
fn check_length<T>(
    value: T,
    length: usize,
    constraints: &Constraints,
    input: &Value,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<T> {
    let mut refuse = |kind, words: &str, key, bound: usize| {
        let msg = format!(
            "Value should have at {words} {bound} item{} after validation, not {length}",
            plural(bound)
        );
        let ctx =
            [("field_type", "Value".into()), (key, bound.into()), ("actual_length", length.into())];
        errors.add(kind, at, msg, input, &ctx)
    };
    if let Some(min) = constraints.min_length.filter(|&min| length < min) {
        return refuse("too_short", "least", "min_length", min);
    }
    if let Some(max) = constraints.max_length.filter(|&max| length > max) {
        return refuse("too_long", "most", "max_length", max);
    }
    Some(value)
}

macro_rules! secrets {
    ($($name:ident $class:literal $inner:literal, $length:expr,
        |$input:ident, $at:ident, $errors:ident| $read:expr;)*) => {$(
        impl Decode for $name {
            const ACCEPTS: Accepts = Accepts::LENGTH;

            json_schema!();

            fn name(_: &Constraints) -> Cow<'static, str> {
                const EITHER: &str = concat!(
                    "json-or-python[json=function-after[", $class, "(), ", $inner,
                    "],python=union[is-instance[", $class, "],function-after[", $class, "(), ",
                    $inner, "]]]"
                );
                format!("lax-or-strict[lax={EITHER},strict={EITHER}]").into()
            }

            fn decode(
                $input: &Value,
                constraints: &Constraints,
                $at: &Loc<'_>,
                $errors: &mut Errors,
            ) -> Option<Self> {
                let value = $read?;
                let length = $length(&value, Some($input));
                check_length(Self(value), length, constraints, $input, $at, $errors)
            }

            fn meets(&self, constraints: &Constraints) -> bool {
                let length = $length(&self.0, None);
                constraints.min_length.is_none_or(|min| length >= min)
                    && constraints.max_length.is_none_or(|max| length <= max)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(if self.0.is_empty() { "" } else { "**********" })
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($class, "('{}')"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_by_rules(deserializer)
            }
        }
    )*};
}

/// As Python counts: a lone surrogate, for which three U+FFFD stand, is one character.
fn characters(text: &str, input: Option<&Value>) -> usize {
    let count = text.chars().count();
    if matches!(input, Some(Value::Surrogates(_))) {
        let replaced = text.chars().filter(|&c| c == char::REPLACEMENT_CHARACTER).count();
        return count - replaced / 3 * 2;
    }
    count
}

secrets! {
    SecretStr "SecretStr" "str", characters, |input, at, errors| {
        String::decode(input, &Constraints::NONE, at, errors)
    };
    SecretBytes "SecretBytes" "bytes", |bytes: &[u8], _: Option<&Value>| bytes.len(),
    |input, at, errors| match input {
        Value::Surrogates(_) => errors.add("bytes_type", at, BYTES_TYPE, input, &[]),
        _ => bytes(input, at, errors),
    };
}

impl<'de> Deserialize<'de> for ByteString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserialize_by_rules(deserializer)
    }
}

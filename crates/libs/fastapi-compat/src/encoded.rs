//! Answers without a model, as FastAPI's `jsonable_encoder` and Python's JSON write them.

use std::fmt::Display;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};
use indexmap::IndexMap;
use serde::ser::{
    Error as _, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Error;

use crate::echo::{Echo, Floats};
use crate::float_repr::float_repr;
use crate::marked::{DECIMAL, DURATION, TIME};
use crate::response::internal_server_error;
use crate::value::Value;

/// A JSON answer of a handler that has no return type in Python: `-> Any`, `return {"item": item}`.
///
/// FastAPI writes what is in a `dict` or a `list` by other rules than what is in a model: a `Decimal` as a
/// number, a `timedelta` as seconds, times with `+00:00`. A struct is a model, [`Dump`] is its
/// `model_dump()`, and maps, lists and tuples are Python's own. Floats are written as Python writes
/// them, `1e-07`, in both.
///
/// ```
/// use fastapi_compat::{Dump, Encoded};
/// use serde::Serialize;
///
/// #[derive(Serialize)]
/// struct Item {
///     price: fastapi_compat::Decimal,
/// }
///
/// let item = || Item { price: "1.10".parse().unwrap() };
/// assert_eq!(Encoded(item()).to_string(), r#"{"price":"1.10"}"#);
/// assert_eq!(Encoded(Dump(item())).to_string(), r#"{"price":1.1}"#);
/// assert_eq!(Encoded([item().price]).to_string(), "[1.1]");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoded<T>(pub T);

/// In an [`Encoded`] answer: what Python's `model_dump()` makes of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dump<T>(pub T);

/// The name of the newtype of a [`Dump`].
const DUMP: &str = "fastapi_compat::Dump";
/// What `serde_json` calls a number whose digits are given.
const RAW: &str = "$serde_json::private::RawValue";

impl<T: Serialize> Serialize for Dump<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_newtype_struct(DUMP, &self.0)
    }
}

impl<T: Serialize> Encoded<T> {
    fn encode(&self) -> Result<Vec<u8>, Error> {
        let value = self.0.serialize(Encoder { mode: Mode::Python })?;
        let mut out = Vec::with_capacity(256);
        Echo::new(value, Floats::Python).write(&mut out, usize::MAX);
        Ok(out)
    }
}

/// The JSON; what cannot be written gives nothing.
impl<T: Serialize> Display for Encoded<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let json = self.encode().map_err(|_| std::fmt::Error)?;
        f.write_str(&String::from_utf8_lossy(&json))
    }
}

impl<T: Serialize> IntoResponse for Encoded<T> {
    fn into_response(self) -> Response {
        match self.encode() {
            Ok(json) => {
                let kind = HeaderValue::from_static("application/json");
                ([(header::CONTENT_TYPE, kind)], Bytes::from(json)).into_response()
            }
            Err(error) => {
                tracing::error!(%error, "an answer could not be serialised");
                internal_server_error()
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// In a `dict` or a `list`.
    Python,
    /// In a model.
    Model,
    /// In a model that was dumped, whose models are dumped as well.
    Dump,
}

/// A number of Python's.
fn decimal(text: &str) -> Value {
    const MAX_DIGITS: i64 = 5000;
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let places = mantissa.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let exponent = exponent.parse::<i64>().unwrap_or(i64::MIN);
    let zeros = exponent.saturating_sub(i64::try_from(places).unwrap_or(i64::MAX));
    let is_number = mantissa.ends_with(|c: char| c.is_ascii_digit());
    if is_number && (0..MAX_DIGITS).contains(&zeros) {
        let digits = mantissa.replace('.', "") + &"0".repeat(usize::try_from(zeros).unwrap_or(0));
        if let Ok(integer) = digits.parse::<crate::types::Integer>() {
            return integer.into();
        }
    }
    Value::Float(text.parse().unwrap_or(f64::NAN))
}

/// The seconds of a duration in ISO 8601.
#[cfg(feature = "datetime")]
fn seconds(text: &str) -> Value {
    let Ok(duration) = speedate::Duration::parse_str(text) else { return text.into() };
    Value::Float(crate::types::Duration(duration).total_seconds())
}

#[cfg(not(feature = "datetime"))]
fn seconds(text: &str) -> Value {
    text.into()
}

/// What Python's JSON makes of a key.
fn key(value: &Value) -> Result<String, Error> {
    Ok(match value {
        Value::Str(text) | Value::Surrogates(text) => text.to_string(),
        Value::Int(number) => number.to_string(),
        Value::BigInt(digits) => digits.to_string(),
        Value::Float(number) => float_repr(*number),
        Value::Bool(value) => value.to_string(),
        Value::Null => "null".to_owned(),
        Value::Array(_) | Value::Object(_) | Value::File(_) => {
            return Err(Error::custom("a key is a text or a number"));
        }
    })
}

#[derive(Clone, Copy)]
struct Encoder {
    mode: Mode,
}

/// Fields or items on their way into a value.
struct Fields {
    encoder: Encoder,
    /// The variant of an enumeration that they are of.
    variant: Option<&'static str>,
    key: Option<String>,
    entries: IndexMap<String, Value>,
    items: Vec<Value>,
    is_raw: bool,
}

impl Fields {
    fn new(mode: Mode, variant: Option<&'static str>) -> Self {
        Self {
            encoder: Encoder { mode },
            variant,
            key: None,
            entries: IndexMap::new(),
            items: Vec::new(),
            is_raw: false,
        }
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), Error> {
        let value = value.serialize(self.encoder)?;
        self.entries.insert(key.to_owned(), value);
        Ok(())
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.items.push(value.serialize(self.encoder)?);
        Ok(())
    }

    fn wrap(variant: Option<&'static str>, value: Value) -> Value {
        match variant {
            Some(variant) => [(variant, value)].into(),
            None => value,
        }
    }

    fn object(mut self) -> Value {
        if self.is_raw {
            let number = self.entries.swap_remove(RAW);
            if let Some(Value::Str(digits)) = number {
                return Value::from_json(digits.to_string()).unwrap_or(Value::Null);
            }
        }
        Self::wrap(self.variant, self.entries.into())
    }

    fn list(self) -> Value {
        Self::wrap(self.variant, self.items.into())
    }
}

macro_rules! numbers {
    ($($method:ident $type:ty;)*) => {$(
        fn $method(self, value: $type) -> Result<Value, Error> {
            Ok(i64::from(value).into())
        }
    )*};
}

impl Serializer for Encoder {
    type Ok = Value;
    type Error = Error;
    type SerializeSeq = Fields;
    type SerializeTuple = Fields;
    type SerializeTupleStruct = Fields;
    type SerializeTupleVariant = Fields;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    numbers! {
        serialize_i8 i8;
        serialize_i16 i16;
        serialize_i32 i32;
        serialize_i64 i64;
        serialize_u8 u8;
        serialize_u16 u16;
        serialize_u32 u32;
    }

    fn serialize_bool(self, value: bool) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_i128(self, value: i128) -> Result<Value, Error> {
        Ok(i64::try_from(value)
            .map_or_else(|_| Value::BigInt(value.to_string().into()), Value::from))
    }

    fn serialize_u128(self, value: u128) -> Result<Value, Error> {
        Ok(i64::try_from(value)
            .map_or_else(|_| Value::BigInt(value.to_string().into()), Value::from))
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Error> {
        Ok(f64::from(value).into())
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_char(self, value: char) -> Result<Value, Error> {
        Ok(value.to_string().into())
    }

    fn serialize_str(self, value: &str) -> Result<Value, Error> {
        Ok(value.into())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<Value, Error> {
        Ok(std::str::from_utf8(value).map_err(Error::custom)?.into())
    }

    fn serialize_none(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Error> {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Error> {
        Ok(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        if name == DUMP {
            return value.serialize(Self { mode: Mode::Dump });
        }
        let value = value.serialize(self)?;
        let text = match &value {
            Value::Str(text) if self.mode != Mode::Model => text.as_str(),
            _ => return Ok(value),
        };
        Ok(match name {
            DECIMAL => decimal(text),
            DURATION => seconds(text),
            TIME => {
                text.strip_suffix('Z').map_or(value.clone(), |text| format!("{text}+00:00").into())
            }
            _ => value,
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Error> {
        Ok(Fields::wrap(Some(variant), value.serialize(self)?))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Fields, Error> {
        Ok(Fields::new(self.mode, None))
    }

    fn serialize_tuple(self, _: usize) -> Result<Fields, Error> {
        Ok(Fields::new(self.mode, None))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Fields, Error> {
        Ok(Fields::new(self.mode, None))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields, Error> {
        Ok(Fields::new(self.mode, Some(variant)))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields, Error> {
        Ok(Fields::new(self.mode, None))
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Fields, Error> {
        let mode = if self.mode == Mode::Dump { Mode::Dump } else { Mode::Model };
        Ok(Fields { is_raw: name == RAW, ..Fields::new(mode, None) })
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Fields, Error> {
        Ok(Fields::new(self.mode, Some(variant)))
    }
}

/// What serde has several names for, and JSON one.
macro_rules! lists {
    ($($of:ident $element:ident;)*) => {$(
        impl $of for Fields {
            type Ok = Value;
            type Error = Error;

            fn $element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.item(value)
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.list())
            }
        }
    )*};
}

lists! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
    SerializeTupleVariant serialize_field;
}

impl SerializeMap for Fields {
    type Ok = Value;
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Error> {
        self.key = Some(key(&name.serialize(self.encoder)?)?);
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let key = self.key.take().unwrap_or_default();
        self.field(&key, value)
    }

    fn end(self) -> Result<Value, Error> {
        Ok(self.object())
    }
}

macro_rules! objects {
    ($($of:ident)*) => {$(
        impl $of for Fields {
            type Ok = Value;
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                name: &'static str,
                value: &T,
            ) -> Result<(), Error> {
                self.field(name, value)
            }

            fn end(self) -> Result<Value, Error> {
                Ok(self.object())
            }
        }
    )*};
}

objects!(SerializeStruct SerializeStructVariant);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Decimal, Integer};

    #[test]
    fn decimals_are_numbers_outside_of_models() {
        for (text, expected) in [
            ("1.10", "1.1"),
            ("10", "10"),
            ("1E+3", "1000"),
            ("-0", "0"),
            ("1E-10", "1e-10"),
            ("123456789012345678901234567890", "123456789012345678901234567890"),
            ("0.0", "0.0"),
            ("NaN", "null"),
        ] {
            let decimal: Decimal = text.parse().unwrap();
            assert_eq!(Encoded(&decimal).to_string(), expected, "{text}");
            assert_eq!(serde_json::to_string(&decimal).unwrap(), format!("\"{text}\""));
        }
    }

    #[test]
    fn integers_of_any_length_keep_their_digits() {
        for text in ["5", "18446744073709551616", &"9".repeat(60)] {
            let integer: Integer = text.parse().unwrap();
            assert_eq!(Encoded([integer]).to_string(), format!("[{text}]"));
        }
    }

    #[cfg(feature = "datetime")]
    #[test]
    fn keys_are_written_as_python_writes_them() {
        use crate::types::Duration;

        let day = Duration(speedate::Duration::new(true, 1, 0, 0).unwrap());
        assert_eq!(Encoded(IndexMap::from([(day, 1.5)])).to_string(), r#"{"86400.0":1.5}"#);
        let flags = IndexMap::from([(true, 1e-7)]);
        assert_eq!(Encoded(flags).to_string(), r#"{"true":1e-07}"#);
    }
}

//! Values from JSON, and to and from serde.

use std::fmt;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::echo::{Echo, Floats};
use crate::json;
use crate::value::Value;

impl Value {
    /// Decodes a text as Python's `json.loads` does: in UTF-8, UTF-16 or UTF-32, with `NaN` and
    /// `Infinity`, the last of the members of one name.
    ///
    /// `None` if it is not JSON, nests deeper than Python reads, or has an integer of more than 4,300
    /// digits.
    pub fn from_json(json: impl Into<Bytes>) -> Option<Self> {
        json::decode(json.into()).ok()
    }
}

/// What serde reads as Python would; what it reads otherwise is refused, and so are values that are
/// large or deep: their index in the body is smaller.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        const MAX_VALUES: usize = 4096;
        let mut left = MAX_VALUES;
        ValueVisitor { left: &mut left, depth: 0 }.deserialize(deserializer)
    }
}

/// How deep values may be nested that are read by recursion, on the stack of any thread.
pub(crate) const SHALLOW: usize = 32;

struct ValueVisitor<'a> {
    /// How many values may still come.
    left: &'a mut usize,
    depth: usize,
}

impl ValueVisitor<'_> {
    fn inner<E: serde::de::Error>(&mut self) -> Result<ValueVisitor<'_>, E> {
        if *self.left == 0 || self.depth == SHALLOW {
            return Err(E::custom("large"));
        }
        *self.left -= 1;
        Ok(ValueVisitor { left: self.left, depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for ValueVisitor<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueVisitor<'_> {
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

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<Value, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self.inner()?)? {
            array.push(item);
        }
        Ok(array.into())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = IndexMap::new();
        while let Some(name) = entries.next_key()? {
            fields.insert(name, entries.next_value_seed(self.inner()?)?);
        }
        Ok(fields.into())
    }
}

/// As pydantic writes it in an answer.
impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        const DEEP: usize = 128;
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::BigInt(digits) => raw(digits.to_string(), serializer),
            // FastAPI fails here with a 500; null is what JavaScript makes of them.
            Self::Float(value) if !value.is_finite() => serializer.serialize_unit(),
            Self::Float(value) => serializer.serialize_f64(*value),
            Self::Str(text) | Self::Surrogates(text) => serializer.serialize_str(text),
            Self::File(file) => file.as_value().serialize(serializer),
            // Without recursion, but by way of a text.
            Self::Array(_) | Self::Object(_) if self.body_depth() > DEEP => {
                raw(Echo::to_string(self, Floats::Pydantic), serializer)
            }
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(fields) => serializer.collect_map(fields),
        }
    }
}

/// Writes a number as it stands.
pub(crate) fn raw<S: Serializer>(number: String, serializer: S) -> Result<S::Ok, S::Error> {
    serde_json::value::RawValue::from_string(number)
        .map_err(serde::ser::Error::custom)?
        .serialize(serializer)
}

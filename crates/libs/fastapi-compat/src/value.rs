//! A JSON value as Python sees it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use indexmap::IndexMap;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::document::{self, Node};
use crate::echo::{Echo, Floats};
use crate::text::Text;
use crate::types::{Integer, UploadFile};

/// A decoded input, kept so that an error can echo it as Python would write it again; and the type
/// of an answer that has no model.
///
/// Richer than `serde_json::Value` where Python is: integers have no bounds, floats may be infinite
/// or not a number, and strings may hold lone surrogates. Cloning it is cheap: texts, lists and
/// objects are shared. Lists and objects of a body are read from the body as they are asked for.
///
/// ```
/// use fastapi_compat::{Integer, Value};
///
/// let large: Integer = "1234567890123456789012345".parse()?;
/// let answer: Value = [("large", Value::from(large)), ("small", Value::from(1_i64))].into();
/// assert_eq!(serde_json::to_string(&answer)?, r#"{"large":1234567890123456789012345,"small":1}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits: its digits, with a sign if it is negative.
    BigInt(Text),
    Float(f64),
    Str(Text),
    /// A string with lone surrogates, each replaced by U+FFFD: no Rust string can hold them.
    Surrogates(Text),
    Array(Array),
    Object(Object),
    /// A file of a form.
    File(UploadFile),
}

impl Value {
    /// Decodes a text as Python's `json.loads` does: in UTF-8, UTF-16 or UTF-32, with `NaN` and
    /// `Infinity`, the last of the members of one name.
    ///
    /// `None` if it is not JSON, nests deeper than Python reads, or has an integer of more than 4,300
    /// digits.
    pub fn from_json(json: impl Into<Bytes>) -> Option<Self> {
        crate::json::decode(json.into()).ok()
    }
}

/// The items of a list.
#[derive(Clone, Debug)]
pub struct Array(Items);

#[derive(Clone, Debug)]
enum Items {
    Own(Arc<Vec<Value>>),
    Body(Node),
}

impl Array {
    /// The items in their order.
    pub fn iter(&self) -> ArrayIter<'_> {
        ArrayIter(match &self.0 {
            Items::Own(items) => ItemsIter::Own(items.iter()),
            Items::Body(node) => ItemsIter::Body(node.items()),
        })
    }

    /// How many items there are; for a list of a body they are counted.
    pub fn len(&self) -> usize {
        match &self.0 {
            Items::Own(items) => items.len(),
            Items::Body(node) => node.items().count_left(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The items that belong to nothing else, or where they stand in a body.
    pub(crate) fn source(&self) -> Result<&Arc<Vec<Value>>, &Node> {
        match &self.0 {
            Items::Own(items) => Ok(items),
            Items::Body(node) => Err(node),
        }
    }
}

/// Iterates over the items of an [`Array`].
#[derive(Clone, Debug)]
pub struct ArrayIter<'a>(ItemsIter<'a>);

#[derive(Clone, Debug)]
enum ItemsIter<'a> {
    Own(std::slice::Iter<'a, Value>),
    Body(document::Items),
}

impl<'a> Iterator for ArrayIter<'a> {
    type Item = Cow<'a, Value>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            ItemsIter::Own(items) => items.next().map(Cow::Borrowed),
            ItemsIter::Body(items) => items.next().map(Cow::Owned),
        }
    }
}

impl<'a> IntoIterator for &'a Array {
    type Item = Cow<'a, Value>;
    type IntoIter = ArrayIter<'a>;

    fn into_iter(self) -> ArrayIter<'a> {
        self.iter()
    }
}

impl From<Vec<Value>> for Array {
    fn from(items: Vec<Value>) -> Self {
        Self(Items::Own(Arc::new(items)))
    }
}

impl From<Node> for Array {
    fn from(node: Node) -> Self {
        Self(Items::Body(node))
    }
}

impl FromIterator<Value> for Array {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Self {
        items.into_iter().collect::<Vec<_>>().into()
    }
}

impl PartialEq for Array {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

/// The keys and values of an object.
#[derive(Clone, Debug)]
pub struct Object(Fields);

#[derive(Clone, Debug)]
enum Fields {
    Own(Arc<IndexMap<String, Value>>),
    Body(Node),
}

impl Object {
    /// The keys, each once, and their values, in their order.
    pub fn iter(&self) -> ObjectIter<'_> {
        ObjectIter(match &self.0 {
            Fields::Own(fields) => FieldsIter::Own(fields.iter()),
            Fields::Body(node) => FieldsIter::Body(node.keys()),
        })
    }

    /// The value of a key; in an object of a body it is searched for.
    pub fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        match &self.0 {
            Fields::Own(fields) => fields.get(name).map(Cow::Borrowed),
            Fields::Body(node) => node.get(name).map(Cow::Owned),
        }
    }

    /// How many keys there are; for an object of a body they are counted.
    pub fn len(&self) -> usize {
        match &self.0 {
            Fields::Own(fields) => fields.len(),
            Fields::Body(node) => node.keys().count_left(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The fields that belong to nothing else, or where they stand in a body.
    pub(crate) fn source(&self) -> Result<&Arc<IndexMap<String, Value>>, &Node> {
        match &self.0 {
            Fields::Own(fields) => Ok(fields),
            Fields::Body(node) => Err(node),
        }
    }
}

/// Iterates over the fields of an [`Object`].
#[derive(Clone, Debug)]
pub struct ObjectIter<'a>(FieldsIter<'a>);

#[derive(Clone, Debug)]
enum FieldsIter<'a> {
    Own(indexmap::map::Iter<'a, String, Value>),
    Body(document::Keys),
}

impl<'a> Iterator for ObjectIter<'a> {
    type Item = (Text, Cow<'a, Value>);

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.0 {
            FieldsIter::Own(fields) => {
                fields.next().map(|(name, value)| (name.as_str().into(), Cow::Borrowed(value)))
            }
            FieldsIter::Body(fields) => {
                fields.next().map(|(name, value)| (name, Cow::Owned(value)))
            }
        }
    }
}

impl<'a> IntoIterator for &'a Object {
    type Item = (Text, Cow<'a, Value>);
    type IntoIter = ObjectIter<'a>;

    fn into_iter(self) -> ObjectIter<'a> {
        self.iter()
    }
}

impl From<IndexMap<String, Value>> for Object {
    fn from(fields: IndexMap<String, Value>) -> Self {
        Self(Fields::Own(Arc::new(fields)))
    }
}

impl From<Node> for Object {
    fn from(node: Node) -> Self {
        Self(Fields::Body(node))
    }
}

impl<K: Into<String>> FromIterator<(K, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(fields: I) -> Self {
        let fields = fields.into_iter().map(|(name, value)| (name.into(), value));
        fields.collect::<IndexMap<_, _>>().into()
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().all(|(name, value)| other.get(&name).is_some_and(|its| its == value))
    }
}

impl Value {
    /// Whether both are the same list or object of a body.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Array(a), Self::Array(b)) => match (a.source(), b.source()) {
                (Err(a), Err(b)) => a.is_same(b),
                _ => false,
            },
            (Self::Object(a), Self::Object(b)) => match (a.source(), b.source()) {
                (Err(a), Err(b)) => a.is_same(b),
                _ => false,
            },
            _ => false,
        }
    }

    /// How deep lists and objects are nested in the body that it is a part of.
    pub(crate) fn body_depth(&self) -> usize {
        let node = match self {
            Self::Array(items) => items.source().err(),
            Self::Object(fields) => fields.source().err(),
            _ => None,
        };
        node.map_or(0, |node| node.document().depth())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
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
        i64::try_from(value).map_or_else(|_| Self::BigInt(value.to_string().into()), Self::Int)
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

impl From<Integer> for Value {
    fn from(value: Integer) -> Self {
        match value {
            Integer::Small(value) => Self::Int(value),
            Integer::Big(value) => Self::BigInt(value.to_string().into()),
        }
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::Array(items.into())
    }
}

impl From<IndexMap<String, Value>> for Value {
    fn from(fields: IndexMap<String, Value>) -> Self {
        Self::Object(fields.into())
    }
}

impl<const N: usize> From<[(&str, Value); N]> for Value {
    fn from(fields: [(&str, Value); N]) -> Self {
        Self::Object(fields.into_iter().collect())
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
            Self::Array(Array(Items::Body(node))) | Self::Object(Object(Fields::Body(node)))
                if node.document().depth() > DEEP =>
            {
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

/// A finite float as Python's `repr` writes it: the shortest digits that read back the same, with
/// an exponent below 1e-4 and from 1e16 on.
pub(crate) fn float_repr(value: f64) -> String {
    // Integers are written at once.
    #[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
    if value.fract() == 0.0 && value.abs() <= 1e15 && value != 0.0 {
        return format!("{}.0", value as i64);
    }
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

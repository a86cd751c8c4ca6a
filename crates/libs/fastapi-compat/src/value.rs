//! A JSON value as Python sees it.

mod upload_file;

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::document::{self, Document, FLAG, Node, size, unescape};
use crate::text::Text;

pub use self::upload_file::UploadFile;

/// A decoded input, kept so that an error can echo it as Python would write it again; and the type
/// of an answer that has no model.
///
/// Richer than `serde_json::Value` where Python is: integers have no bounds, floats may be infinite
/// or not a number, and strings may hold lone surrogates. Cloning it is cheap: texts, lists and
/// objects are shared. Lists and objects of a body are read from the body when they are used.
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
    /// `null`, Python's `None`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer of 64 bits.
    Int(i64),
    /// An integer beyond 64 bits: its digits, with a sign if it is negative.
    BigInt(Text),
    /// A float, which may be infinite or not a number, as Python's JSON reads them.
    Float(f64),
    /// A string.
    Str(Text),
    /// A string with lone surrogates, each replaced by three U+FFFD: no Rust string can hold them.
    Surrogates(Text),
    /// An array.
    Array(Array),
    /// An object, with its fields in their order.
    Object(Object),
    /// A file of a form.
    File(UploadFile),
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
            Items::Body(node) => ItemsIter::Body(BodyItems(node.items())),
        })
    }

    /// How many items there are; for a list of a body they are counted.
    pub fn len(&self) -> usize {
        match &self.0 {
            Items::Own(items) => items.len(),
            Items::Body(node) => node.items().count_left(),
        }
    }

    /// Whether there are no items.
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
    Body(BodyItems),
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
            Fields::Body(node) => FieldsIter::Body(BodyKeys(node.keys())),
        })
    }

    /// The value of a key; in an object of a body it is searched for.
    pub fn get(&self, name: &str) -> Option<Cow<'_, Value>> {
        match &self.0 {
            Fields::Own(fields) => fields.get(name).map(Cow::Borrowed),
            Fields::Body(node) => {
                let entry = node.find(name)?;
                Some(Cow::Owned(Value::of_entry(node.document(), entry)))
            }
        }
    }

    /// How many keys there are; for an object of a body they are counted.
    pub fn len(&self) -> usize {
        match &self.0 {
            Fields::Own(fields) => fields.len(),
            Fields::Body(node) => node.keys().count_left(),
        }
    }

    /// Whether there are no fields.
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
    Body(BodyKeys),
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

/// The items of a list of a body, read as they are requested.
#[derive(Clone, Debug)]
pub(crate) struct BodyItems(pub document::Items);

impl Iterator for BodyItems {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let entry = self.0.advance()?;
        Some(Value::of_entry(self.0.document(), entry))
    }
}

/// The keys and values of an object of a body, read as they are requested.
#[derive(Clone, Debug)]
pub(crate) struct BodyKeys(pub document::Keys);

impl Iterator for BodyKeys {
    type Item = (Text, Value);

    fn next(&mut self) -> Option<(Text, Value)> {
        let (name, value) = self.0.advance()?;
        let document = self.0.document();
        Some((key(document, name), Value::of_entry(document, value)))
    }
}

/// The text of a key of a body.
fn key(document: &Arc<Document>, index: u32) -> Text {
    let entry = document.entry(index);
    let (start, end) = (entry.start + 1, entry.start + 1 + (entry.extent & !FLAG));
    let is_lone = document.has_lone(start, end);
    if entry.extent & FLAG == 0 && !is_lone {
        return Text::of_body(document, start, end);
    }
    let (text, has_lone_escape) = unescape(document.slice(start, end));
    if is_lone || has_lone_escape { Text::lone(text) } else { text.into() }
}

impl Value {
    /// The value at an entry of a body.
    pub(crate) fn of_entry(document: &Arc<Document>, index: u32) -> Self {
        let entry = document.entry(index);
        match document.first_byte(entry) {
            b'"' => Self::string(document, entry),
            b'[' => Self::Array(Node::new(document, index).into()),
            b'{' => Self::Object(Node::new(document, index).into()),
            b'n' => Self::Null,
            b't' => Self::Bool(true),
            b'f' => Self::Bool(false),
            b'N' => Self::Float(f64::NAN),
            b'I' => Self::Float(f64::INFINITY),
            _ => Self::number(document, entry),
        }
    }

    fn number(document: &Arc<Document>, entry: document::Entry) -> Self {
        let rest = &document.text[entry.start as usize..];
        if rest.starts_with("-I") {
            return Self::Float(f64::NEG_INFINITY);
        }
        let length = rest
            .bytes()
            .position(|byte| !matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E'))
            .unwrap_or(rest.len());
        let number = &rest[..length];
        if let Ok(value) = number.parse() {
            return Self::Int(value);
        }
        if number.contains(['.', 'e', 'E']) {
            return Self::Float(number.parse().unwrap_or(f64::NAN));
        }
        Self::BigInt(Text::of_body(document, entry.start, entry.start + size(length)))
    }

    fn string(document: &Arc<Document>, entry: document::Entry) -> Self {
        let (start, end) = (entry.start + 1, entry.start + 1 + (entry.extent & !FLAG));
        let lone = document.has_lone(start, end);
        if entry.extent & FLAG == 0 {
            let text = Text::of_body(document, start, end);
            return if lone { Self::Surrogates(text) } else { Self::Str(text) };
        }
        let (text, escaped_lone) = unescape(document.slice(start, end));
        let text = text.into();
        if lone || escaped_lone { Self::Surrogates(text) } else { Self::Str(text) }
    }

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

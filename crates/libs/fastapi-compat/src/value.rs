//! A JSON value as Python sees it.

mod array;
mod object;
mod upload_file;

use std::sync::Arc;

use indexmap::IndexMap;

use crate::document::{self, Document, FLAG, Node, size, unescape};
use crate::text::Text;

pub use self::array::Array;
pub(crate) use self::array::BodyItems;
pub(crate) use self::object::BodyKeys;
pub use self::object::Object;
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

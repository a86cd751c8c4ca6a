//! Text of a request, shared instead of copied.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use crate::document::Document;

/// An immutable text. Cloning it copies no character: it is either a part of a decoded body or has
/// an allocation that its clones share.
#[derive(Clone)]
pub struct Text(Source);

#[derive(Clone)]
enum Source {
    Own(Arc<str>),
    /// A key in which something stands for lone surrogates.
    Lone(Arc<str>),
    /// The bytes from `start` to `end` of a body.
    Body {
        body: Arc<Document>,
        start: u32,
        end: u32,
    },
}

impl Text {
    /// A part of a body, by its first byte and the byte behind its last one; both are borders of
    /// characters.
    pub(crate) fn of_body(body: &Arc<Document>, start: u32, end: u32) -> Self {
        Self(Source::Body { body: Arc::clone(body), start, end })
    }

    /// A text in which something stands for lone surrogates.
    pub(crate) fn lone(text: String) -> Self {
        Self(Source::Lone(text.into()))
    }

    /// Whether it was made by [`Self::lone`].
    pub(crate) const fn is_lone(&self) -> bool {
        matches!(self.0, Source::Lone(_))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Source::Own(text) | Source::Lone(text) => text,
            Source::Body { body, start, end } => body.slice(*start, *end),
        }
    }
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(Source::Own(text.into()))
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self(Source::Own(text.into()))
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.as_str().to_owned()
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Text {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

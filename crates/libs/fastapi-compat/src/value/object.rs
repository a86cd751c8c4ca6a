//! Objects: of values, or of a body, which is read as its fields are requested.

use std::borrow::Cow;
use std::sync::Arc;

use indexmap::IndexMap;

use crate::document::{self, Document, FLAG, Node, unescape};
use crate::text::Text;
use crate::value::Value;

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

//! Lists: of values, or of a body, which is read as its items are requested.

use std::borrow::Cow;
use std::sync::Arc;

use crate::document::{self, Node};
use crate::value::Value;

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

//! The writes of a client that were acknowledged.

use std::collections::BTreeMap;

/// What is known of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The titles that it may have: one, unless an update got no response.
    pub titles: Vec<String>,
    /// Whether a deletion got no response.
    pub may_be_deleted: bool,
}

/// The items of a client, as far as their writes were acknowledged.
#[derive(Clone, Debug, Default)]
pub struct Acknowledged {
    /// By their ids.
    pub items: BTreeMap<String, Item>,
    /// Creations that got no response: so many more items may exist.
    pub unknown: usize,
}

impl Acknowledged {
    /// A creation was acknowledged.
    pub fn created(&mut self, id: &str, title: &str) {
        let item = Item { titles: vec![title.to_owned()], may_be_deleted: false };
        self.items.insert(id.to_owned(), item);
    }

    /// An update was sent; until it is acknowledged, either title is right.
    pub fn changing(&mut self, id: &str, title: &str) {
        if let Some(item) = self.items.get_mut(id) {
            item.titles.push(title.to_owned());
        }
    }

    /// The update was acknowledged.
    pub fn changed(&mut self, id: &str, title: &str) {
        if let Some(item) = self.items.get_mut(id) {
            item.titles = vec![title.to_owned()];
        }
    }

    /// A deletion was sent.
    pub fn deleting(&mut self, id: &str) {
        if let Some(item) = self.items.get_mut(id) {
            item.may_be_deleted = true;
        }
    }

    /// The deletion was acknowledged.
    pub fn deleted(&mut self, id: &str) {
        self.items.remove(id);
    }

    /// The acknowledged writes that are missing from the items found: ids, with what was expected.
    pub fn lost(&self, found: &BTreeMap<String, String>) -> Vec<String> {
        let mut lost = Vec::new();
        for (id, item) in &self.items {
            match found.get(id) {
                None if item.may_be_deleted => {}
                None => lost.push(format!("{id}: missing")),
                Some(title) if item.titles.contains(title) => {}
                Some(title) => {
                    lost.push(format!("{id}: '{title}', not one of {:?}", item.titles));
                }
            }
        }
        // More than can exist: acknowledged deletions that did not happen.
        let more = found.keys().filter(|id| !self.items.contains_key(*id)).count();
        if more > self.unknown {
            lost.push(format!("{} items more than can exist", more - self.unknown));
        }
        lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(items: &[(&str, &str)]) -> BTreeMap<String, String> {
        items.iter().map(|(id, title)| ((*id).to_owned(), (*title).to_owned())).collect()
    }

    #[test]
    fn only_what_was_acknowledged_can_be_lost() {
        let mut acknowledged = Acknowledged::default();
        acknowledged.created("a", "1");
        acknowledged.created("b", "1");
        acknowledged.created("c", "1");
        acknowledged.changing("b", "2");
        acknowledged.deleting("c");
        assert!(acknowledged.lost(&found(&[("a", "1"), ("b", "1"), ("c", "1")])).is_empty());
        assert!(acknowledged.lost(&found(&[("a", "1"), ("b", "2")])).is_empty());
        assert_eq!(acknowledged.lost(&found(&[("b", "2")])).len(), 1, "a is missing");
        acknowledged.changed("b", "2");
        assert_eq!(acknowledged.lost(&found(&[("a", "1"), ("b", "1")])).len(), 1, "b was changed");
        acknowledged.deleted("c");
        assert_eq!(acknowledged.lost(&found(&[("a", "1"), ("b", "2"), ("c", "1")])).len(), 1);
        acknowledged.unknown = 1;
        assert!(acknowledged.lost(&found(&[("a", "1"), ("b", "2"), ("d", "1")])).is_empty());
    }
}

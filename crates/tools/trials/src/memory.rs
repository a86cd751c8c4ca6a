//! What a client was promised.

use std::collections::BTreeMap;

/// What is known of one item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// The titles that it may have: one, unless a change got no answer.
    pub titles: Vec<String>,
    /// Whether a deletion got no answer.
    pub may_be_gone: bool,
}

/// A client's items by their ids.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub items: BTreeMap<String, Promise>,
    /// Creations that got no answer: so many items more there may be.
    pub unknown: usize,
}

impl Memory {
    pub fn created(&mut self, id: &str, title: &str) {
        let promise = Promise { titles: vec![title.to_owned()], may_be_gone: false };
        self.items.insert(id.to_owned(), promise);
    }

    /// A change was asked for; it is certain once it is acknowledged.
    pub fn changing(&mut self, id: &str, title: &str) {
        if let Some(promise) = self.items.get_mut(id) {
            promise.titles.push(title.to_owned());
        }
    }

    pub fn changed(&mut self, id: &str, title: &str) {
        if let Some(promise) = self.items.get_mut(id) {
            promise.titles = vec![title.to_owned()];
        }
    }

    pub fn deleting(&mut self, id: &str) {
        if let Some(promise) = self.items.get_mut(id) {
            promise.may_be_gone = true;
        }
    }

    pub fn deleted(&mut self, id: &str) {
        self.items.remove(id);
    }

    /// What was promised and is not there: ids with what was expected and found.
    pub fn lost(&self, found: &BTreeMap<String, String>) -> Vec<String> {
        let mut lost = Vec::new();
        for (id, promise) in &self.items {
            match found.get(id) {
                None if promise.may_be_gone => {}
                None => lost.push(format!("{id}: it is gone")),
                Some(title) if promise.titles.contains(title) => {}
                Some(title) => {
                    lost.push(format!("{id}: '{title}', not one of {:?}", promise.titles));
                }
            }
        }
        // More than may be there: deletions that were acknowledged and did not happen.
        let more = found.keys().filter(|id| !self.items.contains_key(*id)).count();
        if more > self.unknown {
            lost.push(format!("{} items more than there can be", more - self.unknown));
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
        let mut memory = Memory::default();
        memory.created("a", "1");
        memory.created("b", "1");
        memory.created("c", "1");
        memory.changing("b", "2");
        memory.deleting("c");
        assert!(memory.lost(&found(&[("a", "1"), ("b", "1"), ("c", "1")])).is_empty());
        assert!(memory.lost(&found(&[("a", "1"), ("b", "2")])).is_empty());
        assert_eq!(memory.lost(&found(&[("b", "2")])).len(), 1, "a is gone");
        memory.changed("b", "2");
        assert_eq!(memory.lost(&found(&[("a", "1"), ("b", "1")])).len(), 1, "b was changed");
        memory.deleted("c");
        assert_eq!(memory.lost(&found(&[("a", "1"), ("b", "2"), ("c", "1")])).len(), 1);
        memory.unknown = 1;
        assert!(memory.lost(&found(&[("a", "1"), ("b", "2"), ("d", "1")])).is_empty());
    }
}

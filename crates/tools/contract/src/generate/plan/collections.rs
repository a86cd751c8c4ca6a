//! Collections: which need which, and of which a thing is meant.

use std::collections::{BTreeMap, BTreeSet};

use super::{Generator, Thing};
use crate::generate::operation::{Operation, collection};
use crate::generate::references::last_word;
use crate::generate::schema::{object_schema, text_of};

impl Generator<'_> {
    /// The collections, those first that need no others.
    pub(super) fn in_order(&self) -> Vec<String> {
        let mut left: Vec<String> = self.resources.keys().cloned().collect();
        let needs = self.needs();
        let mut ordered = Vec::new();
        while !left.is_empty() {
            let is_ready = |path: &String| needs[path].iter().all(|need| !left.contains(need));
            let next = left.iter().position(is_ready).unwrap_or(0);
            ordered.push(left.remove(next));
        }
        ordered
    }

    /// The same, without those that no request is about, if not all are wanted.
    pub(super) fn needed(&self) -> Vec<String> {
        let mut order = self.in_order();
        if self.wanted.is_none() {
            return order;
        }
        let needs = self.needs();
        let mut needed: BTreeSet<String> =
            order.iter().filter(|path| self.is_wanted_of(path)).cloned().collect();
        // What is needed stands before what needs it.
        for path in order.iter().rev() {
            if needed.contains(path) {
                needed.extend(needs[path].iter().cloned());
            }
        }
        order.retain(|path| needed.contains(path));
        order
    }

    /// Whether requests are made to an operation for its own sake.
    pub(super) fn is_wanted(&self, operation: usize) -> bool {
        self.wanted.is_none_or(|wanted| wanted.contains(&self.operations[operation].name))
    }

    /// Whether requests are made that are about things of a collection.
    pub(super) fn is_wanted_of(&self, path: &str) -> bool {
        self.wanted.is_none()
            || (0..self.operations.len()).any(|index| {
                let operation = &self.operations[index];
                let refers = || {
                    let parts =
                        [operation.body].into_iter().chain(operation.parameters.iter().copied());
                    let name = format!("\"{path}\"");
                    parts
                        .map(|part| text_of(self.document, part, 0))
                        .any(|text| text.contains(&name))
                };
                let is_within = || {
                    let mut positions = 0..operation.path_parameters().len();
                    positions.any(|at| self.resource_at(operation, at).as_deref() == Some(path))
                };
                self.is_wanted(index)
                    && (collection(operation.path) == path || is_within() || refers())
            })
    }

    /// For each collection those of which a thing must exist before one of it can be created.
    pub(super) fn needs(&self) -> BTreeMap<String, Vec<String>> {
        let needs = self.resources.keys().map(|path| {
            let used = self.outer_of_product(path);
            let is_needed = |other: &&String| {
                *other != path
                    && (path.starts_with(&format!("{other}/{{"))
                        || self.refers(path, other)
                        || used.as_ref().is_some_and(|used| {
                            *other == used || other.starts_with(&format!("{used}/{{"))
                        }))
            };
            (path.clone(), self.resources.keys().filter(is_needed).cloned().collect())
        });
        needs.collect()
    }

    /// Whether the body that creates things of one collection has ids of things of another.
    pub(super) fn refers(&self, path: &str, other: &str) -> bool {
        let Some(resource) = self.resources.get(path) else { return false };
        let body = object_schema(self.document, self.operations[resource.creator].body, 0);
        let text = text_of(self.document, body, 0);
        [format!("\"{other}\""), format!("\"{other}#")].iter().any(|mark| text.contains(mark))
    }

    /// What a thing of a collection is created within.
    pub(super) fn parent(&self, path: &str, user: usize, row: usize) -> Option<Thing> {
        let creator = self.resources.get(path)?.creator;
        if self.names_things(creator) {
            let (outer, _) = path.rsplit_once("/{}")?;
            return self.one_of_things(outer, user, row);
        }
        self.thing(creator, user, row)
    }

    /// Whether the operation, which creates things, gives them the name in its path.
    pub(super) fn names_things(&self, creator: usize) -> bool {
        self.operations[creator].method == "PUT"
    }

    /// A thing that the operation is about, of the user's own if there are any.
    pub(super) fn thing(&self, operation: usize, user: usize, row: usize) -> Option<Thing> {
        self.one_of_things(&self.resource_of(operation)?, user, row)
    }

    fn one_of_things(&self, path: &str, user: usize, row: usize) -> Option<Thing> {
        let resource = self.resources.get(path)?;
        let own: Vec<_> = resource.things.iter().filter(|thing| thing.user == user).collect();
        let choices = if own.is_empty() { resource.things.iter().collect() } else { own };
        choices.get(row % choices.len().max(1)).map(|thing| (*thing).clone())
    }

    /// The collection of the thing in the path of an operation, the innermost.
    pub(super) fn resource_of(&self, operation: usize) -> Option<String> {
        let operation = &self.operations[operation];
        let mut positions = (0..operation.path_parameters().len()).rev();
        positions.find_map(|position| self.resource_at(operation, position))
    }

    /// The collection of the thing at a position of a path: the one there, or where nothing is added to
    /// it the only one of its name within other things (`/messages/{}` of `/rooms/{}/messages`).
    pub(super) fn resource_at(&self, operation: &Operation<'_>, position: usize) -> Option<String> {
        let path = operation.collection(position)?;
        if self.resources.contains_key(&path) {
            return Some(path);
        }
        if path.contains("{}") {
            return None;
        }
        let mut inner = self
            .resources
            .keys()
            .filter(|inner| inner.contains("{}") && last_word(inner) == last_word(&path));
        let only = inner.next()?;
        inner.next().is_none().then(|| only.clone())
    }
}

//! What runs short: places that are taken, attempts that are limited, who comes next when one is free.

use super::states::outer_of;
use super::{Generator, Thing};
use crate::case::Case;
use crate::generate::draft::object;
use crate::generate::samples::least;
use crate::openapi::fields;

/// How many users take a place, and how often one tries again.
const USERS: usize = 4;
const AGAIN: usize = 4;

impl Generator<'_> {
    /// Creates a thing whose numbers are as small as they may be, and more within it than may have room:
    /// by each user, by one again and again, and once more when one was deleted.
    pub(super) fn run_short(&mut self, path: &str, cases: &mut Vec<Case>) {
        let inner: Vec<String> = self
            .within(path)
            .into_iter()
            .filter(|inner| !self.resources[inner].is_product)
            .collect();
        if inner.is_empty() || self.resources[path].is_product {
            return;
        }
        let thing = self.small(path, cases);
        let actions: Vec<usize> =
            inner.iter().filter_map(|inner| self.allowing.get(inner)).flatten().copied().collect();
        for action in actions {
            let draft = self.draft(action, 0, Some(&thing), 0);
            cases.push(self.case(action, draft, "before it runs short"));
        }
        let mut own = Vec::new();
        for inner in &inner {
            own.push(self.compete(inner, &thing, cases));
            self.read_all(path, 0, &thing, cases);
        }
        for (inner, own) in inner.iter().zip(own) {
            for innermost in self.within(inner) {
                self.compete(&innermost, &outer_of(&innermost, &own), cases);
                self.read_again(inner, 0, &own, cases);
            }
        }
    }

    /// Has every user create a thing within another, and one of them several; gives the first.
    fn compete(&mut self, path: &str, outer: &Thing, cases: &mut Vec<Case>) -> Thing {
        let is_secured = self.operations[self.resources[path].creator].is_secured;
        let users = if is_secured { self.users.len().clamp(1, USERS) } else { 1 };
        let first = self.create(path, 0, Some(outer), 0, cases);
        let others: Vec<(usize, Thing)> =
            (1..users).map(|user| (user, self.create(path, user, Some(outer), 0, cases))).collect();
        let last = users - 1;
        for number in 1..AGAIN {
            self.create(path, last, Some(outer), number, cases);
        }
        self.read_again(path, 0, &first, cases);
        let (user, freed) = others.first().cloned().unwrap_or((0, first.clone()));
        if let Some(delete) = self.of_thing(path, "DELETE") {
            let draft = self.draft(delete, user, Some(&freed), 0);
            cases.push(self.case(delete, draft, "to make room"));
            self.read_again(path, 0, &first, cases);
            self.create(path, user, Some(outer), 0, cases);
            self.read_again(path, 0, &first, cases);
        }
        first
    }

    /// A thing of the first user with the smallest numbers that are allowed and not nothing.
    fn small(&mut self, path: &str, cases: &mut Vec<Case>) -> Thing {
        let parent = self.parent(path, 0, 0);
        let creator = self.resources[path].creator;
        let mut draft = self.later(|this| this.creation(creator, 0, parent.as_ref(), 0));
        let properties = fields(self.operations[creator].fields);
        let numbers: Vec<_> = properties
            .filter_map(|(name, schema)| Some((name.clone(), least(self.document, schema)?)))
            .collect();
        if let Some(body) = object(&mut draft) {
            for (name, number) in numbers {
                // What is learned to be refused stays away.
                if body.contains_key(&name) {
                    body.insert(name, number);
                }
            }
        }
        let (case, thing) = self.created(path, 0, parent.as_ref(), &draft);
        cases.push(case);
        thing
    }
}

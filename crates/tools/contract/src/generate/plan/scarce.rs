//! What runs short: seats that are taken, attempts that are limited, who comes next when one is free.

use super::states::outer_of;
use super::{Generator, Thing};
use crate::case::Case;
use crate::generate::draft::object;
use crate::generate::operation::collection;
use crate::generate::samples::least;
use crate::generate::schema::text_of;
use crate::openapi::fields;

/// How many users take a seat, and how often one tries again.
const USERS: usize = 4;
const AGAIN: usize = 4;
/// How often something is taken of which there is one.
const TAKEN: usize = 4;

impl Generator<'_> {
    /// Creates a thing whose numbers are as small as they may be, and more within it than may have room:
    /// by each user, by one again and again, and once more when one was deleted.
    pub(super) fn run_short(&mut self, path: &str, cases: &mut Vec<Case>) {
        if self.resources[path].is_product {
            return;
        }
        self.take_last(path, cases);
        let inner = self.within(path);
        if inner.is_empty() {
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

    /// Takes a thing whose numbers are as small as they may be more often than it may be taken: by what is
    /// created of other kinds, and by what is done to them.
    fn take_last(&mut self, path: &str, cases: &mut Vec<Case>) {
        let marks = [format!("\"{path}\""), format!("\"{path}#")];
        let is_taking = |index: &usize| {
            let operation = &self.operations[*index];
            let text = text_of(self.document, operation.body, 0);
            operation.method == "POST"
                && self.resource_of(*index).is_some_and(|of| of != path)
                && !self.resources.contains_key(&collection(operation.path))
                && marks.iter().any(|mark| text.contains(mark))
        };
        let actions: Vec<usize> = (0..self.operations.len()).filter(is_taking).collect();
        let mut kinds: Vec<String> = self.resources.keys().cloned().collect();
        kinds.retain(|other| other != path && self.refers(other, path));
        if actions.is_empty() && kinds.is_empty() {
            return;
        }
        let small = self.small(path, cases);
        let mut known = vec![self.refer_only_to(path, 0, &small)];
        // Operations may refer to it by a text instead of its id.
        for (name, value) in self.bodies.get(path).cloned().into_iter().flatten() {
            if let Some(text) = value.as_str().filter(|text| !text.starts_with("${")) {
                let only = Thing { user: 0, variables: vec![text.to_owned()] };
                known.push(self.refer_only_to(&format!("{path}#{name}"), 0, &only));
            }
        }
        for action in actions {
            let Some(of) = self.resource_of(action) else { continue };
            for _ in 0..TAKEN {
                let thing = self.create_own(&of, 0, cases);
                self.fill(&of, 0, &thing, cases);
                let draft = self.draft(action, 0, Some(&thing), 0);
                cases.push(self.case(action, draft, "of what runs short"));
                for maker in self.actions_on(&of) {
                    if self.makes_product(maker) {
                        let draft = self.draft(maker, 0, Some(&thing), 0);
                        cases.push(self.case(maker, draft, "with what runs short"));
                    }
                }
            }
        }
        for kind in kinds {
            let user = self.resources[&kind].things.first().map_or(0, |thing| thing.user);
            let mut first = None;
            for number in 0..TAKEN {
                let parent = self.parent(&kind, user, 0);
                let creator = self.resources[&kind].creator;
                let taken = self.with_fresh(&kind, user, Some(path), cases);
                let draft = self.later(|it| it.creation(creator, user, parent.as_ref(), number));
                self.restore(taken);
                let (case, own) = self.created(&kind, user, parent.as_ref(), &draft);
                cases.push(case);
                first.get_or_insert(own);
            }
            if let (Some(delete), Some(first)) = (self.of_thing(&kind, "DELETE"), first) {
                let draft = self.draft(delete, user, Some(&first), 0);
                cases.push(self.case(delete, draft, "to make room"));
                self.read_again(&kind, user, &first, cases);
            }
        }
        self.restore(known);
        self.read_again(path, 0, &small, cases);
    }

    /// Has every user create a thing within another, and one of them several; gives the first.
    fn compete(&mut self, path: &str, outer: &Thing, cases: &mut Vec<Case>) -> Thing {
        let is_secured = self.operations[self.resources[path].creator].is_secured;
        let users = if is_secured { self.users.len().clamp(1, USERS) } else { 1 };
        let first = self.create(path, 0, Some(outer), 0, cases);
        for user in 1..users {
            self.create(path, user, Some(outer), 0, cases);
        }
        let last = users - 1;
        for number in 1..AGAIN {
            self.create(path, last, Some(outer), number, cases);
        }
        self.read_again(path, 0, &first, cases);
        if let Some(delete) = self.of_thing(path, "DELETE") {
            let draft = self.draft(delete, 0, Some(&first), 0);
            cases.push(self.case(delete, draft, "to make room"));
            self.read_again(path, 0, &first, cases);
            self.create(path, 0, Some(outer), 0, cases);
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

//! What things are made of: others that are used up, and others to which they refer.

use super::{Generator, Thing};
use crate::case::Case;

/// What was known of the things of a collection.
type Known = (String, Option<Vec<(usize, String)>>);

impl Generator<'_> {
    /// The collections of the things to which those of another refer, as far as requests create them.
    pub(super) fn referred_by(&self, path: &str) -> Vec<String> {
        let others = self.resources.keys().filter(|other| *other != path);
        others.filter(|other| self.refers(path, other)).cloned().collect()
    }

    /// Creates what a thing takes, where each can be taken once, and has the next refer to that alone; gives
    /// what was known before.
    pub(super) fn with_fresh(
        &mut self,
        path: &str,
        user: usize,
        but: Option<&str>,
        cases: &mut Vec<Case>,
    ) -> Vec<Known> {
        if !self.consuming.contains(path) {
            return Vec::new();
        }
        let mut known = Vec::new();
        let others = self.referred_by(path).into_iter();
        for other in others.filter(|other| Some(other.as_str()) != but) {
            // Who may create them is known of the things that there are.
            let owner = self.resources[&other].things.first().map_or(user, |thing| thing.user);
            let parent = self.parent(&other, owner, 0);
            let creator = self.resources[&other].creator;
            let draft = self.later(|this| this.creation(creator, owner, parent.as_ref(), 0));
            let (case, fresh) = self.created(&other, owner, parent.as_ref(), &draft);
            cases.push(case);
            known.push(self.refer_only_to(&other, user, &fresh));
        }
        known
    }

    /// Has what is made next refer to one thing of a collection alone; gives what was known before.
    pub(super) fn refer_only_to(&mut self, path: &str, user: usize, thing: &Thing) -> Known {
        let variable = thing.variables.last().cloned().unwrap_or_default();
        let known = self.samples.created.insert(path.to_owned(), vec![(user, variable)]);
        (path.to_owned(), known)
    }

    /// Has what is made next refer to what was known before.
    pub(super) fn restore(&mut self, known: impl IntoIterator<Item = Known>) {
        for (path, known) in known {
            match known {
                Some(known) => _ = self.samples.created.insert(path, known),
                None => _ = self.samples.created.remove(&path),
            }
        }
    }

    /// Creates what a product is made of, with something in it; none if a thing is no product.
    pub(super) fn made_of(
        &mut self,
        path: &str,
        user: usize,
        number: usize,
        cases: &mut Vec<Case>,
    ) -> Option<Thing> {
        let outer = self.outer_of_product(path)?;
        let parent = self.parent(&outer, user, 0);
        let thing = self.create(&outer, user, parent.as_ref(), number, cases);
        self.fill(&outer, user, &thing, cases);
        // Every other one has had done to it what can be.
        self.products += 1;
        if self.products.is_multiple_of(2) {
            for action in self.actions_on(&outer) {
                if self.operations[action].method != "DELETE" && !self.makes_product(action) {
                    let draft = self.draft(action, user, Some(&thing), number);
                    cases.push(self.case(action, draft, "before something is made of it"));
                }
            }
        }
        Some(thing)
    }

    /// The collection of what the things of another are made of.
    pub(super) fn outer_of_product(&self, path: &str) -> Option<String> {
        let resource = self.resources.get(path).filter(|resource| resource.is_product)?;
        self.resource_of(resource.creator)
    }

    /// Creates something of each kind within a thing.
    pub(super) fn fill(&mut self, path: &str, user: usize, thing: &Thing, cases: &mut Vec<Case>) {
        for inner in self.within(path) {
            self.create(&inner, user, Some(thing), 0, cases);
        }
    }

    /// Whether an operation makes something of the thing that it acts upon.
    pub(super) fn makes_product(&self, index: usize) -> bool {
        self.resources.values().any(|resource| resource.is_product && resource.creator == index)
    }
}

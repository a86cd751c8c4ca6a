//! What is possible only in some state of a thing, or only for some user.

use std::collections::{BTreeMap, BTreeSet};

use super::{Generator, Thing};
use crate::case::Case;
use crate::generate::operation::collection;
use crate::generate::references::last_word;
use crate::outcome::Outcome;

/// How many actions on a thing are combined with one another.
const ACTIONS: usize = 8;
/// How many users try what others could not.
const ACTORS: usize = 4;

impl Generator<'_> {
    /// Has its own user act upon a thing, one action after the other, as one may be possible only after
    /// another, and in the opposite order; then another user upon another. Then the other user does
    /// everything to a thing to which its own user has done one thing, such as to publish it.
    pub(super) fn act(&mut self, path: &str, actions: &[usize], cases: &mut Vec<Case>) {
        let actions = &actions[..actions.len().min(ACTIONS)];
        let has_users =
            self.users.len() > 1 && self.operations[self.resources[path].creator].is_secured;
        if actions.len() > 1 {
            self.act_in_turn(path, 0, actions, cases);
        }
        if !has_users {
            return;
        }
        self.act_in_turn(path, 1, actions, cases);
        for &action in actions {
            let thing = self.fresh(path, cases);
            let draft = self.draft(action, 0, Some(&thing), 0);
            cases.push(self.case(action, draft, "before what others do"));
            self.create_within(path, &thing, cases);
            for &other in actions.iter().filter(|other| **other != action) {
                let draft = self.draft(other, 1, Some(&thing), 0);
                cases.push(self.case(other, draft, "by another than its user, after an action"));
            }
            self.create_within(path, &thing, cases);
            self.read_again(path, 1, &thing, cases);
        }
    }

    /// The actions on the thing that those of a collection are within, each as its own user does it, then
    /// a thing of the collection by every user.
    pub(super) fn states_around(&mut self, path: &str) -> Vec<(usize, Vec<Case>)> {
        let Some(outer) = self.outer(path) else { return Vec::new() };
        let Some(thing) = self.resources[&outer].things.first().cloned() else {
            return Vec::new();
        };
        let is_secured = self.operations[self.resources[path].creator].is_secured;
        let users = if is_secured { self.users.len().clamp(1, ACTORS) } else { 1 };
        let mut steps = Vec::new();
        for action in self.actions_on(&outer).into_iter().take(ACTIONS) {
            let draft = self.draft(action, thing.user, Some(&thing), 0);
            let mut cases = vec![self.case(action, draft, "before what it may allow")];
            for user in 0..users {
                // What need not be there may be refused for reasons of its own.
                self.create_least(path, user, Some(&thing), &mut cases);
            }
            steps.push((action, cases));
        }
        steps
    }

    /// Learns for each action what was done to a thing before it succeeded, by the actions that succeeded on
    /// the same thing: of several ways the shortest.
    pub(super) fn learn_prerequisites(&mut self, cases: &[Case], outcomes: &[Outcome]) {
        let succeeded: BTreeSet<&str> = outcomes
            .iter()
            .filter(|outcome| outcome.succeeded())
            .map(|outcome| outcome.case.as_str())
            .collect();
        let index_of = |case: &Case| {
            let name = case.operation.as_ref()?;
            self.operations.iter().position(|operation| operation.name == *name)
        };
        // The thing is the path without the action.
        let mut done: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut prerequisites: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for case in cases.iter().filter(|case| succeeded.contains(case.name.as_str())) {
            let Some(index) = index_of(case).filter(|index| self.uses_up(*index)) else { continue };
            let path = case.request.split_once(' ').map_or("", |(_, path)| path);
            let Some((thing, _)) = path.rsplit_once('/').filter(|_| !path.ends_with('}')) else {
                continue;
            };
            let before = done.entry(thing).or_default();
            let shortest = prerequisites.entry(index).or_insert_with(|| before.clone());
            if before.len() < shortest.len() {
                shortest.clone_from(before);
            }
            if !before.contains(&index) {
                before.push(index);
            }
        }
        prerequisites.retain(|_, before| (1..ACTIONS).contains(&before.len()));
        self.prerequisites = prerequisites;
    }

    /// Does to a thing what has to be done before an action, as far as that is known.
    pub(super) fn prepare(
        &mut self,
        action: usize,
        user: usize,
        thing: &Thing,
        cases: &mut Vec<Case>,
    ) {
        for before in self.prerequisites.get(&action).cloned().unwrap_or_default() {
            let draft = self.draft(before, user, Some(thing), 0);
            cases.push(self.case(before, draft, "before another action"));
        }
    }

    /// The same actions on all other things that those of the collection may be within.
    pub(super) fn bring_into_state(&mut self, path: &str, actions: &[usize]) -> Vec<Case> {
        let Some(outer) = self.outer(path) else { return Vec::new() };
        let things = self.resources[&outer].things.clone();
        let mut cases = Vec::new();
        for thing in things.iter().skip(1) {
            for &action in actions {
                let draft = self.draft(action, thing.user, Some(thing), 0);
                cases.push(self.case(action, draft, "as is done to all"));
            }
        }
        cases
    }

    /// The collection of the things that those of another are within.
    fn outer(&self, path: &str) -> Option<String> {
        let (outer, _) = path.rsplit_once("/{}/")?;
        self.resources.contains_key(outer).then(|| outer.to_owned())
    }

    /// What changes the state of a thing of a collection and is no update of it.
    pub(super) fn actions_on(&self, path: &str) -> Vec<usize> {
        let is_action = |index: &usize| {
            let operation = &self.operations[*index];
            operation.is_write()
                && operation.method != "DELETE"
                && Some(*index) != self.of_thing(path, &operation.method)
                && !self.resources.contains_key(&collection(operation.path))
                && self.resource_of(*index).as_deref() == Some(path)
        };
        (0..self.operations.len()).filter(is_action).collect()
    }

    /// The user who has things of the kind that an operation is about, or creates: the first, if some are
    /// the first's.
    pub(super) fn actor(&self, index: usize) -> usize {
        let own = collection(self.operations[index].path);
        let path =
            if self.resources.contains_key(&own) { Some(own) } else { self.resource_of(index) };
        let things = path.and_then(|path| self.resources.get(&path)).map(|known| &known.things);
        let users = things.into_iter().flatten().map(|thing| thing.user);
        users.min().unwrap_or(0)
    }

    /// All actions by a user upon a thing of the first user, forwards and backwards.
    fn act_in_turn(&mut self, path: &str, user: usize, actions: &[usize], cases: &mut Vec<Case>) {
        let thing = self.fresh(path, cases);
        if user == 0 {
            self.fill(path, user, &thing, cases);
        }
        for (number, &action) in actions.iter().chain(actions.iter().rev()).enumerate() {
            let draft = self.draft(action, user, Some(&thing), number / actions.len());
            let whose = if user == 0 { "one after the other" } else { "by another than its user" };
            cases.push(self.case(action, draft, whose));
            if number == 0 && user > 0 {
                self.create_within(path, &thing, cases);
            }
            self.read_again(path, user, &thing, cases);
        }
    }

    /// A thing of the first user, with nothing but what it must have: the rest may keep it from states.
    fn fresh(&mut self, path: &str, cases: &mut Vec<Case>) -> Thing {
        let used = self.made_of(path, 0, 1, cases);
        let parent = used.or_else(|| self.parent(path, 0, 0));
        self.create_least(path, 0, parent.as_ref(), cases)
    }

    fn create_least(
        &mut self,
        path: &str,
        user: usize,
        parent: Option<&Thing>,
        cases: &mut Vec<Case>,
    ) -> Thing {
        let creator = self.resources[path].creator;
        let known = self.with_fresh(path, user, None, cases);
        let mut draft = self.later(|this| this.creation(creator, user, parent, 1));
        self.restore(known);
        self.reduce(creator, &mut draft);
        let (case, thing) = self.created(path, user, parent, &draft);
        cases.push(case);
        thing
    }

    /// Creates what can be within a thing: by its own user and by another, and by the other within what
    /// its own user created.
    fn create_within(&mut self, path: &str, thing: &Thing, cases: &mut Vec<Case>) {
        let mut created = Vec::new();
        for inner in self.within(path) {
            let own = self.create(&inner, 0, Some(thing), 0, cases);
            self.create(&inner, 1, Some(thing), 0, cases);
            created.push((inner, own));
        }
        // What is within one kind may need a thing of another kind, such as a participant.
        for (inner, own) in created {
            for innermost in self.within(&inner) {
                let outer = outer_of(&innermost, &own);
                self.create(&innermost, 1, Some(&outer), 0, cases);
            }
        }
    }

    /// The collections within the things of another, next to it. What is created within another thing may
    /// be found in a collection of its own.
    pub(super) fn within(&self, outer: &str) -> Vec<String> {
        let is_next = |outer: &str, inner: &str| {
            let within = inner.strip_prefix(outer).and_then(|rest| rest.strip_prefix("/{}/"));
            within.is_some_and(|rest| !rest.contains('/'))
        };
        let flat = format!("/{}", last_word(outer));
        let is_within = |inner: &&String| is_next(outer, inner) || is_next(&flat, inner);
        self.resources.keys().filter(is_within).cloned().collect()
    }
}

/// A thing as that within which things of a collection are created: with the ids that its path takes.
pub(super) fn outer_of(path: &str, thing: &Thing) -> Thing {
    let mut outer = thing.clone();
    let surplus = outer.variables.len().saturating_sub(path.matches("{}").count());
    outer.variables.drain(..surplus);
    outer
}

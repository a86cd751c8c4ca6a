//! Reads: lists at the ends of their pages, and everything again after each write of a life cycle.

use serde_json::{Map, Value};

use super::{Generator, Thing};
use crate::case::Case;
use crate::generate::operation::collection;
use crate::generate::schema::{REFERS_TO, kind, parameter_schema};
use crate::openapi::fields;

/// How many operations that take no id are read after a write.
const OBSERVED: usize = 6;
/// For how many requests for each action there has to be room, if each is sent more than twice.
const PER_ACTION: usize = 40;
/// How many views of a thing are read.
const VIEWS: usize = 4;
/// How many values of a parameter that counts rows are sent, the first beyond any list.
const PAGES: usize = 10;
const FAR: usize = 1000;

impl Generator<'_> {
    /// Lists as each user sees them, and at the ends of their pages, after so many requests before.
    pub(super) fn read_lists(&mut self, before: usize, cases: &mut Vec<Case>) {
        let lists: Vec<usize> = (0..self.operations.len())
            .filter(|&index| {
                let operation = &self.operations[index];
                operation.method == "GET"
                    && self.is_wanted(index)
                    && self.resources.contains_key(&collection(operation.path))
            })
            .collect();
        for index in lists {
            let users = if self.operations[index].is_secured { self.users.len().max(1) } else { 1 };
            for user in 0..users {
                let thing = self.thing(index, user, 0);
                let draft = self.draft(index, user, thing.as_ref(), 0);
                cases.push(self.case(index, draft, &format!("the list, for user {}", user + 1)));
            }
            let rows = self.resources[&collection(self.operations[index].path)].things.len();
            let counts = self.operations[index].parameters.iter().filter(|parameter| {
                let schema = parameter_schema(parameter);
                let is_plain = schema.get("enum").is_none() && schema.get(REFERS_TO).is_none();
                parameter["in"] == "query" && kind(schema) == "integer" && is_plain
            });
            let names: Vec<_> = counts.filter_map(|parameter| parameter["name"].as_str()).collect();
            for name in names {
                for count in std::iter::once(FAR).chain((0..=rows + 1).rev()).take(PAGES) {
                    if before + cases.len() >= self.count / 3 {
                        return;
                    }
                    let thing = self.thing(index, 0, 0);
                    let mut draft = self.draft(index, 0, thing.as_ref(), 0);
                    draft.query.retain(|(key, _)| key != name);
                    draft.query.push((name.to_owned(), count.to_string()));
                    cases.push(self.case(index, draft, &format!("{name} {count} of {rows} rows")));
                }
            }
        }
    }

    /// A list with each number of rows, or whatever else is counted, at its maximum: for when it has all
    /// the rows that were ever created.
    pub(super) fn at_the_end(&mut self, index: usize) -> Vec<Case> {
        let operation = &self.operations[index];
        if operation.method != "GET" || !self.resources.contains_key(&collection(operation.path)) {
            return Vec::new();
        }
        let counts = operation.parameters.iter().filter_map(|parameter| {
            let max = parameter_schema(parameter)["maximum"].as_u64()?;
            Some((parameter["in"].as_str()?, parameter["name"].as_str()?, max))
        });
        let counts: Vec<_> = counts.filter(|(location, ..)| *location == "query").collect();
        let mut cases = Vec::new();
        for (_, name, max) in counts {
            let thing = self.thing(index, 0, 0);
            let mut draft = self.draft(index, 0, thing.as_ref(), 0);
            draft.query.retain(|(key, _)| key != name);
            draft.query.push((name.to_owned(), max.to_string()));
            cases.push(self.case(index, draft, &format!("{name} at its maximum, of all rows")));
        }
        cases
    }

    /// The operations on one thing of a collection with that method.
    pub(super) fn of_thing(&self, path: &str, method: &str) -> Option<usize> {
        self.operations.iter().position(|operation| {
            let last = operation.path_parameters().len().checked_sub(1);
            operation.method == method
                && operation.path.trim_end_matches('/').ends_with('}')
                && last
                    .and_then(|last| self.resource_at(operation, last))
                    .is_some_and(|c| c == path)
        })
    }

    /// Reads a thing and its list again.
    pub(super) fn read_again(
        &mut self,
        path: &str,
        user: usize,
        thing: &Thing,
        cases: &mut Vec<Case>,
    ) {
        let list = self.list_of(path);
        for index in self.of_thing(path, "GET").into_iter().chain(list) {
            let draft = self.draft(index, user, Some(thing), 0);
            cases.push(self.case(index, draft, "again"));
        }
    }

    /// Reads everything that may have changed: a thing, its list, what it is within, and what takes
    /// no id.
    pub(super) fn read_all(
        &mut self,
        path: &str,
        user: usize,
        thing: &Thing,
        cases: &mut Vec<Case>,
    ) {
        self.read_again(path, user, thing, cases);
        let within = path.rsplit_once("/{}").map(|(parent, _)| parent.to_owned());
        let parent = within.and_then(|parent| self.of_thing(&parent, "GET"));
        let others = (0..self.operations.len()).filter(|&index| {
            let operation = &self.operations[index];
            operation.method == "GET"
                && operation.path_parameters().is_empty()
                && collection(operation.path) != path
        });
        let others = others.take(OBSERVED).chain(self.views(path));
        let others: Vec<usize> = parent.into_iter().chain(others).collect();
        for index in others {
            let draft = self.draft(index, user, Some(thing), 0);
            cases.push(self.case(index, draft, "again"));
        }
    }

    /// What shows something of a thing of a collection, or of what it is within, and is no list of things: a
    /// summary, a total.
    fn views(&self, path: &str) -> Vec<usize> {
        let outer = path.rsplit_once("/{}/").map(|(outer, _)| outer);
        let is_view = |index: &usize| {
            let operation = &self.operations[*index];
            let of = self.resource_of(*index);
            operation.method == "GET"
                && !operation.path.trim_end_matches('/').ends_with('}')
                && !self.resources.contains_key(&collection(operation.path))
                && of.is_some_and(|of| of == path || Some(of.as_str()) == outer)
        };
        (0..self.operations.len()).filter(is_view).take(VIEWS).collect()
    }

    /// Reads what is known of the things to which one of this collection refers, created with `body`, at
    /// its time.
    fn read_referred(
        &mut self,
        path: &str,
        user: usize,
        body: &Map<String, Value>,
        cases: &mut Vec<Case>,
    ) {
        let sent = body.clone().into_iter().map(|(name, value)| (name, vec![value])).collect();
        let sent = std::mem::replace(&mut self.sent, sent);
        let text = Value::from(body.clone()).to_string();
        let reads = (0..self.operations.len()).filter(|&i| self.operations[i].method == "GET");
        for index in reads.collect::<Vec<_>>() {
            let resource = self.resource_of(index).filter(|other| self.refers(path, other));
            let things = resource.and_then(|other| Some(&self.resources.get(&other)?.things));
            let is_referred = |thing: &&Thing| {
                let variable = thing.variables.last();
                variable.is_some_and(|variable| {
                    [format!("${{{variable}}}"), format!("${{#{variable}}}")]
                        .iter()
                        .any(|reference| text.contains(reference))
                })
            };
            let thing = things.and_then(|things| things.iter().find(is_referred)).cloned();
            if let Some(thing) = thing {
                let draft = self.draft(index, user, Some(&thing), 0);
                cases.push(self.case(index, draft, "of what it refers to"));
            }
        }
        self.sent = sent;
    }

    /// Creates a thing of each kind that refers to this one: their collections, and they.
    pub(super) fn refer_to(
        &mut self,
        path: &str,
        user: usize,
        thing: &Thing,
        cases: &mut Vec<Case>,
    ) -> Vec<(String, Thing)> {
        let mut created = Vec::new();
        if thing.variables.is_empty() {
            return created;
        }
        let paths: Vec<String> = self.resources.keys().cloned().collect();
        let refers = |other: &&String| self.refers(other, path);
        let referring: Vec<&String> = paths.iter().filter(refers).collect();
        for other in referring {
            let known = self.refer_only_to(path, user, thing);
            let parent = self.parent(other, user, 0);
            let referring = self.create(other, user, parent.as_ref(), 0, cases);
            created.push((other.clone(), referring));
            self.restore([known]);
        }
        created
    }

    /// Follows two things through their life cycle: created, read after every update, acted upon
    /// twice, deleted, and requested once more.
    pub(super) fn life_cycle(&mut self, path: &str, user: usize, cases: &mut Vec<Case>) {
        let creator = self.resources[path].creator;
        let is_seen =
            ["GET", "PUT", "PATCH", "DELETE"].iter().any(|m| self.of_thing(path, m).is_some());
        if !is_seen || (user > 0 && !self.operations[creator].is_secured) {
            return;
        }
        let parent = self.parent(path, user, 0);
        let none = Thing { user, variables: Vec::new() };
        self.read_all(path, user, parent.as_ref().unwrap_or(&none), cases);
        let thing = self.create(path, user, parent.as_ref(), 0, cases);
        self.create(path, user, parent.as_ref(), 1, cases);
        // What is within it may go with it.
        let within: Vec<String> = self.resources.keys().cloned().collect();
        for inner in within.iter().filter(|inner| inner.starts_with(&format!("{path}/{{}}/"))) {
            self.create(inner, user, Some(&thing), 0, cases);
        }
        self.read_all(path, user, &thing, cases);
        let updates: Vec<usize> =
            ["PUT", "PATCH"].iter().filter_map(|method| self.of_thing(path, method)).collect();
        for &update in &updates {
            for number in [1, 2] {
                let draft = self.draft(update, user, Some(&thing), number);
                cases.push(self.case(update, draft, "in its life cycle"));
                self.read_again(path, user, &thing, cases);
            }
        }
        let actions = self.actions_on(path);
        if user == 0 && !actions.is_empty() {
            self.act(path, &actions, cases);
        }
        let all = (0..self.operations.len()).filter(|index| self.uses_up(*index)).count();
        let has_room = all * PER_ACTION <= self.count;
        for action in actions {
            // What one does may keep another from doing anything, and an update changes what is found.
            let thing = self.create(path, user, parent.as_ref(), 0, cases);
            let body = self.bodies.get(path).cloned().unwrap_or_default();
            if user == 0 && has_room {
                // An empty one may be refused.
                self.fill(path, user, &thing, cases);
            }
            let has_more =
                fields(self.operations[action].fields).count() > self.required(action).len();
            for time in ["the first time", "the second time"] {
                let draft = self.draft(action, user, Some(&thing), 0);
                cases.push(self.case(action, draft, time));
                self.read_all(path, user, &thing, cases);
            }
            if user == 0 && has_room {
                // How often it may be done can be limited, and what it sets may stay or go.
                for time in ["the third time", "the fourth time"] {
                    let mut draft = self.draft(action, user, Some(&thing), 0);
                    if has_more {
                        self.reduce(action, &mut draft);
                    }
                    cases.push(self.case(action, draft, time));
                    self.read_again(path, user, &thing, cases);
                }
            }
            self.read_referred(path, user, &body, cases);
            self.refer_to(path, user, &thing, cases);
            for &update in &updates {
                let draft = self.draft(update, user, Some(&thing), 1);
                cases.push(self.case(update, draft, "after an action"));
            }
        }
        let Some(delete) = self.of_thing(path, "DELETE") else { return };
        for time in ["the first time", "the second time"] {
            let draft = self.draft(delete, user, Some(&thing), 0);
            cases.push(self.case(delete, draft, time));
            self.read_all(path, user, &thing, cases);
        }
        self.refer_to(path, user, &thing, cases);
        // What was deleted cannot be updated either.
        for update in updates {
            let draft = self.draft(update, user, Some(&thing), 0);
            cases.push(self.case(update, draft, "of what is deleted"));
        }
        if user == 0 {
            self.cascade(path, delete, cases);
        }
    }
}

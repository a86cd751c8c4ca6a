//! What only answers show: ids of things that no request creates, and who the users are.

use serde_json::Value;

use super::{Generator, Thing};
use crate::case::Case;
use crate::generate::operation::{Operation, collection, key_of};
use crate::generate::references::{CURRENT_USERS, PERSONS};
use crate::openapi::{fields, resolve};

/// How many rows of a list are used, of what each user sees.
const ROWS: usize = 3;
/// Fields that identify a user, beside an id.
const NAMES: [&str; 6] = ["username", "user_name", "login", "nickname", "handle", "email"];

impl Generator<'_> {
    /// Reads the profile of each user (`GET /me`), and captures their ids and names.
    pub(super) fn observe_users(&mut self, cases: &mut Vec<Case>) {
        for index in self.readable() {
            if !self.is_self(index) {
                continue;
            }
            let name = self.name_in(index);
            let id = self.operations[index].pointer_to(self.document, "id");
            let id = id.filter(|_| !self.samples.created.contains_key(CURRENT_USERS));
            let name = name.filter(|(name, _)| !self.names.contains_key(*name));
            let pointers: Vec<String> =
                id.iter().chain(name.iter().map(|(_, pointer)| pointer)).cloned().collect();
            if pointers.is_empty() {
                continue;
            }
            for user in 0..self.users.len() {
                let mut captures = self.capture(index, user, None, &pointers, cases).into_iter();
                if let Some(id) = id.as_ref().and_then(|_| captures.next()) {
                    let known = self.samples.created.entry(CURRENT_USERS.to_owned());
                    known.or_default().push((user, id));
                }
                if let Some((name, _)) = name {
                    self.names.entry(name.to_owned()).or_default().extend(captures);
                }
            }
        }
    }

    /// Reads the lists of which no request creates a row, to go on with what they hold.
    pub(super) fn observe_lists(&mut self, cases: &mut Vec<Case>) {
        for index in self.readable() {
            let users = if self.operations[index].is_secured { self.users.len().max(1) } else { 1 };
            if let Some((path, pointers)) = self.ids_in(index) {
                for user in 0..users.min(2) {
                    let captures = self.capture(index, user, None, &pointers, cases);
                    let things = captures
                        .into_iter()
                        .map(|variable| Thing { user, variables: vec![variable] });
                    self.listed.entry(path.clone()).or_default().extend(things);
                }
            }
        }
    }

    /// What can be read without an id: what is within a thing would need one of each.
    fn readable(&self) -> Vec<usize> {
        let is_readable = |index: &usize| {
            let operation = &self.operations[*index];
            operation.method == "GET" && operation.path_parameters().is_empty()
        };
        (0..self.operations.len()).filter(is_readable).collect()
    }

    fn capture(
        &mut self,
        index: usize,
        user: usize,
        thing: Option<&Thing>,
        pointers: &[String],
        cases: &mut Vec<Case>,
    ) -> Vec<String> {
        let draft = self.draft(index, user, thing, 0);
        let mut case = self.case(index, draft, "what it shows");
        let mut variables = Vec::new();
        for pointer in pointers {
            let variable = self.variable();
            case.capture.insert(variable.clone(), pointer.clone());
            variables.push(variable);
        }
        cases.push(case);
        variables
    }

    /// The collection of a list whose rows nothing creates, and where their ids stand in it.
    fn ids_in(&self, index: usize) -> Option<(String, Vec<String>)> {
        let operation = &self.operations[index];
        let path = collection(operation.path);
        if self.resources.contains_key(&path) {
            return None;
        }
        let name = key_of(&self.operations, &path)?;
        let ending = name.rsplit(['_', '-']).next().unwrap_or(name);
        let (before, id) = match rows(self.document, operation) {
            Some((before, items)) => {
                let known = [name, "id", "uuid", ending];
                let is_there = |known: &&str| items["properties"].get(known).is_some();
                (before, known.into_iter().find(is_there)?)
            }
            // Of what is not described, the usual.
            None if operation.result["properties"].is_null() => ("/*".to_owned(), ending),
            None => return None,
        };
        Some((path, (0..ROWS).map(|row| format!("{before}/{row}/{id}")).collect()))
    }

    /// Whether an operation returns the user who sends it (`GET /me`).
    fn is_self(&self, index: usize) -> bool {
        let operation = &self.operations[index];
        let last = operation.path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        operation.is_secured
            && ["me", "self", "whoami", "profile", "current", "account", "userinfo"].contains(&last)
    }

    /// The field of such an answer that identifies the user, with the JSON pointer to it.
    fn name_in(&self, index: usize) -> Option<(&'static str, String)> {
        let properties = &self.operations[index].result["properties"];
        if properties.is_null() {
            // The answer is not described: a field that other operations take.
            let is_asked =
                |name: &&str| self.operations.iter().any(|o| o.fields.get(*name).is_some());
            let name = NAMES.into_iter().find(is_asked)?;
            return Some((name, format!("/{name}")));
        }
        let named = |properties: &Value, at: &str| {
            let name = NAMES.into_iter().find(|name| properties.get(name).is_some())?;
            Some((name, format!("{at}/{name}")))
        };
        named(properties, "").or_else(|| {
            fields(properties).find_map(|(within, schema)| {
                let inner = &resolve(self.document, schema)["properties"];
                named(inner, &format!("/{within}"))
            })
        })
    }

    /// The value of a thing that is known from a list alone, at a position of a path.
    pub(super) fn listed_at(
        &self,
        operation: &Operation<'_>,
        position: usize,
        user: usize,
        number: usize,
    ) -> Option<String> {
        let things = self.listed.get(&operation.collection(position)?)?;
        let own: Vec<_> = things.iter().filter(|thing| thing.user == user).collect();
        let choices = if own.is_empty() { things.iter().collect() } else { own };
        choices.get(number % choices.len().max(1))?.variables.last().cloned()
    }

    /// What stands for the name of a user, in the body of what is done to a thing. What creates a user, or
    /// updates one, has a name of its own.
    pub(super) fn name_of(&self, index: usize, field: &str, number: usize) -> Option<Value> {
        let operation = &self.operations[index];
        let is_of_thing = operation.method == "POST" && !operation.path_parameters().is_empty();
        if PERSONS.contains(&field) {
            // It may have to be someone who takes part: the caller does.
            let names = self.names.values().next().filter(|_| is_of_thing)?;
            let variable = names.get(self.samples.caller)?;
            return Some(format!("${{{variable}}}").into());
        }
        let known = self.names.get(field).filter(|_| is_of_thing)?;
        // Others before the caller: what is given to oneself changes least.
        let variable = known.get((number + 1) % known.len().max(1))?;
        Some(format!("${{{variable}}}").into())
    }

    /// Reads who takes part in a thing of each user, if that is what those of a collection are, to go on with
    /// their names: the first is its user.
    pub(super) fn observe_members(&mut self, path: &str, cases: &mut Vec<Case>) {
        let creator = self.resources[path].creator;
        let name =
            NAMES.into_iter().find(|name| self.operations[creator].fields.get(name).is_some());
        let name = name.filter(|name| !self.names.contains_key(*name));
        let (Some(name), Some(list)) = (name, self.list_of(path)) else { return };
        let Some((before, items)) = rows(self.document, &self.operations[list]) else { return };
        if items["properties"].get(name).is_none() {
            return;
        }
        for user in 0..self.users.len() {
            let Some(outer) = self.parent(path, user, 0).filter(|outer| outer.user == user) else {
                break;
            };
            let pointer = format!("{before}/0/{name}");
            let captures = self.capture(list, user, Some(&outer), &[pointer], cases);
            self.names.entry(name.to_owned()).or_default().extend(captures);
        }
    }
}

/// Where the rows of an answered list stand, and their schema.
fn rows<'a>(document: &'a Value, operation: &Operation<'a>) -> Option<(String, &'a Value)> {
    let items = |list: &'a Value| resolve(document, &list["items"]);
    if operation.result.get("items").is_some() {
        return Some((String::new(), items(operation.result)));
    }
    fields(&operation.result["properties"]).find_map(|(name, property)| {
        let list = resolve(document, property);
        (list["type"] == "array").then(|| (format!("/{name}"), items(list)))
    })
}

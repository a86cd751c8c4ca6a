//! What only answers show: ids of things that no request creates, and who the users are.

use serde_json::Value;

use super::{Generator, Thing};
use crate::case::Case;
use crate::generate::draft::VARIABLE;
use crate::generate::operation::{Operation, collection, key_of};
use crate::openapi::{fields, resolve};

/// How many rows of a list are used, of what each user sees.
const ROWS: usize = 3;
/// What users are known by, beside an id.
const NAMES: [&str; 6] = ["username", "user_name", "login", "nickname", "handle", "email"];

impl Generator<'_> {
    /// Reads the lists of which no request creates a row, and who each user is, to go on with what they
    /// hold.
    pub(super) fn observe(&mut self, cases: &mut Vec<Case>) {
        for index in 0..self.operations.len() {
            let operation = &self.operations[index];
            // What is within a thing would need one of each.
            if operation.method != "GET" || !operation.path_parameters().is_empty() {
                continue;
            }
            let users = if self.operations[index].is_secured { self.users.len().max(1) } else { 1 };
            if let Some((path, pointers)) = self.ids_in(index) {
                for user in 0..users.min(2) {
                    let captures = self.capture(index, user, &pointers, cases);
                    let things = captures
                        .into_iter()
                        .map(|variable| Thing { user, variables: vec![variable] });
                    self.listed.entry(path.clone()).or_default().extend(things);
                }
            } else if let Some(name) = self.name_in(index) {
                for user in 0..users {
                    let captures = self.capture(index, user, &[format!("/{name}")], cases);
                    self.names.entry(name.to_owned()).or_default().extend(captures);
                }
            }
        }
    }

    fn capture(
        &mut self,
        index: usize,
        user: usize,
        pointers: &[String],
        cases: &mut Vec<Case>,
    ) -> Vec<String> {
        let draft = self.draft(index, user, None, 0);
        let mut case = self.case(index, draft, "what it shows");
        for pointer in pointers {
            self.variables += 1;
            case.capture.insert(format!("{VARIABLE}{}", self.variables), pointer.clone());
        }
        let variables = case.capture.keys().cloned().collect();
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

    /// What a user is known by, in an answer that shows the caller: its schema says what, its path whom.
    fn name_in(&self, index: usize) -> Option<&'static str> {
        let operation = &self.operations[index];
        let last = operation.path.trim_end_matches('/').rsplit('/').next()?;
        let is_self = operation.is_secured
            && ["me", "self", "whoami", "profile", "current", "account", "userinfo"]
                .contains(&last);
        let properties = &operation.result["properties"];
        NAMES.into_iter().filter(|_| is_self).find(|name| match properties {
            // Of what is not described, what others ask for.
            Value::Null => self.operations.iter().any(|o| o.fields.get(name).is_some()),
            properties => properties.get(name).is_some(),
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
        let known = self.names.get(field).filter(|_| is_of_thing)?;
        // Others before the caller: what is given to oneself changes least.
        let variable = known.get((number + 1) % known.len().max(1))?;
        Some(format!("${{{variable}}}").into())
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

//! The things that requests are about: created by several users, and named by the requests after.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{Generator, Key, Resource, Thing};
use crate::case::Case;
use crate::generate::changes::{object_schema, parameter_schema};
use crate::generate::draft::{Body, Draft, VARIABLE, finish, is_json, object, plain};
use crate::generate::is_header;
use crate::generate::operation::{Operation, collection};
use crate::generate::references::{collection_of, last_word};
use crate::openapi::{fields, resolve};

/// How many things the first user creates of each kind.
const ROWS: usize = 3;
/// How many values of a field are remembered.
const REMEMBERED: usize = 8;

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

    /// Several things of a kind, by each user, so that lists have rows of every owner. Of the requests,
    /// so many were made before.
    /// Gives the positions of the cases that create them.
    pub(super) fn populate(
        &mut self,
        path: &str,
        before: usize,
        cases: &mut Vec<Case>,
    ) -> Vec<usize> {
        let mut positions = Vec::new();
        let room = (self.count / 4).saturating_sub(before) + cases.len();
        let is_secured = self.operations[self.resources[path].creator].is_secured;
        let users = if is_secured { self.users.len().max(1) } else { 1 };
        for user in 0..users {
            let rows = if users == 1 { ROWS + 2 } else { ROWS - usize::from(user > 0) };
            for row in 0..rows {
                if cases.len() >= room && row > 0 {
                    break;
                }
                // The first of each user has its flags set.
                let number = 2 * user + row;
                let used = self.made_of(path, user, number, cases);
                let parent = used.or_else(|| self.parent(path, user, row));
                let creator = self.resources[path].creator;
                let draft = self.creation(creator, user, parent.as_ref(), number);
                let (case, thing) = self.created(path, user, parent.as_ref(), &draft);
                self.remember(path);
                positions.push(cases.len());
                cases.push(case);
                let variable = thing.variables.last().cloned().unwrap_or_default();
                self.samples.created.entry(path.to_owned()).or_default().push((user, variable));
                if let Some(resource) = self.resources.get_mut(path) {
                    resource.things.push(thing);
                }
            }
        }
        self.know_texts(path);
        positions
    }

    /// Keeps which texts the things of a collection were given, for what refers to them by one.
    pub(super) fn know_texts(&mut self, path: &str) {
        let of = format!("{path}#");
        self.samples.created.retain(|known, _| !known.starts_with(&of));
        let users: Vec<usize> =
            self.samples.created.get(path).into_iter().flatten().map(|(user, _)| *user).collect();
        for (row, user) in self.rows.get(path).into_iter().flatten().zip(users) {
            for (name, value) in row {
                if let Some(text) = value.as_str().filter(|text| !text.starts_with("${")) {
                    let known = self.samples.created.entry(format!("{of}{name}")).or_default();
                    known.push((user, text.to_owned()));
                }
            }
        }
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

    /// Forgets those things of a collection that were not created, if some were. `is_made` has one
    /// answer for each.
    pub(super) fn keep_made(&mut self, path: &str, is_made: &[bool]) {
        if !is_made.contains(&true) || !is_made.contains(&false) {
            return;
        }
        if let Some(resource) = self.resources.get_mut(path) {
            keep(&mut resource.things, is_made);
        }
        if let Some(rows) = self.rows.get_mut(path) {
            keep(rows, is_made);
        }
        if let Some(created) = self.samples.created.get_mut(path) {
            keep(created, is_made);
        }
        self.know_texts(path);
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
    fn names_things(&self, creator: usize) -> bool {
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

    /// Creates a thing, with what it is made of.
    pub(super) fn create(
        &mut self,
        path: &str,
        user: usize,
        parent: Option<&Thing>,
        number: usize,
        cases: &mut Vec<Case>,
    ) -> Thing {
        let creator = self.resources[path].creator;
        let used = self.made_of(path, user, number, cases);
        let parent = used.as_ref().or(parent);
        let known = self.with_fresh(path, user, None, cases);
        let draft = self.later(|this| this.creation(creator, user, parent, number));
        self.restore(known);
        let (case, thing) = self.created(path, user, parent, &draft);
        cases.push(case);
        thing
    }

    /// Makes something at a time at which nothing else is.
    pub(super) fn later<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> T {
        self.years += 1;
        self.samples.years = self.years;
        let made = make(self);
        self.samples.years = 0;
        made
    }

    /// A request that creates a thing within another, under a new name if it is named by the request.
    pub(super) fn creation(
        &mut self,
        creator: usize,
        user: usize,
        parent: Option<&Thing>,
        number: usize,
    ) -> Draft {
        let mut draft = self.draft(creator, user, parent, number);
        if self.names_things(creator) {
            let operation = &self.operations[creator];
            let name = operation.path_parameters().last().copied().unwrap_or_default();
            let parameter = operation.parameters.iter().find(|known| known["name"] == name);
            if let Some(schema) = parameter.map(|parameter| parameter_schema(parameter)) {
                let value = plain(&self.samples.nth(schema, number));
                draft.path.insert(name.to_owned(), value);
            }
        }
        draft
    }

    /// The thing that a draft creates.
    pub(super) fn created(
        &mut self,
        path: &str,
        user: usize,
        parent: Option<&Thing>,
        draft: &Draft,
    ) -> (Case, Thing) {
        if let Some(body) = object(&mut draft.clone()) {
            self.bodies.insert(path.to_owned(), body.clone());
        }
        let Resource { creator, key, .. } = &self.resources[path];
        let (creator, key) = (*creator, key.clone());
        let mut case = finish(&self.operations[creator], draft);
        let names = self.operations[creator].path_parameters();
        let variable = match key {
            Key::InPath => names.last().and_then(|name| draft.path.get(*name)).cloned(),
            Key::InBody(field) => self
                .bodies
                .get(path)
                .and_then(|body| body.get(&field))
                .map(|value| held(&plain(value))),
            Key::Shown(pointer) => {
                let variable = self.variable();
                case.capture.insert(variable.clone(), pointer);
                Some(variable)
            }
        };
        let variable = variable.unwrap_or_default();
        let mut variables = parent.map(|parent| parent.variables.clone()).unwrap_or_default();
        variables.truncate(path.matches("{}").count());
        self.keep_version(path, &variable, &mut case);
        variables.push(variable);
        (case, Thing { user, variables })
    }

    /// Keeps the values of the fields of the body sent last, for those that filter by them.
    fn remember(&mut self, path: &str) {
        let Some(row) = self.bodies.get(path).cloned() else { return };
        for (name, value) in &row {
            let known = self.sent.entry(name.clone()).or_default();
            if known.len() < REMEMBERED && !known.contains(value) && !value.is_object() {
                known.push(value.clone());
            }
        }
        self.rows.entry(path.to_owned()).or_default().push(row);
    }

    /// A request that should succeed, to the thing given.
    pub(super) fn draft(
        &mut self,
        index: usize,
        user: usize,
        thing: Option<&Thing>,
        number: usize,
    ) -> Draft {
        let mut draft = Draft::default();
        self.samples.caller = user;
        self.samples.has_examples = !self.made_up.contains(&index);
        let avoided = self.avoided.get(&index);
        let operation = &self.operations[index];
        let names = operation.path_parameters();
        let mut places = Vec::new();
        for parameter in &operation.parameters {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            let schema = parameter_schema(parameter);
            let is_required = parameter["required"] == true;
            let given = fields(&parameter["examples"]).map(|(_, example)| &example["value"]).next();
            let position = names.iter().position(|known| *known == name);
            let resource = position.and_then(|position| self.resource_at(operation, position));
            let known = self.known_moment(operation, parameter);
            let listed = position
                .filter(|_| thing.is_none())
                .and_then(|at| self.listed_at(operation, at, user, number))
                .map(|name| used(&name));
            let mut value = || match (parameter.get("example").or(given), &known) {
                (Some(example), _) => plain(example),
                (None, Some(known)) => known.clone(),
                (None, None) => plain(&self.samples.parameter(schema, &mut places)),
            };
            match parameter["in"].as_str() {
                Some("path") => {
                    // Where a thing is within others, so many variables come before its own.
                    let is_deeper = thing.is_some_and(|it| it.variables.len() > names.len());
                    let depth = resource.as_ref().map(|path| path.matches("{}").count());
                    let known = depth
                        .filter(|_| is_deeper)
                        .or(position)
                        .and_then(|position| thing?.variables.get(position))
                        .map(|variable| used(variable));
                    let other = || {
                        let paths: Vec<String> = self.resources.keys().cloned().collect();
                        let path = resource
                            .or_else(|| collection_of(&name, &paths).map(ToOwned::to_owned))?;
                        let other = self.resources.get(&path)?.things.first()?;
                        Some(used(other.variables.last()?))
                    };
                    let value = known.or(listed).or_else(other).unwrap_or_else(value);
                    draft.path.insert(name, value);
                }
                Some("query") if is_required => draft.query.push((name, value())),
                Some("header") if is_required => {
                    let value = value();
                    if is_header(&value) {
                        draft.headers.insert(name, value);
                    }
                }
                Some("cookie") if is_required => {
                    let value = value();
                    if is_header(&value) {
                        add_cookie(&mut draft, &name, &value);
                    }
                }
                _ => {}
            }
        }
        if let Some(media_type) = operation.media_type {
            let example =
                operation.example.filter(|_| number == 0 && self.samples.has_examples).cloned();
            let body = example.unwrap_or_else(|| self.samples.nth(operation.body, number));
            draft.body = match body {
                body if is_json(media_type) => Some(Body::Json(body)),
                Value::Object(body) if media_type == "multipart/form-data" => {
                    Some(Body::Parts(body))
                }
                Value::Object(body) => Some(Body::Form(body)),
                _ => None,
            };
        }
        if let Some(body) = object(&mut draft).filter(|_| !self.names.is_empty()) {
            for (field, value) in body.iter_mut().filter(|(_, value)| value.is_string()) {
                if let Some(name) = self.name_of(index, field, number) {
                    *value = name;
                }
            }
        }
        let own = thing.and_then(|thing| thing.variables.last()).map(|own| used(own));
        if let (Some(own), Some(body)) = (own, object(&mut draft)) {
            // Nothing is a part of itself, as a rule; what has to be there repeats its id.
            let signed = own.replacen("${", "${#", 1);
            let required = self.required(index);
            body.retain(|name, value| {
                let is_own = value.as_str().is_some_and(|text| text == own || text == signed);
                !is_own || required.contains(&name.as_str())
            });
        }
        if let (Some(avoided), Some(body)) = (avoided, object(&mut draft)) {
            body.retain(|name, _| !avoided.contains(name));
        }
        self.send_version(index, &mut draft);
        let operation = &self.operations[index];
        if operation.is_secured {
            draft.user = self.users.get(user).or_else(|| self.users.first()).cloned();
        }
        draft
    }

    /// A case of a draft, with what is said of it.
    pub(super) fn case(&self, operation: usize, mut draft: Draft, remark: &str) -> Case {
        draft.changes.push(remark.to_owned());
        finish(&self.operations[operation], &draft)
    }
}

/// Removes what was not made, in the same order; what is not known was.
fn keep<T>(list: &mut Vec<T>, is_made: &[bool]) {
    let mut made = is_made.iter().copied().chain(std::iter::repeat(true));
    list.retain(|_| made.next().unwrap_or(true));
}

/// What stands for a thing's variable in a request: what it holds, or the id itself.
fn used(variable: &str) -> String {
    let is_captured = variable
        .strip_prefix(VARIABLE)
        .is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_digit()));
    if is_captured { format!("${{{variable}}}") } else { variable.to_owned() }
}

/// What a text of a request holds: the name of a variable, or itself.
pub(super) fn held(text: &str) -> String {
    let name = text.strip_prefix("${").and_then(|name| name.strip_suffix('}'));
    name.map_or(text, |name| name.strip_prefix('#').unwrap_or(name)).to_owned()
}

/// A schema as text, with what it refers to.
pub(super) fn text_of(document: &Value, schema: &Value, depth: usize) -> String {
    let mut text = schema.to_string();
    if depth < 4 {
        let mut visit = |value: &Value| {
            if value.get("$ref").is_some() {
                text += &text_of(document, resolve(document, value), depth + 1);
            }
        };
        walk(schema, &mut visit);
    }
    text
}

pub(super) fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => Map::values(fields).for_each(|field| walk(field, visit)),
        _ => {}
    }
}

pub(super) fn add_cookie(draft: &mut Draft, name: &str, value: &str) {
    let cookies = draft.headers.entry("cookie".to_owned()).or_default();
    if !cookies.is_empty() {
        cookies.push_str("; ");
    }
    cookies.extend([name, "=", value]);
}

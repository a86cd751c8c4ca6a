//! The things that requests are about: created by several users, and named by the requests after.

use super::{Generator, Key, Resource, Thing};
use crate::case::Case;
use crate::generate::draft::{Draft, finish, object};
use crate::generate::schema::parameter_schema;
use crate::generate::text::plain;

/// How many things the first user creates of each kind.
const ROWS: usize = 3;
/// How many values of a field are remembered.
const REMEMBERED: usize = 8;

impl Generator<'_> {
    /// Several things of a kind, by each user, so that lists have rows of every owner. Of the requests,
    /// so many were made before. Gives the positions of the cases that create them.
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
}

/// Removes what was not made, in the same order; what is not known was.
fn keep<T>(list: &mut Vec<T>, is_made: &[bool]) {
    let mut made = is_made.iter().copied().chain(std::iter::repeat(true));
    list.retain(|_| made.next().unwrap_or(true));
}

/// What a text of a request holds: the name of a variable, or itself.
pub(super) fn held(text: &str) -> String {
    let name = text.strip_prefix("${").and_then(|name| name.strip_suffix('}'));
    name.map_or(text, |name| name.strip_prefix('#').unwrap_or(name)).to_owned()
}

//! Which requests are made, and in which order.

use std::collections::{BTreeMap, VecDeque};

use fastrand::Rng;
use serde_json::{Map, Value};

use super::changes::{Change, Changes, Rank, changed, object_schema, parameter_schema};
use super::draft::{Body, Draft, finish, is_json, object, plain};
use super::operation::{Operation, collection};
use super::references::collection_of;
use super::samples::{REFERS_TO, Samples, kind, swapped};
use super::{Generated, is_header};
use crate::case::Case;
use crate::openapi::{fields, resolve};

/// How many things the first user creates of each kind.
const ROWS: usize = 3;
/// How many operations that take no id are read after a write.
const OBSERVED: usize = 10;
/// How many values of a parameter that counts rows are sent.
const PAGES: usize = 10;
/// How many values of a field are remembered.
const REMEMBERED: usize = 8;
/// How many pairs of allowed changes are made of an operation, and of changes that are not.
const PAIRS: usize = 60;
const WRONG_PAIRS: usize = 8;
/// How many fields are changed at once, where the document allows it and where it does not.
const ALLOWED_AT_ONCE: usize = 4;
const WRONG_AT_ONCE: usize = 3;

/// The steps in which variations are sent: every operation has its share of one before the next.
const STEPS: usize = 6;
const FIRST: usize = 0;
const ALLOWED: usize = 1;
const NEAR: usize = 2;
const COMBINED: usize = 3;
const WRONG: usize = 4;
const LAST: usize = 5;

/// A thing that was created.
#[derive(Clone, Debug)]
struct Thing {
    /// The user who created it, by number.
    user: usize,
    /// The variables with its ids: of what it is within, then its own.
    variables: Vec<String>,
}

/// Things of a kind.
struct Resource {
    /// The operation that creates them.
    creator: usize,
    /// Where its response has the id.
    pointer: String,
    things: Vec<Thing>,
}

/// Cases that belong together, and the step in which they are sent.
type Unit = (usize, Vec<Case>);

pub(super) struct Generator<'a> {
    document: &'a Value,
    operations: Vec<Operation<'a>>,
    users: &'a [String],
    samples: Samples<'a>,
    /// The values of fields that were sent, by their names.
    sent: BTreeMap<String, Vec<Value>>,
    /// By the paths of their collections.
    resources: BTreeMap<String, Resource>,
    rng: Rng,
    count: usize,
    variables: usize,
}

impl<'a> Generator<'a> {
    pub(super) fn new(
        document: &'a Value,
        operations: Vec<Operation<'a>>,
        users: &'a [String],
        count: usize,
        seed: u64,
    ) -> Self {
        let mut resources = BTreeMap::new();
        for (creator, operation) in operations.iter().enumerate() {
            if operation.method != "POST" {
                continue;
            }
            let path = collection(operation.path);
            let position = operation.path_parameters().len();
            let users = operations.iter().find(|o| o.collection(position).as_ref() == Some(&path));
            let names = users.map(Operation::path_parameters);
            let name = names.and_then(|names| names.get(position).copied()).unwrap_or("id");
            if let Some(pointer) = operation.pointer_to(document, name) {
                let resource = Resource { creator, pointer, things: Vec::new() };
                resources.entry(path).or_insert(resource);
            }
        }
        Self {
            document,
            operations,
            users,
            samples: Samples { document, serial: 0, created: BTreeMap::new() },
            sent: BTreeMap::new(),
            resources,
            rng: Rng::with_seed(seed),
            count,
            variables: 0,
        }
    }

    pub(super) fn generate(mut self) -> Generated {
        let mut cases = Vec::new();
        self.populate(&mut cases);
        self.read_lists(&mut cases);
        let paths: Vec<String> = self.resources.keys().cloned().collect();
        for user in 0..self.users.len().clamp(1, 2) {
            for path in &paths {
                if cases.len() < self.count / 2 {
                    self.life_cycle(path, user, &mut cases);
                }
            }
        }
        let mut steps: Vec<Vec<VecDeque<Vec<Case>>>> = vec![Vec::new(); STEPS];
        for operation in 0..self.operations.len() {
            let mut queues = vec![VecDeque::new(); STEPS];
            for (step, unit) in self.variations(operation) {
                queues[step].push_back(unit);
            }
            for (step, queue) in queues.into_iter().enumerate() {
                steps[step].push(queue);
            }
        }
        let last = steps.pop().unwrap_or_default();
        let last: Vec<Case> = last.into_iter().flatten().flatten().collect();
        let room = self.count.saturating_sub(last.len());
        let mut cut = 0;
        for queues in steps {
            cut += in_turn(queues, room, &mut cases);
        }
        while cases.len() < room && self.several(&mut cases) {}
        cut += cases.len().saturating_sub(room);
        cases.truncate(room);
        cases.extend(last);
        cut += cases.len().saturating_sub(self.count);
        cases.truncate(self.count);
        named_apart(&mut cases);
        Generated { cases, cut }
    }

    /// Several things of each kind, by each user, so that lists have rows of every owner.
    fn populate(&mut self, cases: &mut Vec<Case>) {
        let mut left: Vec<String> = self.resources.keys().cloned().collect();
        let room = self.count / 4;
        // Those first that need no others.
        while !left.is_empty() {
            let is_ready = |path: &String| self.needs(path).iter().all(|need| !left.contains(need));
            let next = left.iter().position(is_ready).unwrap_or(0);
            let path = left.remove(next);
            let is_secured = self.operations[self.resources[&path].creator].is_secured;
            let users = if is_secured { self.users.len().max(1) } else { 1 };
            for user in 0..users {
                let rows = if users == 1 { ROWS + 2 } else { ROWS - usize::from(user > 0) };
                for row in 0..rows {
                    if cases.len() >= room && row > 0 {
                        break;
                    }
                    let parent = self.parent(&path, user, row);
                    // The first of each user has its flags set.
                    let number = 2 * user + row;
                    let (case, thing) = self.create(&path, user, parent.as_ref(), number);
                    self.remember(&case);
                    cases.push(case);
                    let variable = thing.variables.last().cloned().unwrap_or_default();
                    self.samples.created.entry(path.clone()).or_default().push(variable);
                    if let Some(resource) = self.resources.get_mut(&path) {
                        resource.things.push(thing);
                    }
                }
            }
        }
    }

    /// The collections of which a thing must exist before one of this can be created.
    fn needs(&self, path: &str) -> Vec<String> {
        let Some(resource) = self.resources.get(path) else { return Vec::new() };
        let operation = &self.operations[resource.creator];
        let body = object_schema(self.document, operation.body, 0);
        let text = text_of(self.document, body, 0);
        let others = self.resources.keys().filter(|other| *other != path);
        others
            .filter(|other| {
                path.starts_with(&format!("{other}/{{")) || text.contains(&format!("\"{other}\""))
            })
            .cloned()
            .collect()
    }

    /// What a thing of a collection is created within.
    fn parent(&self, path: &str, user: usize, row: usize) -> Option<Thing> {
        let creator = self.resources.get(path)?.creator;
        self.thing(creator, user, row)
    }

    /// A thing that the operation is about, of the user's own if there are any.
    fn thing(&self, operation: usize, user: usize, row: usize) -> Option<Thing> {
        let resource = self.resources.get(&self.resource_of(operation)?)?;
        let own: Vec<_> = resource.things.iter().filter(|thing| thing.user == user).collect();
        let choices = if own.is_empty() { resource.things.iter().collect() } else { own };
        choices.get(row % choices.len().max(1)).map(|thing| (*thing).clone())
    }

    /// The collection of the thing in the path of an operation, the innermost.
    fn resource_of(&self, operation: usize) -> Option<String> {
        let operation = &self.operations[operation];
        let positions = 0..operation.path_parameters().len();
        let mut paths = positions.rev().filter_map(|position| operation.collection(position));
        paths.find(|path| self.resources.contains_key(path))
    }

    /// A request that creates a thing.
    fn create(
        &mut self,
        path: &str,
        user: usize,
        parent: Option<&Thing>,
        number: usize,
    ) -> (Case, Thing) {
        let creator = self.resources[path].creator;
        let draft = self.draft(creator, user, parent, number);
        self.created(path, user, parent, &draft)
    }

    /// The thing that a draft creates.
    fn created(
        &mut self,
        path: &str,
        user: usize,
        parent: Option<&Thing>,
        draft: &Draft,
    ) -> (Case, Thing) {
        let Resource { creator, pointer, .. } = &self.resources[path];
        let mut case = finish(&self.operations[*creator], draft);
        self.variables += 1;
        let variable = format!("generated{}", self.variables);
        case.capture.insert(variable.clone(), pointer.clone());
        let within = self.operations[*creator].path_parameters().len();
        let mut variables = parent.map(|parent| parent.variables.clone()).unwrap_or_default();
        variables.truncate(within);
        variables.push(variable);
        (case, Thing { user, variables })
    }

    /// Keeps the values of the fields of a body, for those that filter by them.
    fn remember(&mut self, case: &Case) {
        let body: Option<Value> = case.body.as_deref().and_then(|b| serde_json::from_str(b).ok());
        for (name, value) in body.iter().flat_map(fields) {
            let known = self.sent.entry(name.clone()).or_default();
            if known.len() < REMEMBERED && !known.contains(value) && !value.is_object() {
                known.push(value.clone());
            }
        }
    }

    /// A request that should succeed, to the thing given.
    fn draft(
        &mut self,
        operation: usize,
        user: usize,
        thing: Option<&Thing>,
        number: usize,
    ) -> Draft {
        let mut draft = Draft::default();
        let operation = &self.operations[operation];
        let names = operation.path_parameters();
        for parameter in &operation.parameters {
            let name = parameter["name"].as_str().unwrap_or_default().to_owned();
            let schema = parameter_schema(parameter);
            let is_required = parameter["required"] == true;
            let given = fields(&parameter["examples"]).map(|(_, example)| &example["value"]).next();
            let mut value = || match parameter.get("example").or(given) {
                Some(example) => plain(example),
                None => plain(&self.samples.parameter(schema)),
            };
            match parameter["in"].as_str() {
                Some("path") => {
                    let position = names.iter().position(|known| *known == name);
                    let known = position
                        .and_then(|position| thing?.variables.get(position))
                        .map(|variable| format!("${{{variable}}}"));
                    let other = || {
                        let paths: Vec<String> = self.resources.keys().cloned().collect();
                        let own = position.and_then(|position| operation.collection(position));
                        let path = own.filter(|path| self.resources.contains_key(path));
                        let path =
                            path.or_else(|| collection_of(&name, &paths).map(ToOwned::to_owned))?;
                        let other = self.resources.get(&path)?.things.first()?;
                        Some(format!("${{{}}}", other.variables.last()?))
                    };
                    let value = known.or_else(other).unwrap_or_else(value);
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
            let example = operation.example.filter(|_| number == 0).cloned();
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
        if operation.is_secured {
            draft.user = self.users.get(user).or_else(|| self.users.first()).cloned();
        }
        draft
    }

    /// A case of a draft, with what is said of it.
    fn case(&self, operation: usize, mut draft: Draft, remark: &str) -> Case {
        draft.changes.push(remark.to_owned());
        finish(&self.operations[operation], &draft)
    }

    /// Lists as each user sees them, and at the ends of their pages.
    fn read_lists(&mut self, cases: &mut Vec<Case>) {
        let lists: Vec<usize> = (0..self.operations.len())
            .filter(|&index| {
                let operation = &self.operations[index];
                operation.method == "GET"
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
                for count in (0..=rows + 1).rev().take(PAGES) {
                    if cases.len() >= self.count / 3 {
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

    /// The operations on one thing of a collection with that method.
    fn of_thing(&self, path: &str, method: &str) -> Option<usize> {
        self.operations.iter().position(|operation| {
            let last = operation.path_parameters().len().checked_sub(1);
            operation.method == method
                && operation.path.trim_end_matches('/').ends_with('}')
                && last.and_then(|last| operation.collection(last)).is_some_and(|c| c == path)
        })
    }

    /// Reads a thing and its list again.
    fn read_again(&mut self, path: &str, user: usize, thing: &Thing, cases: &mut Vec<Case>) {
        let list = self
            .operations
            .iter()
            .position(|operation| operation.method == "GET" && collection(operation.path) == path);
        for index in self.of_thing(path, "GET").into_iter().chain(list) {
            let draft = self.draft(index, user, Some(thing), 0);
            cases.push(self.case(index, draft, "again"));
        }
    }

    /// Reads everything that may have changed: a thing, its list, what it is within, and what takes
    /// no id.
    fn read_all(&mut self, path: &str, user: usize, thing: &Thing, cases: &mut Vec<Case>) {
        self.read_again(path, user, thing, cases);
        let within = path.rsplit_once("/{}").map(|(parent, _)| parent.to_owned());
        let parent = within.and_then(|parent| self.of_thing(&parent, "GET"));
        let others = (0..self.operations.len()).filter(|&index| {
            let operation = &self.operations[index];
            operation.method == "GET"
                && operation.path_parameters().is_empty()
                && collection(operation.path) != path
        });
        let others: Vec<usize> = parent.into_iter().chain(others.take(OBSERVED)).collect();
        for index in others {
            let draft = self.draft(index, user, Some(thing), 0);
            cases.push(self.case(index, draft, "again"));
        }
    }

    /// Follows two things through their life cycle: created, read after every update, acted upon
    /// twice, deleted, and requested once more.
    fn life_cycle(&mut self, path: &str, user: usize, cases: &mut Vec<Case>) {
        let creator = self.resources[path].creator;
        let is_seen =
            ["GET", "PUT", "PATCH", "DELETE"].iter().any(|m| self.of_thing(path, m).is_some());
        if !is_seen || (user > 0 && !self.operations[creator].is_secured) {
            return;
        }
        let parent = self.parent(path, user, 0);
        let none = Thing { user, variables: Vec::new() };
        self.read_all(path, user, parent.as_ref().unwrap_or(&none), cases);
        let (case, thing) = self.create(path, user, parent.as_ref(), 0);
        cases.push(case);
        cases.push(self.create(path, user, parent.as_ref(), 1).0);
        // What is within it may go with it.
        let within: Vec<String> = self.resources.keys().cloned().collect();
        for inner in within.iter().filter(|inner| inner.starts_with(&format!("{path}/{{}}/"))) {
            cases.push(self.create(inner, user, Some(&thing), 0).0);
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
        let is_action = |index: &usize| {
            let operation = &self.operations[*index];
            operation.is_write()
                && operation.method != "DELETE"
                && Some(*index) != self.of_thing(path, &operation.method)
                && !self.resources.contains_key(&collection(operation.path))
                && self.resource_of(*index).as_deref() == Some(path)
        };
        let actions: Vec<usize> = (0..self.operations.len()).filter(is_action).collect();
        for action in actions {
            for time in ["the first time", "the second time"] {
                let draft = self.draft(action, user, Some(&thing), 0);
                cases.push(self.case(action, draft, time));
                self.read_all(path, user, &thing, cases);
            }
        }
        let Some(delete) = self.of_thing(path, "DELETE") else { return };
        for time in ["the first time", "the second time"] {
            let draft = self.draft(delete, user, Some(&thing), 0);
            cases.push(self.case(delete, draft, time));
            self.read_all(path, user, &thing, cases);
        }
        // What is gone cannot be updated either.
        for update in updates {
            let draft = self.draft(update, user, Some(&thing), 0);
            cases.push(self.case(update, draft, "of what is deleted"));
        }
    }

    /// The requests to an operation, with the step in which each is sent.
    fn variations(&mut self, index: usize) -> Vec<Unit> {
        let (document, users) = (self.document, self.users);
        let operation = &self.operations[index];
        let changes = Changes { document, users, samples: &mut self.samples, sent: &self.sent };
        let mut changes = { changes }.of(operation);
        self.rng.shuffle(&mut changes);
        let resource = self.resource_of(index);
        // To delete what a session needs would end it.
        if self.operations[index].method == "DELETE" && resource.is_none() {
            let draft = self.draft(index, 0, None, 0);
            let few = changes.iter().filter(|change| change.rank == Rank::Valid).take(6);
            let mut cases: Vec<Case> = few
                .map(|change| finish(&self.operations[index], &changed(&draft, &[change])))
                .collect();
            cases.push(self.case(index, draft, "valid"));
            return vec![(LAST, cases)];
        }
        let mut units = Vec::new();
        for number in 0..if self.operations[index].is_write() { 3 } else { 1 } {
            units.push((FIRST, self.unit(index, 0, number, &[])));
        }
        if self.operations[index].is_write() {
            units.extend(self.twice(index));
        }
        units.extend(self.of_others(index));
        let has_body = self.operations[index].media_type.is_some();
        let (allowed, other): (Vec<_>, Vec<_>) =
            changes.iter().partition(|change| change.rank == Rank::Valid);
        let is_bundled = |change: &&Change<'_>| {
            has_body && change.target.starts_with("body ") && !change.name.ends_with(": null")
        };
        let (bundled, single): (Vec<_>, Vec<_>) = allowed.iter().copied().partition(is_bundled);
        for changes in bundles(&bundled, ALLOWED_AT_ONCE) {
            units.push((ALLOWED, self.unit(index, 0, 0, &changes)));
        }
        for change in single {
            let step = if change.is_general() { COMBINED } else { ALLOWED };
            units.push((step, self.unit(index, 0, 0, &[change])));
        }
        let (general, single): (Vec<_>, Vec<_>) =
            other.iter().copied().partition(|change| change.is_general() && change.is_field());
        for change in single {
            let step = if change.rank == Rank::Near { NEAR } else { WRONG };
            units.push((step, self.unit(index, 0, 0, &[change])));
        }
        for (number, changes) in bundles(&general, WRONG_AT_ONCE).into_iter().enumerate() {
            let step = if number < WRONG_PAIRS { NEAR } else { COMBINED };
            units.push((step, self.unit(index, 0, 0, &changes)));
        }
        let is_list = self.operations[index].method == "GET";
        for (of, count) in [(&allowed, if is_list { PAIRS } else { 0 }), (&other, WRONG_PAIRS)] {
            let is_of_use = |change: &&Change<'_>| change.is_field() && !change.is_empty();
            let fields: Vec<_> = of.iter().copied().filter(is_of_use).collect();
            let mut targets: Vec<_> = fields.iter().map(|change| change.target.clone()).collect();
            targets.sort();
            targets.dedup();
            if targets.len() < 2 {
                continue;
            }
            for number in 0..count.min(targets.len() * targets.len() * 2) {
                // One of each pair of fields in turn, whatever number of values each has.
                let one = self.one_of(&fields, &targets[number % targets.len()]);
                let other = (number + 1 + number / targets.len()) % targets.len();
                let two = self.one_of(&fields, &targets[other]);
                if let (Some(one), Some(two)) = (one, two)
                    && one.target != two.target
                {
                    units.push((NEAR, self.unit(index, 0, 0, &[one, two])));
                }
            }
        }
        units
    }

    fn one_of<'c>(&mut self, changes: &[&'c Change<'a>], target: &str) -> Option<&'c Change<'a>> {
        let of: Vec<_> = changes.iter().filter(|change| change.target == target).collect();
        if of.is_empty() { None } else { Some(of[self.rng.usize(..of.len())]) }
    }

    /// A request with some changes, after what it needs, before what shows its effect.
    fn unit(
        &mut self,
        index: usize,
        user: usize,
        number: usize,
        changes: &[&Change<'a>],
    ) -> Vec<Case> {
        let mut cases = Vec::new();
        let is_allowed = changes.iter().all(|change| change.rank == Rank::Valid);
        let resource = self.resource_of(index);
        let mut thing = self.thing(index, user, 0);
        let own = collection(self.operations[index].path);
        let is_creator =
            self.resources.contains_key(&own) && self.operations[index].method == "POST";
        let uses_up = ["DELETE", "POST"].contains(&&*self.operations[index].method) && !is_creator;
        if let (true, true, Some(path)) = (is_allowed, uses_up, &resource) {
            let parent = self.parent(path, user, 0);
            let (case, fresh) = self.create(path, user, parent.as_ref(), 0);
            cases.push(case);
            thing = Some(fresh);
        }
        let mut draft = self.draft(index, user, thing.as_ref(), number);
        if self.operations[index].method == "PATCH" && !changes.is_empty() {
            self.reduce(index, &mut draft);
        }
        let draft = changed(&draft, changes);
        if !is_allowed || !self.operations[index].is_write() {
            cases.push(finish(&self.operations[index], &draft));
            return cases;
        }
        if is_creator {
            let (case, created) = self.created(&own, user, thing.as_ref(), &draft);
            cases.push(case);
            // What it returns shows most.
            if let Some(read) = self.of_thing(&own, "GET").filter(|_| changes.is_empty()) {
                let draft = self.draft(read, user, Some(&created), 0);
                cases.push(self.case(read, draft, "what was created"));
            }
            return cases;
        }
        cases.push(finish(&self.operations[index], &draft));
        let read = match &resource {
            Some(path) => self.of_thing(path, "GET"),
            None => self.operations.iter().position(|operation| {
                operation.method == "GET" && operation.path == self.operations[index].path
            }),
        };
        if let Some(read) = read {
            let draft = self.draft(read, user, thing.as_ref(), 0);
            cases.push(self.case(read, draft, "what was changed"));
        }
        cases
    }

    /// Leaves out of a body what need not be there.
    fn reduce(&self, index: usize, draft: &mut Draft) {
        let schema = object_schema(self.document, self.operations[index].body, 0);
        let required = schema["required"].as_array().into_iter().flatten();
        let required: Vec<_> = required.filter_map(Value::as_str).collect();
        if let Some(body) = object(draft) {
            body.retain(|name, _| required.contains(&name.as_str()));
        }
    }

    /// The same again: as it is, with its texts in the other case, by another user; and with every
    /// optional header.
    fn twice(&mut self, index: usize) -> Vec<Unit> {
        let own = collection(self.operations[index].path);
        let mut units = Vec::new();
        for has_headers in [false, true] {
            let mut cases = self.unit(index, 0, 0, &[]);
            let position = cases.iter().position(|case| {
                case.operation.as_ref() == Some(&self.operations[index].name)
                    && !case.name.contains(" life ")
            });
            let thing = self.thing(index, 0, 0);
            let mut draft = self.draft(index, 0, thing.as_ref(), 0);
            if has_headers {
                let headers: Vec<_> = self.operations[index]
                    .parameters
                    .iter()
                    .filter(|p| p["in"] == "header" && p["required"] != true)
                    .copied()
                    .collect();
                if headers.is_empty() {
                    break;
                }
                for parameter in headers {
                    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
                    let value = plain(&self.samples.parameter(parameter_schema(parameter)));
                    if is_header(&value) {
                        draft.headers.insert(name, value);
                    }
                }
                cases.clear();
                cases.push(self.case(index, draft.clone(), "with every header"));
            } else if let Some(position) = position {
                // What was just made for it is used, not another.
                let variables = &cases[position];
                let path = variables.request.split_once(' ').map_or("", |(_, path)| path);
                draft.path = path_values(self.operations[index].path, path);
                cases.truncate(position);
                cases.push(self.case(index, draft.clone(), "once"));
            }
            cases.push(self.case(index, draft.clone(), "twice"));
            let mut other = draft.clone();
            if let Some(body) = object(&mut other) {
                for value in body.values_mut() {
                    if let Some(text) = value.as_str().filter(|text| !text.starts_with("${")) {
                        *value = swapped(text).into();
                    }
                }
                cases.push(self.case(index, other.clone(), "in other case"));
                // With what must keep its form as it was, and only one text in other case.
                let fields: Vec<String> = object(&mut other)
                    .map(|body| body.keys().cloned().collect())
                    .unwrap_or_default();
                for name in fields {
                    let mut one = draft.clone();
                    let Some(body) = object(&mut one) else { continue };
                    let Some(text) = body.get(&name).and_then(Value::as_str) else { continue };
                    if text.starts_with("${") || swapped(text) == text {
                        continue;
                    }
                    body[&name] = swapped(text).into();
                    cases.push(self.case(index, one, &format!("{name} in other case")));
                }
            }
            if self.operations[index].is_secured && self.users.len() > 1 {
                draft.user = self.users.last().cloned();
                cases.push(self.case(index, draft, "the same by another user"));
            }
            let list = self.operations.iter().position(|operation| {
                operation.method == "GET" && collection(operation.path) == own
            });
            if let Some(list) = list {
                let thing = self.thing(list, 0, 0);
                let draft = self.draft(list, 0, thing.as_ref(), 0);
                cases.push(self.case(list, draft, "after the same twice"));
            }
            units.push((FIRST, cases));
        }
        units
    }

    /// Requests to things of other users, and to things within another than their own.
    fn of_others(&mut self, index: usize) -> Vec<Unit> {
        let mut units = Vec::new();
        let Some(path) = self.resource_of(index) else { return units };
        let things = self.resources.get(&path).map(|r| r.things.clone()).unwrap_or_default();
        let operation = &self.operations[index];
        let (is_secured, is_write) = (operation.is_secured, operation.is_write());
        let users = if is_secured { self.users.len().max(1) } else { 0 };
        let is_creator = self.resources.contains_key(&collection(operation.path));
        let uses_up =
            is_write && !is_creator && operation.method != "PUT" && operation.method != "PATCH";
        for caller in 0..users {
            if !is_write {
                // The first user may see everything.
                for thing in things.iter().take(if caller == 0 { 2 } else { things.len() }) {
                    let draft = self.draft(index, caller, Some(thing), 0);
                    let remark = format!("of user {} by user {}", thing.user + 1, caller + 1);
                    units.push((ALLOWED, vec![self.case(index, draft, &remark)]));
                }
                continue;
            }
            for owner in (0..users).filter(|owner| *owner != caller) {
                let remark = format!("of user {} by user {}", owner + 1, caller + 1);
                let mut parents = vec![self.parent(&path, owner, 0)];
                if path.contains("{}") {
                    parents.push(self.parent(&path, caller, 0));
                }
                for parent in parents {
                    let mut cases = Vec::new();
                    let mut thing = things.iter().find(|thing| thing.user == owner).cloned();
                    if uses_up || path.contains("{}") {
                        let (case, fresh) = self.create(&path, owner, parent.as_ref(), 0);
                        cases.push(case);
                        thing = Some(fresh);
                    }
                    let draft = self.draft(index, caller, thing.as_ref(), 0);
                    cases.push(self.case(index, draft, &remark));
                    if let (Some(thing), Some(read)) = (&thing, self.of_thing(&path, "GET")) {
                        let draft = self.draft(read, owner, Some(thing), 0);
                        cases.push(self.case(read, draft, "what another user tried to change"));
                    }
                    units.push((ALLOWED, cases));
                }
            }
        }
        let parents: Vec<Vec<String>> =
            things.iter().map(|thing| thing.variables.clone()).collect();
        for thing in things.iter().filter(|thing| thing.variables.len() > 1).take(2) {
            let Some(other) = parents.iter().find(|other| other[0] != thing.variables[0]) else {
                continue;
            };
            let mut mixed = thing.clone();
            mixed.variables[0].clone_from(&other[0]);
            let draft = self.draft(index, 0, Some(&mixed), 0);
            units.push((ALLOWED, vec![self.case(index, draft, "within another than its own")]));
        }
        units
    }

    /// A request with several changes to each operation; false if there are none.
    fn several(&mut self, cases: &mut Vec<Case>) -> bool {
        let before = cases.len();
        for index in 0..self.operations.len() {
            if self.operations[index].method == "DELETE" && self.resource_of(index).is_none() {
                continue;
            }
            let (document, users) = (self.document, self.users);
            let operation = &self.operations[index];
            let changes = Changes { document, users, samples: &mut self.samples, sent: &self.sent };
            let changes = { changes }.of(operation);
            for _ in 0..4 {
                let allowed: Vec<_> = changes.iter().filter(|c| c.rank == Rank::Valid).collect();
                let any: Vec<_> = changes.iter().collect();
                let from = if self.rng.bool() { allowed } else { any };
                if from.len() < 2 {
                    break;
                }
                let mut chosen: Vec<&Change<'a>> = Vec::new();
                for _ in 0..self.rng.usize(2..=3) {
                    let change = from[self.rng.usize(..from.len())];
                    if chosen.iter().all(|known| known.target != change.target) {
                        chosen.push(change);
                    }
                }
                let user = self.rng.usize(..self.users.len().max(1));
                let number = self.rng.usize(..8);
                cases.extend(self.unit(index, user, number, &chosen));
            }
        }
        cases.len() > before
    }
}

/// All changes in groups of so many different fields.
fn bundles<'c, 'a>(changes: &[&'c Change<'a>], size: usize) -> Vec<Vec<&'c Change<'a>>> {
    let mut left: BTreeMap<&str, VecDeque<&'c Change<'a>>> = BTreeMap::new();
    for change in changes {
        left.entry(&change.target).or_default().push_back(change);
    }
    let mut bundles = Vec::new();
    loop {
        // Those of which most are left, so that none remains alone at the end.
        let mut queues: Vec<_> = left.values_mut().filter(|queue| !queue.is_empty()).collect();
        queues.sort_by_key(|queue| std::cmp::Reverse(queue.len()));
        let bundle: Vec<_> =
            queues.into_iter().take(size).filter_map(VecDeque::pop_front).collect();
        if bundle.is_empty() {
            return bundles;
        }
        bundles.push(bundle);
    }
}

/// Adds the cases of all queues in turn as long as there is room; how many had none.
fn in_turn(mut queues: Vec<VecDeque<Vec<Case>>>, room: usize, cases: &mut Vec<Case>) -> usize {
    while cases.len() < room && queues.iter().any(|queue| !queue.is_empty()) {
        for queue in &mut queues {
            if cases.len() < room {
                cases.extend(queue.pop_front().into_iter().flatten());
            }
        }
    }
    queues.iter().flatten().map(Vec::len).sum()
}

/// Gives cases that have the same name a number.
fn named_apart(cases: &mut [Case]) {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases {
        let times = known.entry(case.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            case.name = format!("{} ({times})", case.name);
        }
    }
}

/// What stands in a path for the parameters of its template.
fn path_values(template: &str, path: &str) -> BTreeMap<String, String> {
    let path = path.split('?').next().unwrap_or_default();
    let pairs = template.split('/').zip(path.split('/'));
    pairs
        .filter_map(|(name, value)| {
            let name = name.strip_prefix('{')?.strip_suffix('}')?;
            // What is encoded already would be encoded again.
            let value = percent_encoding::percent_decode_str(value).decode_utf8().ok()?;
            Some((name.to_owned(), value.into_owned()))
        })
        .collect()
}

/// A schema as text, with what it refers to.
fn text_of(document: &Value, schema: &Value, depth: usize) -> String {
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

fn walk(value: &Value, visit: &mut impl FnMut(&Value)) {
    visit(value);
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(fields) => Map::values(fields).for_each(|field| walk(field, visit)),
        _ => {}
    }
}

fn add_cookie(draft: &mut Draft, name: &str, value: &str) {
    let cookies = draft.headers.entry("cookie".to_owned()).or_default();
    if !cookies.is_empty() {
        cookies.push_str("; ");
    }
    cookies.extend([name, "=", value]);
}

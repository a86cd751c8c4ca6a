//! Which requests are made, and in which order.

mod cascades;
mod collections;
mod conditional;
mod drafts;
mod filters;
mod intervals;
pub(super) mod learning;
mod members;
mod observed;
mod others;
mod products;
mod reads;
mod repeated;
mod scarce;
mod states;
#[cfg(test)]
mod tests;
mod things;
mod transitions;
mod variations;
mod versions;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fastrand::Rng;
use serde_json::{Map, Value};

use super::creators::{Product, is_creator, products};
use super::draft::VARIABLE;
use super::operation::{Operation, collection, key_of};
use super::references::is_id;
use super::samples::Samples;
use super::schema::{kind, parameter_schema};
use crate::case::Case;

/// How many changes are prepared of an operation at most: so many times its share of the requests, and
/// no fewer than these.
const SHARES: usize = 8;
const MIN_CHANGES: usize = 40;

/// For how many requests for each operation there has to be room, if things are to run short.
const PER_OPERATION: usize = 20;

/// The share of the requests after all scenarios, as a divisor, that is kept for values just beyond the
/// limits of what is within the fields of bodies; allowed values would take it.
const MEMBER_SHARE: usize = 4;

/// The steps in which variations are sent: every operation has its share of one before the next.
const STEPS: usize = 7;

/// What was generated.
#[derive(Debug, Default)]
pub struct Generated {
    /// The requests, in the order in which they are sent.
    pub cases: Vec<Case>,
    /// How many variations had no room.
    pub without_room: usize,
}

/// A thing that was created.
#[derive(Clone, Debug)]
struct Thing {
    /// The user who created it, by number.
    user: usize,
    /// The variables with its ids, or the ids where they are chosen: of what it is within, then its
    /// own.
    variables: Vec<String>,
}

/// Things of a kind.
struct Resource {
    /// The operation that creates them.
    creator: usize,
    key: Key,
    /// Whether the creator acts upon another thing, which it may use up: an order made of a cart.
    is_product: bool,
    things: Vec<Thing>,
}

/// Where the id of a created thing stands.
#[derive(Clone, Debug)]
enum Key {
    /// In the response, at a pointer.
    Shown(String),
    /// In a field of the body.
    InBody(String),
    /// At the end of the path.
    InPath,
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
    /// The body sent last to create a thing, by the path of its collection.
    bodies: BTreeMap<String, Map<String, Value>>,
    /// The bodies with which things were created first, by the paths of their collections.
    rows: BTreeMap<String, Vec<Map<String, Value>>>,
    /// Things that are known from lists alone, by the paths of their collections.
    listed: BTreeMap<String, Vec<Thing>>,
    /// The variables with what each user is known by, by the name of the field.
    names: BTreeMap<String, Vec<String>>,
    /// By the paths of their collections.
    resources: BTreeMap<String, Resource>,
    /// By operation: how many changes of a state were followed by what refers to the thing.
    referred: BTreeMap<usize, usize>,
    /// The collections in which no two things can be at the same time.
    exclusive: BTreeSet<String>,
    /// The operations that create things with other texts than the examples of the document.
    made_up: BTreeSet<usize>,
    /// The collections of which a thing takes what it refers to: the same cannot be taken twice.
    consuming: BTreeSet<String>,
    /// By action: the fewest actions that had succeeded on a thing before it did.
    prerequisites: BTreeMap<usize, Vec<usize>>,
    /// What has to be done to the things that those of a collection are within, before one can be created.
    allowing: BTreeMap<String, Vec<usize>>,
    /// The variables with the versions of things and, where it is true, with their tags, by those with their
    /// ids.
    versions: BTreeMap<(String, bool), String>,
    /// By operation: fields that need not be sent, and with which it does not succeed.
    avoided: BTreeMap<usize, BTreeSet<String>>,
    /// By operation and user: the thing for requests that are not allowed, but may use one up.
    spent: BTreeMap<(usize, usize), Thing>,
    /// The operations, by name, to which requests are made; of the others only those that create what
    /// these need. None for all.
    wanted: Option<&'a BTreeSet<String>>,
    /// How many changes of an operation are prepared.
    share: usize,
    /// How many of them are sent first because they pass limits of what is within fields.
    member_share: usize,
    rng: Rng,
    count: usize,
    variables: usize,
    /// How many things were made besides the first, and how many of them of others.
    years: usize,
    products: usize,
    /// How many variations had no room.
    without_room: usize,
}

impl<'a> Generator<'a> {
    pub(super) fn new(
        document: &'a Value,
        operations: Vec<Operation<'a>>,
        users: &'a [String],
        wanted: Option<&'a BTreeSet<String>>,
        count: usize,
        seed: u64,
    ) -> Self {
        let mut resources = BTreeMap::new();
        for (creator, operation) in operations.iter().enumerate() {
            if !is_creator(document, &operations, operation) {
                continue;
            }
            let path = collection(operation.path);
            let name = key_of(&operations, &path).unwrap_or("id");
            if let Some(pointer) = operation.pointer_to(document, name) {
                let is_own = is_id(name) || pointer.ends_with(&format!("/{name}"));
                let key = if !is_own && operation.fields.get(name).is_some() {
                    Key::InBody(name.to_owned())
                } else {
                    Key::Shown(pointer)
                };
                let resource = Resource { creator, key, is_product: false, things: Vec::new() };
                resources.entry(path).or_insert(resource);
            }
        }
        for Product { creator, path, pointer } in products(document, &operations) {
            let operation = &operations[creator];
            let is_product = !operation.path_parameters().is_empty();
            let resource =
                Resource { creator, key: Key::Shown(pointer), is_product, things: Vec::new() };
            // What nothing was known of, and what one is made of has a creator of its own.
            let outer = (0..operation.path_parameters().len()).rev().find_map(|at| {
                operation.collection(at).filter(|path| resources.contains_key(path))
            });
            if !is_product || outer.is_some() {
                resources.entry(path).or_insert(resource);
            }
        }
        // Where nothing is added to a collection, things may be put into it under a name.
        for (creator, operation) in operations.iter().enumerate() {
            if let Some(path) = named_by_its_path(operation)
                && !resources.contains_key(&path)
                && operations.iter().all(|o| o.method != "POST" || collection(o.path) != path)
            {
                let key = Key::InPath;
                let resource = Resource { creator, key, is_product: false, things: Vec::new() };
                resources.insert(path, resource);
            }
        }
        let number = wanted.map_or(operations.len(), BTreeSet::len);
        let share = (SHARES * count / number.max(1)).max(MIN_CHANGES);
        let samples = Samples::new(document, share);
        Self {
            document,
            operations,
            users,
            samples,
            sent: BTreeMap::new(),
            bodies: BTreeMap::new(),
            listed: BTreeMap::new(),
            names: BTreeMap::new(),
            rows: BTreeMap::new(),
            resources,
            referred: BTreeMap::new(),
            exclusive: BTreeSet::new(),
            made_up: BTreeSet::new(),
            prerequisites: BTreeMap::new(),
            consuming: BTreeSet::new(),
            allowing: BTreeMap::new(),
            versions: BTreeMap::new(),
            avoided: BTreeMap::new(),
            spent: BTreeMap::new(),
            wanted,
            share,
            member_share: 1,
            rng: Rng::with_seed(seed),
            count,
            variables: 0,
            years: 0,
            products: 0,
            without_room: 0,
        }
    }

    /// What comes after the first things, of which so many requests were made: lists, and what becomes of
    /// things.
    fn life_cycles(&mut self, before: usize) -> Vec<Case> {
        let mut cases = Vec::new();
        self.observe_lists(&mut cases);
        self.read_lists(before, &mut cases);
        let paths: Vec<String> = self.resources.keys().cloned().collect();
        for user in 0..self.users.len().clamp(1, 2) {
            for path in &paths {
                if before + cases.len() < self.count / 2 && self.is_wanted_of(path) {
                    self.life_cycle(path, user, &mut cases);
                }
            }
        }
        let has_room = self.operations.len() * PER_OPERATION <= self.count;
        for path in paths.iter().filter(|_| has_room) {
            if before + cases.len() < self.count * 3 / 5 && self.is_wanted_of(path) {
                self.run_short(path, &mut cases);
                self.try_roles(path, &mut cases);
            }
        }
        cases.truncate(self.count.saturating_sub(before));
        cases
    }

    /// Everything that comes after that: each operation with variations.
    fn rest(&mut self, before: usize) -> Vec<Case> {
        let count = self.count.saturating_sub(before);
        let mut cases = Vec::new();
        // What came to be by what was done to others.
        self.listed.clear();
        self.observe_lists(&mut cases);
        let number = self.wanted.map_or(self.operations.len(), BTreeSet::len);
        self.member_share = (count / number.max(1) / MEMBER_SHARE).max(1);
        let mut steps: Vec<Vec<VecDeque<Vec<Case>>>> = vec![Vec::new(); STEPS];
        for operation in 0..self.operations.len() {
            let mut queues = vec![VecDeque::new(); STEPS];
            if !self.is_wanted(operation) {
                continue;
            }
            for (step, unit) in self.variations(operation) {
                queues[step].push_back(unit);
            }
            for (step, queue) in queues.into_iter().enumerate() {
                steps[step].push(queue);
            }
        }
        let last = steps.pop().unwrap_or_default();
        let last: Vec<Case> = last.into_iter().flatten().flatten().collect();
        let room = count.saturating_sub(last.len());
        for queues in steps {
            self.without_room += in_turn(queues, room, &mut cases);
        }
        while cases.len() < room && self.several(count, &mut cases) {}
        self.without_room += cases.len().saturating_sub(room);
        cases.truncate(room);
        cases.extend(last);
        self.without_room += cases.len().saturating_sub(count);
        cases.truncate(count);
        cases
    }

    /// A new variable.
    fn variable(&mut self) -> String {
        self.variables += 1;
        format!("{VARIABLE}{}", self.variables)
    }

    /// The operation that lists a collection.
    fn list_of(&self, path: &str) -> Option<usize> {
        let is_list = |operation: &Operation<'_>| {
            operation.method == "GET" && collection(operation.path) == path
        };
        self.operations.iter().position(is_list)
    }
}

/// The collection into which a request puts a thing under a name of its own choice. None if it does
/// not, or the name may be that of something else.
fn named_by_its_path(operation: &Operation<'_>) -> Option<String> {
    let path = operation.path.trim_end_matches('/');
    if operation.method != "PUT" || !path.ends_with('}') || operation.media_type.is_none() {
        return None;
    }
    let name = *operation.path_parameters().last()?;
    let parameter = operation.parameters.iter().find(|parameter| parameter["name"] == name)?;
    let schema = parameter_schema(parameter);
    let is_free = kind(schema) == "string"
        && schema.get("enum").is_none()
        && schema.get("format").is_none()
        && !is_id(name);
    if is_free { operation.collection(operation.path_parameters().len() - 1) } else { None }
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

/// Gives cases that have the same name a number; `known` says how often each was given before.
fn named_apart(cases: &mut [Case], known: &mut BTreeMap<String, usize>) {
    for case in cases {
        let times = known.entry(case.name.clone()).or_default();
        *times += 1;
        if *times > 1 {
            case.name = format!("{} ({times})", case.name);
        }
    }
}

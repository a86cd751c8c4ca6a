//! Compares two documents. Components are compared once for each direction, whatever refers to them;
//! what is different in them is reported once, with the operations that it reaches.

mod arrays;
mod objects;
mod operations;
mod schemas;
mod security;
mod unions;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use serde_json::Value;

use super::change::{Change, Class, Direction, Shift};
use super::normal::{Choice, Normaliser, Parts, address, canonical};

/// How deep a comparison may ask whether two others are equal before it takes them for different.
const MAX_PROBES: usize = 4;

/// Two schemas that are compared once, with what was found in them.
struct Group {
    /// The component or the operation.
    name: String,
    is_component: bool,
    changes: Vec<Change>,
    /// The components that it refers to.
    links: BTreeSet<usize>,
}

/// Where a comparison is.
#[derive(Clone)]
struct Spot {
    group: usize,
    path: String,
    direction: Direction,
    /// Whether the value is written as text, as in a query.
    is_text: bool,
    /// Whether the value may be absent.
    is_optional: bool,
}

impl Spot {
    fn at(&self, rest: &str) -> Self {
        Self { path: format!("{}{rest}", self.path), is_optional: false, ..self.clone() }
    }
}

/// What is still to be compared.
enum Job<'a> {
    Schemas(Parts<'a>, Parts<'a>),
    Choices(Rc<Choice<'a>>, Rc<Choice<'a>>),
}

/// The old schema, the new one, and the direction.
type Pair = (Vec<usize>, Vec<usize>, Direction, bool);

pub(super) struct Comparison<'a> {
    old: Normaliser<'a>,
    new: Normaliser<'a>,
    groups: Vec<Group>,
    known: HashMap<Pair, usize>,
    pending: Vec<(Spot, Job<'a>)>,
    probes: usize,
    /// What is being compared outside of groups.
    open: HashSet<Pair>,
    /// Whether the new document is of a newer FastAPI or pydantic, which says more of the same.
    is_modernised: bool,
}

impl<'a> Comparison<'a> {
    /// Every change between the documents.
    pub(super) fn of(old: &'a Value, new: &'a Value) -> Vec<Change> {
        let mut comparison = Self {
            old: Normaliser::new(old),
            new: Normaliser::new(new),
            groups: Vec::new(),
            known: HashMap::new(),
            pending: Vec::new(),
            probes: 0,
            open: HashSet::new(),
            is_modernised: is_modernised(old, new),
        };
        let roots = comparison.documents();
        comparison.work();
        comparison.collect(&roots)
    }

    fn group(&mut self, name: &str, is_component: bool) -> usize {
        let (name, changes, links) = (name.to_owned(), Vec::new(), BTreeSet::new());
        self.groups.push(Group { name, is_component, changes, links });
        self.groups.len() - 1
    }

    fn work(&mut self) {
        while let Some((spot, job)) = self.pending.pop() {
            match job {
                Job::Schemas(old, new) => self.bare(&spot, &old, &new),
                Job::Choices(old, new) => self.choice(&spot, &old, &new),
            }
        }
    }

    /// Compares a component within a group of its own, once.
    fn link(&mut self, spot: &Spot, name: &str, pair: Pair, job: impl FnOnce() -> Job<'a>) {
        let group = if let Some(&group) = self.known.get(&pair) {
            group
        } else {
            let group = self.group(name, true);
            self.known.insert(pair, group);
            let path = name.to_owned();
            let (is_text, is_optional) = (spot.is_text, false);
            let spot = Spot { group, path, direction: spot.direction, is_text, is_optional };
            self.pending.push((spot, job()));
            group
        };
        self.groups[spot.group].links.insert(group);
    }

    /// Whether a comparison finds nothing but documentation.
    fn finds_nothing(&mut self, spot: &Spot, compare: impl FnOnce(&mut Self, &Spot)) -> bool {
        if self.probes == MAX_PROBES {
            return false;
        }
        self.probes += 1;
        let group = self.group("", false);
        compare(self, &Spot { group, ..spot.clone() });
        self.work();
        self.probes -= 1;
        let mut seen = BTreeSet::from([group]);
        let mut open = vec![group];
        while let Some(group) = open.pop() {
            let group = &self.groups[group];
            if group.changes.iter().any(|change| change.class != Class::Documentation) {
                return false;
            }
            open.extend(group.links.iter().filter(|link| seen.insert(**link)));
        }
        true
    }

    fn add(&mut self, spot: &Spot, rule: &'static str, class: Class, what: impl Into<String>) {
        self.push(spot, Some(spot.direction), rule, class, what.into());
    }

    /// Adds a change that has no direction.
    fn note(&mut self, spot: &Spot, rule: &'static str, class: Class, what: impl Into<String>) {
        self.push(spot, None, rule, class, what.into());
    }

    fn shift(&mut self, spot: &Spot, rule: &'static str, shift: Shift, what: impl Into<String>) {
        self.add(spot, rule, shift.class(spot.direction), what);
    }

    fn push(
        &mut self,
        spot: &Spot,
        direction: Option<Direction>,
        rule: &'static str,
        class: Class,
        what: String,
    ) {
        let (path, component, operations) = (spot.path.clone(), None, Vec::new());
        let change = Change { rule, class, direction, path, what, component, operations };
        let changes = &mut self.groups[spot.group].changes;
        if !changes.contains(&change) {
            changes.push(change);
        }
    }

    /// The changes of every group that an operation reaches, with those operations.
    fn collect(mut self, roots: &[usize]) -> Vec<Change> {
        let mut reached: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); self.groups.len()];
        let mut callers: HashMap<usize, Vec<usize>> = HashMap::new();
        let mut seen: BTreeSet<usize> = roots.iter().copied().collect();
        let mut open = roots.to_vec();
        while let Some(group) = open.pop() {
            for &link in &self.groups[group].links {
                callers.entry(link).or_default().push(group);
                if seen.insert(link) {
                    open.push(link);
                }
            }
        }
        let is_root: BTreeSet<usize> = roots.iter().copied().collect();
        for &group in seen.iter().filter(|group| !self.groups[**group].changes.is_empty()) {
            let mut above = BTreeSet::from([group]);
            let mut open = vec![group];
            while let Some(next) = open.pop() {
                if is_root.contains(&next) {
                    reached[group].insert(next);
                }
                let callers = callers.get(&next).into_iter().flatten();
                open.extend(callers.filter(|caller| above.insert(**caller)));
            }
        }
        // The same change of one component in two places is one change that reaches more.
        let mut all: BTreeMap<(Class, String, &str, String, Option<Direction>), Change> =
            BTreeMap::new();
        for &index in &seen {
            let operations: Vec<String> = reached[index]
                .iter()
                .map(|root| self.groups[*root].name.clone())
                .filter(|name| !name.is_empty())
                .collect();
            let group = &mut self.groups[index];
            for mut change in std::mem::take(&mut group.changes) {
                change.component = group.is_component.then(|| group.name.clone());
                if change.class == Class::Documentation {
                    change.direction = None;
                }
                let (path, what) = (change.path.clone(), change.what.clone());
                let key = (change.class, path, change.rule, what, change.direction);
                let known = all.entry(key).or_insert(change);
                known.operations.extend(operations.iter().cloned());
                known.operations.sort();
                known.operations.dedup();
            }
        }
        all.into_values().collect()
    }
}

/// Whether the new document was written by pydantic 2, which speaks of null, and the old one by
/// pydantic 1, which does not.
fn is_modernised(old: &Value, new: &Value) -> bool {
    let is_old =
        |document: &Value| document["openapi"].as_str().is_some_and(|v| v.starts_with("3.0"));
    let is_fastapi = |document: &Value| {
        let schemas = &document["components"]["schemas"];
        schemas.get("HTTPValidationError").is_some()
    };
    let nulls = nulls(new);
    nulls > 0
        && self::nulls(old) == 0
        && ((is_old(old) && !is_old(new)) || (nulls > 3 && is_fastapi(old) && is_fastapi(new)))
}

/// How often null is a type.
fn nulls(value: &Value) -> usize {
    match value {
        Value::Object(fields) => {
            let own = usize::from(fields.get("type").is_some_and(|kind| kind == "null"));
            own + fields.values().map(nulls).sum::<usize>()
        }
        Value::Array(items) => items.iter().map(nulls).sum(),
        _ => 0,
    }
}

/// The value as it is shown, shortened.
fn shown(value: &str) -> String {
    const SHOWN: usize = 80;
    match value.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

/// Whether two optional values are equal, whatever the order of their keys.
fn same(old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => old == new || canonical(old) == canonical(new),
        (None, None) => true,
        _ => false,
    }
}

fn addresses(parts: &Parts<'_>) -> Vec<usize> {
    parts.iter().map(|part| address(part)).collect()
}

//! Compares two documents. Components are compared once for each direction, whatever refers to them;
//! what is different in them is reported once, with the operations that it reaches.

mod arrays;
mod content;
mod discriminators;
mod keywords;
mod objects;
mod operations;
mod schemas;
mod security;
mod servers;
mod unions;
mod versions;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use serde_json::Value;

use self::versions::Upgrade;
use super::change::{Change, Class, Direction, Shift};
use super::normal::{Choice, Normaliser, Parts, address, canonical};

/// How many comparisons may be nested before two schemas are taken for different.
const MAX_PROBES: usize = 32;
/// How often two schemas that are written out are compared within one group.
const MAX_VISITS: usize = 8;

/// Two schemas that are compared once, with what was found in them.
struct Group {
    /// The component or the operation.
    name: String,
    is_component: bool,
    changes: Vec<Change>,
    /// The components that it refers to.
    links: BTreeSet<usize>,
}

/// How values are written.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Medium {
    /// As JSON, or in another format that tells numbers from texts.
    Data,
    /// As text, as in a query or a form.
    Text,
    Xml,
}

/// Where a comparison is.
#[derive(Clone)]
struct Spot {
    group: usize,
    path: String,
    direction: Direction,
    medium: Medium,
    /// Whether it is a parameter of the path.
    is_path: bool,
    /// Whether the value may be absent, or may be null where pydantic 1 does not say so.
    is_optional: bool,
}

impl Spot {
    fn at(&self, rest: &str) -> Self {
        Self { path: format!("{}{rest}", self.path), is_optional: true, ..self.clone() }
    }
}

/// What is still to be compared.
enum Job<'a> {
    Schemas(Parts<'a>, Parts<'a>),
    Choices(Rc<Choice<'a>>, Rc<Choice<'a>>),
}

/// The old schema, the new one, the direction, and how values are written.
type Pair = (Vec<usize>, Vec<usize>, Direction, Medium);

pub(super) struct Comparison<'a> {
    old: Normaliser<'a>,
    new: Normaliser<'a>,
    groups: Vec<Group>,
    known: HashMap<Pair, usize>,
    /// The jobs of the groups that have not been compared yet.
    pending: BTreeMap<usize, (Spot, Job<'a>)>,
    probes: usize,
    /// What is being compared outside of groups.
    open: HashSet<Pair>,
    /// How often schemas that are written out were compared within a group.
    visits: HashMap<(usize, Pair), usize>,
    /// The unions that hold besides others and were compared, by the group.
    further: HashSet<(usize, usize, usize)>,
    /// Which upgrades of FastAPI and pydantic lie between the documents.
    upgrade: Upgrade,
}

impl<'a> Comparison<'a> {
    /// Every change between the documents.
    pub(super) fn of(old: &'a Value, new: &'a Value) -> Vec<Change> {
        let mut comparison = Self {
            old: Normaliser::new(old),
            new: Normaliser::new(new),
            groups: Vec::new(),
            known: HashMap::new(),
            pending: BTreeMap::new(),
            probes: 0,
            open: HashSet::new(),
            visits: HashMap::new(),
            further: HashSet::new(),
            upgrade: Upgrade::between(old, new),
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
        while let Some((_, (spot, job))) = self.pending.pop_last() {
            self.run(&spot, job);
        }
    }

    fn run(&mut self, spot: &Spot, job: Job<'a>) {
        match job {
            Job::Schemas(old, new) => self.bare(spot, &old, &new),
            Job::Choices(old, new) => self.choice(spot, &old, &new),
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
            let (medium, is_optional) = (spot.medium, true);
            let (direction, is_path) = (spot.direction, false);
            let spot = Spot { group, path, direction, medium, is_path, is_optional };
            self.pending.insert(group, (spot, job()));
            group
        };
        self.groups[spot.group].links.insert(group);
    }

    /// Whether a comparison finds nothing but documentation.
    fn finds_nothing(&mut self, spot: &Spot, compare: impl FnOnce(&mut Self, &Spot)) -> bool {
        self.worst(spot, compare) == Class::Documentation
    }

    /// The worst that a comparison finds, in the components that it reaches too; none of it is reported.
    fn worst(&mut self, spot: &Spot, compare: impl FnOnce(&mut Self, &Spot)) -> Class {
        if self.probes == MAX_PROBES {
            return Class::Breaking;
        }
        self.probes += 1;
        let group = self.group("", false);
        compare(self, &Spot { group, ..spot.clone() });
        let mut worst = Class::Documentation;
        let mut seen = BTreeSet::from([group]);
        let mut open = vec![group];
        while let Some(group) = open.pop() {
            // Only what is reached, and not all that waits.
            if let Some((spot, job)) = self.pending.remove(&group) {
                self.run(&spot, job);
            }
            let group = &self.groups[group];
            worst = group.changes.iter().map(|change| change.class).fold(worst, Ord::min);
            open.extend(group.links.iter().filter(|link| seen.insert(**link)));
        }
        self.probes -= 1;
        worst
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
        // The same change of one component at two paths is one change that reaches more.
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

//! Learns from the first answers what the document does not describe: with which of the optional fields
//! nothing can be created. Such a field, sent with every request, would have all of them refused.

use std::collections::{BTreeMap, BTreeSet};

use super::{Generated, Generator, named_apart};
use crate::case::Case;
use crate::generate::draft::object;
use crate::generate::schema::object_schema;
use crate::openapi::fields;
use crate::outcome::Outcome;

/// How many optional fields are tried one by one.
const MAX_FIELDS: usize = 12;

/// A generator whose next requests depend on the answers to those before.
pub(in crate::generate) struct Learning<'a> {
    generator: Generator<'a>,
    state: State,
    /// The collections, each after what it needs.
    order: Vec<String>,
    /// For each collection the cases that create the things that others are about.
    creators: BTreeMap<String, Vec<String>>,
    /// The cases that create a thing at the time of the first of their collection.
    time_probes: BTreeMap<String, String>,
    /// Those that create one with what the first refers to.
    reference_probes: BTreeMap<String, String>,
    /// The collections of which nothing can be created, as far as is known.
    given_up: BTreeSet<String>,
    /// Those for which the things around them were brought into other states already.
    tried_states: BTreeSet<String>,
    /// Those that were refused before what they need existed.
    stale: BTreeSet<String>,
    /// How often each name was given.
    known: BTreeMap<String, usize>,
    made: usize,
}

/// What was sent last.
enum State {
    Nothing,
    /// Who each user is.
    Users,
    /// Things of the collection at a position of the order, the first time.
    First(usize),
    /// Things of a collection again.
    Again(String),
    /// A thing of a collection with nothing but what is required.
    Required(String),
    /// The same with one more field each: the field and its case.
    Fields(String, Vec<(String, String)>),
    /// Things of a collection by every user, after each action on what they are within: the actions, each
    /// with its cases.
    States(String, Vec<(usize, Vec<String>)>),
    /// What becomes of things.
    LifeCycles(Vec<Case>),
    Everything,
}

impl<'a> Learning<'a> {
    pub(in crate::generate) fn new(generator: Generator<'a>) -> Self {
        Self {
            order: generator.needed(),
            generator,
            state: State::Nothing,
            creators: BTreeMap::new(),
            time_probes: BTreeMap::new(),
            reference_probes: BTreeMap::new(),
            given_up: BTreeSet::new(),
            tried_states: BTreeSet::new(),
            stale: BTreeSet::new(),
            known: BTreeMap::new(),
            made: 0,
        }
    }

    /// The next cases, after these outcomes of those before; none at the end.
    pub(in crate::generate) fn next(&mut self, outcomes: &[Outcome]) -> Generated {
        let mut cases = match std::mem::replace(&mut self.state, State::Nothing) {
            State::Nothing => self.users(outcomes),
            State::Users => self.things(0, outcomes),
            State::First(position) => {
                let path = self.order[position].clone();
                self.keep_made(&path, outcomes);
                self.things(position + 1, outcomes)
            }
            State::Again(path) => {
                self.keep_made(&path, outcomes);
                self.review(outcomes)
            }
            State::Required(path) => self.after_required(path, outcomes),
            State::Fields(path, cases) => self.after_fields(&path, &cases, outcomes),
            State::States(path, tried) => self.after_states(&path, &tried, outcomes),
            State::LifeCycles(cases) => {
                self.generator.learn_prerequisites(&cases, outcomes);
                self.everything()
            }
            State::Everything => {
                self.state = State::Everything;
                return Generated::default();
            }
        };
        if matches!(self.state, State::Nothing) {
            cases = self.life_cycles();
        }
        self.made += cases.len();
        Generated { cases, without_room: self.generator.without_room }
    }

    /// Whether all that others need was created: what comes now is sent for its own sake.
    pub(in crate::generate) const fn is_done(&self) -> bool {
        matches!(self.state, State::LifeCycles(_) | State::Everything)
    }

    /// What becomes of the things that were created; if there are none, everything else.
    fn life_cycles(&mut self) -> Vec<Case> {
        let mut cases = self.generator.life_cycles(self.made);
        if cases.is_empty() {
            return self.everything();
        }
        named_apart(&mut cases, &mut self.known);
        self.state = State::LifeCycles(cases.clone());
        cases
    }

    fn everything(&mut self) -> Vec<Case> {
        self.state = State::Everything;
        let mut cases = self.generator.rest(self.made);
        named_apart(&mut cases, &mut self.known);
        cases
    }

    /// Requests that return each user; if no operation does, those of the next state.
    fn users(&mut self, outcomes: &[Outcome]) -> Vec<Case> {
        let mut cases = Vec::new();
        if !self.order.is_empty() || self.generator.wanted.is_none() {
            self.generator.observe_users(&mut cases);
        }
        if cases.is_empty() {
            return self.things(0, outcomes);
        }
        named_apart(&mut cases, &mut self.known);
        self.state = State::Users;
        cases
    }

    /// Several things of the collection at a position, after those that it needs; what comes after if
    /// there is none.
    fn things(&mut self, position: usize, outcomes: &[Outcome]) -> Vec<Case> {
        let Some(path) = self.order.get(position).cloned() else { return self.review(outcomes) };
        let mut cases = Vec::new();
        self.generator.observe_members(&path, &mut cases);
        let created = self.generator.populate(&path, self.made, &mut cases);
        let of_time = self.generator.at_the_same_time(&path);
        let of_references = self.generator.with_the_same(&path);
        let (first, is_of_time) = (cases.len(), of_time.is_some());
        cases.extend(of_time.into_iter().chain(of_references));
        named_apart(&mut cases, &mut self.known);
        let mut probes = cases[first..].iter().map(|probe| (path.clone(), probe.name.clone()));
        if is_of_time {
            self.time_probes.extend(probes.next());
        }
        self.reference_probes.extend(probes);
        self.creators.insert(path, created.into_iter().map(|at| cases[at].name.clone()).collect());
        self.state = State::First(position);
        cases
    }

    /// Forgets what was refused, as others than the first user may not create everything.
    fn keep_made(&mut self, path: &str, outcomes: &[Outcome]) {
        let is_made = |name: &String| {
            outcomes.iter().any(|outcome| outcome.case == *name && outcome.succeeded())
        };
        let is_refused = self.time_probes.get(path).is_some_and(|probe| !is_made(probe));
        let is_taken = self.reference_probes.get(path).is_some_and(|claim| !is_made(claim));
        let is_made: Vec<bool> = self.creators[path].iter().map(is_made).collect();
        if is_made.first() == Some(&true) {
            if is_refused {
                self.generator.exclusive.insert(path.to_owned());
            }
            if is_taken {
                self.generator.consuming.insert(path.to_owned());
            }
            // The examples of the document are not the only texts, and can be taken once.
            if is_made[1..].contains(&true) {
                let creator = self.generator.resources[path].creator;
                self.generator.made_up.insert(creator);
            }
        }
        self.generator.keep_made(path, &is_made);
    }

    /// Tries the first collection anew of which nothing could be created. No cases if there is none.
    fn review(&mut self, outcomes: &[Outcome]) -> Vec<Case> {
        let needs = self.generator.needs();
        for path in self.order.clone() {
            let is_settled =
                self.tried_states.contains(&path) && any_succeeded(&self.creators[&path], outcomes);
            if self.given_up.contains(&path)
                || is_settled
                || succeeded(&self.creators[&path], outcomes)
            {
                continue;
            }
            if needs[&path].iter().any(|need| self.given_up.contains(need)) {
                self.given_up.insert(path);
            } else if self.stale.remove(&path) {
                return self.again(&path);
            } else if let Some(case) = self.with(&path, None) {
                self.state = State::Required(path);
                return vec![case];
            } else {
                let cases = self.in_states(&path, outcomes);
                if !cases.is_empty() {
                    return cases;
                }
            }
        }
        Vec::new()
    }

    /// Creates things of a collection by every user, after each action on what they are within: what is
    /// refused of a draft may be possible once it is published, and for others than its user. No cases,
    /// and the collection is given up unless some were created, if that was tried or nothing can be done.
    fn in_states(&mut self, path: &str, outcomes: &[Outcome]) -> Vec<Case> {
        let is_new = self.tried_states.insert(path.to_owned());
        if any_succeeded(&self.creators[path], outcomes) {
            // Some users can create them.
            return Vec::new();
        }
        let has_room = self.made < self.generator.count / 3;
        let steps =
            if is_new && has_room { self.generator.states_around(path) } else { Vec::new() };
        if steps.is_empty() {
            self.given_up.insert(path.to_owned());
            return Vec::new();
        }
        let (mut cases, mut tried) = (Vec::new(), Vec::new());
        for (action, mut step) in steps {
            named_apart(&mut step, &mut self.known);
            tried.push((action, names(&step[1..])));
            cases.extend(step);
        }
        self.state = State::States(path.to_owned(), tried);
        cases
    }

    /// Brings all things that those of a collection are within into the state in which one could be
    /// created, and tries anew what was given up before.
    fn after_states(
        &mut self,
        path: &str,
        tried: &[(usize, Vec<String>)],
        outcomes: &[Outcome],
    ) -> Vec<Case> {
        let found = tried.iter().position(|(_, cases)| any_succeeded(cases, outcomes));
        let Some(found) = found else {
            self.given_up.insert(path.to_owned());
            return self.review(outcomes);
        };
        let actions: Vec<usize> = tried[..=found].iter().map(|(action, _)| *action).collect();
        let mut cases = self.generator.bring_into_state(path, &actions);
        self.generator.allowing.insert(path.to_owned(), actions);
        named_apart(&mut cases, &mut self.known);
        let given_up = std::mem::take(&mut self.given_up);
        self.stale.extend(given_up);
        cases.extend(self.again(path));
        cases
    }

    /// Tries each optional field alone, if a thing can be created without all of them.
    fn after_required(&mut self, path: String, outcomes: &[Outcome]) -> Vec<Case> {
        let last = outcomes.last().is_some_and(Outcome::succeeded);
        if !last {
            let cases = self.in_states(&path, outcomes);
            return if cases.is_empty() { self.review(outcomes) } else { cases };
        }
        let fields = self.optional(&path);
        if fields.len() == 1 || fields.len() > MAX_FIELDS {
            self.avoid(&path, fields);
            return self.again(&path);
        }
        let mut cases = Vec::new();
        let mut tried = Vec::new();
        for field in fields {
            if let Some(case) = self.with(&path, Some(&field)) {
                tried.push((field, case.name.clone()));
                cases.push(case);
            }
        }
        self.state = State::Fields(path, tried);
        cases
    }

    /// Avoids the fields with which nothing was created; all of them if each alone is no harm.
    fn after_fields(
        &mut self,
        path: &str,
        tried: &[(String, String)],
        outcomes: &[Outcome],
    ) -> Vec<Case> {
        let is_harm = |(_, case): &&(String, String)| {
            outcomes.iter().any(|outcome| outcome.case == *case && !outcome.succeeded())
        };
        let harm: Vec<_> = tried.iter().filter(is_harm).map(|(field, _)| field.clone()).collect();
        let fields = if harm.is_empty() { self.optional(path) } else { harm };
        self.avoid(path, fields);
        self.again(path)
    }

    fn avoid(&mut self, path: &str, fields: Vec<String>) {
        let creator = self.generator.resources[path].creator;
        self.generator.avoided.entry(creator).or_default().extend(fields);
    }

    /// Creates the things of a collection again, and what was refused for want of them after that.
    fn again(&mut self, path: &str) -> Vec<Case> {
        if let Some(resource) = self.generator.resources.get_mut(path) {
            resource.things.clear();
        }
        self.generator.samples.created.remove(path);
        self.generator.rows.remove(path);
        self.generator.know_texts(path);
        let mut cases = Vec::new();
        let created = self.generator.populate(path, self.made, &mut cases);
        named_apart(&mut cases, &mut self.known);
        let created = created.into_iter().map(|at| cases[at].name.clone());
        self.creators.insert(path.to_owned(), created.collect());
        let needs = self.generator.needs();
        let within = needs.iter().filter(|(_, needs)| needs.iter().any(|need| need == path));
        self.stale.extend(within.map(|(inner, _)| inner.clone()));
        self.state = State::Again(path.to_owned());
        cases
    }

    /// The optional fields of the body that creates a thing, as it was sent.
    fn optional(&self, path: &str) -> Vec<String> {
        let generator = &self.generator;
        let creator = generator.resources[path].creator;
        let avoided = generator.avoided.get(&creator);
        let required = generator.required(creator);
        let schema = object_schema(generator.document, generator.operations[creator].body, 0);
        let is_sent = |name: &String| avoided.is_none_or(|avoided| !avoided.contains(name));
        let names = fields(&schema["properties"]).map(|(name, _)| name.clone());
        names.filter(|name| !required.contains(&name.as_str()) && is_sent(name)).collect()
    }

    /// A request that creates a thing of what is required, and one optional field. None if nothing is
    /// optional, or was left out before.
    fn with(&mut self, path: &str, field: Option<&str>) -> Option<Case> {
        if self.optional(path).is_empty() || self.generator.resources[path].is_product {
            return None;
        }
        let creator = self.generator.resources[path].creator;
        let parent = self.generator.parent(path, 0, 0);
        let mut draft = self.generator.creation(creator, 0, parent.as_ref(), 0);
        let required = self.generator.required(creator);
        object(&mut draft)?
            .retain(|name, _| required.contains(&name.as_str()) || Some(name.as_str()) == field);
        draft.changes.push(match field {
            Some(field) => format!("only what is required, and {field}"),
            None => "only what is required".to_owned(),
        });
        let (case, _) = self.generator.created(path, 0, parent.as_ref(), &draft);
        let mut cases = [case];
        named_apart(&mut cases, &mut self.known);
        let [case] = cases;
        Some(case)
    }
}

fn names(cases: &[Case]) -> Vec<String> {
    cases.iter().map(|case| case.name.clone()).collect()
}

/// Whether one of the cases succeeded.
fn any_succeeded(cases: &[String], outcomes: &[Outcome]) -> bool {
    outcomes.iter().any(|outcome| cases.contains(&outcome.case) && outcome.succeeded())
}

/// Whether the first of the cases succeeded, which most requests after are about, and most of the
/// others: a few may lack what makes them fail.
fn succeeded(cases: &[String], outcomes: &[Outcome]) -> bool {
    let of_them: Vec<_> = outcomes.iter().filter(|outcome| cases.contains(&outcome.case)).collect();
    let succeeded = of_them.iter().filter(|outcome| outcome.succeeded()).count();
    of_them.first().is_some_and(|first| first.succeeded()) && 2 * succeeded > cases.len()
}

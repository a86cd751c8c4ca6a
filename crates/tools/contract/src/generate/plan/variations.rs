//! Variations of a request that should succeed: changes alone and together.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use super::{Generator, Thing, Unit};
use crate::case::Case;
use crate::generate::changes::{Change, Changes, Rank, changed};
use crate::generate::draft::{Draft, finish, object};
use crate::generate::operation::collection;
use crate::generate::schema::{REFERS_TO, object_schema, text_of};
use crate::openapi::fields;

/// How many pairs of allowed changes are made of an operation, and of changes that are not.
const PAIRS: usize = 60;
const WRONG_PAIRS: usize = 8;
/// How many fields are changed at once, where the document allows it and where it does not.
const ALLOWED_AT_ONCE: usize = 4;
const WRONG_AT_ONCE: usize = 3;

/// How many changes of a thing's state are followed by what refers to it, of each operation.
const STATES: usize = 4;

/// The steps in which variations are sent.
const LIMITS: usize = 0;
pub(super) const FIRST: usize = 1;
pub(super) const ALLOWED: usize = 2;
const NEAR: usize = 3;
const COMBINED: usize = 4;
const WRONG: usize = 5;
const LAST: usize = 6;

impl<'a> Generator<'a> {
    /// The requests to an operation, with the step in which each is sent.
    pub(super) fn variations(&mut self, index: usize) -> Vec<Unit> {
        let (document, users) = (self.document, self.users);
        let operation = &self.operations[index];
        let changes = Changes { document, users, samples: &mut self.samples, sent: &self.sent };
        let mut changes = { changes }.of(operation);
        self.rng.shuffle(&mut changes);
        // Many times its share of the requests, as others need less.
        let max = self.share;
        if changes.len() > max {
            let order = |change: &Change<'_>| {
                (!change.breaks_member_limit(), change.rank, change.is_general())
            };
            changes.sort_by_key(order);
            self.without_room += changes.len() - max;
            changes.truncate(max);
            self.rng.shuffle(&mut changes);
        }
        // To delete what a session needs would end it.
        if self.ends_session(index) {
            let draft = self.draft(index, 0, None, 0);
            let few = changes.iter().filter(|change| change.rank == Rank::Valid).take(6);
            let mut cases: Vec<Case> = few
                .map(|change| finish(&self.operations[index], &changed(&draft, &[change])))
                .collect();
            cases.push(self.case(index, draft, "valid"));
            return vec![(LAST, cases)];
        }
        let actor = self.actor(index);
        let mut units = Vec::new();
        if let Some(path) = self.resource_of(index).filter(|_| self.uses_up(index)) {
            // Created before all requests to it, in any order of those.
            let mut made = Vec::new();
            let fresh = self.create_own(&path, actor, &mut made);
            self.spent.insert((index, actor), fresh);
            let has_limits =
                self.member_share > 0 && changes.iter().any(Change::breaks_member_limit);
            units.push((if has_limits { LIMITS } else { FIRST }, made));
        }
        for number in 0..if self.operations[index].is_write() { 3 } else { 1 } {
            units.push((FIRST, self.unit(index, actor, number, &[])));
        }
        if self.operations[index].is_write() {
            units.extend(self.twice(index));
        }
        units.extend(self.adjoining(index).map(|case| (FIRST, vec![case])));
        let mut others: VecDeque<Unit> = self.of_others(index).into();
        let has_tags = self.operations.iter().flat_map(|o| &o.parameters).any(|parameter| {
            let name = parameter["name"].as_str().unwrap_or_default().to_lowercase();
            ["if-match", "if-none-match"].contains(&&*name)
        });
        // Where no operation takes tags, the service may not have any.
        let step = if has_tags { ALLOWED } else { COMBINED };
        units.extend(self.with_tags(index).map(|unit| (step, unit)));
        units.extend(self.transitions(index).into_iter().map(|unit| (ALLOWED, unit)));
        units.extend(self.filtered(index).into_iter().map(|case| (ALLOWED, vec![case])));
        let has_body = self.operations[index].media_type.is_some();
        let (allowed, other): (Vec<_>, Vec<_>) =
            changes.iter().partition(|change| change.rank == Rank::Valid);
        let mut avoided = self.avoided.get(&index).cloned().unwrap_or_default();
        avoided.extend(self.dependent(index));
        let is_bundled = |change: &&Change<'_>| {
            // What is refused would hide the others.
            let field = change.target.strip_prefix("body ");
            has_body
                && field.is_some_and(|field| !avoided.contains(field))
                && !change.name.ends_with(": null")
        };
        let (bundled, single): (Vec<_>, Vec<_>) = allowed.iter().copied().partition(is_bundled);
        let is_null = |change: &&Change<'_>| change.name.ends_with(": null");
        let (nulls, single): (Vec<_>, Vec<_>) = single.into_iter().partition(is_null);
        let alone = |change| vec![change];
        let chosen = nulls
            .into_iter()
            .map(alone)
            .chain(bundles(&bundled, ALLOWED_AT_ONCE))
            .chain(single.into_iter().map(alone));
        // There may be many of others, of which each shows as much as the next.
        for changes in chosen {
            let is_general = changes.len() == 1 && changes[0].is_general();
            let step = if is_general && !is_bundled(&changes[0]) { COMBINED } else { ALLOWED };
            units.push((step, self.unit(index, actor, 0, &changes)));
            units.extend(others.pop_front());
        }
        units.extend(others);
        let (general, single): (Vec<_>, Vec<_>) =
            other.iter().copied().partition(|change| change.is_general() && change.is_field());
        let mut limits_left = self.member_share;
        for change in single {
            let step = if change.breaks_member_limit() && limits_left > 0 {
                limits_left -= 1;
                LIMITS
            } else if change.rank == Rank::Near {
                NEAR
            } else {
                WRONG
            };
            units.push((step, self.unit(index, actor, 0, &[change])));
        }
        for (number, changes) in bundles(&general, WRONG_AT_ONCE).into_iter().enumerate() {
            let step = if number < WRONG_PAIRS { NEAR } else { COMBINED };
            units.push((step, self.unit(index, actor, 0, &changes)));
        }
        units.push((LAST, self.at_the_end(index)));
        let is_list = self.operations[index].method == "GET";
        units.extend(self.pairs(index, actor, &allowed, if is_list { PAIRS } else { 0 }));
        units.extend(self.pairs(index, actor, &other, WRONG_PAIRS));
        units
    }

    /// Requests with changes of two fields, so many at most: one of each pair of fields in turn, whatever
    /// number of values each has.
    fn pairs(&mut self, index: usize, actor: usize, of: &[&Change<'a>], count: usize) -> Vec<Unit> {
        let is_of_use = |change: &&Change<'_>| change.is_field() && !change.is_empty();
        let of_fields: Vec<_> = of.iter().copied().filter(is_of_use).collect();
        let mut targets: Vec<_> = of_fields.iter().map(|change| change.target.clone()).collect();
        targets.sort();
        targets.dedup();
        let mut units = Vec::new();
        if targets.len() < 2 {
            return units;
        }
        for number in 0..count.min(targets.len() * targets.len() * 2) {
            let one = self.one_of(&of_fields, &targets[number % targets.len()]);
            let other = (number + 1 + number / targets.len()) % targets.len();
            let two = self.one_of(&of_fields, &targets[other]);
            if let (Some(one), Some(two)) = (one, two)
                && one.target != two.target
            {
                units.push((NEAR, self.unit(index, actor, 0, &[one, two])));
            }
        }
        units
    }

    /// The fields of a body whose values may have to fit others: ids of things, and moments if there are
    /// several.
    fn dependent(&self, index: usize) -> Vec<String> {
        let schema = object_schema(self.document, self.operations[index].body, 0);
        let texts = fields(&schema["properties"])
            .map(|(name, schema)| (name.clone(), text_of(self.document, schema, 0)));
        let (references, others): (Vec<_>, Vec<_>) =
            texts.partition(|(_, text)| text.contains(REFERS_TO));
        let is_moment = |(_, text): &(String, String)| {
            ["date-time", "date", "time"].iter().any(|name| text.contains(&format!("\"{name}\"")))
        };
        let moments: Vec<_> = others.into_iter().filter(is_moment).collect();
        let moments = Some(moments).filter(|moments| moments.len() > 1).unwrap_or_default();
        references.into_iter().chain(moments).map(|(name, _)| name).collect()
    }

    /// Whether a request, about nothing that was created, may end what all others need: it deletes
    /// something, or has neither a body nor a result and so can only change what is known of its
    /// sender.
    pub(super) fn ends_session(&self, index: usize) -> bool {
        let operation = &self.operations[index];
        let is_bare = operation.method == "POST"
            && operation.is_secured
            && operation.media_type.is_none()
            && fields(&operation.result["properties"]).next().is_none()
            && !self.resources.contains_key(&collection(operation.path));
        (operation.method == "DELETE" || is_bare) && self.resource_of(index).is_none()
    }

    pub(super) fn one_of<'c>(
        &mut self,
        changes: &[&'c Change<'a>],
        target: &str,
    ) -> Option<&'c Change<'a>> {
        let of: Vec<_> = changes.iter().filter(|change| change.target == target).collect();
        if of.is_empty() { None } else { Some(of[self.rng.usize(..of.len())]) }
    }

    /// A request with some changes, after what it needs, before what shows its effect.
    pub(super) fn unit(
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
        let uses_up = self.uses_up(index);
        let is_new = is_allowed && (uses_up || self.changes_state(index, changes));
        if let (true, false, Some(path)) = (uses_up, is_allowed, &resource)
            && changes.iter().all(|change| !change.target.starts_with("path"))
        {
            // What is not allowed may be done all the same, to a thing of no further use.
            if let Some(known) = self.spent.get(&(index, user)) {
                thing = Some(known.clone());
            } else {
                let fresh = self.create_own(path, user, &mut cases);
                self.spent.insert((index, user), fresh.clone());
                thing = Some(fresh);
            }
        }
        if let (true, Some(path)) = (is_new, &resource) {
            let fresh = self.create_own(path, user, &mut cases);
            if self.makes_product(index) {
                self.fill(path, user, &fresh, &mut cases);
            }
            self.prepare(index, user, &fresh, &mut cases);
            thing = Some(fresh);
        }
        let mut draft = if is_creator && is_allowed {
            let known = self.with_fresh(&own, user, None, &mut cases);
            let draft = if self.exclusive.contains(&own) {
                self.later(|this| this.draft(index, user, thing.as_ref(), number))
            } else {
                self.draft(index, user, thing.as_ref(), number)
            };
            self.restore(known);
            draft
        } else {
            self.draft(index, user, thing.as_ref(), number)
        };
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
            // A read shows every field of what was created.
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
        // What it is now may keep others from referring to it.
        let is_state = !changes.is_empty() && self.changes_state(index, changes);
        if let (true, Some(path), Some(thing)) = (is_state, &resource, &thing) {
            let times = self.referred.entry(index).or_default();
            *times += 1;
            if *times <= STATES {
                self.refer_to(path, user, thing, &mut cases);
            }
        }
        cases
    }

    /// Creates a thing of a user, within the first of the user's own.
    pub(super) fn create_own(&mut self, path: &str, user: usize, cases: &mut Vec<Case>) -> Thing {
        let parent = self.parent(path, user, 0);
        self.create(path, user, parent.as_ref(), 0, cases)
    }

    /// Whether the operation deletes a thing, or acts on it.
    pub(super) fn uses_up(&self, index: usize) -> bool {
        let operation = &self.operations[index];
        let is_creator =
            operation.method == "POST" && self.resources.contains_key(&collection(operation.path));
        ["DELETE", "POST"].contains(&&*operation.method) && !is_creator
    }

    /// Whether an update, with these changes, may put a thing into a state in which it can no longer
    /// be changed: it has a field with one of several values.
    fn changes_state(&self, index: usize, changes: &[&Change<'a>]) -> bool {
        let operation = &self.operations[index];
        if !["PUT", "PATCH"].contains(&&*operation.method) {
            return false;
        }
        let is_state = |(name, schema): (&String, &Value)| {
            let target = format!("body {name}");
            let is_sent =
                changes.is_empty() || changes.iter().any(|change| change.target == target);
            let text = text_of(self.document, schema, 0);
            is_sent && (text.contains("\"enum\"") || text.contains("\"boolean\""))
        };
        fields(operation.fields).any(is_state)
    }

    /// The fields that a body must have.
    pub(super) fn required(&self, index: usize) -> Vec<&'a str> {
        let schema = object_schema(self.document, self.operations[index].body, 0);
        let required = schema["required"].as_array().into_iter().flatten();
        required.filter_map(Value::as_str).collect()
    }

    /// Leaves out of a body what need not be there.
    pub(super) fn reduce(&self, index: usize, draft: &mut Draft) {
        let required = self.required(index);
        if let Some(body) = object(draft) {
            body.retain(|name, _| required.contains(&name.as_str()));
        }
    }

    /// A request with several changes to each operation, up to so many; false if there are none.
    pub(super) fn several(&mut self, max: usize, cases: &mut Vec<Case>) -> bool {
        let before = cases.len();
        for index in 0..self.operations.len() {
            if self.ends_session(index) || !self.is_wanted(index) {
                continue;
            }
            let (document, users) = (self.document, self.users);
            let operation = &self.operations[index];
            let changes = Changes { document, users, samples: &mut self.samples, sent: &self.sent };
            let changes = { changes }.of(operation);
            for _ in 0..if cases.len() < max { 4 } else { 0 } {
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
pub(super) fn bundles<'c, 'a>(changes: &[&'c Change<'a>], size: usize) -> Vec<Vec<&'c Change<'a>>> {
    let mut left: BTreeMap<&str, VecDeque<&'c Change<'a>>> = BTreeMap::new();
    for change in changes {
        left.entry(&change.target).or_default().push_back(change);
    }
    let mut bundles = Vec::new();
    loop {
        // The longest queues first, so that no change is left to be sent alone at the end.
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

//! Two unions: which choice of the one has become which of the other.

use std::rc::Rc;

use serde_json::{Map, Value};

use super::{Comparison, Job, Spot, addresses, same};
use crate::openapi::change::{Class, Shift};
use crate::openapi::normal::{Choice, Kind, Normaliser, address, plain};

/// How many pairs of components are tried to find those that are the same.
const MAX_PAIRS: usize = 64;

type Choices<'a> = Vec<Rc<Choice<'a>>>;

impl<'a> Comparison<'a> {
    pub(super) fn unions(&mut self, spot: &Spot, old: &Choices<'a>, new: &Choices<'a>) {
        let (mut olds, mut news) = (old.clone(), new.clone());
        self.nulls(spot, &mut olds, &mut news);
        self.discriminators(spot, &olds, &news);
        if let ([old], [new]) = (olds.as_slice(), news.as_slice()) {
            let (old, new) = (Rc::clone(old), Rc::clone(new));
            return self.single(spot, &old, &new);
        }
        let within = |choice: &Choice<'a>| spot.at(&format!("<{}>", name(choice)));
        // Choices of one name, then those that say the same, then those of one kind.
        let exact = |a: &Choice<'a>, b: &Choice<'a>| {
            a.kind == b.kind && a.label.is_some() && a.label == b.label
        };
        let similar = |a: &Choice<'a>, b: &Choice<'a>| {
            a.kind == b.kind && a.label.is_some() && a.label.map(plain) == b.label.map(plain)
        };
        for (old, new) in matched(&mut olds, &mut news, exact) {
            self.choices(&within(&old), &old, &new);
        }
        for (old, new) in matched(&mut olds, &mut news, similar) {
            self.choices(&within(&old), &old, &new);
        }
        let prints = |choices: &Choices<'a>, side: &Normaliser<'a>| -> Vec<String> {
            choices.iter().map(|choice| side.fingerprint(choice)).collect()
        };
        let (before, mut after) = (prints(&olds, &self.old), prints(&news, &self.new));
        let mut before = before.into_iter();
        let mut pairs = Vec::new();
        olds.retain(|old| {
            let print = before.next();
            let equal = after.iter().position(|other| Some(other) == print.as_ref());
            if let Some(equal) = equal {
                after.remove(equal);
                pairs.push((Rc::clone(old), news.remove(equal)));
            }
            equal.is_none()
        });
        for (old, new) in pairs {
            self.choices(&within(&old), &old, &new);
        }
        // Those that are called otherwise, or are written out in one of the documents.
        if olds.len() * news.len() <= MAX_PAIRS {
            let is_object = |choice: &Choice<'a>| choice.kind == Kind::Object;
            let equal = |a: &Rc<Choice<'a>>, b: &Rc<Choice<'a>>, it: &mut Self| {
                is_object(a) && is_object(b) && it.finds_nothing(spot, |it, at| it.choice(at, a, b))
            };
            olds.retain(|old| {
                let found = news.iter().position(|new| equal(old, new, self));
                if let Some(found) = found {
                    news.remove(found);
                }
                found.is_none()
            });
        }
        let of_kind = |a: &Choice<'a>, b: &Choice<'a>| {
            a.kind == b.kind && (a.kind != Kind::Object || a.label.is_none() || b.label.is_none())
        };
        for (old, new) in matched(&mut olds, &mut news, of_kind) {
            self.choices(&within(&old), &old, &new);
        }
        let numbers = |a: &Choice<'a>, b: &Choice<'a>| a.kind.is_numeric() && b.kind.is_numeric();
        for (old, new) in matched(&mut olds, &mut news, numbers) {
            self.choices(&within(&old), &old, &new);
        }
        self.left_over(spot, &olds, &news);
    }

    /// Takes null out of the unions, and reports where only one has it.
    fn nulls(&mut self, spot: &Spot, olds: &mut Choices<'a>, news: &mut Choices<'a>) {
        let is_alone = |choices: &Choices<'a>| {
            !choices.is_empty() && choices.iter().all(|choice| choice.kind == Kind::Null)
        };
        let allows_any = |choices: &Choices<'a>| choices.iter().any(|c| c.kind == Kind::Any);
        let take = |choices: &mut Choices<'a>| {
            let count = choices.len();
            choices.retain(|choice| choice.kind != Kind::Null);
            choices.len() < count
        };
        if is_alone(olds) != is_alone(news) || allows_any(olds) || allows_any(news) {
            return;
        }
        match (take(olds), take(news)) {
            (false, true) if self.upgrade.pydantic && spot.is_optional => {}
            (false, true) => {
                self.shift(spot, "became-nullable", Shift::Wider, "may be null now");
            }
            (true, false) => {
                let what = "may not be null any more";
                self.shift(spot, "became-not-nullable", Shift::Narrower, what);
            }
            _ => {}
        }
    }

    /// One choice on either side.
    fn single(&mut self, spot: &Spot, old: &Rc<Choice<'a>>, new: &Rc<Choice<'a>>) {
        let comparable = old.kind == new.kind
            || (old.kind.is_numeric() && new.kind.is_numeric())
            || old.kind == Kind::Any
            || new.kind == Kind::Any;
        if comparable {
            return self.choices(spot, old, new);
        }
        let what = format!("was {} and is {} now", old.kind.name(), new.kind.name());
        let is_scalar = !matches!(old.kind, Kind::Array | Kind::Object);
        if spot.is_text && is_scalar && new.kind == Kind::String && new.is_plain() {
            // Every number is a text where all is written as text.
            return self.shift(spot, "type-widened", Shift::Wider, what);
        }
        self.shift(spot, "type-changed", Shift::Other, what);
    }

    fn left_over(&mut self, spot: &Spot, olds: &Choices<'a>, news: &Choices<'a>) {
        if olds.is_empty() && news.is_empty() {
            return;
        }
        let list = |choices: &Choices<'a>| {
            let names: Vec<_> = choices.iter().map(|choice| name(choice)).collect();
            if names.is_empty() { "nothing".to_owned() } else { names.join(" or ") }
        };
        let any = |choices: &Choices<'a>| choices.iter().any(|choice| choice.kind == Kind::Any);
        if any(olds)
            || any(news)
            || olds.len() == 1 && news.len() == 1 && olds[0].kind != Kind::Object
        {
            let what = format!("was {} and is {} now", list(olds), list(news));
            let (rule, shift) = match (any(olds), any(news)) {
                (true, false) => ("type-narrowed", Shift::Narrower),
                (false, true) => ("type-widened", Shift::Wider),
                _ => ("type-changed", Shift::Other),
            };
            return self.shift(spot, rule, shift, what);
        }
        for old in olds {
            let what = format!("{} is not allowed any more", name(old));
            self.shift(spot, "union-member-removed", Shift::Narrower, what);
        }
        for new in news {
            let what = format!("{} is allowed now", name(new));
            self.shift(spot, "union-member-added", Shift::Wider, what);
        }
    }

    /// Compares two choices: components within a group of their own.
    fn choices(&mut self, spot: &Spot, old: &Rc<Choice<'a>>, new: &Rc<Choice<'a>>) {
        let (Some((a, i)), Some((b, j))) = (old.origin, new.origin) else {
            return self.choice(spot, old, new);
        };
        let name = old.label.unwrap_or_else(|| old.kind.name());
        let (one, other) = (vec![a], vec![b]);
        if self.old.choices(&one).len() == 1 && self.new.choices(&other).len() == 1 {
            let pair = (addresses(&one), addresses(&other), spot.direction, spot.is_text);
            return self.link(spot, name, pair, || Job::Schemas(one, other));
        }
        let pair = (vec![address(a), i], vec![address(b), j], spot.direction, spot.is_text);
        let (old, new) = (Rc::clone(old), Rc::clone(new));
        self.link(spot, name, pair, || Job::Choices(old, new));
    }

    /// Compares what tells the members of two unions apart, and the components that it leads to.
    fn discriminators(&mut self, spot: &Spot, olds: &Choices<'a>, news: &Choices<'a>) {
        if let ([old], [new]) = (olds.as_slice(), news.as_slice())
            && old.origin.is_some()
            && new.origin.is_some()
        {
            // They are compared with their components.
            return;
        }
        let (before, after) = (discriminator(olds), discriminator(news));
        let are_unions = [olds.len() > 1, news.len() > 1];
        let (before, after) = match (before, after) {
            (Some(before), Some(after)) => (before, after),
            _ if are_unions[0] != are_unions[1] => return,
            (Some(before), None) => {
                let is_distinct = is_tagged(&self.old, olds, before);
                let what = "members are not distinguished by a discriminator any more";
                return self.distinction(spot, is_distinct, Shift::Wider, what);
            }
            (None, Some(after)) => {
                let is_distinct = is_tagged(&self.new, news, after);
                let what = "members are distinguished by a discriminator now";
                return self.distinction(spot, is_distinct, Shift::Narrower, what);
            }
            (None, None) => return,
        };
        if !same(before.get("propertyName"), after.get("propertyName")) {
            let what = "the discriminator is another property now";
            return self.shift(spot, "discriminator-changed", Shift::Other, what);
        }
        let is_distinct = is_tagged(&self.old, olds, before) && is_tagged(&self.new, news, after);
        let mapping =
            |discriminator: &'a Value| discriminator.get("mapping").and_then(Value::as_object);
        let (before, after) = match (mapping(before), mapping(after)) {
            (Some(before), Some(after)) => (before.clone(), after.clone()),
            // Members without a key go by their names, unless they say their values themselves.
            (before, after) if !is_distinct && (before.is_some() || after.is_some()) => {
                (completed(before, olds), completed(after, news))
            }
            _ => return,
        };
        let is_member = |choices: &Choices<'a>, target: &Value| {
            // Subtypes are no members of a union.
            let target = label(target);
            choices.len() < 2 || choices.iter().any(|one| one.label.map(plain) == target)
        };
        for (key, target) in &before {
            match after.get(key) {
                Some(other) if label(target) == label(other) => self.mapped(spot, target, other),
                Some(other) => {
                    let [a, b] = [target, other].map(|of| label(of).unwrap_or("nothing"));
                    let what = format!("the discriminator's {key} was {a} and is {b} now");
                    self.shift(spot, "discriminator-changed", Shift::Other, what);
                }
                // A member that is gone is reported as that.
                None if is_member(news, target) => {
                    let what = format!("the discriminator may not be {key} any more");
                    self.shift(spot, "discriminator-changed", Shift::Narrower, what);
                }
                None => {}
            }
        }
        for (key, target) in &after {
            if !before.contains_key(key) && is_member(olds, target) {
                let what = format!("the discriminator may be {key} now");
                self.shift(spot, "discriminator-changed", Shift::Wider, what);
            }
        }
    }

    /// Reports a discriminator that came or went; values are the same where each member has its own.
    fn distinction(&mut self, spot: &Spot, is_distinct: bool, shift: Shift, what: &str) {
        let class = if is_distinct { Class::NonBreaking } else { shift.class(spot.direction) };
        self.add(spot, "discriminator-changed", class, what);
    }

    /// Compares the components that a key of two mappings leads to.
    fn mapped(&mut self, spot: &Spot, old: &Value, new: &Value) {
        let find = |side: &Normaliser<'a>, target: &Value| -> Option<&'a Value> {
            let target = target.as_str()?;
            match target.strip_prefix('#') {
                Some(pointer) => side.document.pointer(pointer),
                None => side.document["components"]["schemas"].get(target),
            }
        };
        let (Some(before), Some(after)) = (find(&self.old, old), find(&self.new, new)) else {
            return;
        };
        let (before, after) = (vec![before], vec![after]);
        let pair = (addresses(&before), addresses(&after), spot.direction, spot.is_text);
        let name = old.as_str().and_then(|target| target.rsplit('/').next()).unwrap_or_default();
        self.link(spot, name, pair, || Job::Schemas(before, after));
    }
}

/// The discriminator of a union, if it has one, or of the component that is its only member.
fn discriminator<'a>(choices: &Choices<'a>) -> Option<&'a Value> {
    let own = |choice: &Choice<'a>| {
        let component = choice.origin.filter(|_| choices.len() == 1);
        choice.discriminator.or_else(|| component?.0.get("discriminator"))
    };
    let first = choices.iter().find_map(|choice| own(choice))?;
    let is_only = choices.iter().filter_map(|choice| own(choice)).all(|o| std::ptr::eq(o, first));
    is_only.then_some(first)
}

/// A mapping with the members of a union that it leaves out, by their names.
fn completed(mapping: Option<&Map<String, Value>>, choices: &Choices<'_>) -> Map<String, Value> {
    let mut mapping = mapping.cloned().unwrap_or_default();
    let names = choices.iter().filter_map(|choice| choice.label).map(plain);
    for name in names.filter(|_| choices.len() > 1) {
        if !mapping.values().any(|target| label(target) == Some(name)) {
            mapping.insert(name.to_owned(), name.into());
        }
    }
    mapping
}

/// The component that a key of a mapping leads to.
fn label(target: &Value) -> Option<&str> {
    target.as_str()?.rsplit('/').next().map(plain)
}

/// Whether every member says itself which values of the discriminator are its own.
fn is_tagged<'a>(side: &Normaliser<'a>, choices: &Choices<'a>, discriminator: &Value) -> bool {
    let name = discriminator["propertyName"].as_str().unwrap_or_default();
    choices.iter().all(|choice| {
        choice.required.contains(name)
            && choice.properties.get(name).is_some_and(|parts| {
                let values = side.choices(parts);
                !values.is_empty() && values.iter().all(|value| value.values.is_some())
            })
    })
}

impl Kind {
    fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

/// What a choice is called in a message.
fn name(choice: &Choice<'_>) -> String {
    match choice.label.filter(|_| matches!(choice.kind, Kind::Object) || choice.origin.is_some()) {
        Some(label) => label.to_owned(),
        None => choice.kind.name().to_owned(),
    }
}

/// Takes the pairs that belong together out of the lists.
fn matched<'a>(
    olds: &mut Choices<'a>,
    news: &mut Choices<'a>,
    belong: impl Fn(&Choice<'a>, &Choice<'a>) -> bool,
) -> Vec<(Rc<Choice<'a>>, Rc<Choice<'a>>)> {
    let mut pairs = Vec::new();
    olds.retain(|old| {
        let found = news.iter().position(|new| belong(old, new));
        if let Some(found) = found {
            pairs.push((Rc::clone(old), news.remove(found)));
        }
        found.is_none()
    });
    pairs
}

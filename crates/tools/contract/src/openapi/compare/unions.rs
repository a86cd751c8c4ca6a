//! Two unions: which choice of the one has become which of the other.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::{Comparison, Job, Medium, Spot, addresses};
use crate::openapi::change::{Class, Direction, Shift};
use crate::openapi::normal::{Bound, Choice, Exclusion, Kind, Normaliser, address, plain, whole};

/// How many pairs of components are tried to find those that are the same.
const MAX_PAIRS: usize = 64;

pub(super) type Choices<'a> = Vec<Rc<Choice<'a>>>;

impl<'a> Comparison<'a> {
    pub(super) fn unions(&mut self, spot: &Spot, old: &Choices<'a>, new: &Choices<'a>) {
        let (mut olds, mut news) = (old.clone(), new.clone());
        self.nulls(spot, &mut olds, &mut news);
        self.discriminators(spot, &olds, &news);
        self.exclusion(spot, &olds, &news);
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

    /// Reports that values which fit several members of a union are refused, or not any more.
    fn exclusion(&mut self, spot: &Spot, olds: &Choices<'a>, news: &Choices<'a>) {
        let worst = |choices: &Choices<'a>| {
            choices.iter().map(|choice| choice.exclusion).max().unwrap_or_default()
        };
        let (before, after) = (worst(olds), worst(news));
        let (is_old, is_new) = (before >= Exclusion::One, after >= Exclusion::One);
        if before == Exclusion::None
            && is_new
            && (olds.len() > 1 || after == Exclusion::Overlapping)
            && self.new.overlap(news)
        {
            let what = "oneOf: values that fit several members are refused now";
            self.shift(spot, "keyword-changed", Shift::Narrower, what);
        }
        if is_old
            && after == Exclusion::None
            && (news.len() > 1 || before == Exclusion::Overlapping)
            && self.old.overlap(olds)
        {
            let what = "oneOf: values that fit several members are allowed now";
            self.shift(spot, "keyword-changed", Shift::Wider, what);
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
        if spot.medium == Medium::Text && is_scalar(old) {
            if new.kind == Kind::String && new.is_plain() {
                // Every number is a text where all is written as text.
                return self.shift(spot, "type-widened", Shift::Wider, what);
            }
            if let (Some(old), Some(new)) = (as_texts(old), as_texts(new)) {
                return self.choice(spot, &Rc::new(old), &Rc::new(new));
            }
            if spot.direction == Direction::Request && self.is_one_of_list(spot, old, new) {
                return self.shift(spot, "type-widened", Shift::Wider, what);
            }
        }
        self.shift(spot, "type-changed", Shift::Other, what);
    }

    /// Whether a single value is written as a list that holds nothing else.
    fn is_one_of_list(&mut self, spot: &Spot, old: &Rc<Choice<'a>>, new: &Choice<'a>) -> bool {
        let is_one = |bounds: &BTreeMap<&'static str, Bound>, order: std::cmp::Ordering| {
            bounds.values().all(|bound| whole(&bound.value).is_some_and(|n| n.cmp(&1) != order))
        };
        let items = self.new.choices(new.prefix.first().unwrap_or(&new.items));
        new.kind == Kind::Array
            && is_one(&new.lower, std::cmp::Ordering::Greater)
            && is_one(&new.upper, std::cmp::Ordering::Less)
            && self.worst(spot, |it, spot| it.unions(spot, &vec![Rc::clone(old)], &items))
                != Class::Breaking
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
            let pair = (addresses(&one), addresses(&other), spot.direction, spot.medium);
            return self.link(spot, name, pair, || Job::Schemas(one, other));
        }
        let pair = (vec![address(a), i], vec![address(b), j], spot.direction, spot.medium);
        let (old, new) = (Rc::clone(old), Rc::clone(new));
        self.link(spot, name, pair, || Job::Choices(old, new));
    }
}

impl Kind {
    fn is_numeric(self) -> bool {
        matches!(self, Self::Integer | Self::Number)
    }
}

/// Whether values are written as one text.
fn is_scalar(choice: &Choice<'_>) -> bool {
    !matches!(choice.kind, Kind::Any | Kind::Array | Kind::Object)
}

/// Single values that are written as texts, as those texts.
fn as_texts<'a>(choice: &Choice<'a>) -> Option<Choice<'a>> {
    let values = choice.values.as_ref().filter(|_| is_scalar(choice))?;
    let text = |value: &String| {
        if value.starts_with('"') { value.clone() } else { Value::from(value.as_str()).to_string() }
    };
    let values = Some(values.iter().map(text).collect());
    let (kind, lower, upper) = (Kind::String, BTreeMap::new(), BTreeMap::new());
    Some(Choice { kind, values, lower, upper, ..choice.clone() })
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

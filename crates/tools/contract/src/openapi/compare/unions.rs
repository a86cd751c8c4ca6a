//! Two unions: which choice of the one has become which of the other.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use super::{Comparison, Job, Spot, addresses, same};
use crate::openapi::change::Shift;
use crate::openapi::normal::{Choice, Kind, Normaliser, address, plain};

type Choices<'a> = Vec<Rc<Choice<'a>>>;

impl<'a> Comparison<'a> {
    pub(super) fn unions(&mut self, spot: &Spot, old: &Choices<'a>, new: &Choices<'a>) {
        let (mut olds, mut news) = (old.clone(), new.clone());
        self.nulls(spot, &mut olds, &mut news);
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
            (false, true) if self.is_modernised && spot.is_optional => {}
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

    pub(super) fn discriminators(&mut self, spot: &Spot, old: &Choice<'a>, new: &Choice<'a>) {
        let (before, after) = (old.discriminator, new.discriminator);
        let (Some(before), Some(after)) = (before, after) else { return };
        if !same(before.get("propertyName"), after.get("propertyName")) {
            let what = "the discriminator is another property now";
            self.shift(spot, "discriminator-changed", Shift::Other, what);
        }
        let keys: BTreeSet<&String> = [before, after]
            .iter()
            .filter_map(|discriminator| discriminator.get("mapping")?.as_object())
            .flat_map(serde_json::Map::keys)
            .collect();
        for key in keys {
            let label = |discriminator: &'a Value| -> Option<&'a str> {
                let target = discriminator.get("mapping")?.get(key)?.as_str()?;
                target.rsplit('/').next().map(plain)
            };
            if let (Some(before), Some(after)) = (label(before), label(after))
                && before != after
            {
                let what = format!("the discriminator's {key} was {before} and is {after} now");
                self.shift(spot, "discriminator-changed", Shift::Other, what);
            }
        }
    }
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

//! Discriminators of unions.

use serde_json::{Map, Value};

use super::unions::Choices;
use super::{Comparison, Job, Spot, addresses, same};
use crate::openapi::change::{Class, Shift};
use crate::openapi::normal::{Choice, Normaliser, plain};

impl<'a> Comparison<'a> {
    /// Compares the discriminators of two unions, and the components that they lead to.
    pub(super) fn discriminators(&mut self, spot: &Spot, olds: &Choices<'a>, news: &Choices<'a>) {
        if let ([old], [new]) = (olds.as_slice(), news.as_slice())
            && is_whole(&self.old, old)
            && is_whole(&self.new, new)
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
        let is_distinct = are_unions[0]
            && is_tagged(&self.old, olds, before)
            && is_tagged(&self.new, news, after);
        let mapping =
            |discriminator: &'a Value| discriminator.get("mapping").and_then(Value::as_object);
        let (before, after) = match (mapping(before), mapping(after)) {
            // What extends a component goes by its name unless it has a key.
            (a, b) if !are_unions[0] && !are_unions[1] => {
                let names = |of: Vec<(&'a str, &'a Value)>| of.into_iter().map(|(name, _)| name);
                let olds = names(self.old.subtypes_of(before));
                let news = names(self.new.subtypes_of(after));
                (completed(a, olds), completed(b, news))
            }
            (Some(before), Some(after)) => (before.clone(), after.clone()),
            // Members without a key go by their names, unless they say their values themselves.
            (before, after) if !is_distinct && (before.is_some() || after.is_some()) => {
                (completed(before, labels(olds)), completed(after, labels(news)))
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
                // A member that was removed is reported as that.
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
        let pair = (addresses(&before), addresses(&after), spot.direction, spot.medium);
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

/// Whether a choice is all that its component is.
fn is_whole<'a>(side: &Normaliser<'a>, choice: &Choice<'a>) -> bool {
    choice.origin.is_some_and(|(schema, _)| side.choices(&[schema]).len() == 1)
}

/// The names of the members of a union.
fn labels<'b>(choices: &'b Choices<'_>) -> impl Iterator<Item = &'b str> {
    choices.iter().filter(|_| choices.len() > 1).filter_map(|choice| choice.label)
}

/// A mapping with the components that it leaves out, by their names.
fn completed<'b>(
    mapping: Option<&Map<String, Value>>,
    names: impl Iterator<Item = &'b str>,
) -> Map<String, Value> {
    let mut mapping = mapping.cloned().unwrap_or_default();
    for name in names.map(plain) {
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

//! What two choices both allow.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;

use super::choice::{Additional, Bound, Choice, Exclusion, Parts};
use super::number::order;

impl<'a> Choice<'a> {
    /// The same choice as one of a union with the discriminator.
    fn within(self: &Rc<Self>, discriminator: Option<&'a Value>, exclusion: Exclusion) -> Rc<Self> {
        let same = match (self.discriminator, discriminator) {
            (Some(own), Some(other)) => std::ptr::eq(own, other),
            (own, other) => own.is_none() && other.is_none(),
        };
        if same && self.exclusion == exclusion {
            return Rc::clone(self);
        }
        Rc::new(Self { discriminator, exclusion, ..(**self).clone() })
    }

    /// The choice of the values that both allow, if there may be any.
    pub(super) fn and(self: &Rc<Self>, other: &Rc<Self>) -> Option<Rc<Self>> {
        let kind = self.kind.and(other.kind)?;
        let discriminator = self.discriminator.or(other.discriminator);
        let exclusion = self.exclusion.max(other.exclusion);
        // What limits nothing leaves the other as it was written: its component and its name.
        for (limit, kept) in [(self, other), (other, self)] {
            if limit.is_plain() && kept.kind == kind {
                return Some(kept.within(discriminator, exclusion));
            }
        }
        let mut both = Self { kind, ..(**self).clone() };
        both.origin = None;
        // The name of a component tells more than the title of the union around it.
        both.label = match (self.origin, other.origin) {
            (None, Some(_)) => other.label.or(self.label),
            _ => self.label.or(other.label),
        };
        both.discriminator = discriminator;
        both.exclusion = exclusion;
        both.values = match (&self.values, &other.values) {
            (Some(a), Some(b)) => Some(a.intersection(b).cloned().collect()),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        for (key, bound) in &other.lower {
            tighten(&mut both.lower, key, bound, true);
        }
        for (key, bound) in &other.upper {
            tighten(&mut both.upper, key, bound, false);
        }
        for (key, texts) in &other.facets {
            both.facets.entry(*key).or_default().extend(texts.iter().cloned());
        }
        both.unique |= other.unique;
        both.prefix = (0..self.prefix.len().max(other.prefix.len()))
            .map(|index| {
                let [mut own, more] =
                    [self, other].map(|one| one.prefix.get(index).unwrap_or(&one.items).clone());
                add(&mut own, &more);
                own
            })
            .collect();
        add(&mut both.items, &other.items);
        both.required.extend(&other.required);
        self.properties_of_both(other, &mut both);
        both.additional = match (&self.additional, &other.additional) {
            (Additional::Nothing, _) | (_, Additional::Nothing) => Additional::Nothing,
            (Additional::Values(a), Additional::Values(b)) => {
                let mut values = a.clone();
                add(&mut values, b);
                Additional::Values(values)
            }
            (Additional::Values(a), _) | (_, Additional::Values(a)) => {
                Additional::Values(a.clone())
            }
            _ => Additional::Anything,
        };
        for (key, values) in &other.others {
            add(both.others.entry(*key).or_default(), values);
        }
        both.further.extend(other.further.iter().cloned());
        Some(Rc::new(both.tidy()))
    }

    /// The properties that both allow: what one of them does not name must be as it has all others.
    fn properties_of_both(&self, other: &Self, both: &mut Self) {
        for (name, parts) in &other.properties {
            add(both.properties.entry(*name).or_default(), parts);
        }
        for (named, open) in [(self, other), (other, self)] {
            // A pattern may be one of the name.
            if open.others.contains_key("patternProperties") {
                continue;
            }
            let more = named.properties.keys().filter(|name| !open.properties.contains_key(*name));
            for name in more {
                match &open.additional {
                    Additional::Anything => {}
                    Additional::Values(values) => {
                        add(both.properties.entry(*name).or_default(), values);
                    }
                    // Where nothing would be left, it is written otherwise than it is meant.
                    Additional::Nothing
                        if open.properties.is_empty() || both.required.contains(name) => {}
                    Additional::Nothing => _ = both.properties.remove(name),
                }
            }
        }
    }
}

/// Adds schemas that are not among the others.
fn add<'a>(parts: &mut Parts<'a>, more: &Parts<'a>) {
    for part in more {
        if !parts.iter().any(|own| std::ptr::eq(*own, *part)) {
            parts.push(part);
        }
    }
}

/// Adds a bound where it is tighter than the one that is there.
pub(super) fn tighten(
    limits: &mut BTreeMap<&'static str, Bound>,
    key: &'static str,
    bound: &Bound,
    lower: bool,
) {
    let tighter = limits.get(key).is_none_or(|known| {
        let order = order(&bound.value, &known.value);
        let order = if lower { order } else { order.reverse() };
        order.is_gt() || (order.is_eq() && bound.exclusive)
    });
    if tighter {
        limits.insert(key, bound.clone());
    }
}

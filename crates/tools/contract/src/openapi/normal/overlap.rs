//! Whether a value may fit two members of a union.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::choice::{Additional, Choice, Exclusion, Parts};
use super::normaliser::Normaliser;
use super::number::order;

/// How deep the properties of two objects are compared.
const MAX_DEPTH: usize = 3;
/// How many members are held against each other.
const MAX_MEMBERS: usize = 64;

impl<'a> Normaliser<'a> {
    /// Whether some value fits two of the members of a `oneOf`, as far as schemas show.
    pub(in crate::openapi) fn overlap(&self, choices: &[Rc<Choice<'a>>]) -> bool {
        let members: Vec<_> =
            choices.iter().filter(|choice| choice.exclusion >= Exclusion::One).collect();
        if members.iter().any(|choice| choice.exclusion == Exclusion::Overlapping) {
            return true;
        }
        members.len() <= MAX_MEMBERS
            && members.iter().enumerate().any(|(index, one)| {
                members[index + 1..].iter().any(|other| !self.are_disjoint(one, other, 0))
            })
    }

    fn are_disjoint(&self, a: &Choice<'a>, b: &Choice<'a>, depth: usize) -> bool {
        if a.kind.and(b.kind).is_none() {
            return true;
        }
        match (&a.values, &b.values) {
            (Some(a), Some(b)) => return a.is_disjoint(b),
            // Whether a value is like a pattern or a format is not compared.
            (Some(_), None) if !b.facets.is_empty() => return true,
            (None, Some(_)) if !a.facets.is_empty() => return true,
            _ => {}
        }
        let is_apart = |a: &Choice<'a>, b: &Choice<'a>| {
            a.lower.iter().any(|(key, low)| {
                let key = key.replace("min", "max");
                let high = b.upper.get(key.as_str());
                high.is_some_and(|high| {
                    let order = order(&low.value, &high.value);
                    order.is_gt() || (order.is_eq() && (low.exclusive || high.exclusive))
                })
            })
        };
        let differ = |key: &str| match (a.facets.get(key), b.facets.get(key)) {
            (Some(a), Some(b)) => a != b,
            _ => false,
        };
        is_apart(a, b)
            || is_apart(b, a)
            || differ("format")
            || differ("pattern")
            || (depth < MAX_DEPTH && self.have_other_properties(a, b, depth))
    }

    /// Whether both demand a property that cannot be as both have it.
    fn have_other_properties(&self, a: &Choice<'a>, b: &Choice<'a>, depth: usize) -> bool {
        let refuses = |closed: &Choice<'a>, demanded: &BTreeSet<&str>| {
            matches!(closed.additional, Additional::Nothing)
                && !closed.others.contains_key("patternProperties")
                && demanded.iter().any(|name| !closed.properties.contains_key(*name))
        };
        let disjoint = |a: &Parts<'a>, b: &Parts<'a>| {
            let (a, b) = (self.choices(a), self.choices(b));
            a.iter().all(|a| b.iter().all(|b| self.are_disjoint(a, b, depth + 1)))
        };
        refuses(a, &b.required)
            || refuses(b, &a.required)
            || a.required.intersection(&b.required).any(|name| {
                let of = |choice: &Choice<'a>| choice.properties.get(name).cloned();
                matches!((of(a), of(b)), (Some(a), Some(b)) if disjoint(&a, &b))
            })
    }
}

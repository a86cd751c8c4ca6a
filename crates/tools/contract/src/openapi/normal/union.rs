//! Unions in their shortest form.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::choice::{Choice, Exclusion, Kind};
use super::syntax::address;

/// A union without what others of its choices allow already.
pub(super) fn simple(choices: Vec<Rc<Choice<'_>>>) -> Vec<Rc<Choice<'_>>> {
    if choices.len() < 2 {
        return choices;
    }
    if let Some(any) = choices.iter().find(|choice| choice.kind == Kind::Any && choice.is_plain()) {
        return vec![Rc::clone(any)];
    }
    let plain: BTreeSet<Kind> = choices
        .iter()
        .filter(|choice| choice.is_plain() && choice.kind != Kind::Object)
        .map(|choice| choice.kind)
        .collect();
    let mut simple: Vec<Rc<Choice<'_>>> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut origins = HashSet::new();
    let mut choices_seen = HashSet::new();
    let mut enums: HashMap<Kind, usize> = HashMap::new();
    for choice in choices {
        let is_enum = choice.values.is_some() && choice.is_unlimited();
        let is_covered = (!choice.is_plain() && plain.contains(&choice.kind))
            || (choice.kind == Kind::Integer && plain.contains(&Kind::Number));
        let origin = choice.origin.map(|(schema, index)| (address(schema), index));
        let is_known = choice.is_plain() && plain.contains(&choice.kind);
        let is_double = (is_known && !seen.insert(choice.kind))
            || !choices_seen.insert(Rc::as_ptr(&choice).addr())
            || origin.is_some_and(|origin| !origins.insert(origin));
        if is_covered || is_double {
            continue;
        }
        if is_enum {
            if let Some(&index) = enums.get(&choice.kind) {
                let mut merged = (*simple[index]).clone();
                merged
                    .values
                    .get_or_insert_default()
                    .extend(choice.values.iter().flatten().cloned());
                merged.origin = None;
                simple[index] = Rc::new(merged.tidy());
                continue;
            }
            enums.insert(choice.kind, simple.len());
        }
        simple.push(choice);
    }
    simple
}

/// Marks the members of a `oneOf`, with a discriminator or without.
pub(super) fn mark(union: &mut [Rc<Choice<'_>>], is_tagged: bool) {
    let covers =
        |a: &Choice<'_>, b: &Choice<'_>| a.is_plain() && b.kind.and(a.kind) == Some(b.kind);
    let mut is_covered = false;
    for (index, choice) in union.iter().enumerate() {
        let others = union.iter().enumerate().filter(|(other, _)| *other != index);
        // A null that several members allow is meant to be allowed.
        is_covered |= choice.kind != Kind::Null
            && others.map(|(_, other)| other).any(|other| covers(other, choice));
    }
    let exclusion = match (is_tagged, is_covered) {
        (true, _) => Exclusion::Tagged,
        (false, true) => Exclusion::Overlapping,
        (false, false) => Exclusion::One,
    };
    if union.len() > 1 {
        for choice in union {
            *choice = Rc::new(Choice { exclusion, ..(**choice).clone() });
        }
    }
}

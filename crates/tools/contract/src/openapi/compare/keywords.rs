//! Keywords that are compared as a whole.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{Comparison, Spot, same};
use crate::openapi::change::{Class, Shift};
use crate::openapi::normal::{Additional, Choice, Kind, Normaliser, canonical, order};

impl<'a> Comparison<'a> {
    pub(super) fn others(&mut self, spot: &Spot, old: &Choice<'a>, new: &Choice<'a>) {
        let keys =
            old.others.keys().chain(new.others.keys().filter(|k| !old.others.contains_key(*k)));
        for key in keys.copied().collect::<Vec<_>>() {
            let class = match (old.others.get(key), new.others.get(key)) {
                (Some(before), Some(after)) if before.len() == after.len() => {
                    let pairs = before.iter().zip(after);
                    let classes: Vec<_> = pairs
                        .map(|(&before, &after)| self.other(spot, key, [old, new], before, after))
                        .collect();
                    classes.into_iter().min().unwrap_or(Class::Documentation)
                }
                (Some(before), Some(after)) => {
                    let texts = |of: &Vec<&Value>| of.iter().map(|one| sorted(one)).collect();
                    subsets(&texts(before), &texts(after))
                        .map_or(Class::Documentation, |shift| shift.class(spot.direction))
                }
                (None, Some(_)) if key == "propertyNames" && self.upgrade.names_of_keys => continue,
                (None, Some(names)) if key == "propertyNames" && is_any_name(&self.new, names) => {
                    continue;
                }
                (Some(names), None) if key == "propertyNames" && is_any_name(&self.old, names) => {
                    continue;
                }
                // It comes and goes with its `then` and `else`.
                (None, _) | (_, None) if key == "if" => continue,
                (before, _) => presence(key, before.is_none(), old, new).class(spot.direction),
            };
            if class != Class::Documentation {
                self.add(spot, "keyword-changed", class, format!("{key} changed"));
            }
        }
    }

    /// What the change of a keyword means; documentation if it says the same.
    fn other(
        &mut self,
        spot: &Spot,
        key: &str,
        choices: [&Choice<'a>; 2],
        old: &'a Value,
        new: &'a Value,
    ) -> Class {
        let direction = spot.direction;
        let is_counted = choices.iter().any(|choice| choice.others.contains_key("maxContains"));
        match key {
            "propertyNames"
            | "unevaluatedItems"
            | "unevaluatedProperties"
            | "contentSchema"
            | "then"
            | "else" => self.worst(spot, |it, spot| it.schemas(spot, &vec![old], &vec![new])),
            "contains" if !is_counted => {
                self.worst(spot, |it, spot| it.schemas(spot, &vec![old], &vec![new]))
            }
            // What it forbids more is allowed less.
            "not" => {
                let spot = Spot { direction: direction.reversed(), ..spot.clone() };
                self.worst(&spot, |it, spot| it.schemas(spot, &vec![old], &vec![new]))
            }
            "contains" | "if" => {
                let is_same =
                    self.finds_nothing(spot, |it, spot| it.schemas(spot, &vec![old], &vec![new]));
                if is_same { Class::Documentation } else { Class::Breaking }
            }
            "patternProperties" | "dependentSchemas" => {
                self.schemas_by_key(spot, key, choices, old, new)
            }
            "minContains" | "maxContains" => match (old, new) {
                (Value::Number(a), Value::Number(b)) if order(a, b).is_eq() => Class::Documentation,
                (Value::Number(a), Value::Number(b)) => {
                    let is_narrower = order(a, b).is_lt() == (key == "minContains");
                    let shift = if is_narrower { Shift::Narrower } else { Shift::Wider };
                    shift.class(direction)
                }
                _ => Class::Breaking,
            },
            "dependentRequired" => subsets(&demands(old), &demands(new))
                .map_or(Class::Documentation, |shift| shift.class(direction)),
            _ if sorted(old) == sorted(new) => Class::Documentation,
            _ => Class::Breaking,
        }
    }

    /// What the change of an object of schemas means.
    fn schemas_by_key(
        &mut self,
        spot: &Spot,
        key: &str,
        [old_choice, new_choice]: [&Choice<'a>; 2],
        old: &'a Value,
        new: &'a Value,
    ) -> Class {
        let (Some(old), Some(new)) = (old.as_object(), new.as_object()) else {
            return if same(Some(old), Some(new)) { Class::Documentation } else { Class::Breaking };
        };
        let mut class = Class::Documentation;
        for (name, old) in old {
            if let Some(new) = new.get(name) {
                let found = self.worst(spot, |it, spot| it.schemas(spot, &vec![old], &vec![new]));
                class = class.min(found);
            }
        }
        let more =
            [new.keys().any(|k| !old.contains_key(k)), old.keys().any(|k| !new.contains_key(k))];
        for (is_new, differs) in [(true, more[0]), (false, more[1])] {
            if differs {
                let shift = presence(key, is_new, old_choice, new_choice);
                class = class.min(shift.class(spot.direction));
            }
        }
        class
    }
}

/// Whether schemas of names allow every name.
fn is_any_name<'a>(side: &Normaliser<'a>, names: &[&'a Value]) -> bool {
    let is_any =
        |choice: &Choice<'a>| matches!(choice.kind, Kind::Any | Kind::String) && choice.is_plain();
    side.choices(names).iter().any(|choice| is_any(choice))
}

/// What it means that a keyword, or a key of one, came or went.
fn presence(key: &str, is_new: bool, old: &Choice<'_>, new: &Choice<'_>) -> Shift {
    let narrower = if is_new { Shift::Narrower } else { Shift::Wider };
    let wider = if is_new { Shift::Wider } else { Shift::Narrower };
    match key {
        // Among what is refused otherwise, a pattern is what is allowed.
        "patternProperties" => match (&old.additional, &new.additional) {
            (Additional::Nothing, Additional::Nothing) => wider,
            (Additional::Anything, Additional::Anything) => narrower,
            (Additional::Nothing, Additional::Anything) => Shift::Wider,
            (Additional::Anything, Additional::Nothing) => Shift::Narrower,
            _ => Shift::Other,
        },
        "minContains" => {
            let is_none = |choice: &Choice<'_>| {
                let least = choice.others.get(key).and_then(|of| of.first()?.as_u64());
                least == Some(0)
            };
            if is_none(old) || is_none(new) { wider } else { narrower }
        }
        _ => narrower,
    }
}

/// What a change of two sets of demands means.
fn subsets(old: &BTreeSet<String>, new: &BTreeSet<String>) -> Option<Shift> {
    if old == new {
        None
    } else if old.is_subset(new) {
        Some(Shift::Narrower)
    } else if new.is_subset(old) {
        Some(Shift::Wider)
    } else {
        Some(Shift::Other)
    }
}

/// Which property demands which other one.
fn demands(of: &Value) -> BTreeSet<String> {
    let lists = of.as_object().into_iter().flatten();
    let pairs = lists.flat_map(|(name, list)| {
        let list = list.as_array().into_iter().flatten();
        list.map(move |other| Value::from(vec![name.as_str().into(), other.clone()]).to_string())
    });
    pairs.collect()
}

/// A text that is the same for data whose lists hold the same, in whatever order.
fn sorted(value: &Value) -> String {
    let mut value = value.clone();
    for list in value.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        if let Some(list) = list.as_array_mut() {
            list.sort_by_key(canonical);
        }
    }
    canonical(&value)
}

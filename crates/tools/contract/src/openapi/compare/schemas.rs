//! Two schemas: their annotations, and the values that they allow.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use super::{Comparison, Job, MAX_VISITS, Spot, addresses, same, shown};
use crate::openapi::change::{Class, Direction, Shift};
use crate::openapi::normal::{
    ANNOTATIONS, Additional, Bound, Choice, Kind, Normaliser, Parts, canonical, is_annotation,
    order, whole,
};

/// Annotations that people read, with the rule of a change.
pub(super) const DOCUMENTATION: [(&str, &str); 9] = [
    ("title", "title-changed"),
    ("summary", "summary-changed"),
    ("description", "description-changed"),
    ("example", "example-changed"),
    ("examples", "example-changed"),
    ("externalDocs", "external-docs-changed"),
    ("tags", "tags-changed"),
    ("operationId", "operation-id-changed"),
    ("links", "links-changed"),
];

impl<'a> Comparison<'a> {
    /// Compares two schemas where they are used.
    pub(super) fn schemas(&mut self, spot: &Spot, old: &Parts<'a>, new: &Parts<'a>) {
        let (before, old_name) = self.old.target(old);
        let (after, new_name) = self.new.target(new);
        let both_named = old_name.is_some() && new_name.is_some();
        self.annotations(spot, [old, &before], [new, &after], both_named);
        let (true, Some(name)) = (both_named, old_name) else { return self.values(spot, old, new) };
        let pair = (addresses(&before), addresses(&after), spot.direction, spot.is_text);
        self.link(spot, name, pair, || Job::Schemas(before, after));
    }

    /// Compares what two schemas say beside what they refer to.
    pub(super) fn bare(&mut self, spot: &Spot, old: &Parts<'a>, new: &Parts<'a>) {
        self.annotations(spot, [old, old], [new, new], false);
        self.values(spot, old, new);
    }

    fn values(&mut self, spot: &Spot, old: &Parts<'a>, new: &Parts<'a>) {
        // Schemas that are merged of several have no group, and may hold themselves.
        let pair = (addresses(old), addresses(new), spot.direction, spot.is_text);
        let visits = self.visits.entry((spot.group, pair.clone())).or_default();
        *visits += 1;
        if *visits > MAX_VISITS || !self.open.insert(pair.clone()) {
            return;
        }
        let (old, new) = (self.old.choices(old), self.new.choices(new));
        self.unions(spot, &old, &new);
        self.open.remove(&pair);
    }

    fn annotations(&mut self, spot: &Spot, old: [&Parts<'a>; 2], new: [&Parts<'a>; 2], bare: bool) {
        let find = |[own, target]: [&Parts<'a>; 2], key: &str| -> Option<&'a Value> {
            let within =
                |parts: &Parts<'a>| parts.iter().rev().find_map(|&part| annotation(part, key));
            within(own).or_else(|| if bare { None } else { within(target) })
        };
        for (key, rule) in DOCUMENTATION {
            if !same(find(old, key), find(new, key)) {
                self.add(spot, rule, Class::Documentation, format!("{key} changed"));
            }
        }
        self.deprecation(spot, find(old, "deprecated"), find(new, "deprecated"));
        for key in ["readOnly", "writeOnly"] {
            let flag = |value: Option<&Value>| value == Some(&Value::Bool(true));
            if flag(find(old, key)) != flag(find(new, key)) {
                let what = format!("{key} changed");
                self.add(spot, "visibility-changed", Class::Documentation, what);
            }
        }
        let default = |value: Option<&'a Value>| value.filter(|value| !value.is_null());
        let (before, after) = (default(find(old, "default")), default(find(new, "default")));
        let class = match spot.direction {
            Direction::Request if spot.is_optional => Class::Breaking,
            // Who must send a value does not get the default.
            Direction::Request | Direction::Response => Class::Documentation,
        };
        match (before, after) {
            _ if same(before, after) => {}
            (Some(before), Some(after)) if self.upgrade.same_default(before, after) => {}
            (Some(before), Some(after)) => {
                let what = format!(
                    "the default was {} and is {} now",
                    shown(&before.to_string()),
                    shown(&after.to_string())
                );
                self.add(spot, "default-changed", class, what);
            }
            (Some(before), None) => {
                let what = format!("the default {} was removed", shown(&before.to_string()));
                self.add(spot, "default-removed", class, what);
            }
            (None, after) => {
                let class = class.max(Class::NonBreaking);
                let after = after.map(ToString::to_string).unwrap_or_default();
                self.add(
                    spot,
                    "default-added",
                    class,
                    format!("has the default {} now", shown(&after)),
                );
            }
        }
        let (Some(before), Some(after)) = (old[0].first(), new[0].first()) else { return };
        self.extensions(spot, before, after);
    }

    /// Keys that no specification gives a meaning.
    pub(super) fn extensions(&mut self, spot: &Spot, old: &Value, new: &Value) {
        let (Some(before), Some(after)) = (old.as_object(), new.as_object()) else { return };
        let unknown = |key: &String| {
            let key = key.as_str();
            is_annotation(key) && !ANNOTATIONS.contains(&key)
        };
        let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
        for key in keys.filter(|key| unknown(key)) {
            // In one document only where a schema is written out and referred to in the other.
            if before.contains_key("$ref") == after.contains_key("$ref")
                && !same(before.get(key), after.get(key))
            {
                self.add(spot, "extension-changed", Class::Documentation, format!("{key} changed"));
            }
        }
    }

    pub(super) fn deprecation(&mut self, spot: &Spot, old: Option<&Value>, new: Option<&Value>) {
        let flag = |value: Option<&Value>| value == Some(&Value::Bool(true));
        match (flag(old), flag(new)) {
            (false, true) => {
                self.add(spot, "deprecated", Class::Documentation, "is deprecated now");
            }
            (true, false) => {
                let what = "is not deprecated any more";
                self.add(spot, "no-longer-deprecated", Class::Documentation, what);
            }
            _ => {}
        }
    }

    /// Compares two choices of one kind, or of which one is of a wider kind.
    pub(super) fn choice(&mut self, spot: &Spot, old: &Rc<Choice<'a>>, new: &Rc<Choice<'a>>) {
        if old.kind != new.kind {
            let (before, after) = (old.kind.name(), new.kind.name());
            let what = format!("was {before} and is {after} now");
            match (old.kind, new.kind) {
                (Kind::Integer, Kind::Number) | (_, Kind::Any) => {
                    self.shift(spot, "type-widened", Shift::Wider, what);
                }
                _ => self.shift(spot, "type-narrowed", Shift::Narrower, what),
            }
        }
        self.enums(spot, old, new);
        self.bounds(spot, old, new);
        self.facets(spot, old, new);
        self.arrays(spot, old, new);
        self.objects(spot, old, new);
        self.others(spot, old, new);
    }

    fn enums(&mut self, spot: &Spot, old: &Choice<'a>, new: &Choice<'a>) {
        match (&old.values, &new.values) {
            (Some(before), Some(after)) => {
                for value in before.difference(after) {
                    let what = format!("{} is not allowed any more", shown(value));
                    self.shift(spot, "enum-value-removed", Shift::Narrower, what);
                }
                for value in after.difference(before) {
                    let what = format!("{} is allowed now", shown(value));
                    self.shift(spot, "enum-value-added", Shift::Wider, what);
                }
            }
            (None, Some(_)) => {
                let what = "only certain values are allowed now";
                self.shift(spot, "enum-introduced", Shift::Narrower, what);
            }
            (Some(_), None) => {
                let what = "not only certain values are allowed now";
                self.shift(spot, "enum-dropped", Shift::Wider, what);
            }
            (None, None) => {}
        }
    }

    fn bounds(&mut self, spot: &Spot, old: &Choice<'a>, new: &Choice<'a>) {
        for is_lower in [true, false] {
            let of = |choice: &Choice<'a>| {
                if is_lower { choice.lower.clone() } else { choice.upper.clone() }
            };
            let (before, after) = (of(old), of(new));
            let keys = before.keys().chain(after.keys().filter(|key| !before.contains_key(*key)));
            for key in keys.copied().collect::<Vec<_>>() {
                let (a, b) = (before.get(key), after.get(key));
                if self.is_only_respelled(spot, old, key, a, b) {
                    continue;
                }
                let tighter = match (a, b) {
                    (Some(a), Some(b)) => match compared(a, b, is_lower) {
                        std::cmp::Ordering::Equal => continue,
                        order => order.is_lt(),
                    },
                    (a, _) => a.is_none(),
                };
                let what = format!("{key} was {} and is {} now", limit(a), limit(b));
                let (rule, shift) = match (is_lower, tighter) {
                    (true, true) => ("lower-bound-raised", Shift::Narrower),
                    (true, false) => ("lower-bound-lowered", Shift::Wider),
                    (false, true) => ("upper-bound-lowered", Shift::Narrower),
                    (false, false) => ("upper-bound-raised", Shift::Wider),
                };
                self.shift(spot, rule, shift, what);
            }
        }
    }

    /// Whether a bound came or went with a version of FastAPI or pydantic.
    fn is_only_respelled(
        &self,
        spot: &Spot,
        old: &Choice<'a>,
        key: &str,
        before: Option<&Bound>,
        after: Option<&Bound>,
    ) -> bool {
        match (before, after) {
            // The length of `AnyUrl`.
            (Some(bound), None) => {
                self.upgrade.pydantic
                    && key == "maxLength"
                    && whole(&bound.value) == Some(65_536)
                    && old.facets.get("format").is_some_and(|format| format.contains("uri"))
            }
            (None, Some(_)) => self.upgrade.bounds_of_paths && spot.is_path,
            _ => false,
        }
    }

    fn facets(&mut self, spot: &Spot, old: &Choice<'a>, new: &Choice<'a>) {
        for (key, rule) in [
            ("pattern", "pattern-changed"),
            ("format", "format-changed"),
            ("multipleOf", "multiple-of-changed"),
            ("contentEncoding", "content-encoding-changed"),
            ("contentMediaType", "content-media-type-changed"),
        ] {
            let (before, after) = (old.facets.get(key), new.facets.get(key));
            if before == after {
                continue;
            }
            let single = |of: &BTreeSet<String>| of.first().cloned();
            let (a, b) = (before.and_then(single), after.and_then(single));
            let shift = match (before, after) {
                (None, _) => Shift::Narrower,
                (_, None) => Shift::Wider,
                (Some(before), Some(after)) if before.is_subset(after) => Shift::Narrower,
                (Some(before), Some(after)) if after.is_subset(before) => Shift::Wider,
                _ => inclusion(key, a.as_deref(), b.as_deref()),
            };
            let show = |of: Option<&BTreeSet<String>>| match of {
                Some(of) => shown(&of.iter().cloned().collect::<Vec<_>>().join(" and ")),
                None => "nothing".to_owned(),
            };
            let what = format!("{key} was {} and is {} now", show(before), show(after));
            self.shift(spot, rule, shift, what);
        }
    }

    fn others(&mut self, spot: &Spot, old: &Choice<'a>, new: &Choice<'a>) {
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

fn annotation<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    schema.get(key).or_else(|| {
        // What older versions wrapped around a reference.
        let [part] = schema.get("allOf")?.as_array()?.as_slice() else { return None };
        annotation(part, key)
    })
}

/// How the limits differ: `Less` if the new one is tighter.
fn compared(old: &Bound, new: &Bound, is_lower: bool) -> std::cmp::Ordering {
    let order = order(&old.value, &new.value);
    let order = if is_lower { order } else { order.reverse() };
    order.then_with(|| old.exclusive.cmp(&new.exclusive))
}

fn limit(bound: Option<&Bound>) -> String {
    match bound {
        Some(Bound { value, exclusive: false }) => value.to_string(),
        Some(Bound { value, .. }) => format!("{value} (exclusive)"),
        None => "nothing".to_owned(),
    }
}

/// Whether what one format or divisor allows holds for the other.
fn inclusion(key: &str, old: Option<&str>, new: Option<&str>) -> Shift {
    match (key, old, new) {
        ("format", Some("int32"), Some("int64")) | ("format", Some("float"), Some("double")) => {
            Shift::Wider
        }
        ("format", Some("int64"), Some("int32")) | ("format", Some("double"), Some("float")) => {
            Shift::Narrower
        }
        ("multipleOf", Some(old), Some(new)) => {
            let number = |text: &str| whole(&serde_json::from_str(text).ok()?).filter(|n| *n != 0);
            match (number(old), number(new)) {
                (Some(old), Some(new)) if new % old == 0 => Shift::Narrower,
                (Some(old), Some(new)) if old % new == 0 => Shift::Wider,
                _ => Shift::Other,
            }
        }
        _ => Shift::Other,
    }
}

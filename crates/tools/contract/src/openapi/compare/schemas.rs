//! Two schemas: their annotations, and the values that they allow.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use super::{Comparison, Job, MAX_VISITS, Medium, Spot, addresses, same, shown};
use crate::openapi::change::{Class, Direction, Shift};
use crate::openapi::normal::{
    ANNOTATIONS, Bound, Choice, Kind, Normaliser, Parts, is_annotation, order, whole,
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
        if let ([old], [new]) = (old.as_slice(), new.as_slice())
            && self.old.is_exact()
            && self.new.is_exact()
            && is_same_without_references(old, new)
        {
            return;
        }
        let (before, old_name) = self.old.target(old);
        let (after, new_name) = self.new.target(new);
        let both_named = old_name.is_some() && new_name.is_some();
        self.annotations(spot, [old, &before], [new, &after], both_named);
        let (true, Some(name)) = (both_named, old_name) else { return self.values(spot, old, new) };
        let pair = (addresses(&before), addresses(&after), spot.direction, spot.medium);
        self.link(spot, name, pair, || Job::Schemas(before, after));
    }

    /// Compares what two schemas say beside what they refer to.
    pub(super) fn bare(&mut self, spot: &Spot, old: &Parts<'a>, new: &Parts<'a>) {
        self.annotations(spot, [old, old], [new, new], false);
        self.values(spot, old, new);
    }

    fn values(&mut self, spot: &Spot, old: &Parts<'a>, new: &Parts<'a>) {
        // Schemas that are merged of several have no group, and may hold themselves.
        let pair = (addresses(old), addresses(new), spot.direction, spot.medium);
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
        let (before, after) = (&self.old, &self.new);
        let find = |side: &Normaliser<'a>, [own, target]: [&Parts<'a>; 2], key: &str| {
            let within = |parts: &Parts<'a>| {
                parts.iter().rev().find_map(|&part| annotation(side, part, key))
            };
            within(own).or_else(|| if bare { None } else { within(target) })
        };
        let pair = |key: &str| (find(before, old, key), find(after, new, key));
        let found = DOCUMENTATION.map(|(key, rule)| (key, rule, pair(key)));
        let deprecated = pair("deprecated");
        let visibility = ["readOnly", "writeOnly"].map(|key| (key, pair(key)));
        let defaults = pair("default");
        let xml = pair("xml");
        for (key, rule, (before, after)) in found {
            if !same(before, after) {
                self.add(spot, rule, Class::Documentation, format!("{key} changed"));
            }
        }
        self.deprecation(spot, deprecated.0, deprecated.1);
        for (key, (before, after)) in visibility {
            let flag = |value: Option<&Value>| value == Some(&Value::Bool(true));
            if flag(before) != flag(after) {
                let what = format!("{key} changed");
                self.add(spot, "visibility-changed", Class::Documentation, what);
            }
        }
        if spot.medium == Medium::Xml && element(spot, xml.0) != element(spot, xml.1) {
            let what = "it is written otherwise in XML now";
            self.shift(spot, "xml-changed", Shift::Other, what);
        }
        let default = |value: Option<&'a Value>| value.filter(|value| !value.is_null());
        let (before, after) = (default(defaults.0), default(defaults.1));
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
        self.further(spot, old, new);
    }

    /// Compares the unions that hold besides.
    fn further(&mut self, spot: &Spot, old: &Choice<'a>, new: &Choice<'a>) {
        if old.further.len() != new.further.len() {
            let is_more = old.further.len() < new.further.len();
            let shift = if is_more { Shift::Narrower } else { Shift::Wider };
            return self.shift(spot, "keyword-changed", shift, "allOf changed");
        }
        for (old, new) in old.further.iter().zip(&new.further) {
            // They are one for all members of the larger union.
            let pair = (spot.group, Rc::as_ptr(old).addr(), Rc::as_ptr(new).addr());
            if self.further.insert(pair) {
                self.unions(spot, old, new);
            }
        }
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
}

/// Whether two schemas are written alike, and say all that they say themselves.
fn is_same_without_references(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            old.len() == new.len()
                && old.iter().all(|(key, old)| {
                    !key.ends_with("Ref")
                        && key != "$ref"
                        && key != "discriminator"
                        && new.get(key).is_some_and(|new| is_same_without_references(old, new))
                })
        }
        (Value::Array(old), Value::Array(new)) => {
            old.len() == new.len()
                && old.iter().zip(new).all(|(old, new)| is_same_without_references(old, new))
        }
        (Value::Object(_) | Value::Array(_), _) => false,
        (old, new) => old == new,
    }
}

fn annotation<'a>(side: &Normaliser<'a>, schema: &'a Value, key: &str) -> Option<&'a Value> {
    if side.is_bare_reference(schema) {
        return None;
    }
    schema.get(key).or_else(|| {
        // What is wrapped around a reference.
        let wrapped = ["allOf", "anyOf", "oneOf"].iter().find_map(|key| schema.get(*key));
        let [part] = wrapped?.as_array()?.as_slice() else { return None };
        annotation(side, part, key)
    })
}

/// How a value is written in XML, defaults included.
fn element<'b>(spot: &'b Spot, xml: Option<&'b Value>) -> ([&'b str; 3], [bool; 2]) {
    let text = |key: &str| xml.and_then(|xml| xml[key].as_str());
    let flag = |key: &str| xml.is_some_and(|xml| xml[key] == true);
    let usual = spot.path.rsplit('.').next().unwrap_or_default();
    let [namespace, prefix] = ["namespace", "prefix"].map(|key| text(key).unwrap_or_default());
    ([text("name").unwrap_or(usual), namespace, prefix], ["attribute", "wrapped"].map(flag))
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

//! The ledger of what may differ: deliberate improvements, values within a tolerance, lists in any
//! order.

use std::path::Path;
use std::time::Duration;

use comparison::{Answer, Difference, Pairs, Tolerance, compare_in_any_order};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::case::CaseError;
use crate::openapi::like;

/// What may differ.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The case, with `*` for anything; any if none is named.
    #[serde(default = "any")]
    pub case: String,
    /// The operation, with `*` for anything (`GET /items/*`); any if none is named.
    #[serde(default = "any")]
    pub operation: String,
    /// The statuses of the two; of any if none is named.
    pub reference: Option<u16>,
    pub candidate: Option<u16>,
    /// The paths that may differ, as the report shows them (`header x-took`, `body.at`,
    /// `body[*].token`), with `*` for anything; any if none is named. An older name is `places`.
    #[serde(default, alias = "places")]
    pub paths: Vec<String>,
    /// By how much the numbers or times at the paths may differ: `0.01`, `2 s`, `500 ms`. It need not
    /// occur.
    pub within: Option<Within>,
    /// Whether the lists at the paths may be in any order. It need not occur.
    #[serde(default)]
    pub any_order: bool,
    /// Why that is better, or of no importance.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The only label of a run in which it occurs.
    pub only: Option<String>,
    /// Whether it need not occur, as what differs now and then.
    #[serde(default)]
    pub optional: bool,
}

fn any() -> String {
    "*".to_owned()
}

/// A tolerance as it is written: a number for numbers, a text with `s` or `ms` for times.
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Within {
    Number(f64),
    Time(String),
}

impl Within {
    /// # Errors
    /// When the tolerance is negative or has no unit that is known.
    fn tolerance(&self) -> Result<Tolerance, String> {
        let invalid =
            || format!("`within` is a number, or a time such as `2 s` or `500 ms`: {self}");
        match self {
            Self::Number(number) if *number >= 0.0 => Ok(Tolerance::Number(*number)),
            Self::Number(_) => Err(invalid()),
            Self::Time(text) => {
                let (number, unit) = match text.strip_suffix("ms") {
                    Some(number) => (number, 1e-3),
                    None => (text.strip_suffix('s').ok_or_else(invalid)?, 1.0),
                };
                let number: f64 = number.trim().parse().map_err(|_| invalid())?;
                let time = Duration::try_from_secs_f64(number * unit).map_err(|_| invalid())?;
                Ok(Tolerance::Time(time))
            }
        }
    }
}

impl std::fmt::Display for Within {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Time(text) => text.fmt(f),
        }
    }
}

impl Entry {
    /// What would have to happen for the entry to be of use.
    pub fn expectation(&self) -> String {
        let status = |status: Option<u16>| status.map_or("anything".into(), |s| s.to_string());
        let paths = match self.paths.as_slice() {
            [] => String::new(),
            paths => format!(", different in {}", paths.join(", ")),
        };
        format!("{} for {}{paths}", status(self.candidate), status(self.reference))
    }

    /// The entry in one line, for reports.
    pub fn line(&self) -> String {
        let paths =
            if self.paths.is_empty() { "anything".to_owned() } else { self.paths.join(", ") };
        let how = match &self.within {
            Some(within) => format!("within {within}"),
            None if self.any_order => "in any order".to_owned(),
            None => "may differ".to_owned(),
        };
        let named = [("case", &self.case), ("operation", &self.operation)];
        let named = named.into_iter().filter(|(_, name)| *name != "*");
        let of: Vec<_> = named.map(|(what, name)| format!(", {what} {name}")).collect();
        let of = of.concat();
        format!("{paths} {how}{of}: {} ({})", self.reason, self.owner)
    }

    fn tolerance(&self) -> Option<Tolerance> {
        self.within.as_ref()?.tolerance().ok()
    }

    fn names(&self, path: &str) -> bool {
        self.paths.iter().any(|pattern| like(pattern, path))
    }

    fn covers(&self, difference: &Difference) -> bool {
        let is_named = self.paths.is_empty() || self.names(&difference.path);
        is_named
            && !self.any_order
            && self.tolerance().is_none_or(|tolerance| {
                tolerance.allows(&difference.reference, &difference.candidate)
            })
    }

    /// # Errors
    /// When it cannot mean anything.
    fn check(&self) -> Result<(), String> {
        let about_values = self.within.is_some() || self.any_order;
        if about_values && self.paths.is_empty() {
            return Err(format!("'{}': `within` and `any_order` need `paths`", self.reason));
        }
        if self.within.is_some() && self.any_order {
            return Err(format!("'{}': `within` and `any_order` are two entries", self.reason));
        }
        self.within.as_ref().map_or(Ok(()), |within| within.tolerance().map(|_| ()))
    }

    const fn must_occur(&self) -> bool {
        !self.optional && self.within.is_none() && !self.any_order
    }
}

/// A case with both answers and what they differ in.
#[derive(Clone, Copy)]
pub struct Differing<'a> {
    pub case: &'a str,
    pub operation: &'a str,
    pub reference: &'a Answer,
    pub candidate: &'a Answer,
    pub differences: &'a [Difference],
    /// The generated values matched before.
    pub before: &'a Pairs,
}

/// What may differ and how often each entry was of use.
#[derive(Debug, Default)]
pub struct Ledger(Vec<(Entry, usize)>);

impl Ledger {
    pub fn load(path: &Path, label: &str) -> Result<Self, CaseError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| CaseError::Read { path: path.to_owned(), source })?;
        let syntax = |message| CaseError::Syntax { path: path.to_owned(), message };
        let entries: Vec<Entry> =
            serde_saphyr::from_str(&text).map_err(|error| syntax(error.to_string()))?;
        entries.iter().try_for_each(Entry::check).map_err(syntax)?;
        let here = |entry: &Entry| entry.only.as_ref().is_none_or(|only| only == label);
        Ok(Self(entries.into_iter().filter(here).map(|entry| (entry, 0)).collect()))
    }

    /// Every entry in one line, for reports.
    pub fn lines(&self) -> Vec<String> {
        self.0.iter().map(|(entry, _)| entry.line()).collect()
    }

    /// The reason for which differences are accepted, none if one of them is not. `pairs` then holds
    /// what was matched.
    pub fn accept(&mut self, differing: Differing<'_>, pairs: &mut Pairs) -> Option<String> {
        let Differing { case, operation, reference, candidate, differences, before } = differing;
        if differences.is_empty() {
            return None;
        }
        let applies = |entry: &Entry| {
            like(&entry.case, case)
                && like(&entry.operation, operation)
                && entry.reference.is_none_or(|status| status == reference.status)
                && entry.candidate.is_none_or(|status| status == candidate.status)
        };
        let mut used: Vec<usize> = Vec::new();
        let mut left = differences.to_vec();
        let about_order: Vec<usize> = (0..self.0.len())
            .filter(|&index| self.0[index].0.any_order && applies(&self.0[index].0))
            .collect();
        if !about_order.is_empty() {
            let is_unordered =
                |path: &str| about_order.iter().any(|&index| self.0[index].0.names(path));
            let mut matched = before.clone();
            let ordered = compare_in_any_order(reference, candidate, &is_unordered, &mut matched);
            // What is not of the answer, as the time that it took, is no matter of order.
            let other = differences.iter().filter(|d| d.path == "time").cloned();
            let ordered: Vec<Difference> = ordered.into_iter().chain(other).collect();
            if ordered.len() < left.len() {
                left = ordered;
                *pairs = matched;
                let reordered = |index: &usize| {
                    differences.iter().any(|difference| {
                        let starts = difference.path.match_indices('[').map(|(at, _)| at);
                        let mut lists = starts.map(|at| &difference.path[..at]);
                        lists.any(|path| self.0[*index].0.names(path))
                    })
                };
                used.extend(about_order.iter().filter(|index| reordered(index)));
            }
        }
        // Several entries may each cover a part of what is different.
        let is_other_length = |difference: &Difference| difference.path == "header content-length";
        let (lengths, others): (Vec<_>, Vec<_>) = left.into_iter().partition(is_other_length);
        let mut find = |difference: &Difference| {
            let found = |(entry, _): &(Entry, usize)| applies(entry) && entry.covers(difference);
            let index = self.0.iter().position(found)?;
            if !used.contains(&index) {
                used.push(index);
            }
            Some(self.0[index].0.within.is_some())
        };
        let mut is_about_values = false;
        for difference in &others {
            is_about_values |= find(difference)?;
        }
        for difference in &lengths {
            // A number with a digit more makes a longer body.
            if find(difference).is_none() && !is_about_values {
                return None;
            }
        }
        let mut reasons = Vec::new();
        for index in used {
            let (entry, uses) = self.0.get_mut(index)?;
            *uses += 1;
            reasons.push(entry.reason.clone());
        }
        Some(reasons.join("; "))
    }

    /// The entries that did not occur.
    pub fn stale(&self) -> impl Iterator<Item = &Entry> {
        self.0
            .iter()
            .filter(|(entry, uses)| *uses == 0 && entry.must_occur())
            .map(|(entry, _)| entry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Answer {
        Answer { status, headers: std::collections::BTreeMap::new(), body: Vec::new() }
    }

    fn differences(paths: &[&str]) -> Vec<Difference> {
        let difference = |path: &&str| Difference {
            path: (*path).to_owned(),
            reference: "1".into(),
            candidate: "2".into(),
        };
        paths.iter().map(difference).collect()
    }

    fn ledger(entry: &str) -> Ledger {
        Ledger(vec![(serde_saphyr::from_str(entry).unwrap(), 0)])
    }

    fn accept(
        ledger: &mut Ledger,
        [reference, candidate]: [&Answer; 2],
        differences: &[Difference],
    ) -> Option<String> {
        let before = Pairs::default();
        let (case, operation) = ("a", "GET /items/{id}");
        let differing =
            Differing { case, operation, reference, candidate, differences, before: &before };
        ledger.accept(differing, &mut Pairs::default())
    }

    /// Whether the ledger accepts the differences of two bodies.
    fn accepts(ledger: &mut Ledger, a: &str, b: &str) -> bool {
        let [a, b] = [a, b].map(|body| Answer {
            headers: [("content-length".to_owned(), vec![body.len().to_string()])].into(),
            body: body.as_bytes().to_vec(),
            ..answer(200)
        });
        let differences = comparison::compare(&a, &b, false, &mut Pairs::default());
        accept(ledger, [&a, &b], &differences).is_some()
    }

    #[test]
    fn values_within_a_tolerance_are_accepted() {
        let entry = "{operation: GET /items/*, paths: ['body[*].price'], within: 0.01, reason: cents, owner: us}";
        let mut prices = ledger(entry);
        assert!(accepts(&mut prices, r#"[{"price":1.5,"n":1}]"#, r#"[{"price":1.505,"n":1}]"#));
        assert!(!accepts(&mut prices, r#"[{"price":1.5,"n":1}]"#, r#"[{"price":1.52,"n":1}]"#));
        assert!(!accepts(&mut prices, r#"[{"price":1.5,"n":1}]"#, r#"[{"price":1.5,"n":2}]"#));
        let mut times = ledger("{paths: [body.at], within: 3600 s, reason: clocks, owner: us}");
        let at = |hour: u32| format!(r#"{{"at":"2020-01-02T{hour:02}:04:05Z"}}"#);
        assert!(accepts(&mut times, &at(5), &at(6)) && !accepts(&mut times, &at(5), &at(7)));
        let unused = ledger(entry);
        assert_eq!(unused.stale().count(), 0, "it need not occur");
        assert!(unused.lines()[0].contains("body[*].price within 0.01, operation GET /items/*"));
    }

    #[test]
    fn lists_in_any_order_are_accepted() {
        let mut tags = ledger("{paths: ['body*.tags'], any_order: true, reason: sets, owner: us}");
        let body = |tags: &str| format!(r#"{{"items":[{{"tags":[{tags}]}}],"more":[1,2]}}"#);
        assert!(accepts(&mut tags, &body("1,2,3"), &body("3,1,2")));
        assert!(!accepts(&mut tags, &body("1,2,3"), &body("3,1,1")));
        let other = body("3,1,2").replace("[1,2]", "[2,1]");
        assert!(!accepts(&mut tags, &body("1,2,3"), &other), "another list");
    }

    #[test]
    fn what_cannot_mean_anything_is_refused() {
        for entry in [
            "{within: 1, reason: a, owner: b}",
            "{any_order: true, reason: a, owner: b}",
            "{paths: [body], within: 2 days, reason: a, owner: b}",
            "{paths: [body], within: -1, reason: a, owner: b}",
            "{paths: [body], within: 1, any_order: true, reason: a, owner: b}",
        ] {
            let entry: Entry = serde_saphyr::from_str(entry).unwrap();
            assert!(entry.check().is_err(), "{entry:?}");
        }
    }

    #[test]
    fn an_entry_covers_what_it_names_and_no_more() {
        let mut ledger =
            ledger("{case: '*', paths: [header x-took, body.at*], reason: clocks, owner: us}");
        let mut accepts = |paths: &[&str]| {
            accept(&mut ledger, [&answer(200), &answer(200)], &differences(paths)).is_some()
        };
        assert!(!accepts(&[]) && !accepts(&["status", "header x-took"]));
        assert!(accepts(&["header x-took"]) && accepts(&["header x-took", "body.at[0]"]));
        assert_eq!(ledger.stale().count(), 0);
    }

    #[test]
    fn a_star_may_stand_anywhere_and_entries_add_up() {
        let entry = |path: &str, more: &str| {
            let text =
                format!("{{case: '*', paths: ['{path}'], reason: '{path}', owner: us{more}}}");
            (serde_saphyr::from_str(&text).unwrap(), 0)
        };
        let entries = vec![entry("body[*].token", ""), entry("header x-took", ", optional: true")];
        let mut ledger = Ledger(entries);
        assert_eq!(ledger.stale().count(), 1, "the other one is optional");
        let mut accept = |paths: &[&str]| {
            self::accept(&mut ledger, [&answer(200), &answer(200)], &differences(paths))
        };
        assert!(accept(&["body[0].token", "body[1].token"]).is_some());
        assert_eq!(
            accept(&["body[0].token", "header x-took"]).as_deref(),
            Some("body[*].token; header x-took")
        );
        assert!(accept(&["body[0].token", "status"]).is_none());
    }

    #[test]
    fn an_entry_that_never_occurs_is_stale() {
        let mut ledger =
            ledger("{case: a, reference: 500, candidate: 422, reason: better, owner: us}");
        let status = differences(&["status"]);
        assert!(accept(&mut ledger, [&answer(500), &answer(400)], &status).is_none());
        assert_eq!(ledger.stale().count(), 1);
        assert!(accept(&mut ledger, [&answer(500), &answer(422)], &status).is_some());
        assert_eq!(ledger.stale().count(), 0);
    }
}

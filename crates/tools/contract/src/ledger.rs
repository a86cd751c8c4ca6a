//! The ledger of deliberate improvements: where the candidate is better on purpose.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::case::CaseError;
use crate::openapi::like;
use comparison::{Answer, Difference};

/// One accepted difference.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The case, with `*` for anything.
    pub case: String,
    /// The statuses of the two; of any if none is named.
    pub reference: Option<u16>,
    pub candidate: Option<u16>,
    /// The paths that may differ, as the report shows them (`header x-took`, `body.at`,
    /// `body[*].token`), with `*` for anything; any if none is named. An older name is `places`.
    #[serde(default, alias = "places")]
    pub paths: Vec<String>,
    /// Why that is better.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The only label of a run in which it occurs.
    pub only: Option<String>,
    /// Whether it need not occur, as what differs now and then.
    #[serde(default)]
    pub optional: bool,
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
}

/// The accepted differences and how often each occurred.
#[derive(Debug, Default)]
pub struct Ledger(Vec<(Entry, usize)>);

impl Ledger {
    pub fn load(path: &Path, label: &str) -> Result<Self, CaseError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| CaseError::Read { path: path.to_owned(), source })?;
        let entries: Vec<Entry> = serde_saphyr::from_str(&text).map_err(|error| {
            CaseError::Syntax { path: path.to_owned(), message: error.to_string() }
        })?;
        let here = |entry: &Entry| entry.only.as_ref().is_none_or(|only| only == label);
        Ok(Self(entries.into_iter().filter(here).map(|entry| (entry, 0)).collect()))
    }

    /// The reason for which a difference is accepted.
    pub fn accept(
        &mut self,
        case: &str,
        reference: &Answer,
        candidate: &Answer,
        differences: &[Difference],
    ) -> Option<String> {
        if differences.is_empty() {
            return None;
        }
        let applies = |entry: &Entry| {
            like(&entry.case, case)
                && entry.reference.is_none_or(|status| status == reference.status)
                && entry.candidate.is_none_or(|status| status == candidate.status)
        };
        let covers = |entry: &Entry, difference: &Difference| {
            entry.paths.is_empty() || entry.paths.iter().any(|path| like(path, &difference.path))
        };
        // Several entries may each cover a part of what is different.
        let mut used: Vec<usize> = Vec::new();
        for difference in differences {
            let found = |(entry, _): &(Entry, usize)| applies(entry) && covers(entry, difference);
            let index = self.0.iter().position(found)?;
            if !used.contains(&index) {
                used.push(index);
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
        self.0.iter().filter(|(entry, uses)| *uses == 0 && !entry.optional).map(|(entry, _)| entry)
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

    #[test]
    fn an_entry_covers_what_it_names_and_no_more() {
        let mut ledger =
            ledger("{case: '*', paths: [header x-took, body.at*], reason: clocks, owner: us}");
        let mut accepts = |paths: &[&str]| {
            ledger.accept("a", &answer(200), &answer(200), &differences(paths)).is_some()
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
        let mut accept =
            |paths: &[&str]| ledger.accept("a", &answer(200), &answer(200), &differences(paths));
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
        assert!(ledger.accept("a", &answer(500), &answer(400), &status).is_none());
        assert_eq!(ledger.stale().count(), 1);
        assert!(ledger.accept("a", &answer(500), &answer(422), &status).is_some());
        assert_eq!(ledger.stale().count(), 0);
    }
}

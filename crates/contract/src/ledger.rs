//! The ledger of deliberate improvements: where the candidate is better on purpose.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::case::CaseError;
use crate::compare::{Answer, Difference};

/// One accepted difference.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The case, or with `*` at its end all cases that begin so.
    pub case: String,
    /// What the two answer.
    pub reference: u16,
    pub candidate: u16,
    /// Why that is better.
    pub reason: String,
    /// Who answers for it.
    pub owner: String,
    /// The only label of a run in which it occurs.
    pub only: Option<String>,
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
        let names = |entry: &Entry| match entry.case.strip_suffix('*') {
            Some(start) => case.starts_with(start),
            None => case == entry.case,
        };
        let (entry, uses) = self.0.iter_mut().find(|(entry, _)| {
            names(entry)
                && entry.reference == reference.status
                && entry.candidate == candidate.status
        })?;
        *uses += 1;
        Some(entry.reason.clone())
    }

    /// The entries that did not occur.
    pub fn stale(&self) -> impl Iterator<Item = &Entry> {
        self.0.iter().filter(|(_, uses)| *uses == 0).map(|(entry, _)| entry)
    }
}

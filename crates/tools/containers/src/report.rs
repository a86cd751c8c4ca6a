//! What was checked: a table for people, `report.json` for programs.

use std::fmt;
use std::path::Path;

use serde_json::{Value, json};

use crate::BoxError;

#[derive(Default)]
pub(crate) struct Report {
    results: Vec<(String, Outcome)>,
    figures: Vec<(String, String)>,
}

enum Outcome {
    Passed,
    Failed(String),
    NotRun(String),
}

impl Report {
    /// Records a check: `Err` is why it failed.
    pub(crate) fn check(&mut self, name: &str, result: Result<(), BoxError>) {
        let outcome = match result {
            Ok(()) => Outcome::Passed,
            Err(error) => Outcome::Failed(error.to_string()),
        };
        eprintln!("containers: {name}: {}", outcome.word());
        self.results.push((name.to_owned(), outcome));
    }

    pub(crate) fn not_run(&mut self, name: &str, reason: &str) {
        self.results.push((name.to_owned(), Outcome::NotRun(reason.to_owned())));
    }

    /// Records something that was measured.
    pub(crate) fn figure(&mut self, name: &str, value: impl fmt::Display) {
        self.figures.push((name.to_owned(), value.to_string()));
    }

    fn not_run_count(&self) -> usize {
        self.results.iter().filter(|(_, one)| matches!(one, Outcome::NotRun(_))).count()
    }

    pub(crate) fn failed(&self) -> usize {
        self.results.iter().filter(|(_, one)| matches!(one, Outcome::Failed(_))).count()
    }

    /// Writes `report.json` into a folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), BoxError> {
        let not_run = self.not_run_count();
        let results: Vec<Value> = self.results.iter().map(|(name, outcome)| {
            json!({"name": name, "result": outcome.word(), "detail": outcome.detail()})
        }).collect();
        let figures: serde_json::Map<_, _> =
            self.figures.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let report = json!({
            "checks": self.results.len() - not_run,
            "failed": self.failed(),
            "not_run": not_run,
            "results": results,
            "figures": figures,
        });
        std::fs::write(folder.join("report.json"), serde_json::to_string_pretty(&report)? + "\n")?;
        Ok(())
    }
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed(_) => "FAILED",
            Self::NotRun(_) => "not run",
        }
    }

    fn detail(&self) -> &str {
        match self {
            Self::Passed => "",
            Self::Failed(detail) | Self::NotRun(detail) => detail,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.results {
            writeln!(f, "{name:56} {:8} {}", outcome.word(), outcome.detail())?;
        }
        for (name, value) in &self.figures {
            writeln!(f, "{name:56} {value}")?;
        }
        let not_run = self.not_run_count();
        let checks = self.results.len() - not_run;
        writeln!(f, "{checks} checks, {} failed, {not_run} not run", self.failed())
    }
}

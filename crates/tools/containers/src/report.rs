//! What was checked: a table for people, JSON for programs.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::BoxError;

#[derive(Default)]
pub(crate) struct Report {
    results: Vec<(String, Outcome)>,
    figures: Vec<(String, String)>,
    /// When to start nothing more.
    end: Option<Instant>,
    /// Where it is written after each check, so that it is there also if the checks are killed.
    file: PathBuf,
    /// All checks that are to be made as far as they are known before.
    planned: Vec<String>,
}

enum Outcome {
    Passed(String),
    Failed(String),
    NotRun(String),
}

/// The error of a check that cannot be made here: it is not run, and that is counted.
#[derive(Debug)]
pub(crate) struct NotRun(pub String);

impl fmt::Display for NotRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for NotRun {}

impl Report {
    /// A report in this file, of checks of which none starts later than after this time.
    pub(crate) fn new(file: &Path, time: Option<Duration>) -> Self {
        let end = time.map(|time| Instant::now() + time);
        Self { end, file: file.to_owned(), ..Self::default() }
    }

    /// Counts these as not run until they are.
    pub(crate) fn plan<N: Into<String>>(&mut self, names: impl IntoIterator<Item = N>) {
        self.planned.extend(names.into_iter().map(Into::into));
    }

    /// Records a check that was made: `Ok` has what was seen, `Err` is why it failed.
    pub(crate) fn check(&mut self, name: &str, result: Result<String, BoxError>) {
        let outcome = match result {
            Ok(seen) => Outcome::Passed(seen),
            Err(error) => match error.downcast::<NotRun>() {
                Ok(reason) => Outcome::NotRun(reason.0),
                Err(error) => Outcome::Failed(error.to_string()),
            },
        };
        eprintln!("containers: {name}: {} {}", outcome.word(), outcome.detail());
        self.results.push((name.to_owned(), outcome));
        if let Err(error) = self.write() {
            eprintln!("containers: the report cannot be written: {error}");
        }
    }

    /// Makes a check, if there is time left, and records it.
    pub(crate) fn run(&mut self, name: &str, check: impl FnOnce() -> Result<String, BoxError>) {
        if self.is_over() {
            return self.check(name, Err(Box::new(NotRun("the time is over".into()))));
        }
        let start = Instant::now();
        let result = check().map(|seen| format!("{seen}; {} s", start.elapsed().as_secs()));
        self.check(name, result);
    }

    /// Whether nothing more is to be started.
    pub(crate) fn is_over(&self) -> bool {
        self.end.is_some_and(|end| Instant::now() > end)
    }

    pub(crate) fn not_run(&mut self, name: &str, reason: &str) {
        self.results.push((name.to_owned(), Outcome::NotRun(reason.to_owned())));
    }

    /// Records something that was measured.
    pub(crate) fn figure(&mut self, name: &str, value: impl fmt::Display) {
        self.figures.push((name.to_owned(), value.to_string()));
    }

    pub(crate) fn not_run_count(&self) -> usize {
        self.results.iter().filter(|(_, one)| matches!(one, Outcome::NotRun(_))).count()
    }

    pub(crate) fn failed(&self) -> usize {
        self.results.iter().filter(|(_, one)| matches!(one, Outcome::Failed(_))).count()
    }

    /// Counts what was planned and not reached as not run.
    pub(crate) fn finish(&mut self) {
        for name in self.missing() {
            self.not_run(&name, "it was not reached");
        }
    }

    fn missing(&self) -> Vec<String> {
        let is_missing = |name: &&String| self.results.iter().all(|(one, _)| one != *name);
        self.planned.iter().filter(is_missing).cloned().collect()
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn write(&self) -> Result<(), BoxError> {
        let missing = self.missing();
        let not_run = self.not_run_count();
        let mut results: Vec<Value> = self.results.iter().map(|(name, outcome)| {
            json!({"name": name, "result": outcome.word(), "detail": outcome.detail()})
        }).collect();
        results.extend(missing.iter().map(|name| json!({"name": name, "result": "not run"})));
        let figures: serde_json::Map<_, _> =
            self.figures.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        let report = json!({
            "checks": self.results.len() - not_run,
            "failed": self.failed(),
            "not_run": not_run + missing.len(),
            "results": results,
            "figures": figures,
        });
        let text = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(&self.file, text)?;
        Ok(())
    }
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(_) => "FAILED",
            Self::NotRun(_) => "not run",
        }
    }

    fn detail(&self) -> &str {
        match self {
            Self::Passed(detail) | Self::Failed(detail) | Self::NotRun(detail) => detail,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, outcome) in &self.results {
            writeln!(f, "{name:64} {:8} {}", outcome.word(), outcome.detail())?;
        }
        for (name, value) in &self.figures {
            writeln!(f, "{name:64} {value}")?;
        }
        let not_run = self.not_run_count();
        let checks = self.results.len() - not_run;
        writeln!(f, "{checks} checks, {} failed, {not_run} not run", self.failed())
    }
}

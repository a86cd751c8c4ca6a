//! What runs found: `report.json` for machines, `report.html` to click through, `report.md` for a
//! comment, `junit.xml` for CI. Runs under different labels share them.

mod coverage;
mod html;
mod junit;
mod markdown;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use self::coverage::Coverage;
pub use crate::outcome::Outcome;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub total: usize,
    pub same: usize,
    pub different: usize,
    pub better: usize,
    /// Those that differ only where the reference differs from itself.
    #[serde(default)]
    pub unsteady: usize,
}

impl Totals {
    pub fn of<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> Self {
        let mut totals = Self::default();
        for outcome in outcomes {
            totals.total += 1;
            match (outcome.is_same(), &outcome.better) {
                (true, _) => totals.same += 1,
                (false, Some(_)) => totals.better += 1,
                (false, None) if outcome.unsteady => totals.unsteady += 1,
                (false, None) => totals.different += 1,
            }
        }
        totals
    }
}

/// The operations of which requests were sent and none succeeded.
pub fn never_succeeded(outcomes: &[Outcome]) -> Vec<String> {
    let mut succeeded: BTreeMap<&str, bool> = BTreeMap::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.status > 0) {
        *succeeded.entry(&outcome.operation).or_default() |= outcome.succeeded();
    }
    let failed = succeeded.into_iter().filter(|(_, succeeded)| !succeeded);
    failed.map(|(operation, _)| operation.to_owned()).collect()
}

/// Whether all requests were refused: then nothing was compared but errors.
pub fn nothing_succeeded(outcomes: &[Outcome]) -> bool {
    let mut answered = outcomes.iter().filter(|outcome| outcome.status > 0).peekable();
    answered.peek().is_some() && !answered.any(Outcome::succeeded)
}

/// All runs, by their labels.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Report {
    #[serde(flatten)]
    totals: Totals,
    runs: BTreeMap<String, Run>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Run {
    totals: Totals,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rules: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    coverage: Option<Coverage>,
    cases: Vec<Outcome>,
}

/// What a run was about, beside its outcomes.
#[derive(Clone, Debug, Default)]
pub struct Details {
    /// What may differ, a line for each rule, whether it occurred or not.
    pub rules: Vec<String>,
    /// What was reached of the document that requests were made from.
    pub coverage: Option<Coverage>,
}

impl Run {
    fn new(cases: Vec<Outcome>, Details { rules, coverage }: Details) -> Self {
        Self { totals: Totals::of(&cases), rules, coverage, cases }
    }
}

impl Report {
    fn outcomes(&self) -> impl Iterator<Item = (&str, &Outcome)> {
        self.runs.iter().flat_map(|(label, run)| run.cases.iter().map(move |case| (&**label, case)))
    }

    /// The cases of each operation, with the labels of their runs.
    fn by_operation(&self) -> BTreeMap<&str, Vec<(&str, &Outcome)>> {
        let mut operations: BTreeMap<&str, Vec<(&str, &Outcome)>> = BTreeMap::new();
        for (label, outcome) in self.outcomes() {
            operations.entry(&outcome.operation).or_default().push((label, outcome));
        }
        operations
    }
}

/// A file of the report that cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be written: {source}")]
pub struct ReportError {
    path: PathBuf,
    source: std::io::Error,
}

/// Takes an earlier run with this label out of the report at `path`, so that it is not taken for the
/// one that begins now.
///
/// # Errors
/// When the report cannot be written.
pub fn begin(path: &Path, label: &str) -> Result<(), ReportError> {
    write(path, label, vec![Outcome::unfinished("it began and did not end")], Details::default())
}

/// Writes a run into the report at `path`, replacing an earlier one with this label, and the
/// other forms beside it. A file that is no report is written over. Each file is whole, whatever ends
/// the program or fills the disk: the new one or the one before.
///
/// # Errors
/// When a file cannot be written.
pub fn write(
    path: &Path,
    label: &str,
    outcomes: Vec<Outcome>,
    details: Details,
) -> Result<(), ReportError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        |source| ReportError { path, source }
    };
    let earlier = std::fs::read(path).unwrap_or_default();
    let mut report: Report = serde_json::from_slice(&earlier).unwrap_or_else(|error| {
        if !earlier.is_empty() {
            eprintln!("contract: {} is no report and is replaced: {error}", path.display());
        }
        Report::default()
    });
    report.runs.insert(label.to_owned(), Run::new(outcomes, details));
    report.totals = Totals::of(report.outcomes().map(|(_, outcome)| outcome));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed(path))?;
    }
    let json = serde_json::to_string_pretty(&report).map_err(std::io::Error::other);
    let junit_path = path.with_file_name("junit.xml");
    let forms = [
        (path.to_owned(), json.map(|json| json + "\n")),
        (path.with_extension("html"), Ok(html::page(&report))),
        (path.with_extension("md"), Ok(markdown::summary(&report))),
        (junit_path, junit::document(&report)),
    ];
    // All are tried: a small one may have room where a large one has none.
    let mut first = Ok(());
    for (path, text) in forms {
        let written = text.and_then(|text| replace(&path, &text)).map_err(failed(&path));
        first = first.and(written);
    }
    first
}

/// Writes a file that replaces an earlier one when it is complete.
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    // What is no file, as /dev/null, cannot be replaced.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return std::fs::write(path, text);
    }
    let mut name = path.as_os_str().to_owned();
    name.push(".new");
    let new = PathBuf::from(name);
    let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path));
    if written.is_err() {
        _ = std::fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
pub(crate) fn example() -> Report {
    use comparison::Difference;

    let same = Outcome {
        case: "read <one>".into(),
        request: "GET /items/7".into(),
        operation: "GET /items/{id}".into(),
        status: 200,
        seconds: 0.25,
        ..Outcome::default()
    };
    let difference = Difference {
        path: "body.a|b".into(),
        reference: "1".into(),
        candidate: "\u{0}<script>`".into(),
    };
    let different = Outcome { differences: vec![difference], ..same.clone() };
    let better = Outcome { better: Some("a reason".into()), status: 500, ..different.clone() };
    let mut report = Report::default();
    let cases = vec![same, different, better];
    let reached = coverage::Reached {
        requests: 3,
        succeeded: 1,
        statuses: BTreeMap::from([(200, 2), (500, 1)]),
        ..coverage::Reached::default()
    };
    let operations = BTreeMap::from([("GET /items/{id}".to_owned(), reached)]);
    let details = Details {
        rules: vec!["body.<at> within 2 s: clocks (us)".into()],
        coverage: Some(Coverage { operations }),
    };
    report.runs.insert("sqlite".into(), Run::new(cases, details));
    report.totals = Totals::of(report.outcomes().map(|(_, outcome)| outcome));
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_added_to_those_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let run = example().runs.remove("sqlite").unwrap();
        for label in ["sqlite", "postgres", "sqlite"] {
            begin(&path, label).unwrap();
            let details = Details { rules: run.rules.clone(), coverage: run.coverage.clone() };
            write(&path, label, run.cases.clone(), details).unwrap();
        }
        let report: Report = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(report.runs.keys().collect::<Vec<_>>(), ["postgres", "sqlite"]);
        assert_eq!(report.totals.total, 2 * run.cases.len());
        assert!(report.runs.values().all(|kept| kept.coverage == run.coverage));
    }
}

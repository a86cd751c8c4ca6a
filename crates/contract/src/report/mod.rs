//! What a run found, for machines; runs under different labels share one file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::compare::Difference;

/// The outcome of one case.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    pub case: String,
    pub request: String,
    pub differences: Vec<Difference>,
    /// The reason of the ledger if the differences are deliberate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub better: Option<String>,
}

impl Outcome {
    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }

    pub fn passed(&self) -> bool {
        self.is_same() || self.better.is_some()
    }
}

#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    pub total: usize,
    pub same: usize,
    pub different: usize,
    pub better: usize,
}

impl Totals {
    pub fn of(outcomes: &[Outcome]) -> Self {
        let count = |which: fn(&Outcome) -> bool| outcomes.iter().filter(|o| which(o)).count();
        Self {
            total: outcomes.len(),
            same: count(Outcome::is_same),
            different: count(|outcome| !outcome.passed()),
            better: count(|outcome| outcome.better.is_some()),
        }
    }
}

/// Writes the run into the report, in the place of an earlier one with this label.
pub fn write(path: &Path, label: &str, outcomes: &[Outcome]) -> std::io::Result<()> {
    let earlier = std::fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok());
    let mut report: Value = earlier.unwrap_or_else(|| json!({}));
    let run = json!({ "totals": Totals::of(outcomes), "cases": outcomes });
    if !report["runs"].is_object() {
        report["runs"] = json!({});
    }
    report["runs"][label] = run;
    for key in ["total", "same", "different", "better"] {
        let runs = report["runs"].as_object().into_iter().flatten();
        let sum: u64 = runs.filter_map(|(_, run)| run["totals"][key].as_u64()).sum();
        report[key] = json!(sum);
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, format!("{report:#}\n"))
}

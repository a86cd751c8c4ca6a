//! What to move next, and what a move has gained.

use std::cmp::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use http::Method;
use serde::{Deserialize, Serialize};

use crate::cpu::CpuShare;
use crate::overview::{OperationView, Overview};
use crate::plan::Mode;
use crate::side::Figures;
use crate::strangler::Strangler;

/// What moving an operation may break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// It changes nothing, and no answer differed so far.
    Low,
    /// It writes.
    Medium,
    /// Answers differed, or its canary failed: that comes first.
    High,
}

impl Risk {
    fn of(operation: &OperationView) -> Self {
        let is_safe = operation.method.parse::<Method>().is_ok_and(|method| method.is_safe());
        if operation.statistics.mismatches > 0 || operation.fallback.is_some() {
            Self::High
        } else if is_safe {
            Self::Low
        } else {
            Self::Medium
        }
    }

    /// The part of its gain by which an operation is ranked.
    const fn weight(self) -> f64 {
        match self {
            Self::Low => 1.0,
            Self::Medium => 0.5,
            Self::High => 0.1,
        }
    }
}

/// An operation that can be moved.
#[derive(Clone, Debug, Serialize)]
pub struct Candidate {
    /// 1 is the one to move next.
    pub rank: usize,
    /// The operationId.
    pub id: String,
    /// The mode of the plan.
    pub mode: Mode,
    /// Its part of the time that the old service spent on all requests, 0 to 1, its waiting included.
    pub share: f64,
    /// Its share of the old service's CPU, what that would be spared; none if it is not known.
    pub cpu: Option<CpuShare>,
    /// Requests a second, on average since the start.
    pub rate: f64,
    /// The old service's latencies.
    pub legacy: Figures,
    /// What the move may break.
    pub risk: Risk,
    /// Whether it writes.
    pub writes: bool,
    /// About how many callers there were; none: over 5,000.
    pub callers: Option<u64>,
    /// Answers that differed so far.
    pub mismatches: u64,
    /// Answers that were the same so far.
    pub matches: u64,
}

impl Strangler {
    /// The operations that are not native yet, the one to move next first: by their share of the old
    /// service's CPU, or of its time where that is not known, of which a write counts half and one whose
    /// answers differed a tenth.
    pub fn candidates(&self) -> Vec<Candidate> {
        candidates(&self.overview())
    }

    /// What was measured so far, to compare with later.
    pub fn baseline(&self) -> Baseline {
        let overview = self.overview();
        let total = seconds(&overview);
        let operations = overview.operations.into_iter().map(|operation| BaselineOperation {
            share: share(&operation.statistics.legacy, total),
            id: operation.id,
            method: operation.method,
            path: operation.path,
            mode: operation.mode,
            legacy: operation.statistics.legacy,
            native: operation.statistics.native,
        });
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Baseline {
            taken: now.as_secs(),
            seconds: overview.seconds,
            operations: operations.collect(),
        }
    }

    /// What the operations of an earlier baseline have gained since, each of those that the new service
    /// responds to now: its latencies against the old one's of then.
    pub fn gains(&self, before: &Baseline) -> Vec<Gain> {
        let now = self.overview();
        let gains = before.operations.iter().filter_map(|before| {
            let now = now.operations.iter().find(|now| now.id == before.id)?;
            let native = &now.statistics.native;
            let factor = |then: Option<f64>, now: Option<f64>| Some(then? / now?.max(1e-6));
            (native.requests > 0 && before.legacy.requests > 0).then(|| Gain {
                id: before.id.clone(),
                mode: now.mode,
                share: before.share,
                before: before.legacy.clone(),
                after: native.clone(),
                p50: factor(before.legacy.p50, native.p50),
                p99: factor(before.legacy.p99, native.p99),
            })
        });
        gains.collect()
    }
}

/// The seconds that the old service spent on all requests.
fn seconds(overview: &Overview) -> f64 {
    let operations =
        overview.operations.iter().map(|operation| operation.statistics.legacy.seconds);
    operations.sum::<f64>() + overview.others.seconds
}

fn share(legacy: &Figures, total: f64) -> f64 {
    if total > 0.0 { legacy.seconds / total } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "a rate")]
pub(crate) fn candidates(overview: &Overview) -> Vec<Candidate> {
    let total = seconds(overview);
    let left = overview.operations.iter().filter(|operation| operation.mode != Mode::Native);
    let mut all: Vec<_> = left
        .map(|operation| {
            let statistics = &operation.statistics;
            Candidate {
                rank: 0,
                id: operation.id.clone(),
                mode: operation.mode,
                share: share(&statistics.legacy, total),
                cpu: operation.cpu,
                rate: statistics.legacy.requests as f64 / overview.seconds.max(1e-3),
                legacy: statistics.legacy.clone(),
                risk: Risk::of(operation),
                writes: !operation.method.parse::<Method>().is_ok_and(|method| method.is_safe()),
                callers: statistics.callers,
                mismatches: statistics.mismatches,
                matches: statistics.matches,
            }
        })
        .collect();
    let gain = |candidate: &Candidate| candidate.cpu.map_or(candidate.share, |cpu| cpu.share);
    let score = |candidate: &Candidate| gain(candidate) * candidate.risk.weight();
    all.sort_by(|one, other| score(other).partial_cmp(&score(one)).unwrap_or(Ordering::Equal));
    for (index, candidate) in all.iter_mut().enumerate() {
        candidate.rank = index + 1;
    }
    all
}

/// What was measured until a moment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Baseline {
    /// When, in seconds since 1970.
    pub taken: u64,
    /// The seconds since the start.
    pub seconds: f64,
    /// Of each operation of the new service.
    pub operations: Vec<BaselineOperation>,
}

/// What was measured of an operation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BaselineOperation {
    /// The operationId.
    pub id: String,
    /// The HTTP method.
    pub method: String,
    /// The path template.
    pub path: String,
    /// The mode of the plan.
    pub mode: Mode,
    /// Its part of the old service's time, 0 to 1.
    pub share: f64,
    /// The old service.
    pub legacy: Figures,
    /// The new service.
    pub native: Figures,
}

/// What moving an operation has gained.
#[derive(Clone, Debug, Serialize)]
pub struct Gain {
    /// The operationId.
    pub id: String,
    /// The mode now.
    pub mode: Mode,
    /// Its part of the old service's time before, 0 to 1.
    pub share: f64,
    /// The old service before.
    pub before: Figures,
    /// The new service now.
    pub after: Figures,
    /// How many times faster the median is.
    pub p50: Option<f64>,
    /// How many times faster the 99th percentile is.
    pub p99: Option<f64>,
}

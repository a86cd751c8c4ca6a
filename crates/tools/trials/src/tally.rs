//! Counts of what clients observed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::Serialize;

/// What clients observed in a stretch of time.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stage {
    /// How long it lasted.
    pub seconds: f64,
    pub requests: u64,
    /// Counts by method and outcome: `POST 503`, `GET no answer`.
    pub failures: BTreeMap<String, u64>,
    /// The first responses that contradicted acknowledged writes.
    pub wrong: Vec<String>,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// When the first and the last request failed.
    #[serde(skip)]
    pub failed_between: Option<(Instant, Instant)>,
}

impl Stage {
    /// The failed requests.
    pub fn failed(&self) -> u64 {
        self.failures.values().sum()
    }

    /// Responses with 500.
    pub fn server_errors(&self) -> u64 {
        let errors = self.failures.iter().filter(|(what, _)| what.ends_with(" 500"));
        errors.map(|(_, count)| count).sum()
    }

    /// Adds the counts of a later stage; latencies stay those of this one.
    pub fn add(&mut self, later: Self) {
        self.seconds += later.seconds;
        self.requests += later.requests;
        for (what, count) in later.failures {
            *self.failures.entry(what).or_default() += count;
        }
        self.wrong.extend(later.wrong);
        self.failed_between = match (self.failed_between, later.failed_between) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (this, other) => this.or(other),
        };
    }

    /// The failures in one line.
    pub fn failures_text(&self) -> String {
        let all: Vec<_> = self.failures.iter().map(|(what, n)| format!("{n} {what}")).collect();
        all.join(", ")
    }
}

struct Counts {
    since: Instant,
    stage: Stage,
    latencies: Option<Histogram<u64>>,
}

/// Counts for all clients together.
pub struct Tally(Mutex<Counts>);

impl Default for Tally {
    fn default() -> Self {
        Self(Mutex::new(Counts {
            since: Instant::now(),
            stage: Stage::default(),
            latencies: latencies(),
        }))
    }
}

/// Microseconds up to ten minutes.
fn latencies() -> Option<Histogram<u64>> {
    Histogram::new_with_bounds(1, 600_000_000, 2).ok()
}

impl Tally {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request that took so long.
    pub fn answered(&self, took: Duration) {
        let mut counts = self.lock();
        counts.stage.requests += 1;
        if let Some(latencies) = counts.latencies.as_mut() {
            latencies.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// Counts a failure.
    pub fn failed(&self, what: String) {
        let mut counts = self.lock();
        *counts.stage.failures.entry(what).or_default() += 1;
        let now = Instant::now();
        let first = counts.stage.failed_between.map_or(now, |(first, _)| first);
        counts.stage.failed_between = Some((first, now));
    }

    /// Records a wrong response; the first hundred are kept.
    pub fn wrong(&self, what: String) {
        let mut counts = self.lock();
        if counts.stage.wrong.len() < 100 {
            counts.stage.wrong.push(what);
        }
    }

    /// The requests since the last [`Tally::take`].
    pub fn requests(&self) -> u64 {
        self.lock().stage.requests
    }

    /// The counts since the last call, or since the start.
    #[expect(clippy::cast_precision_loss, reason = "microseconds of minutes")]
    pub fn take(&self) -> Stage {
        let mut counts = self.lock();
        let mut stage = std::mem::take(&mut counts.stage);
        stage.seconds =
            std::mem::replace(&mut counts.since, Instant::now()).elapsed().as_secs_f64();
        if let Some(latencies) = std::mem::replace(&mut counts.latencies, latencies()) {
            stage.p50_ms = latencies.value_at_quantile(0.5) as f64 / 1000.0;
            stage.p99_ms = latencies.value_at_quantile(0.99) as f64 / 1000.0;
        }
        stage
    }
}

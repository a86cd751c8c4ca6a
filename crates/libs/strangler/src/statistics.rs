//! Statistics of each operation on each side.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use comparison::Difference;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::redact;

/// How many requests with differences are kept for an operation.
const KEPT: usize = 10;
/// The length of a window of recent responses; one to two of them are kept.
const WINDOW: Duration = Duration::from_secs(15);
/// The fewest recent responses of a side from which anything is concluded.
const MIN_RESPONSES: u64 = 20;

/// How many responses come between two comparisons of the sides, which add up whole histograms.
const COMPARISON_INTERVAL: u64 = 10;

/// By how much the new service may be worse than the old one before a canary fails.
#[derive(Clone, Copy, Debug)]
pub struct Margin {
    /// By how much its share of errors (5xx) may be higher, 0 to 1.
    pub errors: f64,
    /// The factor by which its 90th percentile may be higher.
    pub slower: f64,
    /// What its 90th percentile may be higher in addition.
    pub more: Duration,
}

impl Default for Margin {
    fn default() -> Self {
        Self { errors: 0.02, slower: 2.0, more: Duration::from_millis(100) }
    }
}

/// Latencies in microseconds, up to ten minutes, to two digits.
fn histogram() -> Option<Histogram<u64>> {
    Histogram::new_with_bounds(1, 600_000_000, 2).ok()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[derive(Debug)]
struct Recent {
    since: Instant,
    requests: u64,
    errors: u64,
    latencies: Option<Histogram<u64>>,
}

impl Recent {
    fn new() -> Self {
        Self { since: Instant::now(), requests: 0, errors: 0, latencies: histogram() }
    }
}

/// One side of an operation.
#[derive(Debug)]
pub(crate) struct Side {
    requests: AtomicU64,
    errors: AtomicU64,
    latencies: Mutex<Option<Histogram<u64>>>,
    /// The last complete window, and the current one.
    recent: Mutex<[Recent; 2]>,
}

impl Side {
    fn new() -> Self {
        Self {
            requests: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            latencies: Mutex::new(histogram()),
            recent: Mutex::new([Recent::new(), Recent::new()]),
        }
    }

    pub(crate) fn record(&self, took: Duration, is_error: bool) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(is_error), Ordering::Relaxed);
        if let Some(latencies) = lock(&self.latencies).as_mut() {
            latencies.saturating_record(micros);
        }
        let mut recent = lock(&self.recent);
        if recent[1].since.elapsed() > WINDOW {
            recent.swap(0, 1);
            recent[1] = Recent::new();
        }
        let window = &mut recent[1];
        window.requests += 1;
        window.errors += u64::from(is_error);
        if let Some(latencies) = window.latencies.as_mut() {
            latencies.saturating_record(micros);
        }
    }

    /// Share of errors and 90th percentile of the recent responses, if there are enough.
    #[expect(clippy::cast_precision_loss, reason = "counts of half a minute")]
    fn recently(&self) -> Option<(f64, Duration)> {
        let recent = lock(&self.recent);
        let fresh = |window: &&Recent| window.since.elapsed() < WINDOW * 3;
        let (mut requests, mut errors) = (0, 0);
        let mut latencies = histogram()?;
        for window in recent.iter().filter(fresh) {
            requests += window.requests;
            errors += window.errors;
            latencies.add(window.latencies.as_ref()?).ok()?;
        }
        let p90 = Duration::from_micros(latencies.value_at_quantile(0.9));
        (requests >= MIN_RESPONSES).then(|| (errors as f64 / requests as f64, p90))
    }

    fn reset_recent(&self) {
        *lock(&self.recent) = [Recent::new(), Recent::new()];
    }

    fn figures(&self) -> Figures {
        let latencies = lock(&self.latencies);
        let at = |quantile| {
            let latencies = latencies.as_ref().filter(|latencies| !latencies.is_empty());
            latencies.map(|l| Duration::from_micros(l.value_at_quantile(quantile)).as_secs_f64())
        };
        Figures {
            requests: self.requests.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
        }
    }
}

/// A snapshot of one side of an operation.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// All requests.
    pub requests: u64,
    /// Responses with 500 and above, and requests without a response.
    pub errors: u64,
    /// Median of the seconds to the head of the response; none before the first.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}

/// The result of comparing a shadowed request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Match,
    Mismatch,
    /// They differed, but not when both were requested again: data changed in between.
    Noise,
    /// The new service would have acted, so that its response is unknown.
    Uncompared,
    /// The queue was full.
    Dropped,
}

#[derive(Debug, Default)]
struct Verdicts([AtomicU64; 5]);

/// The statistics of one operation.
#[derive(Debug)]
pub(crate) struct Statistics {
    pub(crate) legacy: Side,
    pub(crate) native: Side,
    verdicts: Verdicts,
    differences: Mutex<VecDeque<Seen>>,
}

/// A shadowed request whose responses differed, redacted.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    /// Method and target.
    pub request: String,
    /// Where the responses differed.
    pub differences: Vec<Difference>,
}

impl Statistics {
    pub(crate) fn new() -> Self {
        Self {
            legacy: Side::new(),
            native: Side::new(),
            verdicts: Verdicts::default(),
            differences: Mutex::new(VecDeque::new()),
        }
    }

    pub(crate) fn count(&self, verdict: Verdict) {
        self.verdicts.0[verdict as usize].fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn keep(&self, request: &str, differences: Vec<Difference>) {
        let mut kept = lock(&self.differences);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        let request = redact::text(request);
        kept.push_back(Seen {
            request,
            differences: differences.into_iter().map(redact::difference).collect(),
        });
    }

    /// Whether it is time to check [`Statistics::worse`] again.
    pub(crate) fn is_due(&self) -> bool {
        self.native.requests.load(Ordering::Relaxed).is_multiple_of(COMPARISON_INTERVAL)
    }

    /// Why the new service is worse than the old one, if it is.
    pub(crate) fn worse(&self, margin: Margin) -> Option<String> {
        let (native_errors, native_p90) = self.native.recently()?;
        let legacy = self.legacy.recently();
        let (legacy_errors, legacy_p90) = legacy.unwrap_or((0.0, Duration::MAX));
        if native_errors > legacy_errors + margin.errors {
            return Some(format!(
                "{:.1} % of its answers were errors, {:.1} % of legacy's",
                native_errors * 100.0,
                legacy_errors * 100.0
            ));
        }
        let limit = legacy.map(|_| legacy_p90.mul_f64(margin.slower) + margin.more);
        limit.filter(|limit| native_p90 > *limit).map(|_| {
            format!(
                "its 90th percentile was {} ms, legacy's {} ms",
                native_p90.as_millis(),
                legacy_p90.as_millis()
            )
        })
    }

    /// Resets the recent responses, which a change of mode makes irrelevant.
    pub(crate) fn reset_recent(&self) {
        self.legacy.reset_recent();
        self.native.reset_recent();
    }

    pub(crate) fn view(&self) -> View {
        let count = |verdict: Verdict| self.verdicts.0[verdict as usize].load(Ordering::Relaxed);
        View {
            legacy: self.legacy.figures(),
            native: self.native.figures(),
            matches: count(Verdict::Match),
            mismatches: count(Verdict::Mismatch),
            noise: count(Verdict::Noise),
            uncompared: count(Verdict::Uncompared),
            dropped: count(Verdict::Dropped),
            last_differences: lock(&self.differences).iter().cloned().collect(),
        }
    }
}

/// A snapshot of an operation.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    /// The old service.
    pub legacy: Figures,
    /// The new service.
    pub native: Figures,
    /// Shadowed requests with the same response.
    pub matches: u64,
    /// Shadowed requests with different responses.
    pub mismatches: u64,
    /// Shadowed requests during which data changed.
    pub noise: u64,
    /// Shadowed requests that cannot be compared.
    pub uncompared: u64,
    /// Shadowed requests that were not compared because the queue was full.
    pub dropped: u64,
    /// The last requests with different responses, the oldest first.
    pub last_differences: Vec<Seen>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(legacy_ms: u64, native_ms: u64, native_errors: usize) -> Statistics {
        let statistics = Statistics::new();
        for n in 0..100 {
            statistics.legacy.record(Duration::from_millis(legacy_ms), false);
            statistics.native.record(Duration::from_millis(native_ms), n < native_errors);
        }
        statistics
    }

    #[test]
    fn a_side_that_is_worse_by_the_margin_is_reported() {
        let margin = Margin::default();
        assert_eq!(statistics(20, 20, 0).worse(margin), None);
        assert_eq!(statistics(20, 130, 0).worse(margin), None);
        assert!(statistics(20, 200, 0).worse(margin).unwrap().contains("90th percentile"));
        assert_eq!(statistics(20, 1, 2).worse(margin), None);
        assert!(statistics(20, 1, 3).worse(margin).unwrap().contains("3.0 %"));
    }

    #[test]
    fn few_responses_conclude_nothing() {
        let statistics = Statistics::new();
        for _ in 0..MIN_RESPONSES - 1 {
            statistics.native.record(Duration::from_secs(1), true);
        }
        assert_eq!(statistics.worse(Margin::default()), None);
        statistics.native.record(Duration::from_secs(1), true);
        assert!(statistics.worse(Margin::default()).is_some());
    }
}

//! What was seen of each operation on each side.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use comparison::Difference;
use hdrhistogram::Histogram;
use serde::Serialize;

use crate::redact;

/// How many differences are kept of an operation.
const KEPT: usize = 10;
/// How long a window of recent answers is; there are always one to two of them.
const WINDOW: Duration = Duration::from_secs(15);
/// Below so many recent answers of a side nothing is concluded.
const ENOUGH: u64 = 20;

/// Every how many answers the sides are weighed: it means adding up whole histograms.
const WEIGHED: u64 = 10;

/// When the new service is worse than the old one.
#[derive(Clone, Copy, Debug)]
pub struct Margin {
    /// By how much its share of errors (5xx) may be higher.
    pub errors: f64,
    /// How many times the old one's 90th percentile its own may be, and this much more.
    pub slower: f64,
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
    /// The last window that is complete, and the one that is not.
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

    /// Share of errors and 90th percentile of the last answers, if there are enough.
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
        (requests >= ENOUGH).then(|| (errors as f64 / requests as f64, p90))
    }

    fn forget_recent(&self) {
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

/// One side of an operation, as shown.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    pub requests: u64,
    /// Answers of 500 and above, and those that never came.
    pub errors: u64,
    /// Seconds to the head of the answer; none before the first.
    pub p50: Option<f64>,
    pub p90: Option<f64>,
    pub p99: Option<f64>,
}

/// What became of the comparisons of shadowed answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Match,
    Mismatch,
    /// They differed, but not when both were asked again: something changed in between.
    Noise,
    /// The new service would have acted; what it would have answered nobody knows.
    Uncompared,
    /// The queue was full.
    Dropped,
}

#[derive(Debug, Default)]
struct Verdicts([AtomicU64; 5]);

/// Everything about one operation.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) legacy: Side,
    pub(crate) native: Side,
    verdicts: Verdicts,
    differences: Mutex<VecDeque<Seen>>,
}

/// A difference that was seen, redacted.
#[derive(Clone, Debug, Serialize)]
pub struct Seen {
    pub request: String,
    pub differences: Vec<Difference>,
}

impl Evidence {
    pub(crate) fn new() -> Self {
        Self {
            legacy: Side::new(),
            native: Side::new(),
            verdicts: Verdicts::default(),
            differences: Mutex::new(VecDeque::new()),
        }
    }

    pub(crate) fn judge(&self, verdict: Verdict) {
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

    /// Whether it is time to look again at [`Evidence::worse`].
    pub(crate) fn is_due(&self) -> bool {
        self.native.requests.load(Ordering::Relaxed).is_multiple_of(WEIGHED)
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
        let bound = legacy.map(|_| legacy_p90.mul_f64(margin.slower) + margin.more);
        bound.filter(|bound| native_p90 > *bound).map(|_| {
            format!(
                "its 90th percentile was {} ms, legacy's {} ms",
                native_p90.as_millis(),
                legacy_p90.as_millis()
            )
        })
    }

    /// What was before a change of mode says nothing about what comes.
    pub(crate) fn forget_recent(&self) {
        self.legacy.forget_recent();
        self.native.forget_recent();
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

/// What is known of an operation.
#[derive(Clone, Debug, Serialize)]
pub struct View {
    pub legacy: Figures,
    pub native: Figures,
    pub matches: u64,
    pub mismatches: u64,
    pub noise: u64,
    pub uncompared: u64,
    pub dropped: u64,
    pub last_differences: Vec<Seen>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evidence(legacy_ms: u64, native_ms: u64, native_errors: usize) -> Evidence {
        let evidence = Evidence::new();
        for n in 0..100 {
            evidence.legacy.record(Duration::from_millis(legacy_ms), false);
            evidence.native.record(Duration::from_millis(native_ms), n < native_errors);
        }
        evidence
    }

    #[test]
    fn what_is_worse_by_the_margin_is_told() {
        let margin = Margin::default();
        assert_eq!(evidence(20, 20, 0).worse(margin), None);
        assert_eq!(evidence(20, 130, 0).worse(margin), None);
        assert!(evidence(20, 200, 0).worse(margin).unwrap().contains("90th percentile"));
        assert_eq!(evidence(20, 1, 2).worse(margin), None);
        assert!(evidence(20, 1, 3).worse(margin).unwrap().contains("3.0 %"));
    }

    #[test]
    fn few_answers_say_nothing() {
        let evidence = Evidence::new();
        for _ in 0..ENOUGH - 1 {
            evidence.native.record(Duration::from_secs(1), true);
        }
        assert_eq!(evidence.worse(Margin::default()), None);
        evidence.native.record(Duration::from_secs(1), true);
        assert!(evidence.worse(Margin::default()).is_some());
    }
}

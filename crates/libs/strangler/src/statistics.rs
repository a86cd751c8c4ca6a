//! Statistics of each operation on each side.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use comparison::Difference;
use hdrhistogram::Histogram;
use http::StatusCode;
use serde::Serialize;

use crate::redact;

/// How many requests with differences are kept for an operation.
const KEPT: usize = 10;
/// How many of the last responses of a side are kept.
const RECENT: usize = 200;
/// The fewest responses of a side from which anything is concluded.
const MIN_RESPONSES: usize = 20;
/// So many errors one after the other conclude as much.
const ERRORS_IN_A_ROW: usize = 5;

/// So many shadowed requests of an operation are repeated whenever they differ, the others at most
/// once in the interval.
const FREE_REPETITIONS: u64 = 20;
const REPEAT_INTERVAL: Duration = Duration::from_secs(1);

/// How many responses come between two comparisons of the sides; an error is checked at once.
const COMPARISON_INTERVAL: u64 = 10;

/// By how much the new service may be worse than the old one before a canary fails.
#[derive(Clone, Copy, Debug)]
pub struct Margin {
    /// By how much its share of errors (5xx) may be higher, 0 to 1.
    pub errors: f64,
    /// By how much its share of refusals (4xx) may be higher or lower, 0 to 1.
    pub refusals: f64,
    /// The factor by which its 90th percentile may be higher.
    pub slower: f64,
    /// What its 90th percentile may be higher in addition.
    pub more: Duration,
}

impl Default for Margin {
    fn default() -> Self {
        Self { errors: 0.02, refusals: 0.1, slower: 2.0, more: Duration::from_millis(100) }
    }
}

/// Latencies in microseconds, up to ten minutes, to two digits.
fn histogram() -> Option<Histogram<u64>> {
    Histogram::new_with_bounds(1, 600_000_000, 2).ok()
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A status below 400.
    Success,
    /// 4xx.
    Refusal,
    /// 5xx, or no response.
    Error,
    /// The client left before there was a response.
    Cancelled,
}

impl From<StatusCode> for Outcome {
    fn from(status: StatusCode) -> Self {
        match status.as_u16() {
            500.. => Self::Error,
            400.. => Self::Refusal,
            _ => Self::Success,
        }
    }
}

/// The last responses, with the microseconds that each took.
#[derive(Debug, Default)]
struct Recent(VecDeque<(Outcome, u64)>);

/// Shares of the recent responses, and their 90th percentile.
struct Shares {
    errors: f64,
    refusals: f64,
    p90: Duration,
}

impl Recent {
    fn record(&mut self, outcome: Outcome, micros: u64) {
        if self.0.len() == RECENT {
            self.0.pop_front();
        }
        self.0.push_back((outcome, micros));
    }

    fn fails_in_a_row(&self) -> bool {
        let last = self.0.iter().rev().take(ERRORS_IN_A_ROW);
        last.filter(|(outcome, _)| *outcome == Outcome::Error).count() == ERRORS_IN_A_ROW
    }

    /// `None` if there are too few.
    #[expect(clippy::cast_precision_loss, reason = "at most some hundred")]
    fn shares(&self) -> Option<Shares> {
        let count = self.0.len();
        let share = |outcome| {
            let those = self.0.iter().filter(|(found, _)| *found == outcome).count();
            those as f64 / count as f64
        };
        let mut micros: Vec<_> = self.0.iter().map(|(_, micros)| *micros).collect();
        micros.sort_unstable();
        let p90 = Duration::from_micros(micros.get(count * 9 / 10).copied().unwrap_or_default());
        let (errors, refusals) = (share(Outcome::Error), share(Outcome::Refusal));
        (count >= MIN_RESPONSES).then_some(Shares { errors, refusals, p90 })
    }
}

/// One side of an operation.
#[derive(Debug)]
pub(crate) struct Side {
    requests: AtomicU64,
    errors: AtomicU64,
    cancelled: AtomicU64,
    latencies: Mutex<Option<Histogram<u64>>>,
    recent: Mutex<Recent>,
}

impl Side {
    fn new() -> Self {
        Self {
            requests: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            latencies: Mutex::new(histogram()),
            recent: Mutex::default(),
        }
    }

    /// Starts to measure a request. What it is given no outcome for was cancelled.
    pub(crate) fn start(&self) -> Measured<'_> {
        Measured { side: self, start: Instant::now(), outcome: Some(Outcome::Cancelled) }
    }

    fn record(&self, took: Duration, outcome: Outcome) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(outcome == Outcome::Error), Ordering::Relaxed);
        self.cancelled.fetch_add(u64::from(outcome == Outcome::Cancelled), Ordering::Relaxed);
        if let Some(latencies) = lock(&self.latencies).as_mut() {
            latencies.saturating_record(micros);
        }
        lock(&self.recent).record(outcome, micros);
    }

    fn reset_recent(&self) {
        *lock(&self.recent) = Recent::default();
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
            cancelled: self.cancelled.load(Ordering::Relaxed),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
        }
    }
}

/// A request that is being measured.
#[derive(Debug)]
pub(crate) struct Measured<'a> {
    side: &'a Side,
    start: Instant,
    /// `None` if it does not count.
    outcome: Option<Outcome>,
}

impl Measured<'_> {
    /// Ends with a response, or without one that says anything.
    pub(crate) fn end(mut self, outcome: Option<Outcome>) {
        self.outcome = outcome;
    }
}

impl Drop for Measured<'_> {
    fn drop(&mut self) {
        if let Some(outcome) = self.outcome {
            self.side.record(self.start.elapsed(), outcome);
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
    /// Requests whose client left before the response.
    pub cancelled: u64,
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
    /// The old service acted and the new one would have: what they do is not compared.
    Accepted,
    /// What only executing finds, and bodies that are too long.
    Uncompared,
    /// The queue was full, or too many were repeated.
    Dropped,
}

#[derive(Debug, Default)]
struct Verdicts([AtomicU64; 6]);

/// The statistics of one operation.
#[derive(Debug)]
pub(crate) struct Statistics {
    pub(crate) legacy: Side,
    pub(crate) native: Side,
    pub(crate) rehearsal: Side,
    verdicts: Verdicts,
    differences: Mutex<VecDeque<Seen>>,
    /// Responses of the new service since the sides were compared.
    unchecked: AtomicU64,
    repeated: Mutex<(u64, Option<Instant>)>,
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
            rehearsal: Side::new(),
            verdicts: Verdicts::default(),
            differences: Mutex::new(VecDeque::new()),
            unchecked: AtomicU64::new(0),
            repeated: Mutex::default(),
        }
    }

    pub(crate) fn count(&self, verdict: Verdict) {
        self.verdicts.0[verdict as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Whether both services may get a request again whose responses differed: the first ones, then
    /// one a second, so that a difference in every response is no load on the old service.
    pub(crate) fn may_repeat(&self) -> bool {
        let mut repeated = lock(&self.repeated);
        let (count, last) = *repeated;
        let is_due = last.is_none_or(|last| last.elapsed() >= REPEAT_INTERVAL);
        let may_repeat = count < FREE_REPETITIONS || is_due;
        if may_repeat {
            *repeated = (count + 1, Some(Instant::now()));
        }
        may_repeat
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

    /// Whether it is time to check [`Statistics::worse`] again; called once for each response.
    pub(crate) fn is_due(&self) -> bool {
        let unchecked = self.unchecked.fetch_add(1, Ordering::Relaxed) + 1;
        let is_due = unchecked >= COMPARISON_INTERVAL || lock(&self.native.recent).fails_in_a_row();
        if is_due {
            self.unchecked.store(0, Ordering::Relaxed);
        }
        is_due
    }

    /// Why the new service is worse than the old one, if it is.
    pub(crate) fn worse(&self, margin: Margin) -> Option<String> {
        let legacy = lock(&self.legacy.recent).shares();
        let legacy_errors = legacy.as_ref().map_or(0.0, |legacy| legacy.errors);
        if lock(&self.native.recent).fails_in_a_row() && legacy_errors < 0.5 {
            return Some(format!("its last {ERRORS_IN_A_ROW} answers were errors"));
        }
        let native = lock(&self.native.recent).shares()?;
        let percent = |share: f64| share * 100.0;
        if native.errors > legacy_errors + margin.errors {
            return Some(format!(
                "{:.1} % of its answers were errors, {:.1} % of legacy's",
                percent(native.errors),
                percent(legacy_errors)
            ));
        }
        let legacy = legacy?;
        if (native.refusals - legacy.refusals).abs() > margin.refusals {
            return Some(format!(
                "{:.1} % of its answers were refusals (4xx), {:.1} % of legacy's",
                percent(native.refusals),
                percent(legacy.refusals)
            ));
        }
        let limit = legacy.p90.mul_f64(margin.slower) + margin.more;
        (native.p90 > limit).then(|| {
            format!(
                "its 90th percentile was {} ms, legacy's {} ms",
                native.p90.as_millis(),
                legacy.p90.as_millis()
            )
        })
    }

    /// Forgets the new service's recent responses, which a change of mode makes irrelevant; those of
    /// the old one remain the baseline.
    pub(crate) fn reset_recent(&self) {
        self.native.reset_recent();
        self.unchecked.store(0, Ordering::Relaxed);
    }

    pub(crate) fn view(&self) -> View {
        let count = |verdict: Verdict| self.verdicts.0[verdict as usize].load(Ordering::Relaxed);
        View {
            legacy: self.legacy.figures(),
            native: self.native.figures(),
            rehearsals: self.rehearsal.figures(),
            matches: count(Verdict::Match),
            mismatches: count(Verdict::Mismatch),
            noise: count(Verdict::Noise),
            accepted: count(Verdict::Accepted),
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
    /// Writes that the new service executed and undid before the old one got them: how many, and how
    /// long their clients waited for that.
    pub rehearsals: Figures,
    /// Shadowed requests with the same response.
    pub matches: u64,
    /// Shadowed requests with different responses.
    pub mismatches: u64,
    /// Shadowed requests during which data changed.
    pub noise: u64,
    /// Shadowed writes that both accept and that were not rehearsed: only refusals are compared.
    pub accepted: u64,
    /// Shadowed requests that cannot be compared.
    pub uncompared: u64,
    /// Shadowed requests that were not compared because there were too many.
    pub dropped: u64,
    /// The last requests with different responses, the oldest first.
    pub last_differences: Vec<Seen>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statistics(legacy: (u64, Outcome, usize), native: (u64, Outcome, usize)) -> Statistics {
        let statistics = Statistics::new();
        for (side, (ms, outcome, count)) in
            [(&statistics.legacy, legacy), (&statistics.native, native)]
        {
            for n in 0..100 {
                // Never one after the other.
                let is_other = n % (100 / count.max(1)) == 0 && n / (100 / count.max(1)) < count;
                let outcome = if is_other && count > 0 { outcome } else { Outcome::Success };
                side.record(Duration::from_millis(ms), outcome);
            }
        }
        statistics
    }

    #[test]
    fn a_side_that_is_worse_by_the_margin_is_reported() {
        use Outcome::{Cancelled, Error, Refusal};
        let good = (20, Error, 0);
        for (native, reason) in [
            ((20, Error, 0), None),
            ((130, Error, 0), None),
            ((200, Error, 0), Some("90th percentile")),
            ((200, Cancelled, 20), Some("90th percentile")),
            ((1, Error, 2), None),
            ((1, Error, 3), Some("3.0 %")),
            ((1, Refusal, 10), None),
            ((1, Refusal, 20), Some("refusals")),
        ] {
            let worse = statistics(good, native).worse(Margin::default());
            match reason {
                None => assert_eq!(worse, None, "{native:?}"),
                Some(reason) => assert!(worse.unwrap().contains(reason), "{native:?}"),
            }
        }
    }

    #[test]
    fn the_baseline_outlives_a_change_of_mode() {
        let statistics = statistics((1, Outcome::Error, 0), (400, Outcome::Error, 0));
        statistics.reset_recent();
        assert_eq!(statistics.worse(Margin::default()), None);
        for _ in 0..MIN_RESPONSES {
            statistics.native.record(Duration::from_millis(400), Outcome::Success);
        }
        assert!(statistics.worse(Margin::default()).is_some());
    }

    #[test]
    fn errors_in_a_row_are_enough() {
        let statistics = Statistics::new();
        for _ in 1..ERRORS_IN_A_ROW {
            statistics.native.record(Duration::from_secs(1), Outcome::Error);
            assert!(!statistics.is_due());
        }
        assert_eq!(statistics.worse(Margin::default()), None);
        statistics.native.record(Duration::from_secs(1), Outcome::Error);
        assert!(statistics.is_due());
        assert!(statistics.worse(Margin::default()).is_some());
    }
}

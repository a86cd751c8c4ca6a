//! Statistics of each operation.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use comparison::Difference;
use serde::Serialize;

use crate::evaluation::{self, Checked, Margin};
use crate::lock::lock;
use crate::repetitions::Repetitions;
use crate::side::{Figures, Side};
use crate::{may_differ, redact};

/// How many requests with differences are kept for an operation.
const KEPT: usize = 10;
/// How many paths are kept at which the old service differs from itself.
const UNSTEADY: usize = 20;

/// How many of a canary's next responses are compared at once after one that differed.
const CHECKS_AFTER_DIFFERENCE: u32 = 10;

/// How many responses come between two evaluations; a failure is evaluated at once.
const EVALUATION_INTERVAL: u64 = 10;

/// How many callers are distinguished, about.
const CALLERS: usize = 1024;

/// The result of comparing a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Match,
    Mismatch,
    /// The answers to a write are the same, but the e-mails that its rehearsal has sent cannot be compared.
    MatchWithoutEmails,
    /// They differed, but not when both were requested again: data changed in between.
    Noise,
    /// The old service acted and the new one would have: what they do is not compared.
    Accepted,
    /// What only executing finds, and bodies that are too long.
    Uncompared,
    /// The queue or the memory was full, or too many were repeated.
    Dropped,
}

/// What counts for a step of a canary.
#[derive(Debug, Default)]
struct Step {
    requests: AtomicU64,
    compared: AtomicU64,
}

/// The statistics of one operation.
#[derive(Debug)]
pub(crate) struct Statistics {
    pub(crate) legacy: Side,
    pub(crate) native: Side,
    pub(crate) rehearsal: Side,
    /// Requests that were sent to the old service, by clients and for comparisons.
    to_legacy: AtomicU64,
    verdicts: [AtomicU64; 7],
    differences: Mutex<VecDeque<Seen>>,
    /// How often the old service differed from itself, by path.
    unsteady: Mutex<BTreeMap<String, u64>>,
    /// Responses of the new service since the sides were evaluated.
    unevaluated: AtomicU64,
    pub(crate) repetitions: Repetitions,
    checked: Mutex<Checked>,
    checks: Mutex<Checks>,
    step: Step,
    /// A bit for each hash of a caller.
    callers: [AtomicU64; CALLERS / 64],
}

/// How many responses of a canary were taken for comparison.
#[derive(Debug, Default)]
struct Checks {
    /// When the second began in which so many were.
    second: Option<(Instant, u32)>,
    /// How many are taken at once, whatever the second has had.
    urgent: u32,
}

/// A compared request whose responses differed, redacted.
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
            to_legacy: AtomicU64::new(0),
            verdicts: [const { AtomicU64::new(0) }; 7],
            differences: Mutex::default(),
            unsteady: Mutex::default(),
            unevaluated: AtomicU64::new(0),
            repetitions: Repetitions::new(),
            checked: Mutex::default(),
            checks: Mutex::default(),
            step: Step::default(),
            callers: [const { AtomicU64::new(0) }; CALLERS / 64],
        }
    }

    pub(crate) fn count(&self, verdict: Verdict) {
        self.verdicts[verdict as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that is sent to the old service.
    pub(crate) fn to_legacy(&self) {
        self.to_legacy.fetch_add(1, Ordering::Relaxed);
    }

    /// How many were sent to it, by clients and for comparisons.
    pub(crate) fn requests_to_legacy(&self) -> u64 {
        self.to_legacy.load(Ordering::Relaxed)
    }

    /// Counts the comparison of a response that a canary has given. After a difference the next ones
    /// are compared at once.
    pub(crate) fn count_check(&self, verdict: Verdict) {
        if let Verdict::Match | Verdict::Mismatch = verdict {
            lock(&self.checked).record(verdict == Verdict::Mismatch);
            self.step.compared.fetch_add(1, Ordering::Relaxed);
        }
        if verdict == Verdict::Mismatch {
            lock(&self.checks).urgent = CHECKS_AFTER_DIFFERENCE;
        }
    }

    /// Counts a caller by a hash of who it is.
    pub(crate) fn called_by(&self, hash: u64) {
        let index = usize::try_from(hash % CALLERS as u64).unwrap_or_default();
        let (word, bit) = (&self.callers[index / 64], 1 << (index % 64));
        // Most are known, and a line of cache that is only read is shared.
        if word.load(Ordering::Relaxed) & bit == 0 {
            word.fetch_or(bit, Ordering::Relaxed);
        }
    }

    /// About how many callers there were, by linear counting; none if there were too many to say.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "some thousand")]
    fn callers(&self) -> Option<u64> {
        let bits = |word: &AtomicU64| word.load(Ordering::Relaxed).count_zeros();
        let free: u32 = self.callers.iter().map(bits).sum();
        let size = f64::from(u32::try_from(CALLERS).unwrap_or(u32::MAX));
        (free >= 8).then(|| (-size * (f64::from(free) / size).ln()).round() as u64)
    }

    /// Whether another response of a canary may be compared: so many a second, and those after one
    /// that differed.
    pub(crate) fn may_check(&self, per_second: u32) -> bool {
        let mut checks = lock(&self.checks);
        let may_check = match checks.second.as_mut() {
            Some((start, count)) if start.elapsed() < Duration::from_secs(1) => {
                *count = count.saturating_add(1);
                *count <= per_second
            }
            _ => {
                checks.second = Some((Instant::now(), 1));
                per_second > 0
            }
        };
        if may_check || checks.urgent == 0 {
            return may_check;
        }
        checks.urgent -= 1;
        per_second > 0
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

    /// Counts the paths at which the old service differed from itself.
    pub(crate) fn keep_unsteady(&self, differences: &[Difference]) {
        let mut unsteady = lock(&self.unsteady);
        for path in differences.iter().map(|difference| may_differ::pattern(&difference.path)) {
            if unsteady.len() < UNSTEADY || unsteady.contains_key(&path) {
                *unsteady.entry(path).or_default() += 1;
            }
        }
    }

    /// Counts a response of the new service in a canary. Returns whether it is time to evaluate.
    pub(crate) fn is_due(&self) -> bool {
        self.step.requests.fetch_add(1, Ordering::Relaxed);
        let unevaluated = self.unevaluated.fetch_add(1, Ordering::Relaxed) + 1;
        let is_due = unevaluated >= EVALUATION_INTERVAL || self.native.has_failed();
        if is_due {
            self.unevaluated.store(0, Ordering::Relaxed);
        }
        is_due
    }

    /// Why the new service is worse than the old one, if it is.
    pub(crate) fn worse(&self, margin: Margin) -> Option<String> {
        let checked = lock(&self.checked).clone();
        evaluation::worse(&self.native.recent(), &self.legacy.recent(), &checked, margin)
    }

    /// The responses and the comparisons of this step of a canary.
    pub(crate) fn step(&self) -> (u64, u64) {
        let Step { requests, compared } = &self.step;
        (requests.load(Ordering::Relaxed), compared.load(Ordering::Relaxed))
    }

    /// Starts another step of a canary.
    pub(crate) fn start_step(&self) {
        self.step.requests.store(0, Ordering::Relaxed);
        self.step.compared.store(0, Ordering::Relaxed);
    }

    /// Forgets the new service's recent responses, which a change of mode makes irrelevant; those of
    /// the old one remain the baseline.
    pub(crate) fn reset_recent(&self) {
        self.native.reset_recent();
        *lock(&self.checked) = Checked::default();
        lock(&self.checks).urgent = 0;
        self.repetitions.reset();
        self.unevaluated.store(0, Ordering::Relaxed);
        self.start_step();
    }

    pub(crate) fn view(&self) -> View {
        let count = |verdict: Verdict| self.verdicts[verdict as usize].load(Ordering::Relaxed);
        View {
            legacy: self.legacy.figures(),
            native: self.native.figures(),
            rehearsals: self.rehearsal.figures(),
            callers: self.callers(),
            matches: count(Verdict::Match),
            mismatches: count(Verdict::Mismatch),
            matches_without_emails: count(Verdict::MatchWithoutEmails),
            noise: count(Verdict::Noise),
            accepted: count(Verdict::Accepted),
            uncompared: count(Verdict::Uncompared),
            dropped: count(Verdict::Dropped),
            last_differences: lock(&self.differences).iter().cloned().collect(),
            unsteady: lock(&self.unsteady).clone(),
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
    /// About how many callers there were, by `Settings::client`; none if there were
    /// more than about 5,000.
    pub callers: Option<u64>,
    /// Compared requests with the same response.
    pub matches: u64,
    /// Compared requests with different responses.
    pub mismatches: u64,
    /// Rehearsed writes with the same response whose e-mails could not be compared: without
    /// `Settings::mail_relay`, or one was not seen there.
    pub matches_without_emails: u64,
    /// Compared requests during which data changed.
    pub noise: u64,
    /// Shadowed writes that both accept and that were not rehearsed, and reads whose handler is not
    /// written: only refusals are compared.
    pub accepted: u64,
    /// Shadowed requests that cannot be compared.
    pub uncompared: u64,
    /// Requests that were not compared because there were too many.
    pub dropped: u64,
    /// The last requests with different responses, the oldest first.
    pub last_differences: Vec<Seen>,
    /// How often the old service differed from itself, by path.
    pub unsteady: BTreeMap<String, u64>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;

    #[test]
    fn the_baseline_outlives_a_change_of_mode() {
        let statistics = Statistics::new();
        let record = |side: &Side, ms, count| {
            (0..count).for_each(|_| side.record(Duration::from_millis(ms), Outcome::Success));
        };
        record(&statistics.legacy, 1, 100);
        record(&statistics.native, 400, 100);
        statistics.reset_recent();
        assert_eq!(statistics.worse(Margin::default()), None);
        record(&statistics.native, 400, 20);
        assert!(statistics.worse(Margin::default()).is_some());
    }

    #[test]
    fn a_failure_is_evaluated_at_once() {
        let statistics = Statistics::new();
        let respond = |outcome| {
            statistics.native.record(Duration::ZERO, outcome);
            statistics.is_due()
        };
        let due: Vec<_> = (0..10).map(|_| respond(Outcome::Success)).collect();
        assert_eq!(due.iter().position(|due| *due), Some(9));
        assert!(respond(Outcome::Cancelled));
    }

    #[test]
    fn callers_are_counted_about() {
        let statistics = Statistics::new();
        assert_eq!(statistics.callers(), Some(0));
        for caller in 0..500_u64 {
            for _ in 0..3 {
                // Fibonacci hashing.
                statistics.called_by(caller.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20);
            }
        }
        let counted = statistics.callers().unwrap();
        assert!((400..600).contains(&counted), "{counted}");
    }

    #[test]
    fn so_many_are_checked_in_a_second() {
        let statistics = Statistics::new();
        let checked = (0..100).filter(|_| statistics.may_check(2)).count();
        assert!((2..=4).contains(&checked), "{checked}");
        assert!(!Statistics::new().may_check(0));
    }

    #[test]
    fn after_a_difference_the_next_ones_are_checked() {
        let statistics = Statistics::new();
        let checked = |per_second| (0..100).filter(|_| statistics.may_check(per_second)).count();
        checked(2);
        statistics.count_check(Verdict::Match);
        assert!(checked(2) <= 2);
        statistics.count_check(Verdict::Mismatch);
        assert!((10..=14).contains(&checked(2)));
        statistics.count_check(Verdict::Mismatch);
        assert_eq!(checked(0), 0, "none are wanted");
    }
}

//! Whether the new service is worse than the old one, by their last responses.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::Duration;

use crate::outcome::Outcome;

/// How many of the last responses of a side are kept.
const RECENT: usize = 1000;
/// The fewest responses of a side from which shares and latencies are concluded.
const MIN_RESPONSES: usize = 20;
/// So many errors one after the other conclude as much.
const ERRORS_IN_A_ROW: usize = 5;
/// So many failures: errors, and clients that gave up.
const FAILURES_IN_A_ROW: usize = 10;
/// How many of the last checked responses are kept.
const CHECKED: usize = 100;
/// So many of them that differ from the old service's are enough.
const DIFFERING: usize = 3;
/// How improbable a difference must be by chance, as it is looked for again and again.
const SIGNIFICANCE: f64 = 0.001;

/// By how much the new service may be worse than the old one before a canary fails.
#[derive(Clone, Copy, Debug)]
pub struct Margin {
    /// By how much its share of failures (5xx, timeouts, clients that gave up) may be higher, 0 to 1.
    pub failures: f64,
    /// By how much its share of refusals (4xx) may be higher or lower, 0 to 1.
    pub refusals: f64,
    /// The factor by which its 90th percentile may be higher.
    pub slower: f64,
    /// What its 90th percentile may be higher in addition.
    pub more: Duration,
}

impl Default for Margin {
    fn default() -> Self {
        Self { failures: 0.005, refusals: 0.1, slower: 2.0, more: Duration::from_millis(100) }
    }
}

/// The last responses of a side, with the microseconds that each took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(VecDeque<(Outcome, u64)>);

impl Recent {
    pub(crate) fn record(&mut self, outcome: Outcome, micros: u64) {
        if self.0.len() == RECENT {
            self.0.pop_front();
        }
        self.0.push_back((outcome, micros));
    }

    /// Whether the last one failed.
    pub(crate) fn has_failed(&self) -> bool {
        self.0.back().is_some_and(|(outcome, _)| outcome.is_failure())
    }

    fn ends_with(&self, count: usize, is: impl Fn(Outcome) -> bool) -> bool {
        self.0.len() >= count && self.0.iter().rev().take(count).all(|(outcome, _)| is(*outcome))
    }

    fn count(&self, is: impl Fn(Outcome) -> bool) -> Part {
        let part = self.0.iter().filter(|(outcome, _)| is(*outcome)).count();
        Part { part, of: self.0.len() }
    }

    /// The 90th percentile; none if there are too few.
    fn p90(&self) -> Option<Duration> {
        let mut micros: Vec<_> = self.0.iter().map(|(_, micros)| *micros).collect();
        let index = micros.len() * 9 / 10;
        if micros.len() < MIN_RESPONSES {
            return None;
        }
        let (_, p90, _) = micros.select_nth_unstable(index);
        Some(Duration::from_micros(*p90))
    }
}

/// Whether each of the last checked responses differed from the old service's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checked(VecDeque<bool>);

impl Checked {
    pub(crate) fn record(&mut self, differs: bool) {
        if self.0.len() == CHECKED {
            self.0.pop_front();
        }
        self.0.push_back(differs);
    }
}

/// Some of all responses.
#[derive(Clone, Copy, Debug)]
struct Part {
    part: usize,
    of: usize,
}

impl Part {
    #[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
    fn share(self) -> f64 {
        if self.of == 0 { 0.0 } else { self.part as f64 / self.of as f64 }
    }

    fn percent(self) -> String {
        format!("{:.1} %", self.share() * 100.0)
    }

    /// Whether this share is higher than the other's, by the margin and not by chance.
    fn is_higher(self, other: Self, margin: f64) -> bool {
        self.share() > other.share() + margin && chance(self, other) < SIGNIFICANCE
    }
}

/// Natural logarithms of factorials.
static LN_FACTORIALS: LazyLock<Vec<f64>> = LazyLock::new(|| {
    let ln = |sum: &mut f64, n: u32| {
        *sum += f64::from(n.max(1)).ln();
        Some(*sum)
    };
    (0..=2 * u32::try_from(RECENT).unwrap_or(u32::MAX / 2)).scan(0.0, ln).collect()
});

/// The probability that at least as many of the ones in question are on this side by chance, if the
/// sides are the same (Fisher's exact test, one-sided).
fn chance(this: Part, other: Part) -> f64 {
    let ln_choose = |n: usize, k: usize| {
        let ln = |n: usize| LN_FACTORIALS.get(n).copied().unwrap_or(f64::INFINITY);
        ln(n) - ln(k) - ln(n - k)
    };
    let all = this.part + other.part;
    let ln_total = ln_choose(this.of + other.of, all);
    let first = this.part.max(all.saturating_sub(other.of));
    (first..=all.min(this.of))
        .map(|part| (ln_choose(this.of, part) + ln_choose(other.of, all - part) - ln_total).exp())
        .sum()
}

/// Where the old service has hardly responded yet, it is taken to fail at nothing.
const NO_BASELINE: Part = Part { part: 0, of: 200 };

/// Why the new service is worse than the old one, if it is.
pub(crate) fn worse(
    native: &Recent,
    legacy: &Recent,
    checked: &Checked,
    margin: Margin,
) -> Option<String> {
    let has_baseline = legacy.0.len() >= MIN_RESPONSES;
    let of_legacy = legacy.count(Outcome::is_failure);
    let of_legacy = if has_baseline { of_legacy } else { NO_BASELINE };
    if of_legacy.share() < 0.5 {
        if native.ends_with(ERRORS_IN_A_ROW, |outcome| outcome == Outcome::Error) {
            return Some(format!("its last {ERRORS_IN_A_ROW} answers were errors"));
        }
        if native.ends_with(FAILURES_IN_A_ROW, Outcome::is_failure) {
            let text = "requests were errors, or their clients gave up";
            return Some(format!("its last {FAILURES_IN_A_ROW} {text}"));
        }
    }
    let differing = checked.0.iter().filter(|differs| **differs).count();
    if differing >= DIFFERING {
        let of = checked.0.len();
        return Some(format!("{differing} of {of} answers were others than the old service's"));
    }
    let failures = native.count(Outcome::is_failure);
    if failures.of < MIN_RESPONSES {
        return None;
    }
    if failures.is_higher(of_legacy, margin.failures) {
        return Some(format!(
            "{} of its requests were errors, or their clients gave up, {} of legacy's",
            failures.percent(),
            of_legacy.percent()
        ));
    }
    if !has_baseline {
        return None;
    }
    let refusals = [native, legacy].map(|side| side.count(|outcome| outcome == Outcome::Refusal));
    let [ours, theirs] = refusals;
    if ours.is_higher(theirs, margin.refusals) || theirs.is_higher(ours, margin.refusals) {
        return Some(format!(
            "{} of its answers were refusals (4xx), {} of legacy's",
            ours.percent(),
            theirs.percent()
        ));
    }
    let (ours, theirs) = (native.p90()?, legacy.p90()?);
    let limit = theirs.mul_f64(margin.slower) + margin.more;
    (ours > limit).then(|| {
        format!(
            "its 90th percentile was {} ms, legacy's {} ms",
            ours.as_millis(),
            theirs.as_millis()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// So many responses of which so many end so, evenly; each takes so many milliseconds.
    fn recent(ms: u64, outcome: Outcome, count: usize, all: usize) -> Recent {
        let mut recent = Recent::default();
        for n in 0..all {
            let is_other = (n + 1) * count / all > n * count / all;
            recent.record(if is_other { outcome } else { Outcome::Success }, ms * 1000);
        }
        recent
    }

    fn worse(native: &Recent, legacy: &Recent) -> Option<String> {
        super::worse(native, legacy, &Checked::default(), Margin::default())
    }

    #[test]
    fn a_side_that_is_worse_by_the_margin_is_reported() {
        use Outcome::{Cancelled, Error, Refusal};
        let legacy = recent(20, Error, 0, 100);
        for (native, reason) in [
            ((20, Error, 0), None),
            ((130, Error, 0), None),
            ((200, Error, 0), Some("90th percentile")),
            ((1, Error, 2), None),
            ((1, Error, 12), Some("12.0 %")),
            ((1, Cancelled, 12), Some("gave up")),
            ((1, Refusal, 8), None),
            ((1, Refusal, 20), Some("refusals")),
        ] {
            let (ms, outcome, count) = native;
            let worse = worse(&recent(ms, outcome, count, 100), &legacy);
            match reason {
                None => assert_eq!(worse, None, "{native:?}"),
                Some(reason) => assert!(worse.unwrap().contains(reason), "{native:?}"),
            }
        }
        // The old one refuses more.
        let refusing = recent(20, Refusal, 20, 100);
        assert!(worse(&legacy, &refusing).unwrap().contains("refusals"));
        // It fails as often itself.
        let failing = recent(20, Error, 12, 100);
        assert_eq!(worse(&recent(20, Error, 15, 100), &failing), None);
    }

    #[test]
    fn failures_in_a_row_are_enough() {
        use Outcome::{Cancelled, Error};
        let none = Recent::default();
        for (outcome, count) in [(Error, ERRORS_IN_A_ROW), (Cancelled, FAILURES_IN_A_ROW)] {
            assert_eq!(worse(&recent(1, outcome, count - 1, count - 1), &none), None);
            assert!(worse(&recent(1, outcome, count, count), &none).is_some());
        }
        // Not if the old one fails too.
        let failing = recent(20, Error, 80, 100);
        assert_eq!(worse(&recent(1, Error, 10, 10), &failing), None);
    }

    #[test]
    fn answers_that_differ_are_enough() {
        let mut checked = Checked::default();
        let one = recent(1, Outcome::Error, 0, 50);
        for n in 0..DIFFERING {
            assert_eq!(super::worse(&one, &one, &checked, Margin::default()), None, "{n}");
            checked.record(false);
            checked.record(true);
        }
        let reason = super::worse(&one, &one, &checked, Margin::default()).unwrap();
        assert!(reason.contains("3 of 6"), "{reason}");
    }

    /// Against values that were computed with whole numbers.
    #[test]
    fn chance_is_fisher_s() {
        let part = |part, of| Part { part, of };
        for (this, other, expected) in [
            (part(3, 20), part(0, 200), 0.000_651_228),
            (part(10, 100), part(0, 100), 0.000_771_026),
            (part(8, 10), part(1, 6), 0.024_475_524),
            (part(0, 10), part(5, 10), 1.0),
        ] {
            let found = chance(this, other);
            assert!((found - expected).abs() < 1e-6, "{this:?} {other:?}: {found}");
        }
    }

    /// How often one of two services that are the same is reported, in 100 canaries of 1,000
    /// responses that fail at 2 % by chance.
    #[test]
    fn services_that_are_the_same_are_hardly_ever_reported() {
        let mut seed = 1_u64;
        let mut next = move || {
            // Knuth's linear congruential generator.
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33).is_multiple_of(50)
        };
        let mut reported = 0;
        for _ in 0..100 {
            let (mut legacy, mut native) = (Recent::default(), Recent::default());
            let outcome = |fails| if fails { Outcome::Error } else { Outcome::Success };
            (0..RECENT).for_each(|_| legacy.record(outcome(next()), 1));
            let mut is_reported = false;
            for n in 0..RECENT {
                native.record(outcome(next()), 1);
                is_reported |= n % 10 == 0 && worse(&native, &legacy).is_some();
            }
            reported += usize::from(is_reported);
        }
        assert!(reported <= 3, "{reported} of 100");
    }
}

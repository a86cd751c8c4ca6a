//! When the requests of an open loop are due.

use std::time::Duration;

/// Requests at a fixed rate, evenly spaced, the first at once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Schedule {
    per_second: f64,
    total: u64,
}

impl Schedule {
    /// Those that are due before `duration` has passed.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rates and durations are positive, and no run has 2^52 requests"
    )]
    pub(crate) fn new(per_second: f64, duration: Duration) -> Self {
        let total = (per_second * duration.as_secs_f64()).ceil() as u64;
        Self { per_second, total }
    }

    /// How many requests there are.
    pub(crate) fn total(self) -> u64 {
        self.total
    }

    /// When the request with this number, from 0, is due, counted from the start.
    #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 requests")]
    pub(crate) fn due(self, number: u64) -> Duration {
        Duration::from_secs_f64(number as f64 / self.per_second)
    }

    /// How many are due once so much time has passed.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "no run has 2^52 requests"
    )]
    pub(crate) fn due_by(self, elapsed: Duration) -> u64 {
        let before = (elapsed.as_secs_f64() * self.per_second) as u64;
        before.saturating_add(1).min(self.total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_evenly_spaced_from_the_start_on() {
        let schedule = Schedule::new(4.0, Duration::from_secs(2));
        assert_eq!(schedule.total(), 8);
        let due: Vec<_> = (0..8).map(|n| schedule.due(n).as_millis()).collect();
        assert_eq!(due, [0, 250, 500, 750, 1000, 1250, 1500, 1750]);
    }

    #[test]
    fn what_is_due_grows_with_time_and_not_with_answers() {
        let schedule = Schedule::new(1000.0, Duration::from_millis(10));
        let by = |micros| schedule.due_by(Duration::from_micros(micros));
        assert_eq!([by(0), by(900), by(1100), by(9500), by(60_000_000)], [1, 1, 2, 10, 10]);
        assert!(
            (0..10).all(|n| schedule.due_by(schedule.due(n) + Duration::from_nanos(10)) == n + 1)
        );
    }

    #[test]
    fn a_part_of_a_request_is_one() {
        assert_eq!(Schedule::new(0.5, Duration::from_millis(100)).total(), 1);
        assert_eq!(Schedule::new(2.5, Duration::from_secs(1)).total(), 3);
    }
}

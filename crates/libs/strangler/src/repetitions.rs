//! What it may cost the old service to repeat requests whose responses differed.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::lock::lock;

/// What an operation may spend before any of its requests was compared: as much as one request takes
/// that is repeated as often as it may be.
const START_CREDIT: u64 = 6;
/// The most that it may save, so that many requests without a difference are not followed by as many
/// repetitions.
const MAX_CREDIT: u64 = 100;
/// So many compared requests are repeated as long as there is credit, the others at most once in the
/// interval.
const FREE: u64 = 20;
const INTERVAL: Duration = Duration::from_secs(1);

/// The repetitions of an operation's requests. They are paid with credit: on average a compared request
/// costs the old service at most one more.
#[derive(Debug)]
pub(crate) struct Repetitions(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Requests that the old service may get.
    credit: u64,
    /// How many compared requests were repeated, and when the last one was.
    repeated: u64,
    last: Option<Instant>,
}

impl State {
    fn pay(&mut self, requests: u64) -> bool {
        let left = self.credit.checked_sub(requests);
        self.credit = left.unwrap_or(self.credit);
        left.is_some()
    }
}

impl Repetitions {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(State { credit: START_CREDIT, repeated: 0, last: None }))
    }

    /// Counts a safe request that is compared: it earns the credit for one more request to the old
    /// service.
    pub(crate) fn earn(&self) {
        let mut state = lock(&self.0);
        state.credit = (state.credit + 1).min(MAX_CREDIT);
    }

    /// Begins to repeat a compared request, and takes the credit for the first repetition, which is so many
    /// requests to the old service. Returns whether that may be: the first ones, then one a second, so
    /// that a difference in every response is no load on the old service.
    pub(crate) fn begin(&self, requests: u64) -> bool {
        let mut state = lock(&self.0);
        let is_due = state.last.is_none_or(|last| last.elapsed() >= INTERVAL);
        let may_begin = (state.repeated < FREE || is_due) && state.pay(requests);
        if may_begin {
            state.repeated += 1;
            state.last = Some(Instant::now());
        }
        may_begin
    }

    /// Takes the credit for another repetition of the same request. Returns whether there is enough.
    pub(crate) fn go_on(&self, requests: u64) -> bool {
        lock(&self.0).pay(requests)
    }

    /// Counts the requests anew that are repeated without an interval; the credit stays.
    pub(crate) fn reset(&self) {
        lock(&self.0).repeated = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_are_paid_before_they_are_sent() {
        let repetitions = Repetitions::new();
        assert!(!repetitions.begin(START_CREDIT + 1));
        assert!(repetitions.begin(START_CREDIT));
        assert!(!repetitions.go_on(1) && !repetitions.begin(1));
        repetitions.earn();
        assert!(repetitions.go_on(1) && !repetitions.go_on(1));
        (0..10 * MAX_CREDIT).for_each(|_| repetitions.earn());
        let saved = (0..10 * MAX_CREDIT).filter(|_| repetitions.go_on(1)).count();
        assert_eq!(saved as u64, MAX_CREDIT);
    }

    #[test]
    fn after_the_first_ones_there_is_one_in_an_interval() {
        let repetitions = Repetitions::new();
        (0..MAX_CREDIT).for_each(|_| repetitions.earn());
        let begun = (0..MAX_CREDIT).filter(|_| repetitions.begin(1)).count();
        // The machine may be busy.
        assert!((20..25).contains(&begun), "{begun}");
        repetitions.reset();
        assert!(repetitions.begin(1), "after a change of mode they are the first again");
    }
}

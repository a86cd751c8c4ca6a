//! What is measured of one side of an operation.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};

use crate::evaluation::Recent;
use crate::lock::lock;
use crate::outcome::Outcome;

/// The upper bounds of the metrics' buckets, in microseconds.
const BUCKETS: [u64; 15] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000,
];

/// Latencies in microseconds, up to ten minutes, to two digits.
fn histogram() -> Option<Histogram<u64>> {
    Histogram::new_with_bounds(1, 600_000_000, 2).ok()
}

/// One side of an operation.
#[derive(Debug)]
pub(crate) struct Side {
    requests: AtomicU64,
    errors: AtomicU64,
    cancelled: AtomicU64,
    micros: AtomicU64,
    buckets: [AtomicU64; BUCKETS.len() + 1],
    latencies: Mutex<Option<Histogram<u64>>>,
    recent: Mutex<Recent>,
}

impl Side {
    pub(crate) fn new() -> Self {
        Self {
            requests: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            cancelled: AtomicU64::new(0),
            micros: AtomicU64::new(0),
            buckets: [const { AtomicU64::new(0) }; BUCKETS.len() + 1],
            latencies: Mutex::new(histogram()),
            recent: Mutex::default(),
        }
    }

    /// Starts to measure a request. If it is dropped before [`Measured::end`], the request was cancelled.
    pub(crate) fn start(&self) -> Measured<'_> {
        Measured { side: self, start: Instant::now(), outcome: Some(Outcome::Cancelled) }
    }

    pub(crate) fn record(&self, took: Duration, outcome: Outcome) {
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.errors.fetch_add(u64::from(outcome == Outcome::Error), Ordering::Relaxed);
        self.cancelled.fetch_add(u64::from(outcome == Outcome::Cancelled), Ordering::Relaxed);
        self.micros.fetch_add(micros, Ordering::Relaxed);
        let bucket = BUCKETS.partition_point(|bound| *bound < micros);
        self.buckets[bucket].fetch_add(1, Ordering::Relaxed);
        if let Some(latencies) = lock(&self.latencies).as_mut() {
            latencies.saturating_record(micros);
        }
        lock(&self.recent).record(outcome, micros);
    }

    /// The last responses.
    pub(crate) fn recent(&self) -> Recent {
        lock(&self.recent).clone()
    }

    /// Whether the last one failed.
    pub(crate) fn has_failed(&self) -> bool {
        lock(&self.recent).has_failed()
    }

    pub(crate) fn reset_recent(&self) {
        *lock(&self.recent) = Recent::default();
    }

    #[expect(clippy::cast_precision_loss, reason = "microseconds")]
    pub(crate) fn figures(&self) -> Figures {
        let latencies = lock(&self.latencies);
        let at = |quantile| {
            let latencies = latencies.as_ref().filter(|latencies| !latencies.is_empty());
            latencies.map(|l| Duration::from_micros(l.value_at_quantile(quantile)).as_secs_f64())
        };
        Figures {
            requests: self.requests.load(Ordering::Relaxed),
            errors: self.errors.load(Ordering::Relaxed),
            cancelled: self.cancelled.load(Ordering::Relaxed),
            seconds: self.micros.load(Ordering::Relaxed) as f64 / 1e6,
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
        }
    }

    /// Seconds and how many took no more, but for those of the bucket before.
    #[cfg(feature = "metrics")]
    #[expect(clippy::cast_precision_loss, reason = "microseconds")]
    pub(crate) fn buckets(&self) -> Vec<(f64, u64)> {
        let bounds = BUCKETS.iter().map(|bound| *bound as f64 / 1e6).chain([f64::INFINITY]);
        bounds.zip(self.buckets.iter().map(|count| count.load(Ordering::Relaxed))).collect()
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
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figures {
    /// All requests.
    pub requests: u64,
    /// Responses with 500 and above, and requests without a response in time.
    pub errors: u64,
    /// Requests whose client left before the response.
    pub cancelled: u64,
    /// The seconds that all of them took to the head of the response.
    pub seconds: f64,
    /// Median of the seconds to the head of the response; none before the first.
    pub p50: Option<f64>,
    /// 90th percentile.
    pub p90: Option<f64>,
    /// 99th percentile.
    pub p99: Option<f64>,
}

#[cfg(test)]
#[cfg(feature = "metrics")]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_in_the_bucket_of_its_latency() {
        let side = Side::new();
        for micros in [1, 500, 501, 30_000_001] {
            side.record(Duration::from_micros(micros), Outcome::Success);
        }
        let buckets = side.buckets();
        assert_eq!((buckets[0], buckets[1]), ((0.0005, 2), (0.001, 1)));
        assert_eq!(buckets.last(), Some(&(f64::INFINITY, 1)));
        assert!((side.figures().seconds - 30.001_003).abs() < 1e-9);
    }
}

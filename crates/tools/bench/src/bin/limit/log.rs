//! What is known of requests afterwards: a line of the log for each, in the form of the service's, and
//! counts and durations by operation.

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::io::Write as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use http::Method;
use uuid::Uuid;

/// A batch of lines is written when it is this long, and otherwise every [`PAUSE`].
const BATCH: usize = 16 * 1024;
pub(crate) const PAUSE: Duration = Duration::from_millis(20);

/// The service's buckets, in microseconds.
const BUCKETS: [u64; 15] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000, 30_000_000,
];

/// The operations of the service that the limit has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    None,
    HealthCheck,
    ReadItem,
    ReadItems,
    CreateItem,
    UpdateItem,
    TestToken,
}

const NAMES: [&str; 7] = [
    "-",
    "utils-health_check",
    "items-read_item",
    "items-read_items",
    "items-create_item",
    "items-update_item",
    "login-test_token",
];

#[derive(Default)]
struct Metrics {
    good: [Cell<u64>; NAMES.len()],
    bad: [Cell<u64>; NAMES.len()],
    durations: [[Cell<u64>; BUCKETS.len() + 1]; NAMES.len()],
    microseconds: [Cell<u64>; NAMES.len()],
}

#[derive(Default)]
pub(crate) struct Log {
    lines: RefCell<Vec<u8>>,
    metrics: Metrics,
    ids: RandomState,
    count: Cell<u64>,
    /// The last second that was written, and how.
    second: Cell<i64>,
    text: RefCell<String>,
}

/// A request that has been answered.
pub(crate) struct Answered {
    pub method: Method,
    pub operation: Operation,
    pub user: Option<Uuid>,
    pub status: u16,
    pub took: Duration,
}

impl Log {
    /// An id that no other request has: 32 hexadecimal digits.
    pub(crate) fn request_id(&self) -> String {
        let count = self.count.get();
        self.count.set(count + 1);
        let half = |n: u64| self.ids.hash_one((count, n));
        format!("{:016x}{:016x}", half(0), half(1))
    }

    pub(crate) fn answered(&self, now: DateTime<Utc>, request_id: &str, answered: &Answered) {
        let Answered { method, operation, user, status, took } = answered;
        let (operation, micros) = (*operation as usize, u64::try_from(took.as_micros()));
        let micros = micros.unwrap_or(u64::MAX);
        let add = |cell: &Cell<u64>, n: u64| cell.set(cell.get().wrapping_add(n));
        let counts = if *status < 400 { &self.metrics.good } else { &self.metrics.bad };
        add(&counts[operation], 1);
        let bucket = BUCKETS.iter().position(|&bucket| micros <= bucket);
        add(&self.metrics.durations[operation][bucket.unwrap_or(BUCKETS.len())], 1);
        add(&self.metrics.microseconds[operation], micros);

        let second = now.timestamp();
        let mut text = self.text.borrow_mut();
        if self.second.replace(second) != second || text.is_empty() {
            *text = now.format("%Y-%m-%dT%H:%M:%S").to_string();
        }
        let mut lines = self.lines.borrow_mut();
        _ = write!(
            lines,
            r#"{{"timestamp":"{text}.{:06}Z","level":"INFO","message":"request","request_id":"{request_id}","trace_id":"{request_id}","method":"{method}","operation":"{}","status":{status},"milliseconds":{}.{:03}"#,
            now.timestamp_subsec_micros(),
            NAMES[operation],
            micros / 1000,
            micros % 1000,
        );
        if let Some(user) = user {
            _ = write!(lines, r#","user_id":"{user}""#);
        }
        lines.extend_from_slice(b",\"target\":\"limit\"}\n");
        if lines.len() >= BATCH {
            write(&mut lines);
        }
    }

    /// Writes the lines that wait.
    pub(crate) fn flush(&self) {
        let mut lines = self.lines.borrow_mut();
        if !lines.is_empty() {
            write(&mut lines);
        }
    }

    /// The counts, for Prometheus.
    pub(crate) fn metrics(&self) -> String {
        let mut text = String::new();
        for (n, name) in NAMES.iter().enumerate() {
            for (status, counts) in [("200", &self.metrics.good), ("404", &self.metrics.bad)] {
                let count = counts[n].get();
                _ = writeln!(
                    text,
                    r#"http_server_requests_total{{operation="{name}",status="{status}"}} {count}"#
                );
            }
            let mut count = 0;
            for (bucket, cell) in BUCKETS.iter().zip(&self.metrics.durations[n]) {
                count += cell.get();
                _ = writeln!(
                    text,
                    r#"http_server_request_duration_microseconds_bucket{{operation="{name}",le="{bucket}"}} {count}"#
                );
            }
        }
        text
    }
}

fn write(lines: &mut Vec<u8>) {
    // A log that cannot be written stops no request.
    _ = std::io::stderr().write_all(lines);
    lines.clear();
}

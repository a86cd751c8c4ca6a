//! The CPU that the old service spends on each operation: the seconds that its metrics report, explained by
//! the requests that it got meanwhile.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use http::Uri;
use serde::Serialize;

use crate::lock::lock;
use crate::regression::Regression;

/// The counter of the old service's CPU, as Prometheus' clients call it.
const METRIC: &str = "process_cpu_seconds_total";
/// A share that is known to so many points says enough, however small it is.
const POINTS: f64 = 0.05;

/// Where the old service reports its CPU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CpuSource {
    /// Its metrics in Prometheus' text format, with `process_cpu_seconds_total` of all its processes: a
    /// page that is answered by one of several workers at a time is none.
    pub metrics: Uri,
    /// How often they are read.
    pub interval: Duration,
}

impl CpuSource {
    /// Read every ten seconds.
    pub const fn new(metrics: Uri) -> Self {
        Self { metrics, interval: Duration::from_secs(10) }
    }
}

/// What is known of the old service's CPU.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CpuView {
    /// The seconds of CPU that it has spent while its metrics were read.
    pub seconds: f64,
    /// Why they cannot be read now.
    pub error: Option<String>,
}

/// The share of an operation in the old service's CPU.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CpuShare {
    /// 0 to 1.
    pub share: f64,
    /// How far it may be from that, as two standard errors.
    pub error: f64,
    /// The seconds of CPU of one request.
    pub seconds: f64,
}

/// The old service's CPU so far.
#[derive(Debug)]
pub(crate) struct Cpu(Mutex<State>);

#[derive(Debug)]
struct State {
    /// A column for each operation, one for all other requests, and one for the seconds: what is spent
    /// without requests.
    regression: Regression,
    /// What was read last.
    last: Option<Reading>,
    /// The requests of each operation, and the CPU, of all intervals.
    requests: Vec<f64>,
    seconds: f64,
    error: Option<String>,
}

/// The counters at one time.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) at: Instant,
    pub(crate) cpu_seconds: f64,
    /// Of each operation, and of all others.
    pub(crate) requests: Vec<u64>,
}

impl Cpu {
    pub(crate) fn new(operations: usize) -> Self {
        Self(Mutex::new(State {
            regression: Regression::new(operations + 2),
            last: None,
            requests: vec![0.0; operations],
            seconds: 0.0,
            error: None,
        }))
    }

    /// Takes what was read; the time since the last reading is one observation. A counter that has
    /// become less is of another process: the next observation begins there.
    #[expect(clippy::cast_precision_loss, reason = "requests of an interval")]
    pub(crate) fn observe(&self, reading: Result<Reading, String>) {
        let mut state = lock(&self.0);
        let reading = match reading {
            Ok(reading) => reading,
            Err(error) => {
                if state.error.as_ref() != Some(&error) {
                    tracing::warn!(error, "the CPU of the old service is not known");
                }
                (state.error, state.last) = (Some(error), None);
                return;
            }
        };
        state.error = None;
        let Some(last) = state.last.replace(reading.clone()) else { return };
        let spent = reading.cpu_seconds - last.cpu_seconds;
        if spent < 0.0 {
            return;
        }
        let requests = reading.requests.iter().zip(&last.requests);
        let mut counts: Vec<f64> =
            requests.map(|(now, before)| now.saturating_sub(*before) as f64).collect();
        state.requests.iter_mut().zip(&counts).for_each(|(all, count)| *all += count);
        counts.push(reading.at.duration_since(last.at).as_secs_f64());
        state.seconds += spent;
        state.regression.add(&counts, spent);
    }

    pub(crate) fn view(&self) -> CpuView {
        let state = lock(&self.0);
        CpuView { seconds: state.seconds, error: state.error.clone() }
    }

    /// The share of each operation, of those for which it is known well enough: the error is no more
    /// than the share itself, or than five points.
    pub(crate) fn shares(&self) -> Vec<Option<CpuShare>> {
        let state = lock(&self.0);
        let found = state.regression.coefficients();
        let shares = state.requests.iter().zip(found).map(|(requests, found)| {
            let found = found.filter(|_| state.seconds > 0.0)?;
            let seconds = found.value.max(0.0);
            let share = seconds * requests / state.seconds;
            let error = 2.0 * found.error * requests / state.seconds;
            (error <= share.max(POINTS)).then_some(CpuShare { share, error, seconds })
        });
        shares.collect()
    }
}

/// The value of the metric in Prometheus' text format, added up if it has labels.
pub(crate) fn cpu_seconds(text: &str) -> Result<f64, String> {
    let samples = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(METRIC)?;
        // Without an exemplar.
        let rest = rest.split(" # ").next().unwrap_or(rest);
        let value = if rest.starts_with('{') { rest.rsplit_once('}')?.1 } else { rest };
        value.starts_with(' ').then(|| value.split_whitespace().next()?.parse::<f64>().ok())?
    });
    let samples: Vec<f64> = samples.filter(|value| value.is_finite()).collect();
    if samples.is_empty() {
        return Err(format!("there is no {METRIC}"));
    }
    Ok(samples.iter().sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metric_is_read_in_each_form() {
        for (text, expected) in [
            (
                "# TYPE process_cpu_seconds_total counter\nprocess_cpu_seconds_total 1.5\n",
                Some(1.5),
            ),
            ("process_cpu_seconds_total{a=\"} 9\",b=\"c\"} 2.5 1700000000000\n", Some(2.5)),
            (
                "process_cpu_seconds_total{pid=\"1\"} 1\nprocess_cpu_seconds_total{pid=\"2\"} 2e0\n",
                Some(3.0),
            ),
            ("process_cpu_seconds_total 1.0 # {trace_id=\"a\"} 7\n", Some(1.0)),
            ("process_cpu_seconds_total_created 1\n", None),
            ("process_cpu_seconds_total NaN\n", None),
            ("<html>", None),
        ] {
            assert_eq!(cpu_seconds(text).ok(), expected, "{text}");
        }
    }

    fn reading(start: Instant, second: u64, cpu_seconds: f64, requests: [u64; 3]) -> Reading {
        let at = start + Duration::from_secs(second);
        Reading { at, cpu_seconds, requests: requests.to_vec() }
    }

    #[test]
    fn the_cpu_is_shared_out_by_the_requests() {
        let (cpu, start) = (Cpu::new(2), Instant::now());
        let (mut spent, mut requests) = (0.0, [0, 0, 0]);
        for second in 0..60 {
            if second == 30 {
                // Another process.
                spent = 0.0;
            }
            cpu.observe(Ok(reading(start, second, spent, requests)));
            let (reads, writes) = (second * 5 % 17, second * 7 % 17);
            requests = [requests[0] + reads, requests[1] + writes, requests[2]];
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let of_requests = reads as f64 * 0.001 + writes as f64 * 0.009;
            spent += of_requests + 0.0001;
        }
        let shares = cpu.shares();
        for (found, expected) in shares.iter().zip([0.1, 0.9]) {
            let CpuShare { share, error, .. } = found.unwrap();
            assert!((share - expected).abs() < 0.05 && error < 0.05, "{shares:?}");
        }
        assert!(cpu.view().seconds > 3.0 && cpu.view().error.is_none());
        cpu.observe(Err("away".to_owned()));
        assert_eq!(cpu.view().error, Some("away".to_owned()));
    }

    /// Two operations that each client calls one after the other.
    #[test]
    fn what_is_not_known_has_no_share() {
        let (cpu, start) = (Cpu::new(2), Instant::now());
        for second in 0..60 {
            let count = second * second;
            #[expect(clippy::cast_precision_loss, reason = "small")]
            let spent = count as f64 * 0.01;
            cpu.observe(Ok(reading(start, second, spent, [count, count, 0])));
        }
        assert_eq!(cpu.shares(), [None, None]);
    }
}

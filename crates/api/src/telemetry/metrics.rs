//! Metrics for Prometheus: requests by operation, connections, the runtime and the process.

use std::sync::Arc;
use std::time::Duration;

use celery_compat::Status;
use domain::Storage;
use fastapi_compat::Operation;
use http::Method;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;
use tokio_util::task::TaskTracker;
use tracing_appender::non_blocking::ErrorCounter;

use crate::App;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfRequest {
    operation: Arc<str>,
    /// One that HTTP defines, or `other`: clients make up methods.
    method: &'static str,
    /// 499 if the client has disconnected before.
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOperation {
    operation: Arc<str>,
}

/// Rate, errors and duration by operation. Its clones are the same one.
#[derive(Clone, Debug)]
pub struct Metrics {
    requests: Family<OfRequest, Counter>,
    durations: Family<OfOperation, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    refused: Counter,
    /// The label of requests without an operation.
    none: Arc<str>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(histogram),
            in_flight: Gauge::default(),
            refused: Counter::default(),
            none: "none".into(),
        }
    }
}

/// Buckets in seconds.
fn histogram() -> Histogram {
    Histogram::new([
        0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}

fn label(method: &Method) -> &'static str {
    ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT"]
        .into_iter()
        .find(|known| method == known)
        .unwrap_or("other")
}

impl Metrics {
    /// Counts a request in flight; [`Metrics::answered`] ends it.
    pub(super) fn entered(&self) {
        self.in_flight.inc();
    }

    /// Counts a request that was answered or aborted.
    pub(super) fn answered(
        &self,
        method: &Method,
        operation: Option<&Operation>,
        status: u16,
        took: Duration,
    ) {
        self.in_flight.dec();
        let operation = Arc::clone(operation.map_or(&self.none, |operation| &operation.id));
        let method = label(method);
        let labels = OfRequest { operation: Arc::clone(&operation), method, status };
        self.requests.get_or_create(&labels).inc();
        self.durations.get_or_create(&OfOperation { operation }).observe(took.as_secs_f64());
    }

    /// The requests in flight.
    pub fn in_flight(&self) -> Gauge {
        self.in_flight.clone()
    }

    /// Counts requests that are refused because there are too many.
    pub fn refused(&self) -> Counter {
        self.refused.clone()
    }

    fn register(&self, registry: &mut Registry) {
        let help = "Requests by operation, method and status";
        registry.register("http_server_requests", help, self.requests.clone());
        let help = "Time to the response head";
        registry.register("http_server_request_duration_seconds", help, self.durations.clone());
        let help = "Requests in flight";
        registry.register("http_server_requests_in_flight", help, self.in_flight.clone());
        let help = "Requests refused because there were too many";
        registry.register("http_server_requests_refused", help, self.refused.clone());
    }
}

/// All metrics of a service; `dropped_lines` counts what its log has lost.
pub fn registry(app: &App, dropped_lines: Option<ErrorCounter>) -> Registry {
    let mut registry = with_build();
    app.metrics.register(&mut registry);
    app.mailer.register(&mut registry);
    app.passwords.register(&mut registry);
    #[cfg(feature = "strangler")]
    if let Some(strangler) = &app.strangler {
        strangler.register(&mut registry);
    }
    registry.register_collector(Box::new(Process {
        storage: Arc::clone(&app.storage),
        background: Some(app.background.clone()),
        dropped_lines,
    }));
    registry
}

/// All metrics of a worker.
pub fn worker_registry(
    storage: Arc<dyn Storage>,
    status: Arc<Status>,
    dropped_lines: Option<ErrorCounter>,
) -> Registry {
    let mut registry = with_build();
    registry.register_collector(Box::new(Tasks(status)));
    registry.register_collector(Box::new(Process { storage, background: None, dropped_lines }));
    registry
}

fn with_build() -> Registry {
    let mut registry = Registry::default();
    let build = Info::new([
        ("version", env!("CARGO_PKG_VERSION")),
        ("revision", option_env!("MOLT_REVISION").unwrap_or("unknown")),
    ]);
    registry.register("molt_build", "Build information", build);
    registry
}

/// Background tasks by what has become of them.
#[derive(Debug)]
struct Tasks(Arc<Status>);

impl Collector for Tasks {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let counts = self.0.counts();
        for (name, help, value) in [
            ("tasks_succeeded", "Tasks that have succeeded", counts.succeeded),
            ("tasks_failed", "Tasks that have failed", counts.failed),
            ("tasks_retried", "Attempts that will be repeated", counts.retried),
            (
                "tasks_expired",
                "Tasks that were not begun, because they had expired",
                counts.revoked,
            ),
            ("tasks_dead", "Messages put into the dead-letter queue", counts.dead),
        ] {
            let counter = ConstCounter::new(value);
            let kind = counter.metric_type();
            counter.encode(encoder.encode_descriptor(name, help, None, kind)?)?;
        }
        for (name, help, value) in [
            ("tasks_active", "Tasks that run now", counts.active),
            ("broker_connected", "Whether messages are received", self.0.is_connected().into()),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// What is read for each scrape: connections to the database, the log, the runtime, the process.
struct Process {
    storage: Arc<dyn Storage>,
    /// Requests whose client has disconnected; a worker has none.
    background: Option<TaskTracker>,
    dropped_lines: Option<ErrorCounter>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Process")
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        let mut gauge = |name: &str, help: &str, value: usize| {
            let gauge = ConstGauge::new(u64::try_from(value).unwrap_or(u64::MAX));
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
        };
        let connections = self.storage.connections();
        gauge("database_connections_max", "Maximum connections to the database", connections.max)?;
        gauge("database_connections_open", "Open connections to the database", connections.open)?;
        gauge("database_connections_idle", "Idle connections to the database", connections.idle)?;
        gauge(
            "database_waiting",
            "Requests waiting for a connection to the database",
            connections.waiting,
        )?;
        if let Some(background) = &self.background {
            gauge(
                "http_server_requests_disconnected",
                "Requests whose client has disconnected, still running",
                background.len(),
            )?;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let runtime = runtime.metrics();
            gauge("tokio_workers", "Worker threads of the runtime", runtime.num_workers())?;
            gauge("tokio_tasks", "Tasks not finished", runtime.num_alive_tasks())?;
            let queue = runtime.global_queue_depth();
            gauge("tokio_queue", "Tasks waiting for a worker thread", queue)?;
        }
        if let Some(lines) = &self.dropped_lines {
            let dropped =
                ConstCounter::new(u64::try_from(lines.dropped_lines()).unwrap_or(u64::MAX));
            let kind = dropped.metric_type();
            let help = "Log lines dropped because the log buffer was full";
            dropped.encode(encoder.encode_descriptor("log_lines_dropped", help, None, kind)?)?;
        }
        #[cfg(target_os = "linux")]
        linux(&mut encoder)?;
        Ok(())
    }
}

/// The names that Prometheus' own clients use; what `/proc` does not have is left out.
#[cfg(target_os = "linux")]
#[expect(clippy::cast_precision_loss, reason = "bytes and seconds below 2^53")]
fn linux(encoder: &mut DescriptorEncoder<'_>) -> std::fmt::Result {
    let Ok(process) = procfs::process::Process::myself() else { return Ok(()) };
    let mut gauge = |name: &str, help: &str, value: f64| {
        let gauge = ConstGauge::new(value);
        gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)
    };
    if let Ok(open) = process.fd_count() {
        gauge("process_open_fds", "Number of open file descriptors", open as f64)?;
    }
    if let Ok(limits) = process.limits()
        && let procfs::process::LimitValue::Value(max) = limits.max_open_files.soft_limit
    {
        gauge("process_max_fds", "Maximum number of open file descriptors", max as f64)?;
    }
    let Ok(stat) = process.stat() else { return Ok(()) };
    let resident = stat.rss * procfs::page_size();
    gauge("process_resident_memory_bytes", "Resident memory size in bytes", resident as f64)?;
    gauge("process_virtual_memory_bytes", "Virtual memory size in bytes", stat.vsize as f64)?;
    gauge("process_threads", "Number of threads", stat.num_threads as f64)?;
    let ticks = procfs::ticks_per_second() as f64;
    if let Ok(boot) = procfs::boot_time_secs() {
        let started = boot as f64 + stat.starttime as f64 / ticks;
        gauge(
            "process_start_time_seconds",
            "Start time of the process, in seconds since the Unix epoch",
            started,
        )?;
    }
    let seconds = (stat.utime + stat.stime) as f64 / ticks;
    let counter = ConstCounter::new(seconds);
    let help = "User and system CPU time in seconds";
    let kind = counter.metric_type();
    counter.encode(encoder.encode_descriptor("process_cpu_seconds", help, None, kind)?)
}

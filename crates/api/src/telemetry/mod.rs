//! Logs, metrics and traces of requests.
//!
//! None of them has secrets or e-mail addresses: they have the operation instead of the URL, and the
//! user's id.

mod metrics;
mod request;
mod traces;

use std::io::IsTerminal;

use opentelemetry_otlp::ExporterBuildError;
use tracing_appender::non_blocking::{ErrorCounter, NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};

pub use self::metrics::{Metrics, registry, worker_registry};
pub use self::request::{Observe, ObserveFuture, ObserveLayer, identify};
use self::traces::Exporter;

/// Size of the log buffer in lines; when it is full, further lines are dropped and counted.
const MAX_WAITING_LINES: usize = 16 * 1024;

/// The writers of logs and traces. Dropping it flushes the log buffer, for one second at most.
#[derive(Debug)]
pub struct Telemetry {
    exporter: Exporter,
    lines: ErrorCounter,
    _writer: WorkerGuard,
}

impl Telemetry {
    /// Starts logging to stderr, for people in a terminal and as JSON elsewhere; `RUST_LOG` is the
    /// filter. A thread of its own writes, so that a log that takes no lines delays no request. Traces
    /// are sent to `OTEL_EXPORTER_OTLP_ENDPOINT`.
    ///
    /// # Errors
    /// When the settings of OpenTelemetry are invalid.
    pub fn start() -> Result<Self, ExporterBuildError> {
        let exporter = Exporter::from_env()?;
        let (writer, guard) = NonBlockingBuilder::default()
            .buffered_lines_limit(MAX_WAITING_LINES)
            .lossy(true)
            .thread_name("log")
            .finish(std::io::stderr());
        let lines = writer.error_counter();
        let layer = tracing_subscriber::fmt::layer().with_writer(writer);
        let layer = if std::io::stderr().is_terminal() {
            layer.compact().boxed()
        } else {
            layer.json().flatten_event(true).with_span_list(false).boxed()
        };
        let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
        tracing_subscriber::registry()
            .with(exporter.layer())
            .with(layer.with_filter(filter))
            .init();
        // As the log has it, with the request id, and without waiting for stderr.
        std::panic::set_hook(Box::new(|panic| {
            let location = panic.location().map(tracing::field::display);
            let message = panic.payload_as_str().unwrap_or("no message");
            tracing::error!(panic = message, location, "a thread panicked");
        }));
        Ok(Self { exporter, lines, _writer: guard })
    }

    /// Counts the lines that were dropped.
    pub fn dropped_lines(&self) -> ErrorCounter {
        self.lines.clone()
    }

    /// Sends the remaining spans and flushes the log buffer.
    pub async fn flush(self) {
        self.exporter.flush().await;
        let dropped = self.lines.dropped_lines();
        if dropped > 0 {
            tracing::warn!(dropped, "log lines were dropped");
        }
    }
}

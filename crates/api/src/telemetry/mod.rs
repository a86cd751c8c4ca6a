//! What operators see of a request: a line in the log, its share of the metrics, and a trace.
//!
//! None of them has secrets or e-mail addresses: the operation stands for the URL, and the user's id
//! for the user.

mod metrics;
mod traces;

use std::cell::Cell;
use std::io::IsTerminal;
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use fastapi_compat::Operation;
use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_otlp::ExporterBuildError;
use tracing::Instrument;
use tracing::field::Empty;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};
use uuid::Uuid;

pub use self::metrics::{Metrics, registry};
pub use self::traces::Exporter;
use self::traces::Trace;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ids are not taken over, so that clients cannot fill the log.
const REQUEST_ID_LENGTH: usize = 128;

tokio::task_local! {
    static USER: Cell<Option<Uuid>>;
}

/// Starts logging to stderr, for people in a terminal and as JSON elsewhere; `RUST_LOG` says how
/// much. Traces are sent where `OTEL_EXPORTER_OTLP_ENDPOINT` says.
///
/// # Errors
/// When the settings of OpenTelemetry make no sense.
pub fn start() -> Result<Exporter, ExporterBuildError> {
    let exporter = Exporter::from_env()?;
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let lines = if std::io::stderr().is_terminal() {
        lines.compact().boxed()
    } else {
        lines.json().flatten_event(true).with_span_list(false).boxed()
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::registry().with(exporter.layer()).with(lines.with_filter(filter)).init();
    Ok(exporter)
}

/// Tells whose request this is.
pub fn identify(user: Uuid) {
    // Outside a request, as in a shadow's, nobody wants to know.
    _ = USER.try_with(|known| known.set(Some(user)));
}

/// How requests are watched.
#[derive(Clone, Debug)]
pub struct Watch {
    pub metrics: Metrics,
    /// Whether requests go on to another service, which is to know the trace.
    pub passes_on: bool,
    /// Whether answers carry [`hardened`] headers.
    pub hardened: bool,
}

impl Watch {
    /// Has a request answered and tells how that went.
    pub async fn observe(
        &self,
        mut request: Request,
        answer: impl AsyncFnOnce(Request) -> Response,
    ) -> Response {
        let start = Instant::now();
        let metrics = self.metrics.entered();
        let method = request.method().clone();
        let is_told = tracing::enabled!(tracing::Level::INFO) || traces::are_on();
        if !(is_told || self.passes_on || self.hardened) {
            let response = answer(request).await;
            metrics.answered(&method, &response, start.elapsed());
            return response;
        }

        let trace = Trace::of(request.headers());
        let request_id = request_id(request.headers());
        let span = tracing::info_span!(
            "request",
            request_id = Empty,
            trace_id = Empty,
            otel.kind = "server",
            http.request.method = Empty,
            http.route = Empty,
            http.response.status_code = Empty,
            user.id = Empty,
        );
        let trace = trace.enter(&span);
        let trace_id = trace.id();
        let request_id = request_id.unwrap_or_else(|| trace_id.clone());
        span.record("request_id", &request_id);
        span.record("trace_id", &trace_id);
        if self.passes_on {
            trace.pass_on(request.headers_mut());
            pass_on(&request_id, request.headers_mut());
        }

        let told = span.clone();
        let (mut response, user) = USER
            .scope(Cell::default(), async {
                let response = answer(request).instrument(span).await;
                (response, USER.with(Cell::get))
            })
            .await;
        metrics.answered(&method, &response, start.elapsed());
        let operation = response.extensions().get::<Operation>();
        let status = response.status().as_u16();
        if traces::are_on() {
            trace.conclude(&told, &method, operation, status, user);
        }
        let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
        tracing::info!(
            parent: None,
            request_id,
            trace_id,
            %method,
            operation = operation.map_or("-", |operation| &operation.id),
            status,
            milliseconds,
            user_id = user.map(tracing::field::display),
            "request"
        );
        if self.hardened {
            harden(response.headers_mut(), &request_id);
        }
        response
    }
}

/// The id that a proxy or the client gave the request.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/+=".contains(c);
    (!id.is_empty() && id.len() <= REQUEST_ID_LENGTH && id.chars().all(is_plain))
        .then(|| id.to_owned())
}

fn pass_on(request_id: &str, headers: &mut HeaderMap) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

/// What python-legacy does not say: browsers shall not guess types, frame pages, tell where they
/// came from, or come back without TLS.
fn harden(headers: &mut HeaderMap, request_id: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        ("referrer-policy", "no-referrer"),
        ("strict-transport-security", "max-age=31536000"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    pass_on(request_id, headers);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(id: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(REQUEST_ID, HeaderValue::from_str(id).unwrap());
        request_id(&headers)
    }

    #[test]
    fn ids_that_could_be_anything_else_are_not_taken_over() {
        assert_eq!(given("7b1f:req/1").as_deref(), Some("7b1f:req/1"));
        for id in ["", "a b", "me@example.com", "\"", &"x".repeat(129)] {
            assert_eq!(given(id), None, "{id}");
        }
    }
}

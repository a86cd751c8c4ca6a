//! Traces: W3C trace context in and out, spans to a collector over OTLP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fastapi_compat::Operation;
use http::{HeaderMap, HeaderValue, Method};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{
    SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId, TracerProvider,
};
use opentelemetry_http::{HeaderExtractor, HeaderInjector};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Level, Span, Subscriber};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

/// Whether spans are sent anywhere.
static ON: AtomicBool = AtomicBool::new(false);

/// Timeout for sending the last spans to the collector.
const LAST_SPANS: Duration = Duration::from_secs(5);

pub(super) fn are_on() -> bool {
    ON.load(Ordering::Relaxed)
}

/// The exporter of spans to a collector, if one is set.
#[derive(Debug)]
pub(super) struct Exporter(Option<SdkTracerProvider>);

impl Exporter {
    /// The variables are OpenTelemetry's own: `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_SERVICE_NAME`,
    /// `OTEL_TRACES_SAMPLER` and so on.
    pub(super) fn from_env() -> Result<Self, ExporterBuildError> {
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let endpoints = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"];
        if is_set("OTEL_SDK_DISABLED") || !endpoints.into_iter().any(is_set) {
            return Ok(Self(None));
        }
        // A provider that was installed before stays.
        _ = rustls::crypto::ring::default_provider().install_default();
        // It lives on the thread of the exporter, where nothing is asynchronous.
        let client = std::thread::spawn(reqwest::blocking::Client::new).join();
        let mut exporter = SpanExporter::builder().with_http();
        if let Ok(client) = client {
            exporter = exporter.with_http_client(client);
        }
        let mut resource = Resource::builder();
        if !is_set("OTEL_SERVICE_NAME") {
            resource = resource.with_service_name("molt");
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter.build()?)
            .with_resource(resource.build())
            .build();
        ON.store(true, Ordering::Relaxed);
        Ok(Self(Some(provider)))
    }

    /// Takes requests and what they wait for: the database, the password threads.
    pub(super) fn layer<S>(&self) -> Option<impl Layer<S> + use<S>>
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
    {
        let tracer = self.0.as_ref()?.tracer("molt");
        let ours = [
            "api",
            "molt",
            "storage_postgres",
            #[cfg(feature = "sqlite")]
            "storage_sqlite",
            #[cfg(feature = "strangler")]
            "strangler",
        ];
        let filter = Targets::new().with_targets(ours.map(|target| (target, Level::DEBUG)));
        // The position of the code is of no use to a reader of traces.
        let layer = tracing_opentelemetry::layer().with_location(false).with_threads(false);
        Some(layer.with_target(false).with_tracer(tracer).with_filter(filter))
    }

    /// Sends what has not been sent yet.
    pub(super) async fn flush(self) {
        let Some(provider) = self.0 else { return };
        let flushed =
            tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(LAST_SPANS)).await;
        if !matches!(flushed, Ok(Ok(()))) {
            tracing::warn!("the last spans did not reach the collector");
        }
    }
}

/// The trace of a request.
pub(super) struct Trace {
    context: Context,
    /// Its span here is sampled, and goes to a collector.
    is_exported: bool,
}

impl Trace {
    /// The trace of the `traceparent` header, if there is one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        if headers.contains_key("traceparent") {
            let parent = TraceContextPropagator::new();
            let context = parent.extract_with_context(&Context::new(), &HeaderExtractor(headers));
            return Self { context, is_exported: false };
        }
        Self { context: Context::new(), is_exported: false }
    }

    /// The same for what is below this span.
    pub(super) fn enter(self, span: &Span) -> Self {
        if are_on() && !span.is_disabled() {
            // It fails for spans that are not collected.
            _ = span.set_parent(self.context);
            let context = span.context();
            let is_exported = context.span().span_context().is_sampled();
            return Self { context, is_exported };
        }
        let parent = self.context.span().span_context().clone();
        let (id, flags) = if parent.is_valid() {
            (parent.trace_id(), parent.trace_flags())
        } else {
            (TraceId::from(fastrand::u128(1..)), TraceFlags::NOT_SAMPLED)
        };
        let span_id = SpanId::from(fastrand::u64(1..));
        let state = parent.trace_state().clone();
        let context = SpanContext::new(id, span_id, flags, false, state);
        Self { context: Context::new().with_remote_span_context(context), is_exported: false }
    }

    pub(super) fn id(&self) -> String {
        self.context.span().span_context().trace_id().to_string()
    }

    /// Records in the span of the request what is known only now: its name is the operation.
    pub(super) fn conclude(
        &self,
        span: &Span,
        method: &Method,
        operation: Option<&Operation>,
        status: u16,
        user: Option<Uuid>,
    ) {
        let name = match operation {
            Some(operation) => format!("{method} {}", operation.path),
            None => method.to_string(),
        };
        self.context.span().update_name(name);
        if status >= 500 {
            self.context.span().set_status(Status::error(""));
        }
        span.record("http.request.method", method.as_str());
        span.record("http.response.status_code", status);
        if let Some(operation) = operation {
            span.record("http.route", &*operation.path);
        }
        if let Some(user) = user {
            span.record("user.id", tracing::field::display(user));
        }
    }

    /// Makes this service's span the parent of what the next service does. Without one, or if it is not
    /// sampled, the client's headers stay as they are, its sampling decision too, and no trace is begun,
    /// which the next service would not sample.
    pub(super) fn pass_on(&self, headers: &mut HeaderMap) {
        if !self.is_exported {
            return;
        }
        TraceContextPropagator::new().inject_context(&self.context, &mut HeaderInjector(headers));
        if headers.get("tracestate").is_some_and(HeaderValue::is_empty) {
            headers.remove("tracestate");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_goes_on() {
        let mut headers = HeaderMap::new();
        let parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        headers.insert("traceparent", parent.parse().unwrap());
        headers.insert("tracestate", "vendor=1".parse().unwrap());
        let trace = Trace::of(&headers).enter(&Span::none());
        assert_eq!(trace.id(), "0af7651916cd43dd8448eb211c80319c");
        trace.pass_on(&mut headers);
        assert_eq!(
            headers["traceparent"], parent,
            "without a span here, the client's is the parent"
        );
        assert_eq!(headers["tracestate"], "vendor=1");
        let mut headers = HeaderMap::new();
        Trace::of(&headers).enter(&Span::none()).pass_on(&mut headers);
        assert!(headers.is_empty(), "{headers:?}");
    }

    #[test]
    fn a_new_trace_starts_where_there_is_none_or_a_broken_one() {
        for parent in
            [None, Some("00-00000000000000000000000000000000-b7ad6b7169203331-01"), Some("x")]
        {
            let mut headers = HeaderMap::new();
            if let Some(parent) = parent {
                headers.insert("traceparent", parent.parse().unwrap());
            }
            let trace = Trace::of(&headers).enter(&Span::none());
            assert_eq!(trace.id().len(), 32);
            assert_ne!(trace.id(), "0".repeat(32));
        }
    }
}

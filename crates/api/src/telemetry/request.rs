//! A request in the log, in the metrics and in a trace: one line, one count and one span for each,
//! also for those whose client has disconnected.

use std::cell::{Cell, OnceCell};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use fastapi_compat::Operation;
use fastapi_compat::layers::client_disconnected;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use pin_project_lite::pin_project;
use tokio::task::futures::TaskLocalFuture;
use tower::{Layer, Service};
use tracing::field::Empty;
use tracing::instrument::Instrumented;
use tracing::{Instrument, Span};
use uuid::Uuid;

use super::Metrics;
use super::traces::{self, Trace};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Longer ids are not taken over, so that clients cannot fill the log.
const REQUEST_ID_LENGTH: usize = 128;

/// The status of a request whose client has disconnected before it was answered.
const CLIENT_CLOSED_REQUEST: u16 = 499;

tokio::task_local! {
    static KNOWN: Known;
}

/// What handlers add to the report of a request.
#[derive(Debug, Default)]
struct Known {
    user: Cell<Option<Uuid>>,
    operation: OnceCell<Operation>,
}

/// Reports whose request this is, and to which operation.
pub fn identify(user: Uuid, operation: Option<&Operation>) {
    // Outside a request, as in a shadow's, there is nothing to report to.
    _ = KNOWN.try_with(|known| {
        known.user.set(Some(user));
        if let Some(operation) = operation {
            _ = known.operation.set(operation.clone());
        }
    });
}

/// Observes requests: belongs outside of everything that may refuse or delay one, and inside of
/// [`RunToCompletionLayer`](fastapi_compat::layers::RunToCompletionLayer).
#[derive(Clone, Debug)]
pub struct ObserveLayer(Arc<Observation>);

#[derive(Clone, Debug)]
struct Observation {
    metrics: Metrics,
    forwards: bool,
    returns_request_id: bool,
}

impl ObserveLayer {
    /// With `returns_request_id` clients are given the request id, as `X-Request-Id`.
    pub fn new(metrics: Metrics, returns_request_id: bool) -> Self {
        Self(Arc::new(Observation { metrics, forwards: false, returns_request_id }))
    }

    /// With `forwards` requests go on to another service, which is given trace and request id.
    #[must_use]
    pub fn forwarding(self, forwards: bool) -> Self {
        Self(Arc::new(Observation { forwards, ..Observation::clone(&self.0) }))
    }
}

impl<S> Layer<S> for ObserveLayer {
    type Service = Observe<S>;

    fn layer(&self, inner: S) -> Observe<S> {
        Observe { inner, observation: Arc::clone(&self.0) }
    }
}

/// The service of [`ObserveLayer`].
#[derive(Clone, Debug)]
pub struct Observe<S> {
    inner: S,
    observation: Arc<Observation>,
}

impl<S> Service<Request> for Observe<S>
where
    S: Service<Request, Response = Response>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = ObserveFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let start = Instant::now();
        let observation = Arc::clone(&self.observation);
        observation.metrics.entered();
        let method = request.method().clone();
        let log_enabled = tracing::enabled!(tracing::Level::ERROR) || traces::are_on();
        if !(log_enabled || observation.forwards || observation.returns_request_id) {
            let future = self.inner.call(request);
            let observed = Observed { observation, method, start, logged: None };
            return ObserveFuture { inner: Inner::Counted { future }, observed: Some(observed) };
        }

        let trace = Trace::of(request.headers());
        let request_id = request_id(request.headers());
        // Of the highest level, so that every line within has the request id, whatever the filter.
        let span = tracing::error_span!(
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
        if observation.forwards {
            trace.pass_on(request.headers_mut());
            set_request_id(&request_id, request.headers_mut());
        }
        // What layers do before their first `.await` is part of the span too.
        let future = {
            let _entered = span.enter();
            self.inner.call(request)
        };
        let future = KNOWN.scope(Known::default(), future.instrument(span.clone()));
        let logged = Some(Logged { span, trace, request_id, trace_id });
        let observed = Some(Observed { observation, method, start, logged });
        ObserveFuture { inner: Inner::Logged { future }, observed }
    }
}

pin_project! {
    /// The answer of [`Observe`]; dropped before it is there, the client has disconnected.
    pub struct ObserveFuture<F> {
        #[pin]
        inner: Inner<F>,
        // None once it has been reported.
        observed: Option<Observed>,
    }

    impl<F> PinnedDrop for ObserveFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            if let Some(observed) = this.observed.take() {
                let known = this.inner.known();
                let operation = known.operation.get();
                observed.report(CLIENT_CLOSED_REQUEST, None, operation, known.user.get());
            }
        }
    }
}

pin_project! {
    #[project = InnerProjection]
    enum Inner<F> {
        Counted {
            #[pin]
            future: F,
        },
        Logged {
            #[pin]
            future: TaskLocalFuture<Known, Instrumented<F>>,
        },
    }
}

impl<F> Inner<F> {
    fn known(self: Pin<&mut Self>) -> Known {
        match self.project() {
            InnerProjection::Counted { .. } => None,
            InnerProjection::Logged { future } => future.take_value(),
        }
        .unwrap_or_default()
    }
}

impl<F, E> Future for ObserveFuture<F>
where
    F: Future<Output = Result<Response, E>>,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let answer = match this.inner.as_mut().project() {
            InnerProjection::Counted { future } => ready!(future.poll(context)),
            InnerProjection::Logged { future } => ready!(future.poll(context)),
        };
        let Some(observed) = this.observed.take() else { return Poll::Ready(answer) };
        let mut response = answer?;
        if observed.observation.returns_request_id
            && let Some(logged) = &observed.logged
        {
            set_request_id(&logged.request_id, response.headers_mut());
        }
        let status = response.status().as_u16();
        let (status, completed) = if client_disconnected() {
            (CLIENT_CLOSED_REQUEST, Some(status))
        } else {
            (status, None)
        };
        let user = this.inner.known().user.get();
        observed.report(status, completed, response.extensions().get::<Operation>(), user);
        Poll::Ready(Ok(response))
    }
}

/// What a report needs of a request.
struct Observed {
    observation: Arc<Observation>,
    method: Method,
    start: Instant,
    /// None if there is no line and no span.
    logged: Option<Logged>,
}

struct Logged {
    span: Span,
    trace: Trace,
    request_id: String,
    trace_id: String,
}

impl Observed {
    /// `completed` is the status that a client which has disconnected would have got.
    fn report(
        self,
        status: u16,
        completed: Option<u16>,
        operation: Option<&Operation>,
        user: Option<Uuid>,
    ) {
        let took = self.start.elapsed();
        self.observation.metrics.answered(&self.method, operation, status, took);
        let Some(Logged { span, trace, request_id, trace_id }) = self.logged else { return };
        if traces::are_on() {
            trace.conclude(&span, &self.method, operation, status, user);
        }
        tracing::info!(
            parent: None,
            request_id,
            trace_id,
            method = %self.method,
            operation = operation.map_or("-", |operation| &operation.id),
            status,
            completed_status = completed,
            milliseconds = took.as_secs_f64() * 1000.0,
            user_id = user.map(tracing::field::display),
            "request"
        );
    }
}

/// The id that a proxy or the client gave the request.
fn request_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get(REQUEST_ID)?.to_str().ok()?;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.:/+=".contains(c);
    (!id.is_empty() && id.len() <= REQUEST_ID_LENGTH && id.chars().all(is_plain))
        .then(|| id.to_owned())
}

fn set_request_id(request_id: &str, headers: &mut HeaderMap) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
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

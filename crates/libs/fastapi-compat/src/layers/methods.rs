//! Methods that uvicorn refuses.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

/// Methods that uvicorn's HTTP parser knows beyond those that have names in `http`.
const OTHER_METHODS: [&str; 26] = [
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "SEARCH",
    "UNLOCK",
    "BIND",
    "REBIND",
    "UNBIND",
    "ACL",
    "REPORT",
    "MKACTIVITY",
    "CHECKOUT",
    "MERGE",
    "M-SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PURGE",
    "MKCALENDAR",
    "LINK",
    "UNLINK",
    "SOURCE",
    "QUERY",
];

/// Answers requests with a method that uvicorn's parser does not know as uvicorn does: 400, the text
/// `Invalid HTTP request received.`, and the connection is closed.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownMethodsLayer;

impl<S> Layer<S> for KnownMethodsLayer {
    type Service = KnownMethods<S>;

    fn layer(&self, inner: S) -> KnownMethods<S> {
        KnownMethods { inner }
    }
}

/// The service of [`KnownMethodsLayer`].
#[derive(Clone, Copy, Debug)]
pub struct KnownMethods<S> {
    inner: S,
}

impl<S> Service<Request> for KnownMethods<S>
where
    S: Service<Request>,
    S::Response: IntoResponse,
{
    type Response = Response;
    type Error = S::Error;
    type Future = KnownMethodsFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let inner = is_known(request.method()).then(|| self.inner.call(request));
        KnownMethodsFuture { inner }
    }
}

pin_project! {
    /// The answer of [`KnownMethods`].
    pub struct KnownMethodsFuture<F> {
        // None if the request is refused.
        #[pin]
        inner: Option<F>,
    }
}

impl<F, R, E> Future for KnownMethodsFuture<F>
where
    F: Future<Output = Result<R, E>>,
    R: IntoResponse,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(match self.project().inner.as_pin_mut() {
            Some(inner) => ready!(inner.poll(context)).map(IntoResponse::into_response),
            None => Ok(invalid_request()),
        })
    }
}

fn is_known(method: &Method) -> bool {
    use Method as M;

    [M::GET, M::HEAD, M::POST, M::PUT, M::DELETE, M::PATCH, M::OPTIONS, M::TRACE, M::CONNECT]
        .contains(method)
        || OTHER_METHODS.contains(&method.as_str())
}

/// uvicorn's answer to what is not HTTP.
fn invalid_request() -> Response {
    let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
    (StatusCode::BAD_REQUEST, close, "Invalid HTTP request received.").into_response()
}

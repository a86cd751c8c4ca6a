//! Requests that uvicorn refuses.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, Uri, header};
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

/// Answers requests that hyper reads and uvicorn's parser (httptools) does not as uvicorn does: 400, the
/// text `Invalid HTTP request received.`, and the connection is closed.
///
/// These are: methods that it does not know; targets that are neither a path nor `*` nor a URL (`CONNECT`),
/// or have bytes beyond ASCII; and more than one `Transfer-Encoding`.
#[derive(Clone, Copy, Debug, Default)]
pub struct StrictRequestsLayer;

impl<S> Layer<S> for StrictRequestsLayer {
    type Service = StrictRequests<S>;

    fn layer(&self, inner: S) -> StrictRequests<S> {
        StrictRequests { inner }
    }
}

/// The service of [`StrictRequestsLayer`].
#[derive(Clone, Copy, Debug)]
pub struct StrictRequests<S> {
    inner: S,
}

impl<S> Service<Request> for StrictRequests<S>
where
    S: Service<Request>,
    S::Response: IntoResponse,
{
    type Response = Response;
    type Error = S::Error;
    type Future = StrictRequestsFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let is_valid = is_known(request.method())
            && is_target(request.uri())
            && request.headers().get_all(header::TRANSFER_ENCODING).iter().nth(1).is_none();
        let inner = is_valid.then(|| self.inner.call(request));
        StrictRequestsFuture { inner }
    }
}

pin_project! {
    /// The answer of [`StrictRequests`].
    pub struct StrictRequestsFuture<F> {
        // None if the request is refused.
        #[pin]
        inner: Option<F>,
    }
}

impl<F, R, E> Future for StrictRequestsFuture<F>
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

/// A path, `*` or a URL, in ASCII.
fn is_target(uri: &Uri) -> bool {
    uri.path_and_query().is_some_and(|target| target.as_str().is_ascii())
}

fn is_known(method: &Method) -> bool {
    use Method as M;

    [M::GET, M::HEAD, M::POST, M::PUT, M::DELETE, M::PATCH, M::OPTIONS, M::TRACE].contains(method)
        || OTHER_METHODS.contains(&method.as_str())
}

/// uvicorn's answer to what is not HTTP.
fn invalid_request() -> Response {
    let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
    (StatusCode::BAD_REQUEST, close, "Invalid HTTP request received.").into_response()
}

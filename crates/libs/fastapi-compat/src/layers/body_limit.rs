//! The largest body of a request.

use std::task::{Context, Poll};

use axum::extract::{DefaultBodyLimit, Request};
use tower::{Layer, Service};

/// The largest body that the extractors read, in bytes; in the extensions of requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit(pub usize);

impl Default for BodyLimit {
    /// 2 MiB, what axum's own extractors read by default.
    fn default() -> Self {
        Self(2 * 1024 * 1024)
    }
}

/// Sets the largest body that extractors read: this crate's answer `413` with
/// `{"detail": "Request Entity Too Large"}` and close the connection, axum's own (`Bytes`,
/// `Multipart`, `Json`) answer as axum does. A body whose announced length is too large is not read.
///
/// Neither FastAPI nor uvicorn has a limit; without this layer it is that of [`BodyLimit::default`].
#[derive(Clone, Copy, Debug)]
pub struct BodyLimitLayer(BodyLimit);

impl BodyLimitLayer {
    /// Bodies of at most `bytes` bytes are read.
    pub fn new(bytes: usize) -> Self {
        Self(BodyLimit(bytes))
    }
}

impl<S> Layer<S> for BodyLimitLayer {
    type Service = <DefaultBodyLimit as Layer<BodyLimited<S>>>::Service;

    fn layer(&self, inner: S) -> Self::Service {
        DefaultBodyLimit::max(self.0.0).layer(BodyLimited { inner, limit: self.0 })
    }
}

/// The service of [`BodyLimitLayer`], inside axum's own.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimited<S> {
    inner: S,
    limit: BodyLimit,
}

impl<S: Service<Request>> Service<Request> for BodyLimited<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> S::Future {
        request.extensions_mut().insert(self.limit);
        self.inner.call(request)
    }
}

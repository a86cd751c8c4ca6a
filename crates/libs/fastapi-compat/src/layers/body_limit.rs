//! The largest body of a request, and of all requests together.

use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{DefaultBodyLimit, Request};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};
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
#[derive(Clone, Debug)]
pub struct BodyLimitLayer {
    limit: BodyLimit,
    budget: Option<BodyBudget>,
}

impl BodyLimitLayer {
    /// Bodies of at most `bytes` bytes are read.
    pub fn new(bytes: usize) -> Self {
        Self { limit: BodyLimit(bytes), budget: None }
    }

    /// At most so many bytes of bodies are held at a time, of all requests together; only bodies of more
    /// than 4 KiB count. What has no room gets `503` with `Retry-After` from this crate's extractors, and
    /// the connection is closed.
    #[must_use]
    pub fn with_budget(self, bytes: usize) -> Self {
        let permits = bytes.min(Semaphore::MAX_PERMITS);
        Self { budget: Some(BodyBudget(Arc::new(Semaphore::new(permits)))), ..self }
    }
}

/// What is left of [`BodyLimitLayer::with_budget`]: a permit for each byte.
#[derive(Clone, Debug)]
pub(crate) struct BodyBudget(Arc<Semaphore>);

impl BodyBudget {
    /// The right to hold so many bytes until it is dropped; an error if there is no room for them.
    pub(crate) fn take(&self, bytes: usize) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        let bytes = u32::try_from(bytes).map_err(|_| TryAcquireError::NoPermits)?;
        Arc::clone(&self.0).try_acquire_many_owned(bytes)
    }
}

impl<S> Layer<S> for BodyLimitLayer {
    type Service = <DefaultBodyLimit as Layer<BodyLimited<S>>>::Service;

    fn layer(&self, inner: S) -> Self::Service {
        let Self { limit, budget } = self.clone();
        DefaultBodyLimit::max(limit.0).layer(BodyLimited { inner, limit, budget })
    }
}

/// The service of [`BodyLimitLayer`], inside axum's own.
#[derive(Clone, Debug)]
pub struct BodyLimited<S> {
    inner: S,
    limit: BodyLimit,
    budget: Option<BodyBudget>,
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
        if let Some(budget) = &self.budget {
            request.extensions_mut().insert(budget.clone());
        }
        self.inner.call(request)
    }
}

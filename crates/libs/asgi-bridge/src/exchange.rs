//! One request that Rust answers.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, StatusCode};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio_util::sync::CancellationToken;
use tower::{Service, ServiceExt};

use crate::completions::{EventLoop, Make};
use crate::messages::{ChannelBody, Chunk, Client, Piece, Sending, begin, messages};
use crate::process::{Host, Running, Tasks};
use crate::request::{length, may_have_body};

/// How far a response is.
enum Progress {
    Calling(BoxFuture<'static, Result<Response, Infallible>>),
    Sending(Sending),
    Done,
}

/// One request that Rust answers: its body goes in by `push`, its response comes out by `response`.
///
/// When it is closed or forgotten, the service's future is dropped, which tells it that the client has
/// disconnected.
#[pyclass(frozen, module = "molt_bridge._native")]
pub struct Exchange {
    tasks: Tasks,
    event_loop: EventLoop,
    upload: Mutex<Option<mpsc::Sender<Chunk>>>,
    progress: Arc<tokio::sync::Mutex<Progress>>,
    client: Client,
    closed: CancellationToken,
    is_done: Arc<AtomicBool>,
}

impl Exchange {
    /// Calls the service.
    pub(crate) fn start(
        host: &dyn Host,
        running: &Running,
        event_loop: EventLoop,
        request: Request<()>,
        takes_trailers: bool,
    ) -> Self {
        let client =
            Client { method: request.method().clone(), version: request.version(), takes_trailers };
        let (upload, body) = if may_have_body(&request) {
            let (upload, body) = ChannelBody::new(length(&request), None);
            (Some(upload), Body::new(body))
        } else {
            (None, Body::empty())
        };
        let mut request = request.map(|()| body);
        host.prepare(&mut request);
        let mut service = running.service();
        // Some services begin when they are called, and need a runtime for that.
        let runtime = running.tasks.handle.enter();
        let called = std::panic::catch_unwind(AssertUnwindSafe(
            || -> BoxFuture<'static, Result<Response, Infallible>> {
                match service.poll_ready(&mut Context::from_waker(Waker::noop())) {
                    Poll::Ready(_) => Box::pin(service.call(request)),
                    Poll::Pending => Box::pin(service.oneshot(request)),
                }
            },
        ));
        drop(runtime);
        let failed = |_| -> BoxFuture<'static, _> { Box::pin(async { Ok(server_error()) }) };
        let progress = Progress::Calling(called.unwrap_or_else(failed));
        Self {
            tasks: running.tasks.clone(),
            event_loop,
            upload: Mutex::new(upload),
            progress: Arc::new(tokio::sync::Mutex::new(progress)),
            client,
            closed: CancellationToken::new(),
            is_done: Arc::default(),
        }
    }
}

/// What an ASGI server answers when its application fails.
fn server_error() -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
}

#[pymethods]
impl Exchange {
    /// Whether the request has a body that is to be pushed.
    #[getter]
    fn has_body(&self) -> bool {
        self.upload.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Passes a chunk of the request's body on; without `more_body` it is the last one. A future that is
    /// given back resolves when there is room for another.
    fn push<'py>(
        &self,
        py: Python<'py>,
        body: &[u8],
        more_body: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut upload = self.upload.lock().unwrap_or_else(PoisonError::into_inner);
        let chunk = Chunk { data: Bytes::copy_from_slice(body), is_last: !more_body };
        let sender = if more_body { upload.clone() } else { upload.take() };
        drop(upload);
        let Some(sender) = sender else { return Ok(None) };
        match sender.try_send(chunk) {
            // A service may answer without reading on.
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(None),
            Err(TrySendError::Full(chunk)) => {
                let closed = self.closed.clone();
                let task = async move {
                    tokio::select! {
                        _ = sender.send(chunk) => {}
                        () = closed.cancelled() => {}
                    }
                    let make: Make = Box::new(|py| Ok(py.None()));
                    make
                };
                self.tasks.spawn(py, &self.event_loop, task).map(Some)
            }
        }
    }

    /// Whether the response has no more messages, as after `close`.
    #[getter]
    fn is_done(&self) -> bool {
        self.is_done.load(Ordering::Acquire)
    }

    /// A future of the next messages of the response: none if it is done. Raises RuntimeError when the
    /// response breaks off.
    fn response<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (progress, client) = (Arc::clone(&self.progress), self.client.clone());
        let (closed, is_done) = (self.closed.clone(), Arc::clone(&self.is_done));
        let task = async move {
            let mut progress = progress.lock().await;
            let advanced = tokio::select! {
                biased;
                () = closed.cancelled() => {
                    *progress = Progress::Done;
                    Ok(Vec::new())
                }
                advanced = AssertUnwindSafe(advance(&mut progress, &client)).catch_unwind() => {
                    advanced.unwrap_or_else(|_| Err("Rust panicked".to_owned()))
                }
            };
            if advanced.is_err() {
                *progress = Progress::Done;
            }
            is_done.store(matches!(*progress, Progress::Done), Ordering::Release);
            drop(progress);
            let make: Make = Box::new(move |py| match advanced {
                Ok(pieces) => messages(py, pieces),
                Err(error) => {
                    Err(PyRuntimeError::new_err(format!("the response breaks off: {error}")))
                }
            });
            make
        };
        self.tasks.spawn(py, &self.event_loop, task)
    }

    /// Ends the exchange: the client has disconnected, or its response is not read any more.
    fn close(&self) {
        self.closed.cancel();
        self.is_done.store(true, Ordering::Release);
        _ = self.upload.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Nothing may wait here: if a task has it, that one drops it.
        if let Ok(mut progress) = self.progress.try_lock() {
            // Where a runtime is needed to go on with what was begun.
            let _runtime = self.tasks.handle.enter();
            *progress = Progress::Done;
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.close();
    }
}

/// The next parts of the response; none after the last.
async fn advance(progress: &mut Progress, client: &Client) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::with_capacity(2);
    if let Progress::Calling(call) = progress {
        let called = AssertUnwindSafe(call).catch_unwind().await;
        let response = called.unwrap_or_else(|_| Ok(server_error()));
        let (head, sending) = begin(response.unwrap_or_else(|never| match never {}), client);
        pieces.push(head);
        *progress = Progress::Sending(sending);
    }
    let Progress::Sending(sending) = progress else { return Ok(pieces) };
    sending.read(&mut pieces).await?;
    if sending.is_done {
        *progress = Progress::Done;
    }
    Ok(pieces)
}

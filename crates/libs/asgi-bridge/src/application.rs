//! The ASGI application as a service that Rust calls: for shadows, canaries and rehearsals.

use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};
use strangler::InProcess;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::completions::{Completion, EventLoop, Make, Target};
use crate::messages::{ChannelBody, Chunk};
use crate::process::{BoxError, Tasks};
use crate::request::scope;

/// The application gave no response.
#[derive(Debug, thiserror::Error)]
#[error("the Python application ended without a response")]
struct NoResponse;

/// Calls the application on its event loop: `run` is a function that takes an [`ApplicationCall`] and
/// starts a task.
pub(crate) fn in_process(tasks: Tasks, event_loop: EventLoop, run: Py<PyAny>) -> InProcess {
    let run = Arc::new(run);
    Arc::new(move |request: Request<Body>| -> BoxFuture<'static, Result<Response, BoxError>> {
        let (tasks, event_loop, run) = (tasks.clone(), event_loop.clone(), Arc::clone(&run));
        Box::pin(async move {
            let (head, response) = oneshot::channel();
            let disconnected = CancellationToken::new();
            let guard = disconnected.clone().drop_guard();
            let (chunks, body) = ChannelBody::new(None, Some(guard));
            let completions = tasks.completions.clone();
            let call_loop = event_loop.clone();
            let make: Make = Box::new(move |py| {
                let call = ApplicationCall::new(
                    py,
                    tasks,
                    call_loop,
                    request,
                    Outgoing { head: Some(head), chunks: Some(chunks) },
                    disconnected,
                )?;
                Ok(Py::new(py, call)?.into_any())
            });
            completions.send(Completion { event_loop, target: Target::Function(run), make }).await;
            let head: Response<()> = response.await.map_err(|_| BoxError::from(NoResponse))?;
            Ok(head.map(|()| Body::new(body)))
        })
    })
}

/// The request's body, and whether its end has been reported.
struct Incoming {
    body: Body,
    is_reported: bool,
}

/// Where the response goes.
struct Outgoing {
    head: Option<oneshot::Sender<Response<()>>>,
    chunks: Option<mpsc::Sender<Chunk>>,
}

/// One request that the Python application answers for Rust: `receive` and `send` are ASGI's.
#[pyclass(frozen, module = "molt_bridge._native")]
pub struct ApplicationCall {
    tasks: Tasks,
    event_loop: EventLoop,
    scope: Py<PyDict>,
    incoming: Arc<tokio::sync::Mutex<Incoming>>,
    outgoing: Mutex<Outgoing>,
    disconnected: CancellationToken,
}

impl ApplicationCall {
    fn new(
        py: Python<'_>,
        tasks: Tasks,
        event_loop: EventLoop,
        request: Request<Body>,
        outgoing: Outgoing,
        disconnected: CancellationToken,
    ) -> PyResult<Self> {
        let (parts, body) = request.into_parts();
        Ok(Self {
            tasks,
            event_loop,
            scope: scope(py, &parts)?.unbind(),
            incoming: Arc::new(tokio::sync::Mutex::new(Incoming { body, is_reported: false })),
            outgoing: Mutex::new(outgoing),
            disconnected,
        })
    }
}

/// A part of the request as the application receives it.
enum Received {
    Data(Bytes, bool),
    Disconnected,
}

#[pymethods]
impl ApplicationCall {
    /// The scope of the request.
    #[getter]
    fn scope(&self, py: Python<'_>) -> Py<PyDict> {
        self.scope.clone_ref(py)
    }

    /// A future of the next message.
    fn receive<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (incoming, disconnected) = (Arc::clone(&self.incoming), self.disconnected.clone());
        let task = async move {
            let mut incoming = incoming.lock().await;
            let received = tokio::select! {
                received = receive(&mut incoming) => received,
                () = disconnected.cancelled() => Received::Disconnected,
            };
            let make: Make = Box::new(move |py| {
                let message = PyDict::new(py);
                match received {
                    Received::Data(data, is_last) => {
                        message.set_item("type", "http.request")?;
                        message.set_item("body", PyBytes::new(py, &data))?;
                        message.set_item("more_body", !is_last)?;
                    }
                    Received::Disconnected => message.set_item("type", "http.disconnect")?,
                }
                Ok(message.into_any().unbind())
            });
            make
        };
        self.tasks.spawn(py, &self.event_loop, task)
    }

    /// Takes a message; a future that is given back resolves when there is room for another.
    fn send<'py>(
        &self,
        py: Python<'py>,
        message: &Bound<'py, PyDict>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let item = |name: &str| message.get_item(name);
        let kind: String =
            item("type")?.map(|kind| kind.extract()).transpose()?.unwrap_or_default();
        match kind.as_str() {
            "http.response.start" => {
                let head = head(message)?;
                let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
                let sender = outgoing.head.take();
                let sender = sender.ok_or_else(|| PyRuntimeError::new_err("a second start"))?;
                // Without a receiver the client has disconnected, which is no error of the application.
                _ = sender.send(head);
                Ok(None)
            }
            "http.response.body" => {
                let body: Option<PyBackedBytes> =
                    item("body")?.map(|body| body.extract().map_err(PyErr::from)).transpose()?;
                let data = body.map_or_else(Bytes::new, |body| Bytes::copy_from_slice(&body));
                let more: Option<bool> =
                    item("more_body")?.map(|more| more.extract()).transpose()?;
                self.chunk(py, data, !more.unwrap_or_default())
            }
            other => Err(PyValueError::new_err(format!("'{other}' is no message of a response"))),
        }
    }

    /// Reports that the application has ended: a response that it has not begun is a 500, one that it has
    /// not ended is broken off.
    fn end(&self) {
        let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        let (head, chunks) = (outgoing.head.take(), outgoing.chunks.take());
        if let (Some(head), Some(chunks)) = (head, chunks) {
            let mut response = Response::new(());
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            let kind = HeaderValue::from_static("text/plain; charset=utf-8");
            response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
            let data = Bytes::from_static(b"Internal Server Error");
            _ = chunks.try_send(Chunk { data, is_last: true });
            _ = head.send(response);
        }
    }
}

impl ApplicationCall {
    fn chunk<'py>(
        &self,
        py: Python<'py>,
        data: Bytes,
        is_last: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        if outgoing.head.is_some() {
            return Err(PyRuntimeError::new_err("a body before the start of its response"));
        }
        let sender = if is_last { outgoing.chunks.take() } else { outgoing.chunks.clone() };
        drop(outgoing);
        let Some(sender) = sender else { return Ok(None) };
        match sender.try_send(Chunk { data, is_last }) {
            Ok(()) | Err(TrySendError::Closed(_)) => Ok(None),
            Err(TrySendError::Full(chunk)) => {
                let task = async move {
                    _ = sender.send(chunk).await;
                    let make: Make = Box::new(|py| Ok(py.None()));
                    make
                };
                self.tasks.spawn(py, &self.event_loop, task).map(Some)
            }
        }
    }
}

async fn receive(incoming: &mut Incoming) -> Received {
    loop {
        if incoming.is_reported {
            // Until the client disconnects.
            return std::future::pending().await;
        }
        match incoming.body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(data) = frame.into_data() {
                    incoming.is_reported = http_body::Body::is_end_stream(&incoming.body);
                    return Received::Data(data, incoming.is_reported);
                }
            }
            Some(Err(_)) => {
                incoming.is_reported = true;
                return Received::Disconnected;
            }
            None => {
                incoming.is_reported = true;
                return Received::Data(Bytes::new(), true);
            }
        }
    }
}

/// The head of a response from `http.response.start`.
fn head(message: &Bound<'_, PyDict>) -> PyResult<Response<()>> {
    let refused = |_| PyValueError::new_err("the response has a header that cannot be");
    let missing = || PyValueError::new_err("the response has no status");
    let status: u16 = message.get_item("status")?.ok_or_else(missing)?.extract()?;
    let mut response = Response::new(());
    *response.status_mut() = StatusCode::from_u16(status).map_err(|_| missing())?;
    let Some(headers) = message.get_item("headers")? else { return Ok(response) };
    for pair in headers.try_iter()? {
        let pair = pair?;
        let part =
            |index: usize| -> PyResult<PyBackedBytes> { Ok(pair.get_item(index)?.extract()?) };
        let (name, value) = (part(0)?, part(1)?);
        let name = HeaderName::from_bytes(&name).map_err(http::Error::from).map_err(refused)?;
        let value = HeaderValue::from_bytes(&value).map_err(http::Error::from).map_err(refused)?;
        response
            .headers_mut()
            .try_append(name, value)
            .map_err(http::Error::from)
            .map_err(refused)?;
    }
    Ok(response)
}

//! Hands results to asyncio.
//!
//! A thread of tokio's that waited for the interpreter would keep other requests waiting, as long as Python
//! code computes. So one thread waits for all of them, and hands over what has come together meanwhile with
//! one call to each event loop.

use std::sync::Arc;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyList;
use tokio::sync::mpsc;

/// How many results may wait for the interpreter; tasks wait before they hand over more.
const MAX_WAITING: usize = 1024;

/// Makes a Python value, with the interpreter attached.
pub(crate) type Make = Box<dyn FnOnce(Python<'_>) -> PyResult<Py<PyAny>> + Send>;

/// An asyncio event loop.
#[derive(Clone)]
pub(crate) struct EventLoop(Arc<Py<PyAny>>);

impl EventLoop {
    /// The one that `object` is.
    pub(crate) fn new(object: &Bound<'_, PyAny>) -> Self {
        Self(Arc::new(object.clone().unbind()))
    }

    /// A new future of this loop.
    ///
    /// # Errors
    /// When asyncio raises.
    pub(crate) fn future<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        self.0.bind(py).call_method0("create_future")
    }
}

/// What gets a value.
pub(crate) enum Target {
    /// A future of asyncio, which it resolves.
    Future(Py<PyAny>),
    /// A function, which is called with it.
    Function(Arc<Py<PyAny>>),
}

/// Something to do on an event loop.
pub(crate) struct Completion {
    pub(crate) event_loop: EventLoop,
    pub(crate) target: Target,
    pub(crate) make: Make,
}

/// Where tasks hand over their results; clones are the same.
#[derive(Clone)]
pub(crate) struct Completions(mpsc::Sender<Completion>);

impl Completions {
    /// Starts the thread. It ends when all clones of the sender are dropped, or with the interpreter.
    ///
    /// # Errors
    /// When there can be no thread.
    pub(crate) fn start() -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::channel(MAX_WAITING);
        let thread = std::thread::Builder::new().name("asgi-completions".to_owned());
        thread.spawn(move || deliver_all(receiver))?;
        Ok(Self(sender))
    }

    /// Resolves a future, or calls a function, on the event loop. Without an interpreter nothing happens:
    /// the process ends.
    pub(crate) async fn send(&self, completion: Completion) {
        _ = self.0.send(completion).await;
    }

    /// The same where nothing may wait; when too many wait already, the value is lost.
    pub(crate) fn try_send(&self, completion: Completion) {
        _ = self.0.try_send(completion);
    }

    /// The same on a thread that is not tokio's.
    pub(crate) fn blocking_send(&self, completion: Completion) {
        _ = self.0.blocking_send(completion);
    }
}

fn deliver_all(mut receiver: mpsc::Receiver<Completion>) {
    while let Some(first) = receiver.blocking_recv() {
        let delivered = Python::try_attach(|py| {
            let mut batch = vec![first];
            while let Ok(next) = receiver.try_recv() {
                batch.push(next);
            }
            deliver(py, batch);
        });
        if delivered.is_none() {
            return;
        }
    }
}

/// Hands over results, grouped by event loop.
fn deliver(py: Python<'_>, batch: Vec<Completion>) {
    let mut groups: Vec<(EventLoop, Bound<'_, PyList>)> = Vec::with_capacity(1);
    for Completion { event_loop, target, make } in batch {
        let (value, is_error) = match make(py) {
            Ok(value) => (value, false),
            Err(error) => (error.into_value(py).into_any(), true),
        };
        let known = groups.iter().find(|(known, _)| known.0.as_ptr() == event_loop.0.as_ptr());
        let list = known.map_or_else(|| PyList::empty(py), |(_, list)| list.clone());
        if known.is_none() {
            groups.push((event_loop, list.clone()));
        }
        let (is_call, target) = match &target {
            Target::Future(future) => (false, future.bind(py)),
            Target::Function(function) => (true, function.bind(py)),
        };
        if is_call && is_error {
            tracing::error!("a call of the Python application is lost");
            continue;
        }
        if let Err(error) = list.append((target, is_call, value, is_error)) {
            tracing::error!(%error, "a result is lost");
        }
    }
    for (event_loop, list) in groups {
        // A loop that is closed has no tasks that could wait.
        let sent = resolver(py).and_then(|resolve| {
            event_loop.0.bind(py).call_method1("call_soon_threadsafe", (resolve, list))
        });
        if let Err(error) = sent {
            tracing::debug!(%error, "an event loop takes no results");
        }
    }
}

fn resolver(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static RESOLVER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || Ok::<_, PyErr>(pyo3::wrap_pyfunction!(resolve, py)?.into_any().unbind());
    Ok(RESOLVER.get_or_try_init(py, make)?.bind(py))
}

/// Resolves futures and calls functions; runs on the event loop.
#[pyfunction]
fn resolve(batch: &Bound<'_, PyList>) {
    for entry in batch {
        // One that fails keeps no other one waiting.
        if let Err(error) = resolve_one(&entry) {
            error.write_unraisable(batch.py(), None);
        }
    }
}

fn resolve_one(entry: &Bound<'_, PyAny>) -> PyResult<()> {
    let (target, is_call, value, is_error): (Bound<'_, PyAny>, bool, Bound<'_, PyAny>, bool) =
        entry.extract()?;
    if is_call {
        target.call1((value,))?;
    } else if !target.call_method0("done")?.is_truthy()? {
        // One that is done was cancelled: the task that waited for it has ended.
        target.call_method1(if is_error { "set_exception" } else { "set_result" }, (value,))?;
    }
    Ok(())
}

/// What a task gives that panicked.
pub(crate) fn panicked() -> Make {
    Box::new(|_| Err(PyRuntimeError::new_err("Rust panicked; its log has the message")))
}

/// What a task gives that did not come to its end.
pub(crate) fn ended() -> Make {
    Box::new(|_| Err(PyRuntimeError::new_err("the bridge has been stopped")))
}

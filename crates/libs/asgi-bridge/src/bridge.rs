//! The bridge: from one process's Python to its Rust.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::application::in_process;
use crate::completions::{Completion, EventLoop, Make, Target};
use crate::exchange::Exchange;
use crate::process::{Host, Running, StopFuture, Tasks, Threads};
use crate::request::{head, method, path};

/// What was started, and in which process.
struct State {
    pid: u32,
    threads: Threads,
    tasks: Tasks,
    /// None while it starts, or after it could not.
    service: Option<(Arc<Running>, StopFuture)>,
}

/// A service in this process. Making one starts nothing; after a fork it is the child's own, unless the
/// parent had started it.
#[pyclass(frozen, module = "molt_bridge._native")]
pub struct Bridge {
    host: Arc<dyn Host>,
    timeout: Duration,
    state: Arc<Mutex<Option<State>>>,
}

/// The process is a child of one that has started the bridge.
fn forked() -> PyErr {
    PyRuntimeError::new_err(
        "this process was forked from one in which the bridge had started, and has none of its threads: \
         start it after the fork, as the lifespan of an ASGI server does",
    )
}

fn locked(state: &Mutex<Option<State>>) -> MutexGuard<'_, Option<State>> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Bridge {
    /// A bridge to `host`. Stopping it takes the timeout at most, and the same again for what does not
    /// stop.
    pub fn new(host: impl Host, timeout: Duration) -> Self {
        Self { host: Arc::new(host), timeout, state: Arc::default() }
    }

    fn running(&self) -> PyResult<Arc<Running>> {
        let state = locked(&self.state);
        let state = state.as_ref().ok_or_else(not_started)?;
        if state.pid != std::process::id() {
            return Err(forked());
        }
        let (running, _) = state.service.as_ref().ok_or_else(not_started)?;
        Ok(Arc::clone(running))
    }
}

fn not_started() -> PyErr {
    PyRuntimeError::new_err("the bridge is not started")
}

#[pymethods]
impl Bridge {
    /// Whether it is started, in this process.
    ///
    /// Raises RuntimeError in a process that was forked from one in which it was started.
    fn is_started(&self) -> PyResult<bool> {
        match locked(&self.state).as_ref() {
            Some(state) if state.pid != std::process::id() => Err(forked()),
            Some(state) => Ok(state.service.is_some()),
            None => Ok(false),
        }
    }

    /// Starts the service. The future resolves when it is started; it raises RuntimeError when that is not
    /// possible, and may then be tried again. `run` starts a task on the event loop that lets the
    /// application answer an ApplicationCall.
    fn start<'py>(
        &self,
        py: Python<'py>,
        event_loop: &Bound<'py, PyAny>,
        run: Py<PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut state = locked(&self.state);
        if state.as_ref().is_some_and(|state| state.pid != std::process::id()) {
            return Err(forked());
        }
        if state.is_none() {
            let (threads, tasks) = Threads::start()?;
            *state = Some(State { pid: std::process::id(), threads, tasks, service: None });
        }
        let tasks = state.as_ref().map(|state| state.tasks.clone()).ok_or_else(not_started)?;
        drop(state);
        let event_loop = EventLoop::new(event_loop);
        let old = in_process(tasks.clone(), event_loop.clone(), run);
        let (host, state) = (Arc::clone(&self.host), Arc::clone(&self.state));
        let task_tasks = tasks.clone();
        let task = async move {
            let started = tokio::task::spawn_blocking(move || host.start(old)).await;
            let started = started.unwrap_or_else(|error| Err(error.into()));
            let make: Make = match started {
                Ok(started) => {
                    let (running, stop) = Running::new(task_tasks, started);
                    if let Some(state) = locked(&state).as_mut() {
                        state.service = Some((Arc::new(running), stop));
                    }
                    Box::new(|py| Ok(py.None()))
                }
                Err(error) => {
                    let text = format!("the Rust service cannot start: {}", chain(&*error));
                    Box::new(|_| Err(PyRuntimeError::new_err(text)))
                }
            };
            make
        };
        tasks.spawn(py, &event_loop, task)
    }

    /// Whether Rust has to see a request: its operation is not left to Python alone.
    fn serves(&self, scope: &Bound<'_, PyDict>) -> PyResult<bool> {
        let running = self.running()?;
        // What cannot be read is refused by the application, as without a bridge.
        let (Ok(method), Ok(path)) = (method(scope), path(scope)) else { return Ok(false) };
        Ok(!running.strangler.is_left_to_legacy(&method, &path))
    }

    /// Calls the service with a request. Raises ValueError when the scope cannot be one.
    fn call(&self, scope: &Bound<'_, PyDict>, event_loop: &Bound<'_, PyAny>) -> PyResult<Exchange> {
        let running = self.running()?;
        let request = head(scope, &path(scope)?)?;
        let extensions = scope.get_item("extensions")?;
        let extensions = extensions.filter(|extensions| !extensions.is_none());
        let takes_trailers = extensions
            .map(|extensions| extensions.contains("http.response.trailers"))
            .transpose()?
            .unwrap_or_default();
        let event_loop = EventLoop::new(event_loop);
        Ok(Exchange::start(&*self.host, &running, event_loop, request, takes_trailers))
    }

    /// Stops the service; the future resolves when it is stopped, with what it had in hand finished or its
    /// time over.
    fn stop<'py>(
        &self,
        py: Python<'py>,
        event_loop: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let event_loop = EventLoop::new(event_loop);
        let future = event_loop.future(py)?;
        if locked(&self.state).as_ref().is_some_and(|state| state.pid != std::process::id()) {
            return Err(forked());
        }
        let Some(State { threads, tasks, service, .. }) = locked(&self.state).take() else {
            future.call_method1("set_result", (py.None(),))?;
            return Ok(future);
        };
        let target = Target::Future(future.clone().unbind());
        let timeout = self.timeout;
        // Not on the event loop's thread, which goes on, nor on one of the runtime's.
        std::thread::Builder::new().name("asgi-bridge-stop".to_owned()).spawn(move || {
            let stop = service.map(|(running, stop)| {
                // What is dropped may have connections, which belong to the runtime.
                let _runtime = tasks.handle.enter();
                drop(running);
                stop
            });
            threads.stop(stop.unwrap_or_else(|| Box::pin(async {})), timeout);
            let make: Make = Box::new(|py| Ok(py.None()));
            tasks.completions.blocking_send(Completion { event_loop, target, make });
        })?;
        Ok(future)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        if let Some(state) = locked(&self.state).take() {
            if state.pid == std::process::id() {
                state.threads.abandon();
            } else {
                // The threads are the parent's, and so are the connections.
                std::mem::forget(state);
            }
        }
    }
}

/// An error with all its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.extend([": ", &error.to_string()]);
        cause = error.source();
    }
    text
}

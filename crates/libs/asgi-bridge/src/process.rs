//! What runs in a process: the service, the runtime, and the thread that hands over results.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::Request;
use pyo3::prelude::*;
use strangler::{InProcess, Strangler};
use tokio::runtime::{Handle, Runtime};
use tower::util::BoxCloneService;

use crate::completions::{Completion, Completions, EventLoop, Make, Target, ended, panicked};

/// Why a service cannot start.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Ends what a service has started, once its last request has been answered.
pub type StopFuture = BoxFuture<'static, ()>;

/// A service that can answer operations in a Python process.
pub trait Host: Send + Sync + 'static {
    /// Gives a request the extensions that the service's own server would have set, from
    /// [`Local`](crate::Local) and [`Scheme`](crate::Scheme).
    fn prepare(&self, _request: &mut Request<Body>) {}

    /// Connects and starts, once in a process. `old` is the ASGI application, for
    /// [`strangler::Settings::in_process`].
    ///
    /// It is called within the bridge's runtime, on a thread that may block: what is asynchronous runs by
    /// [`Handle::block_on`](tokio::runtime::Handle::block_on).
    fn start(&self, old: InProcess) -> Result<Started, BoxError>;
}

/// A service that has started.
pub struct Started {
    /// The whole of it, with the strangler's layer.
    pub service: BoxCloneService<Request<Body>, Response, Infallible>,
    /// That whose layer the service has.
    pub strangler: Strangler,
    /// Ends it: waits for requests whose client has left, sends the last e-mails, flushes logs.
    pub stop: StopFuture,
}

/// The runtime and what hands over results, for tasks; clones are the same.
#[derive(Clone)]
pub(crate) struct Tasks {
    pub(crate) handle: Handle,
    pub(crate) completions: Completions,
}

impl Tasks {
    /// A future of asyncio that resolves to what the task gives; without a loop that runs, the task goes
    /// on nonetheless.
    pub(crate) fn spawn<'py, F>(
        &self,
        py: Python<'py>,
        event_loop: &EventLoop,
        task: F,
    ) -> PyResult<Bound<'py, PyAny>>
    where
        F: Future<Output = Make> + Send + 'static,
    {
        let future = event_loop.future(py)?;
        let target = Target::Future(future.clone().unbind());
        let mut waiting = Waiting {
            completions: self.completions.clone(),
            of: Some((event_loop.clone(), target)),
        };
        self.handle.spawn(async move {
            let make = AssertUnwindSafe(task).catch_unwind().await.unwrap_or_else(|_| panicked());
            if let Some((event_loop, target)) = waiting.of.take() {
                waiting.completions.send(Completion { event_loop, target, make }).await;
            }
        });
        Ok(future)
    }
}

/// A future of asyncio that is resolved also when its task is dropped, because the runtime has ended.
struct Waiting {
    completions: Completions,
    of: Option<(EventLoop, Target)>,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some((event_loop, target)) = self.of.take() {
            self.completions.try_send(Completion { event_loop, target, make: ended() });
        }
    }
}

/// A service that runs in this process.
pub(crate) struct Running {
    pub(crate) tasks: Tasks,
    pub(crate) strangler: Strangler,
    service: Mutex<BoxCloneService<Request<Body>, Response, Infallible>>,
}

impl Running {
    pub(crate) fn new(tasks: Tasks, started: Started) -> (Self, StopFuture) {
        let Started { service, strangler, stop } = started;
        (Self { tasks, strangler, service: Mutex::new(service) }, stop)
    }

    /// The service, to be called once.
    pub(crate) fn service(&self) -> BoxCloneService<Request<Body>, Response, Infallible> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The runtime of a process, and the thread that hands over its results.
pub(crate) struct Threads {
    runtime: Runtime,
}

impl Threads {
    /// Starts them, with as many worker threads as `TOKIO_WORKER_THREADS` says, or one for each processor.
    pub(crate) fn start() -> std::io::Result<(Self, Tasks)> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        let runtime = builder.thread_name("asgi-bridge").enable_all().build()?;
        let tasks = Tasks { handle: runtime.handle().clone(), completions: Completions::start()? };
        Ok((Self { runtime }, tasks))
    }

    /// Ends the service and then the threads, within the timeout each. Blocks; the interpreter must not be
    /// attached, as the last results are still handed over.
    pub(crate) fn stop(self, stop: StopFuture, timeout: Duration) {
        let ended =
            self.runtime.block_on(async { tokio::time::timeout(timeout, stop).await.is_ok() });
        if !ended {
            tracing::warn!("the service did not stop in time: what it still does is aborted");
        }
        // Then no task is left that could hand over a result, and that thread ends by itself.
        self.runtime.shutdown_timeout(timeout);
    }

    /// Ends the threads without waiting for anything.
    pub(crate) fn abandon(self) {
        self.runtime.shutdown_background();
    }
}

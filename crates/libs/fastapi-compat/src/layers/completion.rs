//! Writes that were received are finished.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use http::Response;
use pin_project_lite::pin_project;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use tower::{Layer, Service};

use crate::background::Spawner;

tokio::task_local! {
    static DISCONNECTED: ();
}

/// Whether the client of the request that this task answers has disconnected.
///
/// Only code below a [`RunToCompletionLayer`] ever sees `true`: without it such a task is cancelled.
pub fn client_disconnected() -> bool {
    DISCONNECTED.try_with(|()| ()).is_ok()
}

/// Finishes requests whose client has disconnected, unless their method is safe (`GET`, `HEAD`,
/// `OPTIONS`, `TRACE`); those are cancelled.
///
/// uvicorn does not cancel a handler when the connection closes, while hyper drops its future at any
/// `.await`. With this layer that future goes on as a task of its own. A body that was not received
/// completely cannot be read to its end there, so that a handler which needs it does not run.
///
/// It belongs around the whole application, and the server should call it as soon as it has a request:
/// hyper may drop the future of a request before it is polled, when the client disconnects together with
/// its last byte. `hyper::service::service_fn` can do that; `axum::serve`, and whatever is within
/// [`axum::Router::layer`], call only when they are polled, so that such a request is lost there.
///
/// What has to hold for such requests too (a timeout, a limit of requests at a time, logging) belongs
/// inside of this layer. There is one allocation for each request with an unsafe method.
#[derive(Clone, Debug, Default)]
pub struct RunToCompletionLayer {
    tasks: TaskTracker,
}

impl RunToCompletionLayer {
    /// Requests are finished as long as the runtime lives.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same; a server that shuts down closes `tasks` and waits for them. The tasks behind answers,
    /// [`Background`](crate::Background), are among them.
    pub fn tracked_by(tasks: TaskTracker) -> Self {
        Self { tasks }
    }
}

impl<S> Layer<S> for RunToCompletionLayer {
    type Service = RunToCompletion<S>;

    fn layer(&self, inner: S) -> RunToCompletion<S> {
        RunToCompletion { inner, tasks: self.tasks.clone() }
    }
}

/// The service of [`RunToCompletionLayer`].
#[derive(Clone, Debug)]
pub struct RunToCompletion<S> {
    inner: S,
    tasks: TaskTracker,
}

impl<S> Service<Request> for RunToCompletion<S>
where
    S: Service<Request>,
    S::Future: Send + 'static,
    Result<S::Response, S::Error>: Outcome,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = CompletionFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let is_safe = request.method().is_safe();
        let inner = self.inner.call(request);
        let tasks = self.tasks.clone();
        if is_safe {
            CompletionFuture { safe: Some(inner), writing: None, tasks }
        } else {
            CompletionFuture { safe: None, writing: Some(Box::pin(inner)), tasks }
        }
    }
}

/// What a service answers with.
pub trait Outcome {
    /// Has the task behind an answer run as one of `tasks`.
    fn track(&self, tasks: &TaskTracker);
}

impl<B, E> Outcome for Result<Response<B>, E> {
    fn track(&self, tasks: &TaskTracker) {
        let Ok(response) = self else { return };
        if let Some(spawner) = response.extensions().get::<Spawner>() {
            let tasks = tasks.clone();
            spawner.set(move |task, runtime| drop(tasks.spawn_on(task, runtime)));
        }
    }
}

pin_project! {
    /// The answer of [`RunToCompletion`].
    pub struct CompletionFuture<F>
    where
        F: Future,
        F::Output: Outcome,
        F: Send,
        F: 'static,
    {
        #[pin]
        safe: Option<F>,
        writing: Option<Pin<Box<F>>>,
        tasks: TaskTracker,
    }

    impl<F> PinnedDrop for CompletionFuture<F>
    where
        F: Future,
        F::Output: Outcome,
        F: Send,
        F: 'static,
    {
        fn drop(this: Pin<&mut Self>) {
            // None once there is an answer.
            let this = this.project();
            let Some(inner) = this.writing.take() else { return };
            let Ok(runtime) = Handle::try_current() else { return };
            let tasks = this.tasks.clone();
            let rest = DISCONNECTED.scope((), async move { inner.await.track(&tasks) });
            this.tasks.spawn_on(rest, &runtime);
        }
    }
}

impl<F: Future<Output: Outcome> + Send + 'static> Future for CompletionFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let output = if let Some(inner) = this.safe.as_pin_mut() {
            ready!(inner.poll(context))
        } else {
            let Some(inner) = this.writing else { return Poll::Pending };
            let output = ready!(inner.as_mut().poll(context));
            *this.writing = None;
            output
        };
        output.track(this.tasks);
        Poll::Ready(output)
    }
}

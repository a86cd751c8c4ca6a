//! Tasks behind an answer.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::runtime::Handle;

/// An answer with a task that runs once it has been sent, or once its client has disconnected:
/// FastAPI's `BackgroundTasks`. One after the other are `async move { a().await; b().await }`.
///
/// uvicorn waits for such tasks when it shuts down. Below a
/// [`RunToCompletionLayer::tracked_by`](crate::layers::RunToCompletionLayer::tracked_by) the task is one
/// of that tracker, for which a server waits as long as it likes; else it is one of the runtime, and
/// ends with it.
///
/// ```
/// use fastapi_compat::{Background, Json, post};
///
/// async fn send_email() {}
///
/// #[post("/register")]
/// async fn register() -> Background<Json<bool>> {
///     Background::new(Json(true), async { send_email().await })
/// }
/// ```
pub struct Background<T> {
    answer: T,
    task: Task,
}

pub(crate) type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

impl<T> Background<T> {
    /// The answer and the task.
    pub fn new(answer: T, task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self { answer, task: Box::pin(task) }
    }
}

impl<T: std::fmt::Debug> std::fmt::Debug for Background<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Background").field("answer", &self.answer).finish_non_exhaustive()
    }
}

impl<T: IntoResponse> IntoResponse for Background<T> {
    fn into_response(self) -> Response {
        let (task, spawner) = (Some(self.task), Spawner::default());
        let mut response = self.answer.into_response();
        response.extensions_mut().insert(spawner.clone());
        response.map(|body| Body::new(BackgroundBody { body, task, spawner }))
    }
}

/// A body with what runs when it is no longer needed.
struct BackgroundBody {
    body: Body,
    task: Option<Task>,
    spawner: Spawner,
}

/// In the extensions of an answer: what starts the task behind it, once a layer has set that.
#[derive(Clone, Default)]
pub(crate) struct Spawner(Arc<OnceLock<Spawn>>);

type Spawn = Box<dyn Fn(Task, &Handle) + Send + Sync>;

impl Spawner {
    /// Sets what starts the task; the innermost layer counts.
    #[cfg(feature = "run-to-completion")]
    pub(crate) fn set(&self, spawn: impl Fn(Task, &Handle) + Send + Sync + 'static) {
        _ = self.0.set(Box::new(spawn));
    }

    fn spawn(&self, task: Task, runtime: &Handle) {
        match self.0.get() {
            Some(spawn) => spawn(task, runtime),
            None => drop(runtime.spawn(task)),
        }
    }
}

impl http_body::Body for BackgroundBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for BackgroundBody {
    fn drop(&mut self) {
        if let (Some(task), Ok(runtime)) = (self.task.take(), Handle::try_current()) {
            self.spawner.spawn(task, &runtime);
        }
    }
}

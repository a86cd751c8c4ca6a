//! Work that takes too long, or too much stack, for a thread of the runtime.

use std::sync::LazyLock;

use tokio::sync::{Semaphore, oneshot};

/// How much stack there is: enough for models that are nested as deep as they may be, each with
/// dozens of fields. Builds without optimisation take several times as much.
const STACK: usize = if cfg!(debug_assertions) { 16 } else { 4 } * 1024 * 1024;

/// As many at a time as there are processors: more would only take memory.
static PERMITS: LazyLock<Semaphore> = LazyLock::new(|| {
    Semaphore::new(std::thread::available_parallelism().map_or(1, std::num::NonZero::get))
});

/// Does something on a thread of its own, which has a large stack. `None` if there can be no further
/// thread, or if the work panicked.
pub(crate) async fn offload<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let permit = PERMITS.acquire().await.ok()?;
    let (send, receive) = oneshot::channel();
    let thread = std::thread::Builder::new().name("decode".into()).stack_size(STACK);
    let spawned = thread.spawn(move || {
        let result = work();
        // Given back by the thread: who waited for it may have left.
        drop(permit);
        drop(send.send(result));
    });
    if let Err(error) = spawned {
        tracing::error!(%error, "a body cannot be decoded: no thread");
        return None;
    }
    receive.await.ok()
}

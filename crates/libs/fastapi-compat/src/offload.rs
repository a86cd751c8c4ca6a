//! Work that takes too long, or too much stack, for a thread of the runtime.

use std::sync::LazyLock;

use tokio::sync::{Semaphore, oneshot};

use crate::dialect::Dialect;

/// How much stack there is: enough for models that are nested as deep as they may be, each with
/// dozens of fields. Builds without optimisation take several times as much.
const STACK: usize = if cfg!(debug_assertions) { 16 } else { 4 } * 1024 * 1024;

/// As many at a time as half of the processors, at least one: the others answer what is small.
static PERMITS: LazyLock<Semaphore> = LazyLock::new(|| {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Semaphore::new((processors / 2).max(1))
});

/// The nice value of these threads, relative to the others: a busy processor gives them a tenth of what
/// it gives another thread (weights 110 and 1,024), and leaves them at once when another one has work.
#[cfg(target_os = "linux")]
const NICENESS: i32 = 10;

/// Lowers the priority of this thread. Elsewhere than on Linux it would be that of the whole process.
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(%error, "the priority of a thread cannot be lowered");
    }
}

/// Does something on a thread of its own, which has a large stack and a low priority. `None` if there
/// can be no further thread, or if the work panicked.
pub(crate) async fn offload<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let permit = PERMITS.acquire().await.ok()?;
    let (send, receive) = oneshot::channel();
    let dialect = Dialect::current();
    let thread = std::thread::Builder::new().name("decode".into()).stack_size(STACK);
    let spawned = thread.spawn(move || {
        lower_priority();
        let _entered = dialect.enter();
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

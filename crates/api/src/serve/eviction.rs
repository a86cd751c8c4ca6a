//! Which connections are closed when there are too many.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Semaphore;

/// Makes connections close when there are too many: of each kind the one that has waited longest.
#[derive(Debug)]
pub(super) struct Eviction {
    max: usize,
    open: AtomicUsize,
    /// How many had no request yet.
    fresh: AtomicUsize,
    /// A permit is a connection that is to be closed; the first in the queue gets it.
    pub(super) of_fresh: Semaphore,
    pub(super) of_used: Semaphore,
}

/// A connection without a request, until it is dropped.
pub(super) struct Fresh(pub(super) Arc<Eviction>);

impl Drop for Fresh {
    fn drop(&mut self) {
        self.0.fresh.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Eviction {
    pub(super) fn new(max: usize) -> Self {
        let (of_fresh, of_used) = (Semaphore::new(0), Semaphore::new(0));
        Self { max, open: AtomicUsize::new(0), fresh: AtomicUsize::new(0), of_fresh, of_used }
    }

    pub(super) fn fresh(self: &Arc<Self>) -> Fresh {
        self.fresh.fetch_add(1, Ordering::Relaxed);
        Fresh(Arc::clone(self))
    }

    /// Closes one.
    pub(super) fn evict(&self) {
        let has_fresh = self.fresh.load(Ordering::Relaxed) > 0;
        if has_fresh { self.of_fresh.add_permits(1) } else { self.of_used.add_permits(1) }
    }

    /// There are so many connections; with fewer than the maximum none is to be closed any more.
    pub(super) fn counted(&self, open: usize) {
        self.open.store(open, Ordering::Relaxed);
        if open >= self.max {
            self.evict();
        } else {
            self.of_fresh.forget_permits(usize::MAX);
            self.of_used.forget_permits(usize::MAX);
        }
    }

    /// Whether there are so many connections that their order matters.
    pub(super) fn is_near(&self) -> bool {
        self.open.load(Ordering::Relaxed) > self.max / 2
    }
}

//! What all comparisons of a strangler share.

use std::sync::Arc;

use http::HeaderName;
use tokio::sync::{Mutex, Semaphore};

use crate::memory::Budget;
use crate::rehearsal::Rehearsals;
use crate::settings::DryRun;

/// The queue of requests that are compared, and its limits.
pub(crate) struct Shadow {
    /// Permits for requests in the queue.
    pub(crate) queue: Arc<Semaphore>,
    /// Permits for requests that are compared at a time.
    pub(crate) workers: Arc<Semaphore>,
    /// Held while large bodies are parsed.
    pub(crate) parsing: Mutex<()>,
    /// The memory for all copies.
    pub(crate) budget: Arc<Budget>,
    /// The longest body that is compared, in bytes.
    pub(crate) max_body: usize,
    pub(crate) dry_run: Option<DryRun>,
    pub(crate) rehearsals: Option<Rehearsals>,
    /// Headers that may differ.
    pub(crate) ignored_headers: Vec<HeaderName>,
}

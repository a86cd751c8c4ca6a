//! The strangler of a service: what all its parts share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use crate::cpu::Cpu;
#[cfg(any(feature = "metrics", feature = "page"))]
use crate::events::Events;
use crate::lock::lock;
use crate::mails::Mails;
use crate::operations::Operations;
use crate::plan::{Mode, Plan};
use crate::proxy::Proxy;
use crate::settings::Settings;
use crate::shadow_state::Shadow;
use crate::statistics::Statistics;

/// The state of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Running {
    pub(crate) mode: Mode,
    /// Why its canary failed.
    pub(crate) failed: Option<String>,
    /// The step of an automatic canary, from 0.
    pub(crate) step: usize,
    /// When the mode or the step began.
    pub(crate) since: Instant,
    /// Whether the file beside the plan's has it: only then that of another process may replace it.
    pub(crate) is_saved: bool,
}

impl Running {
    pub(crate) fn new(mode: Mode) -> Self {
        Self { mode, failed: None, step: 0, since: Instant::now(), is_saved: true }
    }
}

#[derive(Debug)]
pub(crate) struct State {
    pub(crate) plan: Plan,
    pub(crate) operations: Vec<Running>,
    /// The content of the plan's file when it was last read or written, none if there was none; or why
    /// it could not be read.
    pub(crate) file: Result<Option<String>, String>,
    /// That of the file with the state of canaries.
    pub(crate) canaries: String,
    /// Why the file cannot be used, while the plan before it stays in effect.
    pub(crate) error: Option<String>,
}

pub(crate) struct Inner {
    pub(crate) settings: Settings,
    pub(crate) operations: Operations,
    pub(crate) proxy: Proxy,
    pub(crate) shadow: Arc<Shadow>,
    pub(crate) mails: Option<Arc<Mails>>,
    pub(crate) statistics: Vec<Arc<Statistics>>,
    /// Of operations that the new service does not have.
    pub(crate) others: Statistics,
    /// The old service's CPU, if it reports it.
    pub(crate) cpu: Option<Cpu>,
    #[cfg(any(feature = "metrics", feature = "page"))]
    pub(crate) events: Arc<Events>,
    pub(crate) start: Instant,
    pub(crate) state: RwLock<State>,
    /// Held while the plan is changed: read, changed, put into effect and written.
    pub(crate) changing: Mutex<()>,
}

/// The strangler of one service; clones share their state.
#[derive(Clone)]
pub struct Strangler(pub(crate) Arc<Inner>);

impl Strangler {
    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn changing(&self) -> MutexGuard<'_, ()> {
        lock(&self.0.changing)
    }
}

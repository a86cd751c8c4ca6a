//! A tower layer that puts a new service before an old one and moves operation by operation.
//!
//! Each operation is served by the old service (`legacy`), by it and compared with the new one
//! (`shadow`), by the new one for some clients (`canary 10%`), or by the new one (`native`);
//! operations that the new service does not have go to the old one. The plan can change at runtime.
//!
//! It is independent of any service's routes. Start at [`Strangler::start`]:
//!
//! ```no_run
//! use strangler::{Operation, Operations, Settings, Strangler};
//!
//! # async fn example(router: axum::Router) -> Result<(), Box<dyn std::error::Error>> {
//! let operations = Operations::new([
//!     Operation::new("read_items", "GET", "/items/"),
//!     Operation::new("create_item", "POST", "/items/"),
//! ]);
//! let strangler = Strangler::start(Settings::new("http://127.0.0.1:8001".parse()?), operations)?;
//! let router = router.layer(strangler.layer());
//! // On another port: the page, behind a password.
//! let page = strangler.page("a long secret".to_owned());
//! # Ok(())
//! # }
//! ```

#![warn(missing_docs)]

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod body;
mod client;
mod connect;
mod fallbacks;
mod headers;
mod layer;
mod metrics;
mod operations;
mod page;
mod plan;
mod proxy;
mod redact;
mod rehearsal;
mod shadow;
mod statistics;
mod tee;
mod tunnel;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use http::uri::Scheme;
use http::{HeaderName, Request, Uri};
use tokio::sync::Semaphore;

pub use crate::client::ClientKey;
use crate::fallbacks::{Fallback, Fallbacks};
pub use crate::layer::{Strangled, StranglerLayer};
pub use crate::operations::{Operation, Operations};
pub use crate::page::{OperationView, Overview};
pub use crate::plan::{Mode, ModeError, Plan, PlanError};
pub use crate::proxy::Trust;
use crate::proxy::{Limits, Proxy};
use crate::rehearsal::Rehearsals;
pub use crate::rehearsal::Rehearse;
use crate::shadow::Shadow;
use crate::statistics::Statistics;
pub use crate::statistics::{Figures, Margin, Seen, View};

/// How often the plan's file is checked for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

/// What services and their middleware tell of a single response.
const IGNORED_HEADERS: [HeaderName; 6] = [
    HeaderName::from_static("age"),
    HeaderName::from_static("x-correlation-id"),
    HeaderName::from_static("x-process-time"),
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-response-time"),
    HeaderName::from_static("x-runtime"),
];

/// How the new service can validate a request without executing it.
#[derive(Clone)]
pub struct DryRun {
    /// Marks a request as a dry run.
    pub prepare: fn(&mut Request<axum::body::Body>),
    /// Whether a response to a dry run means that the request would have been executed.
    pub would_act: fn(&axum::response::Response) -> bool,
}

/// The settings of a strangler.
#[derive(Clone)]
pub struct Settings {
    /// The old service: scheme, host and port.
    pub legacy: Uri,
    /// A file with the plan, read again when it changes and written by the page.
    pub plan: Option<PathBuf>,
    /// How long the old service may take until its next byte, and a client until it takes one.
    pub timeout: Duration,
    /// How long an idle connection to the old service is kept: shorter than it keeps them itself
    /// (uvicorn 5 s, gunicorn 2 s), so that none is closed while a request is on its way.
    pub idle: Duration,
    /// The lowest rate at which a client may send a body once it has taken twice the timeout, in
    /// bytes a second.
    pub upload_rate: u64,
    /// Whether a safe request without a body is sent once more when a kept connection turns out to
    /// have been closed.
    pub retry: bool,
    /// The maximum number of requests at the old service at a time; further ones get 503.
    pub max_in_flight: usize,
    /// Whose `X-Forwarded-*` headers are trusted.
    pub trust: Trust,
    /// What tells clients apart whose bearer token names no subject, before their address does.
    pub client: Option<ClientKey>,
    /// How a shadowed write is validated; without it, those that are not rehearsed are not compared.
    pub dry_run: Option<DryRun>,
    /// How a shadowed write is executed without effect; without it, only refusals are compared.
    pub rehearse: Option<Rehearse>,
    /// The maximum number of rehearsals at a time; further writes are not rehearsed.
    pub max_rehearsals: usize,
    /// How long a client waits for a rehearsal, which is then given up.
    pub rehearsal_timeout: Duration,
    /// The maximum number of shadowed requests in the queue; further ones are dropped and counted.
    pub shadow_queue: usize,
    /// How many are compared at a time.
    pub shadow_workers: usize,
    /// The longest body that is compared, in bytes.
    pub shadow_body: usize,
    /// Headers in which the services may differ, besides those of the connection, `date` and `server`.
    pub ignored_headers: Vec<HeaderName>,
    /// When a canary fails.
    pub margin: Margin,
}

impl Settings {
    /// The defaults, for an old service at this URL.
    pub fn new(legacy: Uri) -> Self {
        Self {
            legacy,
            plan: None,
            timeout: Duration::from_mins(1),
            idle: Duration::from_secs(1),
            upload_rate: 240,
            retry: true,
            max_in_flight: 1024,
            trust: Arc::new(|peer| peer.is_loopback()),
            client: None,
            dry_run: None,
            rehearse: None,
            max_rehearsals: 4,
            rehearsal_timeout: Duration::from_millis(500),
            shadow_queue: 256,
            shadow_workers: 4,
            shadow_body: 1024 * 1024,
            ignored_headers: IGNORED_HEADERS.to_vec(),
            margin: Margin::default(),
        }
    }
}

/// Why the strangler cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The URL of the old service has no scheme, host or port that can be used.
    #[error("'{0}' is not the URL of a service such as http://127.0.0.1:8001")]
    Legacy(Uri),
    /// The file with the plan cannot be read.
    #[error("the plan {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file with the plan is read, but refused.
    #[error("the plan {path}: {source}")]
    Plan {
        /// The file.
        path: PathBuf,
        /// Why.
        source: PlanError,
    },
}

/// The state of an operation.
#[derive(Clone, Debug)]
struct Running {
    mode: Mode,
    /// Why its canary failed.
    fallback: Option<String>,
}

#[derive(Debug)]
struct State {
    plan: Plan,
    operations: Vec<Running>,
    /// The content of the plan's file when it was last read or written; `None` if there is none.
    file: Option<String>,
    /// Why the file cannot be used, while the plan before it stays in effect.
    error: Option<String>,
}

struct Inner {
    settings: Settings,
    operations: Operations,
    proxy: Proxy,
    shadow: Arc<Shadow>,
    statistics: Vec<Arc<Statistics>>,
    /// Of operations that the new service does not have.
    others: Statistics,
    state: RwLock<State>,
    /// Held while the plan is changed: read, changed, put into effect and written.
    changing: Mutex<()>,
}

/// The strangler of one service; clones share their state.
#[derive(Clone)]
pub struct Strangler(Arc<Inner>);

impl Strangler {
    /// Reads the plan and watches its file. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the URL is invalid, or the plan cannot be read or is refused. A file that does not exist
    /// is an empty plan: everything is `legacy`.
    pub fn start(settings: Settings, operations: Operations) -> Result<Self, StartError> {
        let uri = &settings.legacy;
        let scheme = uri.scheme().filter(|s| [Scheme::HTTP, Scheme::HTTPS].contains(s)).cloned();
        let (Some(scheme), Some(authority), "" | "/") =
            (scheme, uri.authority().cloned(), uri.path())
        else {
            return Err(StartError::Legacy(settings.legacy));
        };
        let (mut plan, mut file, mut fallbacks) = (Plan::default(), None, Fallbacks::new());
        if let Some(path) = &settings.plan {
            let read_error = |source| StartError::Read { path: path.clone(), source };
            file = read_if_any(path).map_err(read_error)?;
            if let Some(text) = &file {
                plan = Plan::parse(text, &operations)
                    .map_err(|source| StartError::Plan { path: path.clone(), source })?;
            }
            fallbacks = fallbacks::read(path).unwrap_or_else(|error| {
                tracing::warn!(%error, "failed canaries cannot be read: they are tried again");
                Fallbacks::new()
            });
        }
        let limits = Limits {
            timeout: settings.timeout,
            idle: settings.idle,
            upload_rate: settings.upload_rate,
            retry: settings.retry,
            max_in_flight: settings.max_in_flight,
            trust: Arc::clone(&settings.trust),
        };
        let strangler = Self(Arc::new(Inner {
            proxy: Proxy::new(scheme, authority, limits),
            shadow: Arc::new(Shadow {
                queue: Arc::new(Semaphore::new(settings.shadow_queue)),
                workers: Arc::new(Semaphore::new(settings.shadow_workers)),
                max_body: settings.shadow_body,
                dry_run: settings.dry_run.clone(),
                rehearsals: settings.rehearse.clone().filter(|_| settings.max_rehearsals > 0).map(
                    |rehearse| Rehearsals {
                        rehearse,
                        permits: Semaphore::new(settings.max_rehearsals),
                        timeout: settings.rehearsal_timeout,
                        max_body: settings.shadow_body,
                        made_up: Mutex::default(),
                    },
                ),
                ignored_headers: settings.ignored_headers.clone(),
            }),
            statistics: (0..operations.len()).map(|_| Arc::new(Statistics::new())).collect(),
            others: Statistics::new(),
            state: RwLock::new(State {
                plan: Plan::default(),
                operations: Vec::new(),
                file,
                error: None,
            }),
            changing: Mutex::new(()),
            operations,
            settings,
        }));
        // It has been parsed with these operations, and cannot fail.
        _ = strangler.apply(plan);
        strangler.restore(&fallbacks);
        strangler.watch();
        Ok(strangler)
    }

    /// The layer to put around the new service.
    pub fn layer(&self) -> StranglerLayer {
        StranglerLayer(self.clone())
    }

    /// The routes `/_molt…` with the page, the plan and the statistics, which require the password.
    pub fn page(&self, password: String) -> axum::Router {
        page::router(self.clone(), password)
    }

    /// The state of an operation.
    fn mode(&self, index: usize) -> Option<Running> {
        self.read().operations.get(index).cloned()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Puts a plan into effect; requests in flight are not affected.
    fn apply(&self, plan: Plan) -> Result<(), PlanError> {
        let modes = plan.modes(&self.0.operations)?;
        let mut state = self.write();
        let before = std::mem::take(&mut state.operations);
        let operations = modes.into_iter().enumerate().map(|(index, mode)| {
            // A failed canary stays failed until its mode changes.
            match before.get(index) {
                Some(running) if running.mode == mode => running.clone(),
                _ => {
                    self.0.statistics[index].reset_recent();
                    Running { mode, fallback: None }
                }
            }
        });
        state.operations = operations.collect();
        (state.plan, state.error) = (plan, None);
        Ok(())
    }

    /// Canaries that failed before the start stay failed.
    fn restore(&self, fallbacks: &Fallbacks) {
        for (index, running) in self.write().operations.iter_mut().enumerate() {
            let operation = self.0.operations.get(index);
            let failed = operation.and_then(|operation| fallbacks.get(&*operation.id));
            if let Some(failed) = failed.filter(|failed| failed.mode == running.mode) {
                running.fallback = Some(failed.reason.clone());
            }
        }
    }

    /// Writes the failed canaries beside the plan's file.
    fn keep_fallbacks(&self) {
        let Some(path) = &self.0.settings.plan else { return };
        let state = self.read();
        let failed = state.operations.iter().enumerate().filter_map(|(index, running)| {
            let reason = running.fallback.clone()?;
            let operation = self.0.operations.get(index)?;
            Some((operation.id.to_string(), Fallback { mode: running.mode, reason }))
        });
        let failed: Fallbacks = failed.collect();
        drop(state);
        if fallbacks::read(path).is_ok_and(|kept| kept == failed) {
            return;
        }
        if let Err(error) = fallbacks::write(path, &failed) {
            tracing::warn!(%error, "failed canaries not saved: a restart tries them again");
        }
    }

    /// Puts a plan into effect and writes it to its file.
    ///
    /// # Errors
    /// When it is refused, or the file has changed since it was last read; what was in effect, or the
    /// file's plan, is.
    pub fn change(&self, plan: Plan) -> Result<(), PlanError> {
        let _changing = self.changing();
        if self.reload() {
            return Err(PlanError::Conflict);
        }
        self.save(plan)
    }

    /// Sets one mode, by operationId or method and path; a failed canary starts again.
    ///
    /// # Errors
    /// When there is no such operation.
    pub fn set_mode(&self, operation: &str, mode: Mode) -> Result<(), PlanError> {
        let unknown = || PlanError::UnknownOperation(operation.to_owned());
        let index = self.0.operations.named(operation).ok_or_else(unknown)?;
        let known = self.0.operations.get(index).ok_or_else(unknown)?;
        let _changing = self.changing();
        // On top of what an editor has just written.
        self.reload();
        let mut plan = self.read().plan.clone();
        plan.operations.retain(|name, _| self.0.operations.named(name) != Some(index));
        plan.operations.insert(known.id.to_string(), mode);
        if let Some(running) = self.write().operations.get_mut(index) {
            running.fallback = None;
        }
        self.0.statistics[index].reset_recent();
        self.save(plan)
    }

    fn changing(&self) -> std::sync::MutexGuard<'_, ()> {
        self.0.changing.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn save(&self, plan: Plan) -> Result<(), PlanError> {
        let text = plan.text();
        self.apply(plan)?;
        tracing::info!(plan = text, "plan changed");
        if let Some(path) = &self.0.settings.plan {
            match write_atomically(path, &text) {
                Ok(()) => self.write().file = Some(text),
                Err(error) => {
                    let error = format!("{} cannot be written: {error}", path.display());
                    tracing::warn!(error, "plan not saved: it is lost at the next start");
                    self.write().error = Some(error);
                }
            }
        }
        self.keep_fallbacks();
        Ok(())
    }

    /// Returns an operation's clients to legacy if the new service is worse.
    fn check_canary(&self, index: usize) {
        let statistics = &self.0.statistics[index];
        if !statistics.is_due() {
            return;
        }
        let Some(reason) = statistics.worse(self.0.settings.margin) else { return };
        let operation = self.0.operations.get(index).map_or("", |operation| &operation.id);
        let mut state = self.write();
        let running = state.operations.get_mut(index).filter(|running| running.fallback.is_none());
        let Some(running) = running else { return };
        tracing::warn!(operation, reason, "canary failed: returned to legacy");
        running.fallback = Some(reason);
        drop(state);
        // Also called where a request is dropped, with or without a runtime.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let strangler = self.clone();
            runtime.spawn_blocking(move || {
                let _changing = strangler.changing();
                strangler.keep_fallbacks();
            });
        }
    }

    /// Reads the plan's file again, and puts its plan into effect if the content has changed. Returns
    /// whether it has; a file that cannot be read has not.
    fn reload(&self) -> bool {
        let Some(path) = &self.0.settings.plan else { return false };
        let read = read_if_any(path);
        let has_changed = read.is_ok();
        let mut state = self.write();
        let plan = match read {
            Ok(text) if text == state.file => return false,
            Ok(None) => {
                state.file = None;
                Err("there is no such file any more".to_owned())
            }
            Ok(Some(text)) => {
                let plan = Plan::parse(&text, &self.0.operations);
                state.file = Some(text);
                plan.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        drop(state);
        let applied = plan.and_then(|plan| self.apply(plan).map_err(|error| error.to_string()));
        match applied {
            Ok(()) => self.keep_fallbacks(),
            Err(error) => {
                let error = format!("{}: {error}", path.display());
                let mut state = self.write();
                if state.error.as_ref() != Some(&error) {
                    tracing::error!(error, "plan refused: the previous one stays in effect");
                }
                state.error = Some(error);
            }
        }
        has_changed
    }

    /// Watches the content of the plan's file.
    fn watch(&self) {
        if self.0.settings.plan.is_none() {
            return;
        }
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(CHECK_INTERVAL).await;
                let Some(inner) = inner.upgrade() else { return };
                let strangler = Self(inner);
                let checked = tokio::task::spawn_blocking(move || {
                    let _changing = strangler.changing();
                    strangler.reload();
                });
                // It panics only if something else has.
                _ = checked.await;
            }
        });
    }
}

/// The content of a file, if it exists.
fn read_if_any(path: &Path) -> std::io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces a file atomically.
fn write_atomically(path: &Path, text: &str) -> std::io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

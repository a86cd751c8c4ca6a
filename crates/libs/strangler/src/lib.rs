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

mod client;
mod layer;
mod metrics;
mod operations;
mod page;
mod plan;
mod proxy;
mod redact;
mod shadow;
mod statistics;
mod tee;

use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use http::uri::Scheme;
use http::{Request, Uri};
use tokio::sync::Semaphore;

pub use crate::layer::{Strangled, StranglerLayer};
pub use crate::operations::{Operation, Operations};
pub use crate::page::{OperationView, Overview};
pub use crate::plan::{Mode, ModeError, Plan, PlanError};
use crate::proxy::Proxy;
pub use crate::proxy::Trust;
use crate::shadow::Shadow;
use crate::statistics::Statistics;
pub use crate::statistics::{Figures, Margin, Seen, View};

/// How often the plan's file is checked for changes.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);

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
    /// How long the old service may take until its next byte.
    pub timeout: Duration,
    /// The maximum number of requests at the old service at a time; further ones get 503.
    pub max_in_flight: usize,
    /// Whose `X-Forwarded-*` headers are trusted.
    pub trust: Trust,
    /// Without it, shadowed requests that are not safe are not compared.
    pub dry_run: Option<DryRun>,
    /// The maximum number of shadowed requests in the queue; further ones are dropped and counted.
    pub shadow_queue: usize,
    /// How many are compared at a time.
    pub shadow_workers: usize,
    /// The longest body that is compared, in bytes.
    pub shadow_body: usize,
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
            max_in_flight: 1024,
            trust: Arc::new(|peer| peer.is_loopback()),
            dry_run: None,
            shadow_queue: 256,
            shadow_workers: 4,
            shadow_body: 1024 * 1024,
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
        let mut plan = Plan::default();
        if let Some(path) = &settings.plan {
            plan = match std::fs::read_to_string(path) {
                Ok(text) => Plan::parse(&text, &operations)
                    .map_err(|source| StartError::Plan { path: path.clone(), source })?,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => plan,
                Err(source) => return Err(StartError::Read { path: path.clone(), source }),
            };
        }
        let (timeout, trust) = (settings.timeout, Arc::clone(&settings.trust));
        let strangler = Self(Arc::new(Inner {
            proxy: Proxy::new(scheme, authority, timeout, settings.max_in_flight, trust),
            shadow: Arc::new(Shadow {
                queue: Arc::new(Semaphore::new(settings.shadow_queue)),
                workers: Arc::new(Semaphore::new(settings.shadow_workers)),
                max_body: settings.shadow_body,
                dry_run: settings.dry_run.clone(),
            }),
            statistics: (0..operations.len()).map(|_| Arc::new(Statistics::new())).collect(),
            others: Statistics::new(),
            state: RwLock::new(State {
                plan: Plan::default(),
                operations: Vec::new(),
                error: None,
            }),
            operations,
            settings,
        }));
        // It has been parsed with these operations, and cannot fail.
        _ = strangler.apply(plan);
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

    /// Puts a plan into effect and writes it to its file.
    ///
    /// # Errors
    /// When it is refused; the old one stays in effect.
    pub fn change(&self, plan: Plan) -> Result<(), PlanError> {
        let text = plan.text();
        self.apply(plan)?;
        tracing::info!(plan = text, "plan changed");
        if let Some(path) = &self.0.settings.plan
            && let Err(error) = write_atomically(path, &text)
        {
            let error = format!("{} cannot be written: {error}", path.display());
            tracing::warn!(error, "plan not saved: it is lost at the next start");
            self.write().error = Some(error);
        }
        Ok(())
    }

    /// Sets one mode, by operationId or method and path; a failed canary starts again.
    ///
    /// # Errors
    /// When there is no such operation.
    pub fn set_mode(&self, operation: &str, mode: Mode) -> Result<(), PlanError> {
        let unknown = || PlanError::UnknownOperation(operation.to_owned());
        let index = self.0.operations.named(operation).ok_or_else(unknown)?;
        let known = self.0.operations.get(index).ok_or_else(unknown)?;
        let mut plan = self.read().plan.clone();
        plan.operations.retain(|name, _| self.0.operations.named(name) != Some(index));
        plan.operations.insert(known.id.to_string(), mode);
        if let Some(running) = self.write().operations.get_mut(index) {
            running.fallback = None;
        }
        self.0.statistics[index].reset_recent();
        self.change(plan)
    }

    /// Returns an operation's clients to legacy if the new service is worse.
    fn check_canary(&self, index: usize) {
        let statistics = &self.0.statistics[index];
        if !statistics.is_due() {
            return;
        }
        let Some(reason) = statistics.worse(self.0.settings.margin) else { return };
        let operation = self.0.operations.get(index).map_or("", |operation| &operation.id);
        if let Some(running) = self.write().operations.get_mut(index)
            && running.fallback.is_none()
        {
            tracing::warn!(operation, reason, "canary failed: returned to legacy");
            running.fallback = Some(reason);
        }
    }

    /// Watches the plan's file for another time of modification, not only for a later one: Kubernetes
    /// replaces mounted files by links to others.
    fn watch(&self) {
        let Some(path) = self.0.settings.plan.clone() else { return };
        let inner = Arc::downgrade(&self.0);
        let changed = |path: &PathBuf| -> Option<SystemTime> {
            std::fs::metadata(path).ok()?.modified().ok()
        };
        let mut last = changed(&path);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(CHECK_INTERVAL).await;
                let Some(inner) = inner.upgrade() else { return };
                let now = changed(&path);
                if now == last || now.is_none() {
                    continue;
                }
                last = now;
                let strangler = Self(inner);
                let plan = std::fs::read_to_string(&path)
                    .map_err(|error| error.to_string())
                    .and_then(|text| {
                        Plan::parse(&text, &strangler.0.operations).map_err(|e| e.to_string())
                    });
                let applied = match plan {
                    Ok(plan) if plan == strangler.read().plan => Ok(()),
                    Ok(plan) => strangler.apply(plan).map_err(|error| error.to_string()),
                    Err(error) => Err(error),
                };
                if let Err(error) = applied {
                    let error = format!("{}: {error}", path.display());
                    tracing::error!(error, "plan refused: the previous one stays in effect");
                    strangler.write().error = Some(error);
                }
            }
        });
    }
}

/// Replaces a file atomically.
fn write_atomically(path: &PathBuf, text: &str) -> std::io::Result<()> {
    let mut new = path.clone().into_os_string();
    new.push(".new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

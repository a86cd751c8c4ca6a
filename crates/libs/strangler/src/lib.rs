//! A tower layer that puts a new service before an old one and moves operation by operation.
//!
//! Each operation is answered by the old service (`legacy`), by it with the new one compared
//! (`shadow`), by the new one for some clients (`canary 10%`), or by the new one (`native`); what the
//! new service does not have goes to the old one. The plan changes while the service runs.
//!
//! It knows nothing of anybody's routes. Start at [`Strangler::start`]:
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

mod client;
mod evidence;
mod layer;
mod metrics;
mod operations;
mod page;
mod plan;
mod proxy;
mod redact;
mod shadow;
mod tee;

use std::path::PathBuf;
use std::sync::{Arc, RwLock};
use std::time::{Duration, SystemTime};

use http::uri::Scheme;
use http::{Request, Uri};
use tokio::sync::Semaphore;

use crate::evidence::Evidence;
pub use crate::evidence::{Figures, Margin, Seen, View};
pub use crate::layer::{Strangled, StranglerLayer};
pub use crate::operations::{Operation, Operations};
pub use crate::page::{OperationView, Overview};
pub use crate::plan::{Mode, ModeError, Plan, PlanError};
use crate::proxy::Proxy;
pub use crate::proxy::Trust;
use crate::shadow::Shadow;

/// How often the plan's file is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How to have the new service read and validate a request without acting.
#[derive(Clone)]
pub struct DryRun {
    pub prepare: fn(&mut Request<axum::body::Body>),
    /// Whether an answer stands for "it would have acted".
    pub would_act: fn(&axum::response::Response) -> bool,
}

/// What the strangler needs to know.
#[derive(Clone)]
pub struct Settings {
    /// The old service: scheme, host and port.
    pub legacy: Uri,
    /// A file with the plan, read again when it changes and written by the page.
    pub plan: Option<PathBuf>,
    /// How long the old service may take to its next byte.
    pub timeout: Duration,
    /// How many requests may be at the old service at a time; more get 503.
    pub max_in_flight: usize,
    /// Whose `X-Forwarded-*` headers are believed.
    pub trust: Trust,
    /// None leaves shadowed requests that would change something uncompared.
    pub dry_run: Option<DryRun>,
    /// How many shadowed requests may wait; more are dropped and counted.
    pub shadow_queue: usize,
    /// How many are compared at a time.
    pub shadow_workers: usize,
    /// The longest body that is compared, in bytes.
    pub shadow_body: usize,
    /// When a canary has failed.
    pub margin: Margin,
}

impl Settings {
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
    #[error("'{0}' is no address of a service such as http://127.0.0.1:8001")]
    Legacy(Uri),
    #[error("the plan {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the plan {path}: {source}")]
    Plan { path: PathBuf, source: PlanError },
}

/// An operation as it is run.
#[derive(Clone, Debug)]
struct Running {
    mode: Mode,
    /// Why its canary ended.
    fallback: Option<String>,
}

#[derive(Debug)]
struct State {
    plan: Plan,
    operations: Vec<Running>,
    /// What is wrong with the file, while the plan before it goes on.
    fault: Option<String>,
}

struct Inner {
    settings: Settings,
    operations: Operations,
    proxy: Proxy,
    shadow: Arc<Shadow>,
    evidence: Vec<Arc<Evidence>>,
    /// Of what the new service does not have.
    others: Evidence,
    state: RwLock<State>,
}

/// The strangler of one service; its clones are the same one.
#[derive(Clone)]
pub struct Strangler(Arc<Inner>);

impl Strangler {
    /// Reads the plan; within a tokio runtime.
    ///
    /// # Errors
    /// When the address is none, or the plan cannot be read or is refused. A plan that is not there
    /// yet is an empty one: everything is `legacy`.
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
                places: Arc::new(Semaphore::new(settings.shadow_queue)),
                running: Arc::new(Semaphore::new(settings.shadow_workers)),
                most: settings.shadow_body,
                dry_run: settings.dry_run.clone(),
            }),
            evidence: (0..operations.len()).map(|_| Arc::new(Evidence::new())).collect(),
            others: Evidence::new(),
            state: RwLock::new(State {
                plan: Plan::default(),
                operations: Vec::new(),
                fault: None,
            }),
            operations,
            settings,
        }));
        // It has been parsed with these operations.
        _ = strangler.follow(plan);
        strangler.watch();
        Ok(strangler)
    }

    /// The layer to put around the new service.
    pub fn layer(&self) -> StranglerLayer {
        StranglerLayer(self.clone())
    }

    /// The page, the plan and the evidence, for whoever knows the password.
    pub fn page(&self, password: String) -> axum::Router {
        page::router(self.clone(), password)
    }

    /// The mode of an operation, and why its canary ended if it did.
    fn mode(&self, index: usize) -> Option<Running> {
        self.read().operations.get(index).cloned()
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Takes a plan over at once; requests under way end as they began.
    fn follow(&self, plan: Plan) -> Result<(), PlanError> {
        let modes = plan.modes(&self.0.operations)?;
        let mut state = self.write();
        let before = std::mem::take(&mut state.operations);
        let operations = modes.into_iter().enumerate().map(|(index, mode)| {
            // A canary that has failed stays so until its mode is set to another one.
            match before.get(index) {
                Some(running) if running.mode == mode => running.clone(),
                _ => {
                    self.0.evidence[index].forget_recent();
                    Running { mode, fallback: None }
                }
            }
        });
        state.operations = operations.collect();
        (state.plan, state.fault) = (plan, None);
        Ok(())
    }

    /// Takes a new plan over and writes it to its file.
    ///
    /// # Errors
    /// When it is refused; the old one stays.
    pub fn change(&self, plan: Plan) -> Result<(), PlanError> {
        let text = plan.text();
        self.follow(plan)?;
        tracing::info!(plan = text, "the strangler has a new plan");
        if let Some(path) = &self.0.settings.plan
            && let Err(error) = write_whole(path, &text)
        {
            let fault = format!("{} cannot be written: {error}", path.display());
            tracing::warn!(fault, "the plan is lost at the next start");
            self.write().fault = Some(fault);
        }
        Ok(())
    }

    /// Sets one mode, by operationId or method and path; a canary that had failed begins anew.
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
        self.0.evidence[index].forget_recent();
        self.change(plan)
    }

    /// Sends an operation's clients back to legacy if the new service is worse.
    fn check_canary(&self, index: usize) {
        let evidence = &self.0.evidence[index];
        if !evidence.is_due() {
            return;
        }
        let Some(reason) = evidence.worse(self.0.settings.margin) else { return };
        let operation = self.0.operations.get(index).map_or("", |operation| &operation.id);
        if let Some(running) = self.write().operations.get_mut(index)
            && running.fallback.is_none()
        {
            tracing::warn!(operation, reason, "the canary has failed: legacy answers again");
            running.fallback = Some(reason);
        }
    }

    /// Looks at the plan's file again and again. It looks for another time of change and not for a
    /// later one: Kubernetes replaces mounted files by links to others.
    fn watch(&self) {
        let Some(path) = self.0.settings.plan.clone() else { return };
        let inner = Arc::downgrade(&self.0);
        let changed = |path: &PathBuf| -> Option<SystemTime> {
            std::fs::metadata(path).ok()?.modified().ok()
        };
        let mut last = changed(&path);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(LOOK).await;
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
                let followed = match plan {
                    Ok(plan) if plan == strangler.read().plan => Ok(()),
                    Ok(plan) => strangler.follow(plan).map_err(|error| error.to_string()),
                    Err(fault) => Err(fault),
                };
                if let Err(fault) = followed {
                    let fault = format!("{}: {fault}", path.display());
                    tracing::error!(fault, "the plan is refused, the one before goes on");
                    strangler.write().fault = Some(fault);
                }
            }
        });
    }
}

/// Writes a file so that nobody ever reads a part of it.
fn write_whole(path: &PathBuf, text: &str) -> std::io::Result<()> {
    let mut new = path.clone().into_os_string();
    new.push(".new");
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

//! The strangler of a service: what all its parts share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use http::uri::Scheme;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use crate::canaries::{self, Canaries};
use crate::events::Events;
use crate::files::read_if_any;
use crate::layer::StranglerLayer;
use crate::mails::{self, MailRelay, Mails};
use crate::memory::Budget;
use crate::operations::Operations;
use crate::page;
use crate::plan::{Mode, Plan};
use crate::proxy::{Limits, Proxy};
use crate::rehearsal::Rehearsals;
use crate::settings::{Settings, StartError};
use crate::shadow::Shadow;
use crate::statistics::{Statistics, lock};

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
    /// Reads the plan and watches its file. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the URL is invalid, the certificates cannot be read, or the plan cannot be read or is
    /// refused. A file that does not exist is an empty plan: everything is `legacy`, and the page, the
    /// state and the metrics say so until there is one.
    pub fn start(settings: Settings, operations: Operations) -> Result<Self, StartError> {
        let uri = &settings.legacy;
        let scheme = uri.scheme().filter(|s| [Scheme::HTTP, Scheme::HTTPS].contains(s)).cloned();
        let (Some(scheme), Some(authority), "" | "/") =
            (scheme, uri.authority().cloned(), uri.path())
        else {
            return Err(StartError::Legacy(settings.legacy));
        };
        let (mut plan, mut file, mut missing) = (Plan::default(), None, None);
        let (mut canaries, mut kept) = (String::new(), Canaries::new());
        if let Some(path) = &settings.plan {
            let read_error = |source| StartError::Read { path: path.clone(), source };
            file = read_if_any(path).map_err(read_error)?;
            if file.is_none() {
                let text =
                    format!("{}: there is no such file: all is left to legacy", path.display());
                tracing::warn!(error = text, "no plan");
                missing = Some(text);
            }
            if let Some(text) = &file {
                plan = Plan::parse(text, &operations)
                    .map_err(|source| StartError::Plan { path: path.clone(), source })?;
            }
            let read = canaries::read(path).map_err(|error| error.to_string());
            let parsed = read.and_then(|text| match canaries::parse(&text) {
                Ok(canaries) => Ok((text, canaries)),
                Err(error) => Err(error.to_string()),
            });
            (canaries, kept) = parsed.unwrap_or_else(|error| {
                tracing::warn!(%error, "the canaries' state cannot be read: failed ones are tried again");
                (String::new(), Canaries::new())
            });
        }
        let events = Arc::<Events>::default();
        let limits = Limits {
            timeout: settings.timeout,
            idle: settings.idle,
            upload_rate: settings.upload_rate,
            download_rate: settings.download_rate,
            tunnel_idle: settings.tunnel_idle,
            retry: settings.retry,
            max_in_flight: settings.max_in_flight,
            trust: Arc::clone(&settings.trust),
        };
        let proxy = Proxy::new(scheme, authority, &settings, limits, Arc::clone(&events))?;
        let budget = Budget::new(settings.comparison_memory);
        let mails = settings.mail_relay.as_ref();
        let mails = mails.map(|to| relay(to, &settings, &budget)).transpose()?;
        let strangler = Self(Arc::new(Inner {
            proxy,
            shadow: Arc::new(shadow(&settings, budget, mails.clone())),
            mails,
            statistics: (0..operations.len()).map(|_| Arc::new(Statistics::new())).collect(),
            others: Statistics::new(),
            events,
            start: Instant::now(),
            state: RwLock::new(State {
                plan: Plan::default(),
                operations: Vec::new(),
                file: Ok(file),
                canaries,
                error: None,
            }),
            changing: Mutex::new(()),
            operations,
            settings,
        }));
        // It has been parsed with these operations, and cannot fail.
        _ = strangler.apply(plan);
        strangler.write().error = missing;
        strangler.restore(&kept);
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

/// Lets the old service's e-mails pass.
fn relay(
    relay: &MailRelay,
    settings: &Settings,
    budget: &Arc<Budget>,
) -> Result<Arc<Mails>, StartError> {
    let listener = std::net::TcpListener::bind(relay.listen).and_then(|listener| {
        listener.set_nonblocking(true)?;
        TcpListener::from_std(listener)
    });
    let error = |source| StartError::Mails { listen: relay.listen, source };
    let listener = listener.map_err(error)?;
    let mails = Arc::new(Mails::new(Arc::clone(budget)));
    let (server, background) = (relay.server.clone(), settings.background.clone());
    tokio::spawn(mails::relay(listener, server, Arc::clone(&mails), background));
    Ok(mails)
}

fn shadow(settings: &Settings, budget: Arc<Budget>, mails: Option<Arc<Mails>>) -> Shadow {
    let rehearse = settings.rehearse.clone().filter(|_| settings.max_rehearsals > 0);
    Shadow {
        queue: Arc::new(Semaphore::new(settings.shadow_queue)),
        workers: Arc::new(Semaphore::new(settings.shadow_workers)),
        parsing: tokio::sync::Mutex::new(()),
        max_body: settings.shadow_body,
        dry_run: settings.dry_run.clone(),
        rehearsals: rehearse.map(|rehearse| Rehearsals {
            rehearse,
            permits: Semaphore::new(settings.max_rehearsals),
            timeout: settings.rehearsal_timeout,
            max_body: settings.shadow_body,
            budget: Arc::clone(&budget),
            mails,
            writes: Arc::default(),
            made_up: Mutex::default(),
        }),
        budget,
        ignored_headers: settings.ignored_headers.clone(),
    }
}

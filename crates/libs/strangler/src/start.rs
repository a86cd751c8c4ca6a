//! Starts a strangler: reads its plan, and puts its parts together.

use std::sync::{Arc, Mutex, RwLock};
use std::time::Instant;

use http::Uri;
use http::uri::Scheme;
use tokio::sync::Semaphore;

use crate::canaries::{self, Canaries};
use crate::cpu::Cpu;
use crate::events::Events;
use crate::files::read_if_any;
use crate::mails::Mails;
use crate::memory::Budget;
use crate::operations::Operations;
use crate::plan::Plan;
use crate::proxy::{Limits, Proxy};
use crate::rehearsal::Rehearsals;
use crate::settings::{Settings, StartError};
use crate::shadow_state::Shadow;
use crate::statistics::Statistics;
use crate::strangler::{Inner, State, Strangler};

impl Strangler {
    /// Reads the plan and watches its file. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the URL is invalid or needs a feature that is not there, the certificates cannot be read, or the plan cannot be read or is
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
        let metrics = settings.legacy_cpu.as_ref().map(|source| &source.metrics);
        let needs_tls = |uri: &&Uri| uri.scheme() == Some(&Scheme::HTTPS);
        let needs_tls = [&settings.legacy].into_iter().chain(metrics).find(needs_tls);
        if let (Some(uri), false) = (needs_tls, cfg!(feature = "tls")) {
            return Err(StartError::Https(uri.clone()));
        }
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
        #[cfg(feature = "mail-relay")]
        let mails = relay(&settings, &budget)?;
        #[cfg(not(feature = "mail-relay"))]
        let mails = None::<Arc<Mails>>;
        let strangler = Self(Arc::new(Inner {
            proxy,
            shadow: Arc::new(shadow(&settings, budget, mails.clone())),
            mails,
            statistics: (0..operations.len()).map(|_| Arc::new(Statistics::new())).collect(),
            others: Statistics::new(),
            cpu: settings.legacy_cpu.as_ref().map(|_| Cpu::new(operations.len())),
            #[cfg(any(feature = "metrics", feature = "page"))]
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
        if let Some(source) = strangler.0.settings.legacy_cpu.clone() {
            strangler.watch_cpu(source);
        }
        Ok(strangler)
    }
}

/// Lets the old service's e-mails pass, if the settings say where.
///
/// # Errors
/// When the address cannot be listened on.
#[cfg(feature = "mail-relay")]
fn relay(settings: &Settings, budget: &Arc<Budget>) -> Result<Option<Arc<Mails>>, StartError> {
    let Some(relay) = &settings.mail_relay else { return Ok(None) };
    let mails = Arc::new(Mails::new(Arc::clone(budget)));
    let started = relay.start(Arc::clone(&mails), settings.background.clone());
    started.map_err(|source| StartError::Mails { listen: relay.listen, source })?;
    Ok(Some(mails))
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

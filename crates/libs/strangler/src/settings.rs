//! The settings of a strangler.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use futures_util::future::BoxFuture;
use http::{HeaderName, Request, Uri};
use tokio_util::task::TaskTracker;

use crate::client::ClientKey;
use crate::cpu::CpuSource;
use crate::evaluation::Margin;
#[cfg(feature = "mail-relay")]
use crate::mails::MailRelay;
use crate::plan::PlanError;
use crate::rehearsal::Rehearse;
use crate::trust::Trust;

/// Headers with a value of their own in each response, which services and their middleware add.
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
    pub prepare: fn(&mut Request<Body>),
    /// Whether a response to a dry run, or to a read whose handler is not written, means that the request
    /// would have been executed.
    pub would_act: fn(&Response) -> bool,
}

/// Passes a request to an old service that runs in this process; fails when it gives no response. The
/// request has all its extensions.
pub type InProcess = Arc<
    dyn Fn(Request<Body>) -> BoxFuture<'static, Result<Response, tower::BoxError>> + Send + Sync,
>;

/// The settings of a strangler.
#[derive(Clone)]
pub struct Settings {
    /// The old service: scheme, host and port.
    pub legacy: Uri,
    /// The old service where it runs in this process: it gets the requests, and `legacy` only names it.
    pub in_process: Option<InProcess>,
    /// A file with certificates (PEM) of authorities that the old service's certificate may be from,
    /// besides the public ones.
    #[cfg(feature = "tls")]
    pub legacy_ca: Option<PathBuf>,
    /// Where the old service reports its CPU, by which operations are ranked then; without it they are
    /// ranked by its time.
    pub legacy_cpu: Option<CpuSource>,
    /// A file with the plan, read again when it changes and written by the page. Beside it is kept
    /// which canaries failed, and at which step the automatic ones are.
    pub plan: Option<PathBuf>,
    /// How long the old service may take until its next byte, and a client until it takes one. A
    /// response of the new service that takes longer counts as an error.
    pub timeout: Duration,
    /// How long an idle connection to the old service is kept: shorter than it keeps them itself
    /// (uvicorn 5 s, gunicorn 2 s), so that none is closed while a request is on its way.
    pub idle: Duration,
    /// The lowest rate at which a client may send a body once it has taken twice the timeout, in
    /// bytes a second.
    pub upload_rate: u64,
    /// The lowest rate at which a client may take a response, in bytes a second, once it has been
    /// waited for for twice the timeout. Below it the client is disconnected: it holds a permit.
    pub download_rate: u64,
    /// How long a connection that has changed to another protocol may carry nothing before it is
    /// closed.
    pub tunnel_idle: Duration,
    /// Whether a safe request without a body is sent once more when a kept connection turns out to
    /// have been closed.
    pub retry: bool,
    /// The maximum number of requests at the old service at a time; further ones get 503.
    pub max_in_flight: usize,
    /// Whose `X-Forwarded-*` headers are trusted.
    pub trust: Trust,
    /// Runs the connections that have changed to another protocol, such as WebSockets: close it and
    /// wait for it at the shutdown, for as long as they may go on.
    pub background: TaskTracker,
    /// What identifies a client: the first of these that a request has. One that has none is counted
    /// as one client with all such.
    pub client: Vec<ClientKey>,
    /// How a shadowed write is validated; without it, those that are not rehearsed are not compared.
    pub dry_run: Option<DryRun>,
    /// How a shadowed write is executed without effect; without it, only refusals are compared.
    pub rehearse: Option<Rehearse>,
    /// Where the old service's e-mails pass, so that those of rehearsals are compared with them;
    /// without it, e-mails are not compared.
    #[cfg(feature = "mail-relay")]
    pub mail_relay: Option<MailRelay>,
    /// The maximum number of rehearsals at a time; further writes are not rehearsed.
    pub max_rehearsals: usize,
    /// How long a client waits for a rehearsal, which is then given up.
    pub rehearsal_timeout: Duration,
    /// The maximum number of requests that wait to be compared; further ones are dropped and counted.
    pub shadow_queue: usize,
    /// How many are compared at a time.
    pub shadow_workers: usize,
    /// The longest body that is compared, in bytes.
    pub shadow_body: usize,
    /// What all copies of bodies for comparisons may take together, in bytes; beyond it requests are
    /// not compared, which is counted.
    pub comparison_memory: usize,
    /// Headers in which the services may differ, besides those of the connection, `date` and `server`.
    /// The plan's `may_differ` adds more of them, and paths in bodies.
    pub ignored_headers: Vec<HeaderName>,
    /// How many safe requests that a canary served are compared, for each operation, in a second: the
    /// old service gets them too. 0: none.
    pub canary_checks: u32,
    /// When a canary fails.
    pub margin: Margin,
}

impl Settings {
    /// The defaults, for an old service at this URL.
    pub fn new(legacy: Uri) -> Self {
        Self {
            legacy,
            in_process: None,
            #[cfg(feature = "tls")]
            legacy_ca: None,
            legacy_cpu: None,
            plan: None,
            timeout: Duration::from_mins(1),
            idle: Duration::from_secs(1),
            upload_rate: 240,
            download_rate: 4096,
            tunnel_idle: Duration::from_hours(1),
            retry: true,
            max_in_flight: 1024,
            trust: Arc::new(|peer| peer.is_loopback()),
            background: TaskTracker::new(),
            client: vec![ClientKey::Subject, ClientKey::Address],
            dry_run: None,
            rehearse: None,
            #[cfg(feature = "mail-relay")]
            mail_relay: None,
            max_rehearsals: 4,
            rehearsal_timeout: Duration::from_millis(500),
            shadow_queue: 256,
            shadow_workers: 4,
            shadow_body: 1024 * 1024,
            comparison_memory: 32 * 1024 * 1024,
            ignored_headers: IGNORED_HEADERS.to_vec(),
            canary_checks: 2,
            margin: Margin::default(),
        }
    }
}

/// Why the strangler cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The URL of the old service has no scheme, host or port that can be used.
    #[error("'{0}' is not the URL of a service such as http://127.0.0.1:8001")]
    Legacy(Uri),
    /// The URL of the old service or of its metrics begins with `https:`, and the feature `tls` is not there.
    #[error("'{0}': HTTPS needs strangler's feature `tls`")]
    Https(Uri),
    /// The file with certificates cannot be used.
    #[cfg(feature = "tls")]
    #[error("the certificates {path}: {reason}")]
    Certificates {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The old service's e-mails cannot pass.
    #[cfg(feature = "mail-relay")]
    #[error("the old service's e-mails: cannot listen on {listen}: {source}")]
    Mails {
        /// The address.
        listen: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
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

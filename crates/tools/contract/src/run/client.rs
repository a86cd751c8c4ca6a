//! How requests reach a service: TLS, proxies, timeouts, retries and their rate.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use reqwest::{Certificate, Client, Identity, Proxy, Url, redirect};
use tokio::sync::Mutex;

use crate::openapi::causes;

/// How requests reach the services.
#[derive(Clone, Debug)]
pub struct Connection {
    /// How long a whole response may take.
    pub timeout: Duration,
    /// How often a connection that cannot be made is tried again. A request that was sent is not
    /// repeated, so that no difference is masked.
    pub retries: u32,
    /// How many requests each service gets in a second at most.
    pub rate: Option<f64>,
    /// How many requests that change nothing are under way at once.
    pub workers: usize,
    /// Certificates of authorities to trust beside the system's, as PEM.
    pub authorities: Vec<PathBuf>,
    /// The client's own certificate and its key, as PEM.
    pub identity: Option<(PathBuf, PathBuf)>,
    /// Whether any certificate is accepted.
    pub is_insecure: bool,
    /// A proxy for all requests. Without it the environment's (`HTTP_PROXY`, `HTTPS_PROXY`,
    /// `NO_PROXY`) is used for services that are not on this machine.
    pub proxy: Option<Url>,
}

impl Default for Connection {
    fn default() -> Self {
        Self {
            timeout: Duration::from_mins(1),
            retries: 0,
            rate: None,
            workers: 1,
            authorities: Vec::new(),
            identity: None,
            is_insecure: false,
            proxy: None,
        }
    }
}

/// Why no client can be made.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {}", causes(.source))]
    Certificate { path: PathBuf, source: reqwest::Error },
    #[error("the proxy {url}: {}", causes(.source))]
    Proxy { url: Url, source: reqwest::Error },
    #[error("the HTTP client cannot be made: {}", causes(.0))]
    Client(#[from] reqwest::Error),
}

impl Connection {
    /// A client for the service at `base`.
    pub(super) fn client(&self, base: &Url) -> Result<Client, ClientError> {
        // An error means that one is installed already.
        _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(self.timeout)
            // A connection of its own for each request: services close them after some answers.
            .pool_max_idle_per_host(0);
        let read = |path: &Path| {
            std::fs::read(path)
                .map_err(|source| ClientError::Read { path: path.to_owned(), source })
        };
        let broken = |path: &Path| {
            let path = path.to_owned();
            |source| ClientError::Certificate { path, source }
        };
        for path in &self.authorities {
            let certificates = Certificate::from_pem_bundle(&read(path)?).map_err(broken(path))?;
            builder = builder.tls_certs_merge(certificates);
        }
        if let Some((certificate, key)) = &self.identity {
            let mut pem = read(certificate)?;
            pem.push(b'\n');
            pem.extend(read(key)?);
            builder = builder.identity(Identity::from_pem(&pem).map_err(broken(certificate))?);
        }
        if self.is_insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if let Some(url) = &self.proxy {
            let proxy = Proxy::all(url.clone());
            let proxy = proxy.map_err(|source| ClientError::Proxy { url: url.clone(), source })?;
            builder = builder.proxy(proxy);
        } else if is_local(base) {
            builder = builder.no_proxy();
        }
        Ok(builder.build()?)
    }
}

/// Whether the service is on this machine, where no proxy of the environment leads.
fn is_local(base: &Url) -> bool {
    match base.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Holds requests back so that no more of them are sent in a second than allowed.
pub(super) struct Pace {
    interval: Option<Duration>,
    next: Mutex<Instant>,
}

impl Pace {
    pub(super) fn new(rate: Option<f64>) -> Self {
        let interval =
            rate.filter(|rate| *rate > 0.0).map(|rate| Duration::from_secs_f64(1.0 / rate));
        Self { interval, next: Mutex::new(Instant::now()) }
    }

    /// Waits until the next request may be sent.
    pub(super) async fn turn(&self) {
        let Some(interval) = self.interval else { return };
        let mut next = self.next.lock().await;
        let now = Instant::now();
        let turn = (*next).max(now);
        *next = turn + interval;
        drop(next);
        tokio::time::sleep_until(turn.into()).await;
    }
}

//! A load balancer before several processes.

use std::sync::Arc;
use std::time::Duration;

use testbed::proxy::Proxy;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::BoxError;

/// The address of a process as `host:port`, and the URL of its readiness check.
pub type Backend = (String, String);

/// Balances new connections over the processes that are ready, which it checks ten times a second.
pub struct Balancer {
    /// Its URL, without a slash at the end.
    pub base: String,
    known: watch::Sender<Vec<Backend>>,
}

impl Balancer {
    /// Starts before these processes; returns when it has had time to find which are ready.
    ///
    /// # Errors
    /// When there is no free port.
    pub async fn start(backends: Vec<Backend>) -> Result<Self, BoxError> {
        let proxy = Arc::new(Proxy::start(Vec::new()).await?);
        let base = format!("http://{}", proxy.address);
        let http = crate::http(Duration::from_secs(1))?;
        let (known, backends) = watch::channel(backends);
        tokio::spawn(balance(proxy, http, backends));
        sleep(Duration::from_millis(500)).await;
        Ok(Self { base, known })
    }

    /// Replaces the processes that it knows.
    pub fn know(&self, backends: Vec<Backend>) {
        _ = self.known.send(backends);
    }
}

/// Ends with the sender of the processes.
async fn balance(
    proxy: Arc<Proxy>,
    http: reqwest::Client,
    mut known: watch::Receiver<Vec<Backend>>,
) {
    while known.has_changed().is_ok() {
        let backends = known.borrow_and_update().clone();
        let mut ready = Vec::new();
        for (address, url) in backends {
            if http.get(url).send().await.is_ok_and(|answer| answer.status() == 200) {
                ready.push(address);
            }
        }
        proxy.balance(ready);
        sleep(Duration::from_millis(100)).await;
    }
}

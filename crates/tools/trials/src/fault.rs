//! A fault while clients are under way, and how soon they are served again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clients::{Client, Load, Pace};
use crate::{API, BoxError, Stage};

/// The clients that are under way.
#[derive(Clone, Copy, Debug)]
pub struct Crowd<'a> {
    /// The prefix of their addresses.
    pub name: &'a str,
    pub count: usize,
    pub pace: Pace,
    /// How long they are under way before the fault, and after the recovery.
    pub pause: Duration,
}

/// What clients observed around a fault.
pub struct Observed {
    pub stage: Stage,
    /// All clients, to ask them what is lost.
    pub clients: Vec<Client>,
    /// From the end of the fault to the first successful response.
    pub recovered_s: f64,
    /// From the end of the fault to the last failure; 0 if there was none after it.
    pub last_failure_s: Option<f64>,
    /// Whether a request failed before there was a fault.
    pub failed_early: bool,
}

/// Runs clients against a service while `fault` happens to it, which gives the time when it was over.
///
/// # Errors
/// When a client cannot sign up, or `fault` fails.
pub async fn under_load(
    base: &str,
    crowd: Crowd<'_>,
    fault: impl AsyncFnOnce() -> Result<Instant, BoxError>,
) -> Result<Observed, BoxError> {
    let load = Load::paced(base, crowd.name, crowd.count, crowd.pace).await?;
    let probe = Probe::new(base, crowd.name).await?;
    tokio::time::sleep(crowd.pause).await;
    let begun = Instant::now();
    let over = fault().await?;
    let recovered_s = probe.recovery(over).await;
    tokio::time::sleep(crowd.pause).await;
    let tally = Arc::clone(&load.tally);
    let clients = load.stop().await;
    let stage = tally.take();
    let failed = stage.failed_between;
    let after = |last: Instant| last.saturating_duration_since(over).as_secs_f64();
    Ok(Observed {
        stage,
        clients,
        recovered_s,
        last_failure_s: failed.map(|(_, last)| after(last)),
        failed_early: failed.is_some_and(|(first, _)| first < begun),
    })
}

/// Requests an operation that needs the database until it succeeds.
pub struct Probe {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Probe {
    /// Signs up and in.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn new(base: &str, name: &str) -> Result<Self, BoxError> {
        let http = crate::http(Duration::from_secs(40))?;
        let email = format!("probe-{name}@example.com");
        let client = Client::new(base, &email, Arc::default()).await?;
        Ok(Self { http, url: format!("{base}{API}/items/"), token: client.token().into() })
    }

    /// Whether it is answered with 200.
    pub async fn is_served(&self) -> bool {
        let request = self.http.get(&self.url).bearer_auth(&self.token);
        request.send().await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Seconds from `since` to the first successful response, at most two minutes.
    pub async fn recovery(&self, since: Instant) -> f64 {
        while !self.is_served().await && since.elapsed() < Duration::from_mins(2) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        since.elapsed().as_secs_f64()
    }
}

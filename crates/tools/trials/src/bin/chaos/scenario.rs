//! What all scenarios share: clients under way, a fault, and the evaluation afterwards.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde::Serialize;
use testbed::Service;
use testbed::usage::memory;
use trials::clients::{Client, Load};
use trials::{BoxError, Stage};

/// How much of everything a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Short,
    Full,
}

impl Extent {
    pub(crate) fn pick<T>(self, short: T, full: T) -> T {
        match self {
            Self::Short => short,
            Self::Full => full,
        }
    }

    /// How long an outage lasts.
    pub(crate) fn outage(self) -> Duration {
        self.pick(Duration::from_secs(1), Duration::from_secs(5))
    }
}

/// The result of a scenario.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Scenario {
    pub name: &'static str,
    pub seconds: f64,
    /// Of well-behaved and of misbehaving clients.
    pub requests: u64,
    /// Requests of well-behaved clients that failed.
    pub failed: u64,
    /// Acknowledged writes that were missing at the end.
    pub lost: usize,
    pub panics: usize,
    /// Answers of 500.
    pub server_errors: u64,
    /// From the end of the fault to the first successful response.
    pub recovered_s: f64,
    /// The peak memory of the service.
    pub peak_mib: f64,
    pub seen: String,
    /// Other expectations that were not met.
    pub wrong: Vec<String>,
}

/// How long a recovery may take, in seconds.
const RECOVERY: f64 = 10.0;

impl Scenario {
    /// Why the scenario failed; empty if it passed.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut failures = self.wrong.clone();
        for (holds, failure) in [
            (self.requests > 0, "no requests were sent"),
            (self.lost == 0, "acknowledged writes were lost"),
            (self.panics == 0, "the service panicked"),
            (self.server_errors == 0, "there were responses with 500"),
            (self.recovered_s < RECOVERY, "the recovery took too long"),
        ] {
            if !holds {
                failures.push(failure.to_owned());
            }
        }
        failures.into_iter().map(|failure| format!("{}: {failure}", self.name)).collect()
    }

    /// Evaluates what clients observed, and whether their acknowledged writes are there.
    pub(crate) async fn count(
        name: &'static str,
        services: &[&Service],
        stage: Stage,
        clients: &[Client],
    ) -> Result<Self, BoxError> {
        let mut scenario = Self {
            name,
            requests: stage.requests,
            failed: stage.failed(),
            server_errors: stage.server_errors(),
            seen: stage.failures_text(),
            wrong: stage.wrong,
            ..Self::default()
        };
        for client in clients {
            let lost = client.lost().await?;
            scenario.lost += lost.len();
            scenario.wrong.extend(lost.into_iter().take(3));
        }
        for service in services {
            scenario.panics += service.log().matches("panicked").count();
            scenario.peak_mib = scenario.peak_mib.max(memory(service.pid()?)?.peak);
        }
        Ok(scenario)
    }
}

/// Runs clients against a service while `fault` happens to it, which returns when it was over.
pub(crate) async fn under_load(
    name: &'static str,
    service: &Service,
    extent: Extent,
    fault: impl AsyncFnOnce() -> Result<Instant, BoxError>,
) -> Result<Scenario, BoxError> {
    let load = Load::start(&service.url, name, extent.pick(4, 8)).await?;
    let probe = Probe::new(service, name).await?;
    let pause = extent.pick(Duration::from_millis(500), Duration::from_secs(2));
    tokio::time::sleep(pause).await;
    let over = fault().await?;
    let recovered_s = probe.recovery(over).await;
    tokio::time::sleep(pause).await;
    let tally = std::sync::Arc::clone(&load.tally);
    let clients = load.stop().await;
    let stage = tally.take();
    let mut scenario = Scenario::count(name, &[service], stage, &clients).await?;
    scenario.recovered_s = recovered_s;
    Ok(scenario)
}

/// Requests an operation that needs the database until it succeeds.
pub(crate) struct Probe {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Probe {
    pub(crate) async fn new(service: &Service, name: &str) -> Result<Self, BoxError> {
        let http =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(40)).build()?;
        let tally = std::sync::Arc::default();
        let email = format!("probe-{name}@example.com");
        let client = Client::new(&service.url, &email, tally).await?;
        Ok(Self {
            http,
            url: format!("{}/api/v1/items/", service.url),
            token: client.token().into(),
        })
    }

    pub(crate) async fn is_served(&self) -> bool {
        let request = self.http.request(Method::GET, &self.url).bearer_auth(&self.token);
        request.send().await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Seconds from `since` to the first successful response, at most two minutes.
    pub(crate) async fn recovery(&self, since: Instant) -> f64 {
        while !self.is_served().await && since.elapsed() < Duration::from_mins(2) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        since.elapsed().as_secs_f64()
    }
}

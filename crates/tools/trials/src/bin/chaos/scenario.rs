//! What all scenarios share: clients under way, a fault, and the evaluation afterwards.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde::Serialize;
use testbed::Service;
use testbed::usage::memory;
use trials::clients::{Client, Load, Pace};
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
    /// Of well-behaved clients.
    pub requests: u64,
    /// Of misbehaving clients.
    pub bad: u64,
    /// Requests of well-behaved clients that failed.
    pub failed: u64,
    /// The same by method and outcome.
    pub failures: BTreeMap<String, u64>,
    /// From the end of the fault to the last failure.
    pub last_failure_s: Option<f64>,
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

/// How long after the end of a fault a request may still fail, in seconds.
const LAST_FAILURE: f64 = 5.0;

impl Scenario {
    /// Why the scenario failed; empty if it passed.
    pub(crate) fn failures(&self) -> Vec<String> {
        let mut failures = self.wrong.clone();
        for (holds, failure) in [
            (self.requests > 0, "no ordinary requests were sent"),
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

    /// A scenario that could not be run to its end.
    pub(crate) fn aborted(name: &'static str, error: &BoxError) -> Self {
        Self {
            name,
            wrong: vec![format!("it did not come to its end: {error}")],
            ..Self::default()
        }
    }

    /// A database fault may only cost what is answered 503, and only until shortly after its end.
    pub(crate) fn bounded(mut self) -> Self {
        for (what, count) in &self.failures {
            if !what.ends_with(" 503") {
                self.wrong.push(format!("{count} {what}, where only 503 is right"));
            }
        }
        if let Some(late) = self.last_failure_s.filter(|late| *late > LAST_FAILURE) {
            self.wrong.push(format!("a request failed {late:.1} s after the fault had ended"));
        }
        self
    }

    /// Adds what other clients observed in the same scenario.
    pub(crate) fn add(&mut self, other: Self) {
        self.requests += other.requests;
        self.bad += other.bad;
        self.failed += other.failed;
        for (what, count) in other.failures {
            *self.failures.entry(what).or_default() += count;
        }
        self.lost += other.lost;
        self.panics += other.panics;
        self.server_errors += other.server_errors;
        self.peak_mib = self.peak_mib.max(other.peak_mib);
        self.wrong.extend(other.wrong);
    }

    /// No request of a well-behaved client may have failed.
    pub(crate) fn unaffected(&mut self) {
        if self.failed > 0 {
            let all: Vec<_> = self.failures.iter().map(|(what, n)| format!("{n} {what}")).collect();
            self.wrong.push(format!("well-behaved clients were affected: {}", all.join(", ")));
        }
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
            failures: stage.failures.clone(),
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
    let pace = Pace { pause: Duration::ZERO, signs_in: true };
    under_load_of(name, service, extent, pace, fault).await
}

/// Clients whose sign-ins would be refused for a reason of their own: passwords wait, or time is short.
pub(crate) const NO_SIGN_INS: Pace = Pace { pause: Duration::ZERO, signs_in: false };

/// The same with clients at a given pace.
pub(crate) async fn under_load_of(
    name: &'static str,
    service: &Service,
    extent: Extent,
    pace: Pace,
    fault: impl AsyncFnOnce() -> Result<Instant, BoxError>,
) -> Result<Scenario, BoxError> {
    let load = Load::paced(&service.url, name, extent.pick(3, 8), pace).await?;
    let probe = Probe::new(service, name).await?;
    let pause = extent.pick(Duration::from_millis(500), Duration::from_secs(2));
    tokio::time::sleep(pause).await;
    let begun = Instant::now();
    let over = fault().await?;
    let recovered_s = probe.recovery(over).await;
    tokio::time::sleep(pause).await;
    let tally = std::sync::Arc::clone(&load.tally);
    let clients = load.stop().await;
    let stage = tally.take();
    let failed = stage.failed_between;
    let mut scenario = Scenario::count(name, &[service], stage, &clients).await?;
    scenario.recovered_s = recovered_s;
    if let Some((first, last)) = failed {
        if first < begun {
            scenario.wrong.push("a request failed before there was a fault".into());
        }
        scenario.last_failure_s = Some(last.saturating_duration_since(over).as_secs_f64());
    }
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

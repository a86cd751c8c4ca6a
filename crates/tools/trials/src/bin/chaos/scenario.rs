//! What all scenarios share: clients under way, a fault, and the evaluation afterwards.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde::Serialize;
use testbed::Service;
use testbed::bodies::manifest_limit;
use testbed::usage::memory;
use trials::clients::{Client, Pace};
use trials::{BoxError, Crowd, Stage};

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

    /// The service may not have taken more memory than the manifest allows it.
    fn within_memory(&mut self) {
        match manifest_limit() {
            #[expect(clippy::cast_precision_loss, reason = "a limit in MiB")]
            Some(limit) if self.peak_mib <= limit as f64 => {}
            Some(limit) => self.wrong.push(format!("{:.0} MiB of {limit}", self.peak_mib)),
            None => self.wrong.push("the manifest has no memory limit in Mi".into()),
        }
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
        scenario.within_memory();
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
    let pause = extent.pick(Duration::from_millis(500), Duration::from_secs(2));
    let crowd = Crowd { name, count: extent.pick(3, 8), pace, pause };
    let observed = trials::under_load(&service.url, crowd, fault).await?;
    let mut scenario = Scenario::count(name, &[service], observed.stage, &observed.clients).await?;
    scenario.recovered_s = observed.recovered_s;
    scenario.last_failure_s = observed.last_failure_s;
    if observed.failed_early {
        scenario.wrong.push("a request failed before there was a fault".into());
    }
    Ok(scenario)
}

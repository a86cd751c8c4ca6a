//! What all scenarios have: clients at work, a fault, and the count afterwards.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde::Serialize;
use testbed::Service;
use trials::clients::{Client, Load};
use trials::{BoxError, Stage};

use crate::{abuse, database, rolling};

/// How much of everything.
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

/// What came of a scenario.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Scenario {
    pub name: &'static str,
    pub seconds: f64,
    /// Of the clients that do everything right, and of those that do not.
    pub requests: u64,
    /// Requests of the former that were not answered as they should be.
    pub failed: u64,
    /// What had been acknowledged and was not there in the end.
    pub lost: usize,
    pub panics: usize,
    /// Answers of 500.
    pub server_errors: u64,
    /// From the end of the fault to the first good answer.
    pub recovered_s: f64,
    /// The most memory that the service ever had.
    pub peak_mib: f64,
    pub seen: String,
    /// What else is not as it has to be.
    pub wrong: Vec<String>,
}

/// How long a recovery may take.
const RECOVERY: f64 = 10.0;

pub(crate) const NAMES: [&str; 13] = [
    "database-killed",
    "network-cut",
    "network-slow",
    "network-silent",
    "disk-full",
    "overload",
    "slowloris",
    "vanishing",
    "idle",
    "malformed",
    "oversized",
    "fuzz",
    "rolling-restart",
];

pub(crate) async fn play(name: &str, extent: Extent) -> Result<Scenario, BoxError> {
    match name {
        "database-killed" => database::killed(extent).await,
        "network-cut" => database::cut(extent).await,
        "network-slow" => database::slow(extent).await,
        "network-silent" => database::silent(extent).await,
        "disk-full" => database::disk_full(extent).await,
        "overload" => abuse::overload(extent).await,
        "slowloris" => abuse::slowloris(extent).await,
        "vanishing" => abuse::vanishing(extent).await,
        "idle" => abuse::idle(extent).await,
        "malformed" => abuse::malformed(extent).await,
        "oversized" => abuse::oversized(extent).await,
        "fuzz" => abuse::fuzz(extent).await,
        "rolling-restart" => rolling::restart(extent).await,
        name => Err(format!("there is no scenario {name}").into()),
    }
}

impl Scenario {
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = self.wrong.clone();
        for (holds, fault) in [
            (self.requests > 0, "nobody asked anything"),
            (self.lost == 0, "something that was acknowledged is lost"),
            (self.panics == 0, "the service panicked"),
            (self.server_errors == 0, "there were answers of 500"),
            (self.recovered_s < RECOVERY, "it took too long to recover"),
        ] {
            if !holds {
                faults.push(fault.to_owned());
            }
        }
        faults.into_iter().map(|fault| format!("{}: {fault}", self.name)).collect()
    }

    /// What clients saw, and what is left of what they were promised.
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
            seen: stage.told(),
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
            scenario.peak_mib = scenario.peak_mib.max(peak_mib(service)?);
        }
        Ok(scenario)
    }
}

/// Clients at work on a service while something happens to it. What happens tells when it was over.
pub(crate) async fn under_load(
    name: &'static str,
    service: &Service,
    extent: Extent,
    happens: impl AsyncFnOnce() -> Result<Instant, BoxError>,
) -> Result<Scenario, BoxError> {
    let load = Load::start(&service.url, name, extent.pick(4, 8)).await?;
    let witness = Witness::new(service, name).await?;
    let calm = extent.pick(Duration::from_millis(500), Duration::from_secs(2));
    tokio::time::sleep(calm).await;
    let over = happens().await?;
    let recovered_s = witness.recovery(over).await;
    tokio::time::sleep(calm).await;
    let tally = std::sync::Arc::clone(&load.tally);
    let clients = load.stop().await;
    let stage = tally.take();
    let mut scenario = Scenario::count(name, &[service], stage, &clients).await?;
    scenario.recovered_s = recovered_s;
    Ok(scenario)
}

/// Asks for what needs the database until it gets it.
pub(crate) struct Witness {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Witness {
    pub(crate) async fn new(service: &Service, name: &str) -> Result<Self, BoxError> {
        let http =
            reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(40)).build()?;
        let tally = std::sync::Arc::default();
        let email = format!("witness-{name}@example.com");
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

    /// Seconds from then to the first good answer.
    pub(crate) async fn recovery(&self, since: Instant) -> f64 {
        while !self.is_served().await && since.elapsed() < Duration::from_mins(2) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        since.elapsed().as_secs_f64()
    }
}

/// The most memory that the process ever had, of `VmHWM`.
pub(crate) fn peak_mib(service: &Service) -> Result<f64, BoxError> {
    memory(service, "VmHWM:")
}

pub(crate) fn resident_mib(service: &Service) -> Result<f64, BoxError> {
    memory(service, "VmRSS:")
}

fn memory(service: &Service, name: &str) -> Result<f64, BoxError> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", service.pid()?))?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    let kib: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib / 1024.0)
}

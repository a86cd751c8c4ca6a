//! A rolling restart: three processes behind a load balancer are replaced one by one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use testbed::proxy::Proxy;
use testbed::{Postgres, Service, rust};
use tokio::time::sleep;
use trials::BoxError;
use trials::clients::Load;

use crate::scenario::{Extent, Scenario};

/// One process and the URL of its readiness check.
struct Replica {
    service: Service,
    ready: String,
}

impl Replica {
    async fn start(database: &str) -> Result<Self, BoxError> {
        let settings = [("MANAGEMENT_PORT", "0"), ("DRAIN_SECONDS", "2"), ("RUST_LOG", "warn")];
        let service = rust(database, &settings).await?;
        let ready = format!("{}/readyz", service.management().await?);
        Ok(Self { service, ready })
    }

    fn address(&self) -> String {
        self.service.url.trim_start_matches("http://").to_owned()
    }
}

/// Balances new connections over the replicas that are ready, which it checks ten times a second.
fn balance(proxy: Arc<Proxy>, known: tokio::sync::watch::Receiver<Vec<(String, String)>>) {
    tokio::spawn(async move {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1));
        let Ok(http) = http.build() else { return };
        loop {
            let replicas = known.borrow().clone();
            let mut ready = Vec::new();
            for (address, url) in replicas {
                if http.get(url).send().await.is_ok_and(|answer| answer.status() == 200) {
                    ready.push(address);
                }
            }
            proxy.balance(ready);
            sleep(Duration::from_millis(100)).await;
        }
    });
}

pub(crate) async fn restart(extent: Extent) -> Result<Scenario, BoxError> {
    let postgres = Postgres::start().await?;
    let database = postgres.database().await?;
    let mut replicas = Vec::new();
    for _ in 0..3 {
        replicas.push(Replica::start(&database).await?);
    }
    let addresses = |replicas: &[Replica]| {
        let known = replicas.iter().map(|replica| (replica.address(), replica.ready.clone()));
        known.collect::<Vec<_>>()
    };
    let (sender, known) = tokio::sync::watch::channel(addresses(&replicas));
    let proxy = Arc::new(Proxy::start(Vec::new()).await?);
    balance(Arc::clone(&proxy), known);
    sleep(Duration::from_millis(500)).await;

    let base = format!("http://{}", proxy.address);
    let load = Load::start(&base, "rolling", extent.pick(6, 16)).await?;
    let start = Instant::now();
    let mut panics = 0;
    for _ in 0..extent.pick(3, 9) {
        // A new one starts before an old one stops: there are never fewer than three.
        replicas.push(Replica::start(&database).await?);
        let old = replicas.remove(0);
        let mut all = addresses(&replicas);
        all.push((old.address(), old.ready.clone()));
        _ = sender.send(all);
        sleep(Duration::from_millis(500)).await;
        panics += old.service.log().matches("panicked").count();
        old.service.stop().await;
        _ = sender.send(addresses(&replicas));
    }
    let lasted = start.elapsed();
    sleep(Duration::from_millis(500)).await;
    let tally = Arc::clone(&load.tally);
    let clients = load.stop().await;
    let services: Vec<_> = replicas.iter().map(|replica| &replica.service).collect();
    let mut scenario =
        Scenario::count("rolling-restart", &services, tally.take(), &clients).await?;
    scenario.panics += panics;
    scenario.unaffected();
    scenario.seen = format!(
        "{} replaced in {:.0} s {}",
        extent.pick(3, 9),
        lasted.as_secs_f64(),
        scenario.seen
    );
    Ok(scenario)
}

//! A rolling restart: three processes behind a load balancer are replaced one by one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use testbed::{Postgres, Service};
use tokio::time::sleep;
use trials::clients::Load;
use trials::{Balancer, BoxError};

use crate::scenario::{Extent, Scenario};
use crate::service::start;

/// One process and the URL of its readiness check.
struct Replica {
    service: Service,
    ready: String,
}

impl Replica {
    async fn start(database: &str) -> Result<Self, BoxError> {
        let settings = [("MANAGEMENT_PORT", "0"), ("DRAIN_SECONDS", "2")];
        let service = start(database, &settings).await?;
        let ready = format!("{}/readyz", service.management().await?);
        Ok(Self { service, ready })
    }

    fn address(&self) -> String {
        self.service.url.trim_start_matches("http://").to_owned()
    }
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
    let balancer = Balancer::start(addresses(&replicas)).await?;
    let load = Load::start(&balancer.base, "rolling", extent.pick(6, 16)).await?;
    let start = Instant::now();
    let mut panics = 0;
    for _ in 0..extent.pick(3, 9) {
        // A new one starts before an old one stops: there are never fewer than three.
        replicas.push(Replica::start(&database).await?);
        let old = replicas.remove(0);
        let mut all = addresses(&replicas);
        all.push((old.address(), old.ready.clone()));
        balancer.know(all);
        sleep(Duration::from_millis(500)).await;
        panics += old.service.log().matches("panicked").count();
        old.service.stop().await;
        balancer.know(addresses(&replicas));
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

//! The worst bodies there are, under the memory limit of the manifest.

use std::time::Duration;

use testbed::bodies::manifest_limit;
use trials::BoxError;
use trials::bodies::Attack;
use trials::clients::Load;

use crate::admission::{UNHURRIED, slower_than_twice};
use crate::scenario::{Extent, Scenario};
use crate::service::service;

/// Millions of empty values, of errors, of keys, of parts; nesting; long numbers and texts, four at a
/// time: the service stays within its limit, and others are answered.
pub(crate) async fn worst_bodies(extent: Extent) -> Result<Scenario, BoxError> {
    let limit = manifest_limit().ok_or("the manifest has no memory limit in Mi")?;
    let (service, _) = service(&[("REQUEST_TIMEOUT_SECONDS", "120")]).await?;
    let load = Load::paced(&service.url, "bodies", extent.pick(2, 4), UNHURRIED).await?;
    tokio::time::sleep(extent.pick(Duration::from_secs(1), Duration::from_secs(20))).await;
    let mut stage = load.tally.take();
    let before = stage.clone();

    let bodies = testbed::bodies::worst();
    let bodies = &bodies[..extent.pick(4, bodies.len())];
    let mut attack = Attack::default();
    for _ in 0..extent.pick(1, 5) {
        attack.send(&service.url, bodies).await?;
    }
    let during = load.tally.take();
    let seen = format!(
        "{limit} MiB at most; others' p99 {:.1} ms, {:.1} without them",
        during.p99_ms, before.p99_ms
    );
    stage.add(during.clone());
    let tally = std::sync::Arc::clone(&load.tally);
    let clients = load.stop().await;
    stage.add(tally.take());
    let mut scenario = Scenario::count("worst-bodies", &[&service], stage, &clients).await?;
    scenario.bad = attack.sent;
    scenario.server_errors += attack.server_errors;
    scenario.wrong.extend(attack.wrong);
    scenario.unaffected();
    slower_than_twice(&mut scenario, extent, &before, &during);
    scenario.seen = seen;
    Ok(scenario)
}

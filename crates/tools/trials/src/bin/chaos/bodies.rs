//! The worst bodies there are, under the memory limit of the manifest.

use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use testbed::Service;
use testbed::bodies::manifest_limit;
use trials::BoxError;
use trials::bodies::Attack;
use trials::clients::Load;

use crate::admission::{UNHURRIED, slower_than_twice};
use crate::scenario::{Extent, Scenario};
use crate::service::service;

/// What a thread that decodes a body reserves for its stack at most, in MiB; it takes no memory.
const STACK_MIB: u64 = 16;

/// Lets the kernel refuse the service more memory than this: what is writable and not shared.
fn restrict(service: &Service, mib: u64) -> Result<(), BoxError> {
    let threads = std::thread::available_parallelism()?.get() as u64;
    let bytes = Some((mib + threads * STACK_MIB) * 1024 * 1024);
    let pid = Pid::from_raw(service.pid()?.try_into()?);
    prlimit(pid, Resource::Data, Rlimit { current: bytes, maximum: bytes })?;
    Ok(())
}

/// Millions of empty values, of errors, of keys, of parts; nesting; long numbers and texts, four at a
/// time: the service stays within its limit, and others are answered.
pub(crate) async fn worst_bodies(extent: Extent) -> Result<Scenario, BoxError> {
    let limit = manifest_limit().ok_or("the manifest has no memory limit in Mi")?;
    let settings = [("PASSWORD_THREADS", "1"), ("REQUEST_TIMEOUT_SECONDS", "120")];
    let (service, _) = service(&settings).await?;
    restrict(&service, limit)?;
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
    scenario.within_memory();
    scenario.seen = seen;
    Ok(scenario)
}

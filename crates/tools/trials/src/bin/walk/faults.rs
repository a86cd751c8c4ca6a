//! The migration with faults: processes paused and killed, a database crash.

use std::time::Duration;

use testbed::{Postgres, Service, Signal};
use trials::BoxError;
use trials::clients::Load;

use crate::migration::Migration;
use crate::report::{Report, Step, finish};

/// What clients observe during faults; no acknowledged write may be lost.
pub(crate) async fn faults(
    requests: u64,
    clients: usize,
    walk: &mut Migration,
    legacy: &Service,
    postgres: &Postgres,
    report: &mut Report,
) -> Result<(), BoxError> {
    let load = Load::start(&walk.base, "faults", clients).await?;
    let mut steps = Vec::new();
    let each = (requests / 100).max(100);
    let half =
        "default: native\noperations:\n  items-read_item: legacy\n  users-read_user_me: legacy\n";
    let pause = async |seconds| tokio::time::sleep(Duration::from_secs(seconds)).await;
    let seen = |name: &str| Step { name: name.to_owned(), seen: load.tally.take() };
    walk.plan(half).await?;
    walk.stage("two operations at legacy", &load, each, &mut steps).await;

    let paused = walk.timeout + 3;
    let name = format!("legacy is paused for {paused} s");
    walk.bar.set_message(name.clone());
    legacy.send(Signal::Stop)?;
    pause(paused).await;
    legacy.send(Signal::Continue)?;
    pause(1).await;
    steps.push(seen(&name));
    walk.stage("after it", &load, each, &mut steps).await;

    walk.bar.set_message("the Rust process is killed");
    if let Some(molt) = walk.molt.take() {
        molt.send(Signal::Kill)?;
        molt.stop().await;
    }
    let (molt, management) = walk.start_molt().await?;
    (walk.molt, walk.management) = (Some(molt), management);
    pause(1).await;
    steps.push(seen("the Rust process is killed"));
    walk.stage("after it", &load, each, &mut steps).await;

    walk.bar.set_message("the database crashes");
    postgres.crash()?;
    pause(1).await;
    postgres.recover()?;
    pause(3).await;
    steps.push(seen("the database crashes and is back after 1 s"));
    walk.stage("after it", &load, each, &mut steps).await;

    walk.bar.set_message("legacy is killed");
    legacy.send(Signal::Kill)?;
    pause(2).await;
    steps.push(seen("legacy is killed"));
    walk.plan("default: native\n").await?;
    // Requests that are under way end as they began.
    pause(1).await;
    load.tally.take();
    walk.stage("everything native, without legacy", &load, each, &mut steps).await;

    let mut own = Report::default();
    finish(load, &mut own, &mut steps).await?;
    report.lost_writes += own.lost_writes;
    report.mismatches += own.mismatches;
    // Between the faults no request may fail.
    let calm =
        |step: &&Step| step.name.starts_with("after") || step.name.contains("without legacy");
    report.failures += steps.iter().filter(calm).map(|step| step.seen.failed()).sum::<u64>();
    report.faults = steps;
    Ok(())
}

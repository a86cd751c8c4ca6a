//! The worst bodies, where the kernel kills what takes more memory than the manifest allows.

use std::sync::Arc;
use std::time::Duration;

use trials::Observed;
use trials::bodies::Attack;
use trials::clients::Load;

use super::evaluation::{NOTHING, evaluate};
use super::site::{Site, crowd};
use crate::engine::Engine;
use crate::images::Bases;
use crate::service::MOLT;
use crate::{BoxError, memory};

/// All of them, or in a short run those that take most; others are answered meanwhile, by the same
/// process, and the kernel kills nothing.
pub(crate) async fn worst(engine: &Engine, bases: &Bases, short: bool) -> Result<String, BoxError> {
    let site = Site::new(engine, bases)?;
    // The debug program takes long for them.
    let service = site.service("service", &["REQUEST_TIMEOUT_SECONDS=120"], &[])?;
    let began = service.state()?["StartedAt"].take();
    let crowd = crowd("bodies");
    let load = Load::paced(&service.base()?, crowd.name, crowd.count, crowd.pace).await?;
    let all = testbed::bodies::worst();
    let mut attack = Attack::default();
    attack.send(&service.base()?, if short { &all[..4] } else { &all }).await?;
    let tally = Arc::clone(&load.tally);
    let clients = load.stop().await;

    let state = service.state()?;
    let usage = memory::usage(&service)?;
    if state["StartedAt"] != began || state["OOMKilled"] != false || usage.kills > 0 {
        return Err(format!("the kernel has killed {} processes: {state}", usage.kills).into());
    }
    service.wait_healthy(Duration::from_secs(10))?;
    if !attack.wrong.is_empty() {
        return Err(attack.wrong.join("; ").into());
    }
    let stage = tally.take();
    let observed =
        Observed { stage, clients, recovered_s: 0.0, last_failure_s: None, failed_early: false };
    evaluate(&observed, &[&service], &NOTHING).await?;
    Ok(format!(
        "{} bodies and {} requests of others, 0 failed, 0 lost; {} MiB of {} with caches, 0 killed",
        attack.sent,
        observed.stage.requests,
        usage.peak_mib,
        MOLT.limits()?.memory_mib
    ))
}

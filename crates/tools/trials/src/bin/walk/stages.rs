//! The migration without faults: every mode, there and back.

use trials::BoxError;
use trials::clients::Load;

use crate::migration::Migration;
use crate::report::{Report, Step, finish};

/// All operations at once, to native, back and again, and then operation by operation.
pub(crate) async fn there_and_back(
    requests: u64,
    clients: usize,
    walk: &mut Migration,
    report: &mut Report,
) -> Result<(), BoxError> {
    let part = |percent: u64| requests * percent / 100;
    let load = Load::start(&walk.base, "walker", clients).await?;
    let mut steps = Vec::new();
    for way in ["there", "and there again"] {
        for (mode, percent) in
            [("legacy", 3), ("shadow", 4), ("canary 10%", 3), ("canary 50%", 4), ("native", 25)]
        {
            walk.plan(&format!("default: {mode}\n")).await?;
            walk.stage(&format!("{mode}, {way}"), &load, part(percent), &mut steps).await;
            if mode == "canary 50%" || mode == "shadow" {
                walk.restart(report).await?;
                walk.stage(&format!("{mode}, restarted"), &load, part(1), &mut steps).await;
            }
        }
        walk.restart(report).await?;
        walk.stage("native, restarted", &load, part(3), &mut steps).await;
        walk.plan("default: legacy\n").await?;
        walk.stage("back to legacy", &load, part(1), &mut steps).await;
    }
    let state = walk.state().await?;
    let operations = state["operations"].as_array().cloned().unwrap_or_default();
    let each = (requests / 100 / operations.len().max(1) as u64).max(1);
    let mut plan = "default: legacy\noperations:\n".to_owned();
    for operation in &operations {
        let id = operation["id"].to_string();
        for mode in ["shadow", "canary 10%", "canary 50%", "native"] {
            walk.plan(&format!("{plan}  {id}: {mode}\n")).await?;
            walk.stage("one by one", &load, each, &mut steps).await;
        }
        plan = format!("{plan}  {id}: native\n");
    }
    // One line for all of them.
    let at = steps.iter().position(|step| step.name == "one by one").unwrap_or(steps.len());
    let single = steps.split_off(at);
    steps.extend(single.into_iter().reduce(joined));
    let left = requests.saturating_sub(steps.iter().map(|step| step.seen.requests).sum());
    // At least some requests at the end: a stage without any would have no figures.
    walk.stage("all native", &load, left.max(each), &mut steps).await;
    walk.count_comparisons(report).await?;
    finish(load, report, &mut steps).await?;
    report.stages = steps;
    Ok(())
}

fn joined(mut one: Step, other: Step) -> Step {
    one.seen.seconds += other.seen.seconds;
    one.seen.requests += other.seen.requests;
    for (what, count) in other.seen.failures {
        *one.seen.failures.entry(what).or_default() += count;
    }
    one.seen.wrong.extend(other.seen.wrong);
    one.seen.p50_ms = one.seen.p50_ms.max(other.seen.p50_ms);
    one.seen.p99_ms = one.seen.p99_ms.max(other.seen.p99_ms);
    one
}

//! The report of a migration run.

use std::sync::Arc;

use serde::Serialize;
use trials::clients::Load;
use trials::{BoxError, Stage};

#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) requests: u64,
    pub(crate) failures: u64,
    /// Responses that contradicted acknowledged writes, and shadowed ones that differed.
    pub(crate) mismatches: u64,
    /// Shadowed responses that were compared, and those that could not be.
    pub(crate) compared: u64,
    pub(crate) uncompared: u64,
    /// Writes that were rehearsed.
    pub(crate) rehearsed: u64,
    /// The longest of the operations' medians of what a rehearsal makes a client wait, in milliseconds.
    pub(crate) rehearsal_p50_ms: f64,
    /// Whether each defect was reported.
    pub(crate) mutants: Vec<Mutant>,
    pub(crate) lost_writes: usize,
    pub(crate) stages: Vec<Step>,
    pub(crate) faults: Vec<Step>,
    pub(crate) proxy: Proxied,
    pub(crate) rehearsing: Rehearsing,
}

#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) name: String,
    #[serde(flatten)]
    pub(crate) seen: Stage,
}

/// Writes with a defect, before python-legacy.
#[derive(Debug, Serialize)]
pub(crate) struct Mutant {
    pub(crate) name: String,
    /// Where the defect is to be seen; empty if there is none.
    pub(crate) operation: String,
    pub(crate) compared: u64,
    pub(crate) not_compared: u64,
    /// Mismatches of the operation, and of others.
    pub(crate) reported: u64,
    pub(crate) elsewhere: u64,
}

impl Mutant {
    /// Whether the defect was reported, and nothing where there is none.
    pub(crate) const fn passed(&self) -> bool {
        let is_seen =
            if self.operation.is_empty() { self.elsewhere == 0 } else { self.reported > 0 };
        self.compared > 0 && is_seen
    }
}

/// The cost of the strangler.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Proxied {
    /// Median of GET item, one at a time, in milliseconds.
    pub(crate) direct_p50_ms: f64,
    pub(crate) through_p50_ms: f64,
    /// GET item a second with 16 at a time.
    pub(crate) direct_per_second: f64,
    pub(crate) through_per_second: f64,
    pub(crate) streamed_mib: u64,
    /// Resident memory before a body streams through, and the maximum while it does, in MiB.
    pub(crate) memory_before_mib: f64,
    pub(crate) memory_peak_mib: f64,
}

/// What a rehearsal costs a client: medians of creating an item through the strangler, one at a time, in
/// milliseconds.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Rehearsing {
    /// Left to legacy.
    pub(crate) legacy: f64,
    /// Shadowed, with rehearsals switched off.
    pub(crate) shadowed: f64,
    /// Shadowed and rehearsed.
    pub(crate) rehearsed: f64,
}

/// Stops the clients, adds up what they observed, and checks their acknowledged writes.
pub(crate) async fn finish(
    load: Load,
    report: &mut Report,
    steps: &mut [Step],
) -> Result<(), BoxError> {
    let tally = Arc::clone(&load.tally);
    let clients = load.stop().await;
    for client in &clients {
        for lost in client.lost().await? {
            println!("lost: {lost}");
            report.lost_writes += 1;
        }
    }
    let rest = tally.take();
    if let Some(last) = steps.last_mut() {
        last.seen.requests += rest.requests;
        last.seen.failures.extend(rest.failures);
        last.seen.wrong.extend(rest.wrong);
    }
    for step in steps {
        report.requests += step.seen.requests;
        report.failures += step.seen.failed();
        report.mismatches += step.seen.wrong.len() as u64;
        for wrong in step.seen.wrong.iter().take(5) {
            println!("{}: {wrong}", step.name);
        }
    }
    Ok(())
}

/// Prints the report.
pub(crate) fn show(report: &Report) {
    for (title, steps) in [("migration", &report.stages), ("faults", &report.faults)] {
        println!(
            "\n{title:34} {:>9} {:>8} {:>8} {:>8}  failures",
            "requests", "each s", "p50 ms", "p99 ms"
        );
        for Step { name, seen } in steps {
            #[expect(clippy::cast_precision_loss, reason = "shown to a digit")]
            let rate = seen.requests as f64 / seen.seconds;
            println!(
                "{name:34} {:>9} {rate:>8.0} {:>8.1} {:>8.1}  {}",
                seen.requests,
                seen.p50_ms,
                seen.p99_ms,
                if seen.failures.is_empty() { "none".to_owned() } else { seen.failures_text() }
            );
        }
    }
    println!("\n{:34} {:>9} {:>12} {:>9}  mismatches", "mutants", "compared", "not compared", "");
    for mutant in &report.mutants {
        println!(
            "{:34} {:>9} {:>12} {:>9}  {} of {}, {} of others",
            mutant.name,
            mutant.compared,
            mutant.not_compared,
            if mutant.passed() { "" } else { "MISSED" },
            mutant.reported,
            mutant.operation,
            mutant.elsewhere
        );
    }
    let Proxied { direct_p50_ms: direct, through_p50_ms: through, .. } = report.proxy;
    println!(
        "\nthrough the strangler: {:.2} ms more at the median ({direct:.2} ms directly), {:.0} % of the \
         throughput ({:.0} requests/s directly)",
        through - direct,
        100.0 * report.proxy.through_per_second / report.proxy.direct_per_second,
        report.proxy.direct_per_second
    );
    println!(
        "{} MiB up and down: {:.1} MiB of memory at most, {:.1} before",
        report.proxy.streamed_mib, report.proxy.memory_peak_mib, report.proxy.memory_before_mib
    );
    let Rehearsing { legacy, shadowed, rehearsed } = report.rehearsing;
    println!(
        "creating an item, at the median: {legacy:.2} ms left to legacy, {shadowed:.2} ms \
         shadowed without a rehearsal, {rehearsed:.2} ms rehearsed ({:.2} ms more)",
        rehearsed - shadowed
    );
    println!(
        "{} writes rehearsed, for which clients waited {:.1} ms at the median, or less",
        report.rehearsed, report.rehearsal_p50_ms
    );
    println!(
        "\n{} requests, {} failures, {} mismatches ({} shadowed answers compared, {} not \
         comparable), {} lost writes",
        report.requests,
        report.failures,
        report.mismatches,
        report.compared,
        report.uncompared,
        report.lost_writes
    );
}

//! The command `chaos`: fault injection. While clients check every response and record acknowledged
//! writes, databases crash, networks fail, disks fill, and other clients misbehave.

mod admission;
mod bodies;
mod browser;
mod connections;
mod database;
mod fuzz;
mod malformed;
mod open_loop;
mod polls;
mod rolling;
mod scenario;
mod schema;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use trials::BoxError;

use crate::scenario::{Extent, Scenario};

/// Injects faults around the Rust service; no acknowledged write may be lost
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 nothing lost, no panic, no 500, everything recovered; 1 otherwise; 2 the \
        scenarios could not be run.

Examples:
  chaos                       every scenario, with thresholds of time
  chaos --short               less of the same, without thresholds of time
  chaos --only disk-full      one of them
  chaos --soak 3600           an hour under load, with a fault every twenty seconds"
)]
struct Cli {
    /// Run fewer repetitions and shorter outages
    #[arg(long)]
    short: bool,
    /// Run only scenarios whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Run load and faults for so many seconds instead of the scenarios
    #[arg(long)]
    soak: Option<u64>,
    /// Path of the report
    #[arg(long, default_value = "target/chaos/report.json")]
    report: PathBuf,
}

/// Every scenario, in the order in which they run.
const NAMES: [&str; 22] = [
    "database-killed",
    "network-cut",
    "network-slow",
    "network-silent",
    "disk-full",
    "overload",
    "slowloris",
    "disconnects",
    "click-and-leave",
    "idle",
    "malformed",
    "oversized",
    "fuzz",
    "worst-bodies",
    "held-workers",
    "sign-in-flood",
    "saturation",
    "rolling-restart",
    "expand-postgres",
    "expand-sqlite",
    "rollback-postgres",
    "rollback-sqlite",
];

async fn run_scenario(name: &str, extent: Extent) -> Result<Scenario, BoxError> {
    match name {
        "database-killed" => database::killed(extent).await,
        "network-cut" => database::cut(extent).await,
        "network-slow" => database::slow(extent).await,
        "network-silent" => database::silent(extent).await,
        "disk-full" => database::disk_full(extent).await,
        "overload" => connections::overload(extent).await,
        "slowloris" => connections::slowloris(extent).await,
        "disconnects" => connections::disconnects(extent).await,
        "click-and-leave" => browser::click_and_leave(extent).await,
        "idle" => connections::idle(extent).await,
        "malformed" => malformed::malformed(extent).await,
        "oversized" => malformed::oversized(extent).await,
        "fuzz" => fuzz::fuzz(extent).await,
        "worst-bodies" => bodies::worst_bodies(extent).await,
        "held-workers" => polls::held_workers(extent).await,
        "sign-in-flood" => admission::flood(extent).await,
        "saturation" => admission::saturation(extent).await,
        "expand-postgres" => schema::expand_postgres(extent).await,
        "expand-sqlite" => schema::expand_sqlite(extent).await,
        "rollback-postgres" => schema::rollback_postgres(extent).await,
        "rollback-sqlite" => schema::rollback_sqlite(extent).await,
        "rolling-restart" => rolling::restart(extent).await,
        name => Err(format!("there is no scenario {name}").into()),
    }
}

#[derive(Serialize)]
struct Report {
    scenarios: Vec<Scenario>,
}

#[tokio::main]
async fn main() -> ExitCode {
    // An error means that one is installed already.
    _ = rustls::crypto::ring::default_provider().install_default();
    match run(&Cli::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("chaos: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: &Cli) -> Result<bool, BoxError> {
    let extent = if cli.short { Extent::Short } else { Extent::Full };
    let bar = ProgressBar::new_spinner();
    bar.set_style(ProgressStyle::with_template("{spinner} {elapsed} {msg}")?);
    bar.enable_steady_tick(Duration::from_millis(200));
    let mut scenarios = Vec::new();
    if let Some(seconds) = cli.soak {
        scenarios.push(database::soak(Duration::from_secs(seconds), &bar).await?);
    } else {
        let wanted =
            |name: &&str| cli.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
        for name in NAMES.into_iter().filter(wanted) {
            bar.set_message(name);
            if bar.is_hidden() {
                eprintln!("chaos: {name}");
            }
            let start = Instant::now();
            let mut scenario = run_scenario(name, extent)
                .await
                .unwrap_or_else(|error| Scenario::aborted(name, &error));
            scenario.seconds = start.elapsed().as_secs_f64();
            scenarios.push(scenario);
        }
    }
    bar.finish_and_clear();
    if scenarios.is_empty() {
        return Err(format!("no scenario has that name; there are {}", NAMES.join(", ")).into());
    }
    println!("{}", table(&scenarios));
    let report = Report { scenarios };
    if let Some(folder) = cli.report.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&cli.report, serde_json::to_vec_pretty(&report)?)?;
    println!("The report is in {}.", cli.report.display());
    let failures: Vec<_> = report.scenarios.iter().flat_map(Scenario::failures).collect();
    for failure in &failures {
        eprintln!("{failure}");
    }
    Ok(failures.is_empty())
}

fn table(scenarios: &[Scenario]) -> String {
    use std::fmt::Write;

    let mut text = format!(
        "{:17} {:>8} {:>8} {:>6} {:>5} {:>6} {:>4} {:>11} {:>9}  {}\n",
        "",
        "ordinary",
        "bad",
        "failed",
        "lost",
        "panics",
        "500s",
        "recovered s",
        "peak MiB",
        "observed by clients"
    );
    for scenario in scenarios {
        _ = writeln!(
            text,
            "{:17} {:>8} {:>8} {:>6} {:>5} {:>6} {:>4} {:>11.2} {:>9.1}  {}",
            scenario.name,
            scenario.requests,
            scenario.bad,
            scenario.failed,
            scenario.lost,
            scenario.panics,
            scenario.server_errors,
            scenario.recovered_s,
            scenario.peak_mib,
            scenario.seen,
        );
    }
    text
}

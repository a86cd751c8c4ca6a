//! The command `chaos`: bad days. While clients check every answer and remember what they were
//! promised, databases crash, networks fail, disks fill, and other clients do everything wrong.

mod abuse;
mod database;
mod rolling;
mod scenario;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use trials::BoxError;

use crate::scenario::{Extent, Scenario};

/// Bad days for the Rust service; nothing that was acknowledged may be lost
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 nothing lost, no panic, no 500, everything recovered; 1 otherwise; 2 the \
        scenarios could not be run.

Examples:
  chaos                       every scenario, about six minutes
  chaos --short               the same in three minutes
  chaos --only disk-full      one of them
  chaos --soak 3600           an hour under load, with a fault every twenty seconds"
)]
struct Cli {
    /// Less of everything
    #[arg(long)]
    short: bool,
    /// Only scenarios whose name contains this
    #[arg(long)]
    only: Option<String>,
    /// Instead of the scenarios, load and faults for so many seconds
    #[arg(long)]
    soak: Option<u64>,
    /// Where the report goes
    #[arg(long, default_value = "target/chaos/report.json")]
    report: PathBuf,
}

#[derive(Serialize)]
struct Report {
    scenarios: Vec<Scenario>,
}

#[tokio::main]
async fn main() -> ExitCode {
    // Whoever has chosen one before keeps it.
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
        for name in scenario::NAMES.into_iter().filter(wanted) {
            bar.set_message(name);
            if bar.is_hidden() {
                eprintln!("chaos: {name}");
            }
            let start = Instant::now();
            let mut scenario = scenario::play(name, extent).await?;
            scenario.seconds = start.elapsed().as_secs_f64();
            scenarios.push(scenario);
        }
    }
    bar.finish_and_clear();
    if scenarios.is_empty() {
        return Err(format!("there are only these: {}", scenario::NAMES.join(", ")).into());
    }
    println!("{}", table(&scenarios));
    let report = Report { scenarios };
    if let Some(folder) = cli.report.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&cli.report, serde_json::to_vec_pretty(&report)?)?;
    println!("{} has it all.", cli.report.display());
    let faults: Vec<_> = report.scenarios.iter().flat_map(Scenario::faults).collect();
    for fault in &faults {
        eprintln!("{fault}");
    }
    Ok(faults.is_empty())
}

fn table(scenarios: &[Scenario]) -> String {
    use std::fmt::Write;

    let mut text = format!(
        "{:16} {:>8} {:>6} {:>5} {:>6} {:>4} {:>11} {:>9}  {}\n",
        "",
        "requests",
        "failed",
        "lost",
        "panics",
        "500s",
        "recovered s",
        "peak MiB",
        "what clients saw"
    );
    for scenario in scenarios {
        _ = writeln!(
            text,
            "{:16} {:>8} {:>6} {:>5} {:>6} {:>4} {:>11.2} {:>9.1}  {}",
            scenario.name,
            scenario.requests,
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

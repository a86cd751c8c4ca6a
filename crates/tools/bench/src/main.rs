//! The benchmark: the Rust service beside python-legacy and others, in one run, round by round.

mod collector;
mod contenders;
mod data;
mod load;
mod machine;
mod manifests;
mod open_loop;
mod overload;
mod plan;
mod report;
mod run;
mod scenarios;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::plan::Plan;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Measures the Rust service beside python-legacy, Granian, expert Python and the limit; prints the
/// tables and writes report.json, report.md and three charts.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  bench                        everything, under an hour
  bench --length quick         what the README shows, under five minutes
  bench --length smoke         whether the benchmark works; its figures mean nothing
  bench --stay                 use another load generator"
)]
struct Cli {
    #[arg(long, value_enum, default_value = "full")]
    length: Length,
    /// Measure nothing: start every contender on loaded data and print how to reach it, until Ctrl-C
    #[arg(long)]
    stay: bool,
    /// Folder of the report
    #[arg(long, default_value = "target/bench")]
    output: PathBuf,
}

#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
enum Length {
    Full,
    Quick,
    Smoke,
}

/// More than a service answers at a time (`MAX_IN_FLIGHT`, 2048): what is beyond that is for the service to
/// refuse, and not for the generator to hold back.
const OPEN_CONNECTIONS: usize = 4096;

impl Length {
    fn plan(self) -> Plan {
        let seconds = Duration::from_secs_f64;
        match self {
            Self::Full => Plan {
                rounds: 5,
                measured: seconds(3.0),
                warm_up: seconds(0.4),
                items: 100_000,
                scenarios_of_full: true,
                sizes: vec![10_000, 100_000, 1_000_000, 10_000_000],
                skips: vec![0, 100, 1_000, 10_000, 100_000, 1_000_000],
                connections: vec![1, 4, 16, 64, 256, 1024, 4096],
                cold_starts: 5,
                percents: vec![10, 25, 50, 70, 90, 100, 110, 150, 200, 300],
                open: seconds(5.0),
                open_rounds: 3,
                max_connections: OPEN_CONNECTIONS,
                flood: seconds(60.0),
            },
            Self::Quick => Plan {
                rounds: 5,
                measured: seconds(0.8),
                warm_up: seconds(0.2),
                items: 100_000,
                scenarios_of_full: false,
                sizes: vec![],
                skips: vec![],
                connections: vec![],
                cold_starts: 1,
                percents: vec![10, 50, 100, 300],
                open: seconds(1.5),
                open_rounds: 1,
                max_connections: OPEN_CONNECTIONS,
                flood: seconds(6.0),
            },
            Self::Smoke => Plan {
                rounds: 1,
                measured: seconds(0.2),
                warm_up: seconds(0.05),
                items: 2_000,
                scenarios_of_full: true,
                sizes: vec![2_000],
                skips: vec![0, 1_000],
                connections: vec![1, 32],
                cold_starts: 1,
                percents: vec![10, 300],
                open: seconds(0.3),
                open_rounds: 1,
                max_connections: 32,
                flood: seconds(0.8),
            },
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    if cli.stay {
        return match run::stay(&cli.length.plan()).await {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("bench: {error}");
                ExitCode::FAILURE
            }
        };
    }
    let report = match run::run(&cli.length.plan()).await {
        Ok(report) => report,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::FAILURE;
        }
    };
    print!("{}", report.markdown());
    if let Err(error) = report.write(&cli.output) {
        eprintln!("bench: the report cannot be written to {}: {error}", cli.output.display());
        return ExitCode::FAILURE;
    }
    println!("\nWritten in {}: {}", cli.output.display(), report::FILES.join(", "));
    ExitCode::SUCCESS
}

//! The command `contract`.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use contract::case::Case;
use contract::ledger::Ledger;
use contract::report::{self, Outcome, Totals};
use contract::run::run;
use reqwest::Url;

/// Sends the same requests to two services and compares every byte of their answers.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 all the same, 1 differences, 2 the run failed.

Example:
  contract run --reference http://127.0.0.1:8001 --candidate http://127.0.0.1:8000 \\
    --cases openapi/cases --ledger openapi/ledger.yaml"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run case files against two services
    Run {
        /// Base URL of the service that is right
        #[arg(long, env = "REFERENCE_URL")]
        reference: Url,
        /// Base URL of the service that must do the same
        #[arg(long, env = "CANDIDATE_URL")]
        candidate: Url,
        /// A case file, or a folder of them
        #[arg(long, default_value = "openapi/cases")]
        cases: PathBuf,
        /// Differences that are deliberate
        #[arg(long)]
        ledger: Option<PathBuf>,
        /// Where the JSON report goes
        #[arg(long, default_value = "target/contract/report.json")]
        report: PathBuf,
        /// Name of this run in the report
        #[arg(long, default_value = "run", env = "CONTRACT_LABEL")]
        label: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("contract: TLS was set up twice");
    }
    let Command::Run { reference, candidate, cases, ledger, report, label } = Cli::parse().command;
    match execute(reference, candidate, cases, ledger, report, &label).await {
        Ok(totals) => {
            println!("{} passed, {} failed", totals.same + totals.better, totals.different);
            if totals.different == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("contract: {error}");
            ExitCode::from(2)
        }
    }
}

async fn execute(
    reference: Url,
    candidate: Url,
    cases: PathBuf,
    ledger: Option<PathBuf>,
    report: PathBuf,
    label: &str,
) -> Result<Totals, Box<dyn std::error::Error>> {
    let cases = Case::load(&cases)?;
    let mut ledger = match ledger {
        Some(path) => Ledger::load(&path, label)?,
        None => Ledger::default(),
    };
    let outcomes = run(reference, candidate, cases, &mut ledger, show).await?;
    report::write(&report, label, &outcomes)?;
    let totals = Totals::of(&outcomes);
    println!(
        "{label}: {} requests, {} same, {} better, {} different; report in {}",
        totals.total,
        totals.same,
        totals.better,
        totals.different,
        report.display(),
    );
    Ok(totals)
}

fn show(outcome: &Outcome) {
    if outcome.passed() {
        return;
    }
    println!("DIFFERENT {} ({})", outcome.case, outcome.request);
    for difference in &outcome.differences {
        println!("  {}", difference.place);
        println!("  - {}", difference.reference);
        println!("  + {}", difference.candidate);
    }
}

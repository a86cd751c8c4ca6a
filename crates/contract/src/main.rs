//! The command `contract`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use contract::case::Case;
use contract::ledger::Ledger;
use contract::openapi::{self, Change, Class, Direction};
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
    --cases openapi/cases --ledger openapi/ledger.yaml
  contract openapi main/openapi.json openapi/openapi.json"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
#[expect(clippy::large_enum_variant, reason = "there is one of them")]
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
    /// Compare two versions of an OpenAPI document: what breaks clients?
    #[command(after_help = "Exit codes: 0 nothing at or above --fail-on, 1 something, 2 the \
        comparison failed.

Examples:
  contract openapi old.json new.json
  contract openapi old.yaml new.yaml --fail-on non-breaking --json")]
    Openapi {
        /// The document that clients know, in JSON or YAML
        old: PathBuf,
        /// The document that is to take its place
        new: PathBuf,
        /// What makes the command fail
        #[arg(long, value_enum, default_value = "breaking")]
        fail_on: FailOn,
        /// Print the differences as JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FailOn {
    Breaking,
    NonBreaking,
    Any,
    Nothing,
}

impl FailOn {
    fn covers(self, class: Class) -> bool {
        match self {
            Self::Breaking => class == Class::Breaking,
            Self::NonBreaking => class != Class::Documentation,
            Self::Any => true,
            Self::Nothing => false,
        }
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        eprintln!("contract: TLS was set up twice");
    }
    let passed = match Cli::parse().command {
        Command::Run { reference, candidate, cases, ledger, report, label } => {
            execute(reference, candidate, cases, ledger, report, &label).await.map(|totals| {
                println!("{} passed, {} failed", totals.same + totals.better, totals.different);
                totals.different == 0
            })
        }
        Command::Openapi { old, new, fail_on, json } => compare_documents(&old, &new, json)
            .map(|changes| !changes.iter().any(|change| fail_on.covers(change.class))),
    };
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("contract: {error}");
            ExitCode::from(2)
        }
    }
}

fn compare_documents(
    old: &Path,
    new: &Path,
    json: bool,
) -> Result<Vec<Change>, Box<dyn std::error::Error>> {
    let changes = openapi::compare(&openapi::load(old)?, &openapi::load(new)?);
    if json {
        println!("{:#}", serde_json::to_value(&changes)?);
        return Ok(changes);
    }
    for change in &changes {
        let class = match change.class {
            Class::Breaking => "BREAKING     ",
            Class::NonBreaking => "non-breaking ",
            Class::Documentation => "documentation",
        };
        let direction = match change.direction {
            Some(Direction::Request) => "request: ",
            Some(Direction::Response) => "response: ",
            None => "",
        };
        println!("{class}  {}: {direction}{}", change.place, change.what);
    }
    let count = |class| changes.iter().filter(|change| change.class == class).count();
    println!(
        "{} breaking, {} non-breaking, {} of documentation only",
        count(Class::Breaking),
        count(Class::NonBreaking),
        count(Class::Documentation)
    );
    Ok(changes)
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

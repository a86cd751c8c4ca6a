//! The command `contract`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use contract::case::Case;
use contract::generate;
use contract::ledger::{Entry, Ledger};
use contract::openapi::{self, Change, Class, Direction};
use contract::report::{self, Outcome, Totals};
use contract::run::{Services, run};
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
enum Command {
    /// Run case files against two services
    Run(Box<RunArgs>),
    /// Print the JSON schema of a file format, for editors
    Schema {
        #[arg(value_enum)]
        of: Format,
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

/// What a run is of.
#[derive(Args)]
struct RunArgs {
    /// Base URL of the service that is right; without it only what the cases expect is looked at
    #[arg(long, env = "REFERENCE_URL")]
    reference: Option<Url>,
    /// Base URL of the service that must do the same
    #[arg(long, env = "CANDIDATE_URL")]
    candidate: Url,
    /// A case file, or a folder of them
    #[arg(long, default_value = "openapi/cases")]
    cases: PathBuf,
    /// Differences that are deliberate
    #[arg(long)]
    ledger: Option<PathBuf>,
    /// An OpenAPI document to make more requests from, sent after the cases
    #[arg(long)]
    generate: Option<PathBuf>,
    /// How many requests are made
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// Another seed makes other requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Variables of the cases that hold tokens for the requests that are made, the mightiest
    /// user first
    #[arg(long, value_delimiter = ',')]
    users: Vec<String>,
    /// Where the JSON report goes; beside it report.html, report.md and junit.xml
    #[arg(long, default_value = "target/contract/report.json")]
    report: PathBuf,
    /// Name of this run in the report
    #[arg(long, default_value = "run", env = "CONTRACT_LABEL")]
    label: String,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Cases,
    Ledger,
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
    let passed = match Cli::parse().command {
        Command::Run(args) => execute(*args).await.map(|totals| {
            println!("{} passed, {} failed", totals.same + totals.better, totals.different);
            totals.different == 0
        }),
        Command::Schema { of } => {
            let schema = match of {
                Format::Cases => schemars::schema_for!(Vec<Case>),
                Format::Ledger => schemars::schema_for!(Vec<Entry>),
            };
            println!("{:#}", schema.to_value());
            Ok(true)
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

async fn execute(args: RunArgs) -> Result<Totals, Box<dyn std::error::Error>> {
    let RunArgs { reference, candidate, cases, ledger, generate, label, report, .. } = args;
    let mut cases = Case::load(&cases)?;
    let mut ledger = match ledger {
        Some(path) => Ledger::load(&path, &label)?,
        None => Ledger::default(),
    };
    let document = generate.map(|path| openapi::load(&path)).transpose()?;
    let made = document.as_ref().map_or_else(Vec::new, |document| {
        generate::cases(document, &args.users, args.count, args.seed)
    });
    cases.extend(made.iter().cloned());
    let mut outcomes = run(Services { reference, candidate }, cases, &mut ledger, show).await?;
    for outcome in &mut outcomes {
        let operation = document.as_ref().and_then(|d| openapi::operation_of(d, &outcome.request));
        outcome.operation = operation.unwrap_or_else(|| outcome.operation.clone());
    }
    let totals = Totals::of(&outcomes);
    let generated = generate::case_file(&made, &outcomes);
    report::write(&report, &label, outcomes)?;
    if let Some(generated) = generated {
        let path = report.with_file_name("generated.yaml");
        std::fs::write(&path, generated)?;
        println!("the generated requests that differ are now cases in {}", path.display());
    }
    println!(
        "{label}: {} requests, {} same, {} better, {} different; report in {}",
        totals.total,
        totals.same,
        totals.better,
        totals.different,
        report.with_extension("html").display(),
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
    if !outcome.noise.is_empty() {
        println!(
            "  the reference, asked again, differed from itself: {}",
            outcome.noise.join(", ")
        );
    }
}

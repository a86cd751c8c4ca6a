//! The command line of `contract`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::case::Case;
use crate::effects::Sinks;
use crate::ledger::{Entry, Ledger};
use crate::openapi::{self, Change, Class};
use crate::report::{self, Outcome, Totals};
use crate::run::{Exchange, Plan, RunError, Service, Watch, run};
use crate::self_test::{Findings, SelfTest};
use crate::{generate, replay, terminal};
use reqwest::Url;
use serde_json::Value;

/// Sends the same requests to two services and compares every byte of their answers.
#[derive(Parser)]
#[command(
    name = "contract",
    version,
    after_help = "Exit codes: 0 all the same, 1 differences, 2 the run failed.

Examples:
  contract run --reference http://old:8000 --candidate http://new:8000 --cases my/cases
  contract run --reference http://old:8000 --candidate http://new:8000 --cases my/cases \\
    --generate openapi.json --count 5000 --seed 7 --users admin,alice --replay access.log
  contract self-test --reference http://old:8000 --candidate http://new:8000 --cases my/cases
  contract openapi main/openapi.json openapi/openapi.json
  contract import traffic.har --as alice > my/cases/traffic.yaml"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run case files against two services, or one alone
    Run(Box<RunArgs>),
    /// Inject faults into the candidate's responses, one at a time, and check that each is detected
    #[command(
        name = "self-test",
        after_help = "Adds up runs in self-test.json beside the report. Exit codes: 0 at least 99 \
            of 100 faults caught and no false alarm, 1 otherwise, 2 the run failed."
    )]
    SelfTest {
        #[command(flatten)]
        run: Box<RunArgs>,
        /// Inject no faults, only count false alarms
        #[arg(long)]
        no_faults: bool,
    },
    /// Print recorded traffic as a case file
    Import {
        /// A HAR file, an access log (common, combined) or a log of JSON lines
        recording: PathBuf,
        /// The variable with the token of requests that were signed in
        #[arg(long = "as")]
        user: Option<String>,
    },
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
        /// The new document
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
    /// Base URL of the service that is right; without it only the expectations of
    /// the cases are checked
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
    /// Recorded traffic to send after the cases: a HAR file or an access log
    #[arg(long)]
    replay: Vec<PathBuf>,
    /// An OpenAPI document to make more requests from, sent last
    #[arg(long)]
    generate: Option<PathBuf>,
    /// How many requests are made
    #[arg(long, default_value_t = 1000)]
    count: usize,
    /// Another seed makes other requests
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Variables of the cases that hold tokens for the requests that are made or replayed, the
    /// most privileged user first
    #[arg(long, value_delimiter = ',')]
    users: Vec<String>,
    /// By how many milliseconds the candidate may be slower in one request
    #[arg(long, default_value_t = 2000)]
    slack: u64,
    /// The reference's database, for cases that query it: postgresql:… or sqlite:…
    #[arg(long, env = "REFERENCE_DATABASE_URL", hide_env_values = true)]
    reference_database: Option<String>,
    /// The candidate's database
    #[arg(long, env = "CANDIDATE_DATABASE_URL", hide_env_values = true)]
    candidate_database: Option<String>,
    /// A Maildir with the reference's e-mails, for cases that read it
    #[arg(long, env = "REFERENCE_MAILS")]
    reference_mails: Option<PathBuf>,
    /// A Maildir with the candidate's e-mails
    #[arg(long, env = "CANDIDATE_MAILS")]
    candidate_mails: Option<PathBuf>,
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

type BoxError = Box<dyn std::error::Error>;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let passed = tokio::runtime::Runtime::new()
        .map_err(BoxError::from)
        .and_then(|runtime| runtime.block_on(perform(Cli::parse().command)));
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("contract: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether there were no differences.
async fn perform(command: Command) -> Result<bool, BoxError> {
    match command {
        Command::Run(args) => execute(*args).await,
        Command::SelfTest { run, no_faults } => self_test(*run, !no_faults).await,
        Command::Import { recording, user } => import(&recording, user.as_deref()),
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
    }
}

fn compare_documents(old: &Path, new: &Path, json: bool) -> Result<Vec<Change>, BoxError> {
    let changes = openapi::compare(&openapi::load(old)?, &openapi::load(new)?);
    if json {
        println!("{:#}", serde_json::to_value(&changes)?);
    } else {
        terminal::changes(&changes);
    }
    Ok(changes)
}

fn import(recording: &Path, user: Option<&str>) -> Result<bool, BoxError> {
    print!("{}", replay::case_file(&replay::load(recording, user)?));
    Ok(true)
}

/// What a run sends, and what may differ.
struct Prepared {
    plan: Plan,
    made: Vec<Case>,
    document: Option<Value>,
    ledger: Ledger,
}

impl Prepared {
    fn new(args: &RunArgs) -> Result<Self, BoxError> {
        let sinks = |database: &Option<String>, mails: &Option<PathBuf>| Sinks {
            database: database.clone(),
            mails: mails.clone(),
        };
        let candidate = Service {
            base: args.candidate.clone(),
            sinks: sinks(&args.candidate_database, &args.candidate_mails),
        };
        let reference = args.reference.clone().map(|base| Service {
            base,
            sinks: sinks(&args.reference_database, &args.reference_mails),
        });
        let mut cases = Case::load(&args.cases)?;
        let visible = |case: &Case| {
            candidate.sinks.show(case) && reference.as_ref().is_none_or(|r| r.sinks.show(case))
        };
        let all = cases.len();
        cases.retain(|case| !case.is_effect() || visible(case));
        if cases.len() < all {
            eprintln!(
                "contract: {} cases query effects of requests and are skipped: specify \
                 --reference-database and --candidate-database, --reference-mails and \
                 --candidate-mails",
                all - cases.len()
            );
        }
        for recording in &args.replay {
            cases.extend(replay::load(recording, args.users.first().map(String::as_str))?);
        }
        let ledger = match &args.ledger {
            Some(path) => Ledger::load(path, &args.label)?,
            None => Ledger::default(),
        };
        let document = args.generate.as_deref().map(openapi::load).transpose()?;
        let made = document.as_ref().map_or_else(Vec::new, |document| {
            generate::cases(document, &args.users, args.count, args.seed)
        });
        cases.extend(made.iter().cloned());
        let slack = Duration::from_millis(args.slack);
        Ok(Self { plan: Plan { reference, candidate, cases, slack }, made, document, ledger })
    }

    /// How many requests it is about.
    fn requests(&self) -> usize {
        self.plan.cases.iter().map(|case| case.each.len().max(1)).sum()
    }
}

async fn execute(args: RunArgs) -> Result<bool, BoxError> {
    let prepared = Prepared::new(&args)?;
    let mut progress = terminal::Progress::new(prepared.requests());
    let Prepared { plan, made, document, mut ledger } = prepared;
    let operation = |line: &str| openapi::operation_of(document.as_ref()?, line);
    let outcomes = run(plan, &mut ledger, operation, &mut progress).await;
    progress.finish();
    let outcomes = outcomes?;
    let RunArgs { label, report, .. } = args;
    let totals = Totals::of(&outcomes);
    let generated = generate::failed_cases(&made, &outcomes);
    terminal::summary(&outcomes);
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
    println!("{} passed, {} failed", totals.same + totals.better, totals.different);
    Ok(totals.different == 0)
}

/// A self-test that shows how far it is.
struct Watched {
    test: SelfTest,
    progress: terminal::Progress,
}

impl Watch for Watched {
    fn outcome(&mut self, outcome: &Outcome) {
        self.test.outcome(outcome);
        self.progress.outcome(outcome);
    }

    async fn exchange(&mut self, exchange: Exchange<'_>) -> Result<(), RunError> {
        self.test.exchange(exchange).await
    }
}

async fn self_test(args: RunArgs, injects: bool) -> Result<bool, BoxError> {
    if args.reference.is_none() {
        return Err("a self-test needs --reference: a fault is what differs from it".into());
    }
    let path = args.report.with_file_name("self-test.json");
    let mut prepared = Prepared::new(&args)?;
    let progress = terminal::Progress::new(prepared.requests());
    let test = SelfTest::new(Findings::load(&path), &args.candidate, injects).await?;
    if let Some(proxy) = test.url() {
        prepared.plan.candidate.base = proxy.clone();
    }
    let Prepared { plan, document, mut ledger, .. } = prepared;
    let operation = |line: &str| openapi::operation_of(document.as_ref()?, line);
    let mut watched = Watched { test, progress };
    let outcomes = run(plan, &mut ledger, operation, &mut watched).await;
    watched.progress.finish();
    outcomes?;
    let mut findings = watched.test.findings;
    findings.runs += 1;
    findings.write(&path)?;
    terminal::findings(&findings);
    println!("in {}", path.display());
    Ok(findings.passed())
}

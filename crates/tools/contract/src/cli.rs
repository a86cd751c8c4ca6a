//! The command line of `contract`.

mod args;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser as _;

use self::args::{CASES, Cli, Command, DocumentsArgs, Format, RunArgs};
use crate::case::Case;
use crate::effects::Sinks;
use crate::ledger::{Entry, Ledger};
use crate::openapi::{self, Ignore};
use crate::report::{self, Coverage, Details, Outcome, Totals};
use crate::run::{Exchange, Plan, RunError, Service, Watch, run};
use crate::self_test::{Findings, SelfTest};
use crate::{generate, replay, terminal};
use serde_json::Value;

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
        Command::Openapi(args) => compare_documents(args).await,
        Command::Rules => {
            print(&openapi::page())?;
            Ok(true)
        }
    }
}

/// Writes to the standard output, whose reader may have gone.
fn print(text: &str) -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    match output.write_all(text.as_bytes()).and_then(|()| output.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

async fn compare_documents(args: DocumentsArgs) -> Result<bool, BoxError> {
    let mut ignore = Ignore::default();
    for path in &args.ignore_file {
        ignore.add_file(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    args.ignore.iter().for_each(|text| ignore.add(text));
    let (old, new) = (openapi::load(&args.old).await?, openapi::load(&args.new).await?);
    let mut changes = openapi::compare(&old, &new);
    let all = changes.len();
    changes.retain(|change| !ignore.covers(change));
    let format = if args.json { openapi::Format::Json } else { args.format };
    print(&openapi::write(&changes, all - changes.len(), &args.new, format))?;
    Ok(!changes.iter().any(|change| args.fail_on.covers(change.class)))
}

fn import(recording: &Path, user: Option<&str>) -> Result<bool, BoxError> {
    let loaded = replay::load(recording, user)?;
    if let Some(remark) = loaded.remark() {
        eprintln!("contract: {}: {remark}", recording.display());
    }
    print(&replay::case_file(&loaded.cases))?;
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
    async fn new(args: &RunArgs) -> Result<Self, BoxError> {
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
        // Recorded or generated requests need no cases of one's own.
        let is_usual = args.cases == Path::new(CASES) && !args.cases.exists();
        let is_alone = is_usual && (!args.replay.is_empty() || args.generate.is_some());
        let mut cases = if is_alone { Vec::new() } else { Case::load(&args.cases)? };
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
            let loaded = replay::load(recording, args.users.first().map(String::as_str))?;
            if let Some(remark) = loaded.remark() {
                eprintln!("contract: {}: {remark}", recording.display());
            }
            cases.extend(loaded.cases);
        }
        let ledger = match &args.ledger {
            Some(path) => Ledger::load(path, &args.label)?,
            None => Ledger::default(),
        };
        let document = match &args.generate {
            Some(name) => Some(openapi::load(name).await?),
            None => None,
        };
        let generated = document
            .as_ref()
            .map(|document| generate::cases(document, &args.users, args.count, args.seed));
        let generate::Generated { cases: made, cut } = generated.unwrap_or_default();
        if cut > 0 {
            eprintln!("contract: {cut} variations have no room in --count {}", args.count);
        }
        cases.extend(made.iter().cloned());
        if cases.is_empty() {
            return Err(format!("nothing to send: no case in {}", args.cases.display()).into());
        }
        let unchecked = cases.iter().filter(|case| !case.has_expectation()).count();
        if reference.is_none() && unchecked == cases.len() {
            return Err("nothing to check: no case has an expectation, and there is no \
                --reference to compare with"
                .into());
        }
        if reference.is_none() && unchecked > 0 {
            eprintln!(
                "contract: {unchecked} cases without an expectation are sent and not checked"
            );
        }
        let slack = Duration::from_millis(args.slack);
        let window = Duration::from_millis(args.time_window);
        let shared_database = args.shared_database;
        let plan = Plan { reference, candidate, cases, slack, shared_database, window };
        Ok(Self { plan, made, document, ledger })
    }

    /// How many requests it is about.
    fn requests(&self) -> usize {
        self.plan.cases.iter().map(|case| case.each.len().max(1)).sum()
    }
}

/// A run whose outcomes are kept, however it ends.
struct Kept<'a> {
    progress: terminal::Progress,
    outcomes: &'a mut Vec<Outcome>,
}

impl Watch for Kept<'_> {
    fn outcome(&mut self, outcome: &Outcome) {
        self.progress.outcome(outcome);
        self.outcomes.push(outcome.clone());
    }
}

async fn execute(args: RunArgs) -> Result<bool, BoxError> {
    let prepared = Prepared::new(&args).await?;
    let progress = terminal::Progress::new(prepared.requests());
    let Prepared { plan, made, document, mut ledger } = prepared;
    let RunArgs { label, report, require_success, .. } = args;
    report::begin(&report, &label)
        .map_err(|error| format!("{} cannot be written: {error}", report.display()))?;
    let operation = |line: &str| openapi::operation_of(document.as_ref()?, line);
    let rules = ledger.lines();
    let mut outcomes = Vec::new();
    let mut watch = Kept { progress, outcomes: &mut outcomes };
    let end = tokio::select! {
        result = run(plan, &mut ledger, operation, &mut watch) => {
            result.map(|_| ()).map_err(|error| error.to_string())
        }
        _ = tokio::signal::ctrl_c() => Err("it was interrupted".to_owned()),
    };
    watch.progress.finish();
    if let Err(message) = end {
        // What is known until here is reported, and that it is not all.
        outcomes.push(Outcome::unfinished(&message));
        let details = Details { rules, coverage: None };
        report::write(&report, &label, outcomes, details)?;
        return Err(message.into());
    }
    let totals = Totals::of(&outcomes);
    let generated = generate::failed_cases(&made, &outcomes);
    terminal::summary(&outcomes);
    let unreached = report::never_succeeded(&outcomes);
    if !unreached.is_empty() {
        println!("never succeeded: {}", unreached.join(", "));
    }
    let coverage = document.as_ref().map(|document| Coverage::of(document, &outcomes));
    report::write(&report, &label, outcomes, Details { rules, coverage })?;
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
    Ok(totals.different == 0 && (unreached.is_empty() || !require_success))
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
    let mut prepared = Prepared::new(&args).await?;
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

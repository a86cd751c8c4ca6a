//! The command line of `contract`.

mod args;
mod error;
mod prepare;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use serde_json::Value;

use self::args::{Cli, Command, DocumentsArgs, Format, RecordingArgs, Reference, RunArgs};
use self::error::BoxError;
use self::prepare::{Prepared, filter};
use crate::case::{Case, case_file};
use crate::generate::{Generated, Requests, Source};
use crate::ledger::Entry;
use crate::openapi::{self, Change, Ignore};
use crate::replay::Redactor;
use crate::report::{self, Coverage, Details, Outcome, Totals};
use crate::run::{Exchange, Options, RunError, Secrets, Watch, run};
use crate::select::Selection;
use crate::self_test::{Findings, SelfTest};
use crate::{generate, replay, terminal};

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let passed = tokio::runtime::Runtime::new()
        .map_err(BoxError::from)
        .and_then(|runtime| runtime.block_on(perform(Cli::parse().command)));
    match passed {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            // Errors quote what comes from outside, which may hold what a terminal obeys.
            let is_plain = |c: char| !c.is_control() || c == '\n' || c == '\t';
            let text = error.to_string().replace(|c| !is_plain(c), "\u{fffd}");
            eprintln!("contract: {text}");
            ExitCode::from(2)
        }
    }
}

/// Whether there were no differences.
async fn perform(command: Command) -> Result<bool, BoxError> {
    match command {
        Command::Run(args) => Box::pin(execute(*args)).await,
        Command::SelfTest { run, no_faults } => Box::pin(self_test(*run, !no_faults)).await,
        Command::Import { recording, user, filter, keep_secrets } => {
            import(&recording, user.as_deref(), &filter, keep_secrets)
        }
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

/// Writes to the standard output; an error, as of a pipe that is closed, is ignored.
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
        ignore.add_file(path)?;
    }
    for text in &args.ignore {
        ignore.add(text).map_err(|error| format!("--ignore '{text}': {error}"))?;
    }
    let (old, new) = (openapi::load(&args.old).await?, openapi::load(&args.new).await?);
    let mut changes = openapi::compare(&old, &new);
    let all = changes.len();
    changes.retain(|change| !ignore.covers(change));
    let format = if args.json { openapi::Format::Json } else { args.format };
    let fails = |change: &Change| args.fail_on.covers(change.class);
    print(&openapi::write(&changes, all - changes.len(), &args.new, format, fails))?;
    Ok(!changes.iter().any(fails))
}

fn import(
    recording: &Path,
    user: Option<&str>,
    entries: &RecordingArgs,
    keeps_secrets: bool,
) -> Result<bool, BoxError> {
    let mut redactor = Redactor::new(!keeps_secrets);
    let loaded = replay::load(recording, user, &filter(entries), &mut redactor)?;
    if let Some(remark) = loaded.remark() {
        eprintln!("contract: {}: {remark}", recording.display());
    }
    let secrets: Vec<_> = redactor.variables().into_keys().collect();
    if !secrets.is_empty() {
        let names = secrets.join(", ");
        eprintln!("contract: left out, for --secret NAME to give again: {names}");
    }
    print(&case_file(&loaded.cases))?;
    Ok(true)
}

/// A run whose outcomes are kept, however it ends.
struct Kept<'a> {
    progress: terminal::Progress,
    outcomes: &'a mut Vec<Outcome>,
    requests: Option<Generating<'a>>,
}

/// Generated requests as far as they are selected.
struct Generating<'a> {
    requests: Requests<'a>,
    selection: &'a Selection,
    document: Option<&'a Value>,
    options: Options,
}

impl<'a> Generating<'a> {
    fn new(
        source: &'a Source,
        selection: &'a Selection,
        document: Option<&'a Value>,
        options: &Options,
    ) -> Self {
        Self { requests: source.requests(), selection, document, options: options.clone() }
    }

    fn next(&mut self, outcomes: &[Outcome]) -> Vec<Case> {
        let select = |cases| self.selection.of(cases, &[], self.document, &self.options);
        self.requests.next(outcomes, select)
    }
}

impl Watch for Kept<'_> {
    fn outcome(&mut self, outcome: &Outcome) {
        self.progress.outcome(outcome);
        self.outcomes.push(outcome.clone());
    }

    fn more(&mut self, outcomes: &[Outcome]) -> Vec<Case> {
        self.requests.as_mut().map_or_else(Vec::new, |requests| requests.next(outcomes))
    }
}

/// The error of a run in which every request was refused.
const HOLLOW: &str = "no request succeeded, so nothing was compared but errors: is it the right address, do \
                      the users sign in (--users, --sign-in, --cookies)?";

async fn execute(args: RunArgs) -> Result<bool, BoxError> {
    let RunArgs { label, report, require_success, may_fail, .. } = &args;
    // Whatever ends the run from now on, the report is not an earlier one's.
    report::begin(report, label)?;
    let (mut outcomes, mut details) = (Vec::new(), Details::default());
    let end = tokio::select! {
        end = compared(&args, &mut outcomes, &mut details) => end,
        () = interrupted() => Err("it was interrupted".into()),
    };
    let (made, secrets) = match end {
        Ok(end) => end,
        Err(error) => {
            // What is known until here is reported, and that it is not all.
            outcomes.push(Outcome::unfinished(&error.to_string()));
            if let Err(error) = report::write(report, label, outcomes, details) {
                eprintln!("contract: {error}");
            }
            return Err(error);
        }
    };
    // With requests of all kinds to every operation that is no result.
    let is_hollow = args.generate.is_some() && report::nothing_succeeded(&outcomes);
    if is_hollow {
        outcomes.push(Outcome::hollow(HOLLOW));
    }
    let totals = Totals::of(&outcomes);
    let generated = generate::failed_cases(&made, &outcomes);
    terminal::summary(&outcomes);
    let unreached = report::never_succeeded(&outcomes);
    if !unreached.is_empty() {
        println!("never succeeded: {}", unreached.join(", "));
    }
    // The numbers are printed even if the report has no room.
    let written = report::write(report, label, outcomes, details);
    if let Some(generated) = generated {
        let path = report.with_file_name("generated.yaml");
        std::fs::write(&path, secrets.redact(&generated))
            .map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
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
    if totals.unsteady > 0 {
        let count = totals.unsteady;
        println!("{count} unsteady: they differ only where the reference differs from itself");
    }
    println!("{} passed, {} failed", totals.total - totals.different, totals.different);
    written?;
    if is_hollow {
        return Err(HOLLOW.into());
    }
    let may_fail = |operation: &String| may_fail.iter().any(|like| openapi::like(like, operation));
    let is_reached = !require_success || unreached.iter().all(may_fail);
    Ok(totals.different == 0 && is_reached)
}

/// Runs the comparison, and adds to `outcomes` and `details` even where it ends early. Returns the generated
/// cases, and the secrets that are to be redacted.
async fn compared(
    args: &RunArgs,
    outcomes: &mut Vec<Outcome>,
    details: &mut Details,
) -> Result<(Vec<Case>, Secrets), BoxError> {
    let prepared = Prepared::new(args).await?;
    let progress = terminal::Progress::new(prepared.requests());
    let Prepared { plan, source, selection, document, mut ledger } = prepared;
    let secrets = plan.options.secrets.clone();
    details.rules = ledger.lines();
    let operation = |line: &str| openapi::operation_of(document.as_ref()?, line);
    let requests = source
        .as_ref()
        .map(|source| Generating::new(source, &selection, document.as_ref(), &plan.options));
    let mut watch = Kept { progress, outcomes, requests };
    let end = run(plan, &mut ledger, operation, &mut watch).await;
    watch.progress.finish();
    let generated = watch.requests.map(|generating| generating.requests.into_generated());
    let Generated { cases: made, without_room } = generated.unwrap_or_default();
    if without_room > 0 {
        eprintln!("contract: {without_room} variations have no room in --count {}", args.count);
    }
    details.coverage = document.as_ref().map(|document| Coverage::of(document, outcomes));
    end.map_err(|error| secrets.redact(&error.to_string()))?;
    Ok((made, secrets))
}

/// Waits for Ctrl-C, or for what a CI ends programs with.
async fn interrupted() {
    let ctrl_c = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = ctrl_c => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    _ = ctrl_c.await;
}

/// A self-test that shows how far it is.
struct Watched<'a> {
    test: SelfTest,
    progress: terminal::Progress,
    requests: Option<Generating<'a>>,
}

impl Watch for Watched<'_> {
    fn outcome(&mut self, outcome: &Outcome) {
        self.test.outcome(outcome);
        self.progress.outcome(outcome);
    }

    fn more(&mut self, outcomes: &[Outcome]) -> Vec<Case> {
        self.requests.as_mut().map_or_else(Vec::new, |requests| requests.next(outcomes))
    }

    async fn exchange(&mut self, exchange: Exchange<'_>) -> Result<(), RunError> {
        self.test.exchange(exchange).await
    }
}

async fn self_test(args: RunArgs, injects: bool) -> Result<bool, BoxError> {
    if !matches!(args.reference, Some(Reference::Service(_))) {
        return Err("a self-test needs --reference: a fault is what differs from it".into());
    }
    let path = args.report.with_file_name("self-test.json");
    let mut prepared = Prepared::new(&args).await?;
    let progress = terminal::Progress::new(prepared.requests());
    let test = SelfTest::new(Findings::load(&path), &args.candidate, injects).await?;
    if let Some(proxy) = test.url() {
        prepared.plan.candidate.base = proxy.clone();
    }
    let Prepared { plan, source, selection, document, mut ledger } = prepared;
    let secrets = plan.options.secrets.clone();
    let operation = |line: &str| openapi::operation_of(document.as_ref()?, line);
    let requests = source
        .as_ref()
        .map(|source| Generating::new(source, &selection, document.as_ref(), &plan.options));
    let mut watched = Watched { test, progress, requests };
    let outcomes = run(plan, &mut ledger, operation, &mut watched).await;
    watched.progress.finish();
    outcomes.map_err(|error| secrets.redact(&error.to_string()))?;
    let mut findings = watched.test.findings;
    findings.runs += 1;
    findings.write(&path)?;
    terminal::findings(&findings);
    println!("in {}", path.display());
    Ok(findings.passed())
}

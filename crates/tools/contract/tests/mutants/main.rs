//! A shop with one defect after the other, each compared with the shop as it should be by generated
//! requests: how many are found, and is the shop the same as itself?
//!
//! `cargo test` takes a sample. With `MUTANTS=all` every defect is tried, and the shop is compared with
//! itself with 20 seeds; with `MUTANTS=name,name` those defects. What was found is written to
//! `target/contract/mutants.json`.

#![expect(clippy::expect_used, reason = "a test ends so")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use contract::case::Case;
use contract::generate::{Requests, Source};
use contract::ledger::Ledger;
use contract::openapi;
use contract::report::Outcome;
use contract::run::{Options, Plan, Service, Watch, run};
use reqwest::Url;
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// How many requests are generated.
const REQUESTS: usize = 2_000;
/// How many are generated where the shop is compared with itself in the sample.
const FEW_REQUESTS: usize = 500;
/// After which time the sample begins no further comparison.
const SAMPLE: Duration = Duration::from_secs(30);

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mutants")
}

fn target() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../target")
}

/// The shop's program.
fn python() -> Command {
    let python = target().join("venv/bin/python");
    assert!(python.exists(), "run `make venv`: it makes what this needs");
    let mut command = Command::new(python);
    command.arg(folder().join("shop.py"));
    command
}

/// What the program prints.
fn printed(argument: &str) -> String {
    let output = python().arg(argument).output().expect("it runs");
    String::from_utf8(output.stdout).expect("it prints text")
}

/// A shop that runs.
struct Shop {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    url: Url,
}

impl Shop {
    fn start() -> Self {
        let mut command = python();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("it runs");
        let input = child.stdin.take().expect("a pipe");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it says where it listens");
        let url = line.trim().rsplit(' ').next().and_then(|url| url.parse().ok());
        Self { child, input, output, url: url.expect("a URL") }
    }

    /// Makes the shop anew, with a defect or `right`.
    fn renew(&mut self, defect: &str) {
        writeln!(self.input, "{defect}").expect("it reads");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("it answers");
        assert_eq!(line, "ready\n", "{defect}");
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Two shops to be compared.
struct Pair {
    reference: Shop,
    candidate: Shop,
    document: Value,
}

/// What a comparison found: how many requests were sent, and the first that differed.
struct Found {
    requests: usize,
    first: Option<Outcome>,
}

/// A run as `contract run --generate` does it, which tells of what failed.
struct Watching<'a> {
    requests: usize,
    failed: mpsc::UnboundedSender<Outcome>,
    source: Requests<'a>,
}

impl Watch for Watching<'_> {
    fn outcome(&mut self, outcome: &Outcome) {
        self.requests += 1;
        if !outcome.passed() {
            _ = self.failed.send(outcome.clone());
        }
    }

    fn more(&mut self, outcomes: &[Outcome]) -> Vec<Case> {
        self.source.next(outcomes, |cases| cases)
    }
}

impl Pair {
    fn start() -> Self {
        let document = serde_json::from_str(&printed("--document")).expect("it is JSON");
        Self { reference: Shop::start(), candidate: Shop::start(), document }
    }

    /// Sends the generated requests until the first difference.
    fn compare(&mut self, defect: &str, seed: u64, requests: usize) -> Found {
        self.reference.renew("right");
        self.candidate.renew(defect);
        let users = ["admin", "alice", "bob"].map(ToOwned::to_owned);
        let cases = Case::load(&folder().join("cases.yaml")).expect("the cases are valid");
        let source = Source::new(&self.document, &users, requests, seed);
        let plan = Plan {
            reference: Some(Service::new(self.reference.url.clone())),
            candidate: Service::new(self.candidate.url.clone()),
            cases,
            slack: Duration::from_secs(10),
            shared_database: false,
            window: Duration::from_secs(2),
            options: Options::default(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async {
            let (failed, mut first) = mpsc::unbounded_channel();
            let mut watch = Watching { requests: 0, failed, source: source.requests() };
            let operation = |line: &str| openapi::operation_of(&self.document, line);
            let mut ledger = Ledger::default();
            let found = tokio::select! {
                biased;
                found = first.recv() => found,
                result = run(plan, &mut ledger, operation, &mut watch) => {
                    result.expect("both answer");
                    None
                }
            };
            let found = found.or_else(|| first.try_recv().ok());
            Found { requests: watch.requests, first: found }
        })
    }
}

fn shown(outcome: &Outcome) -> Value {
    let smallest = outcome.smallest.as_ref();
    json!({
        "case": outcome.case,
        "request": outcome.request,
        "smallest": smallest.map(|case| serde_json::to_value(case).unwrap_or_default()),
        "differences": outcome.differences.iter().take(3).collect::<Vec<_>>(),
    })
}

/// Tries every defect and seed, two at a time, and begins no further one after a time.
fn try_all(tasks: Vec<(String, u64)>, until: Option<Instant>) -> Vec<(String, u64, Found)> {
    let tasks = Mutex::new(tasks.into_iter());
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut pair = Pair::start();
                loop {
                    let task = tasks.lock().expect("no panic").next();
                    let Some((defect, seed)) = task else { break };
                    if until.is_some_and(|until| Instant::now() > until) {
                        break;
                    }
                    let is_short = until.is_some() && defect == "right";
                    let requests = if is_short { FEW_REQUESTS } else { REQUESTS };
                    let found = pair.compare(&defect, seed, requests);
                    let case = found.first.as_ref().map_or("-", |outcome| &outcome.case);
                    println!("{defect}, seed {seed}: {} requests, {case}", found.requests);
                    all.lock().expect("no panic").push((defect, seed, found));
                }
            });
        }
    });
    let mut all = all.into_inner().expect("no panic");
    all.sort_by(|(a, ..), (b, ..)| a.cmp(b));
    all
}

#[test]
fn mutants_are_found() {
    let chosen = std::env::var("MUTANTS").ok();
    let is_sample = chosen.is_none();
    let mut defects: Vec<String> = printed("--defects").lines().map(ToOwned::to_owned).collect();
    let seeds = match chosen.as_deref() {
        Some("all") => 20,
        Some(names) => {
            defects = names.split(',').map(ToOwned::to_owned).collect();
            0
        }
        None => {
            defects = defects.into_iter().step_by(8).collect();
            3
        }
    };
    let until = is_sample.then(|| Instant::now() + SAMPLE);
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let mut itself = (1..=seeds).map(|seed| ("right".to_owned(), seed));
    let mut mutants = defects.into_iter().map(|defect| (defect, seed));
    // One of each comes first, so that no sample is without them, however slow the machine is.
    let first = itself.next().into_iter().chain(mutants.next()).collect::<Vec<_>>();
    let tasks: Vec<_> = first.into_iter().chain(itself).chain(mutants).collect();
    let chosen = tasks.len();
    let results = try_all(tasks, until);
    let all = results.len();
    let (itself, mutants): (Vec<_>, Vec<_>) =
        results.into_iter().partition(|(defect, ..)| defect == "right");
    let found = mutants.iter().filter(|(_, _, found)| found.first.is_some()).count();
    let alarms: Vec<_> =
        itself.iter().filter_map(|(_, _, found)| found.first.as_ref()).map(shown).collect();
    let missed: Vec<_> = mutants.iter().filter(|(_, _, found)| found.first.is_none()).collect();
    let missed: Vec<_> = missed.iter().map(|(defect, ..)| defect).collect();
    let report = json!({
        "mutants": mutants.len(),
        "found": found,
        "false_alarms": alarms.len(),
        "runs_against_itself": itself.len(),
        "missed": missed,
        "alarms": alarms,
        "cases": mutants.iter().map(|(defect, _, result)| json!({
            "name": defect,
            "found": result.first.is_some(),
            "requests": result.requests,
            "first": result.first.as_ref().map(shown),
        })).collect::<Vec<_>>(),
    });
    if !is_sample {
        let folder = target().join("contract");
        std::fs::create_dir_all(&folder).expect("a folder");
        let text = serde_json::to_string_pretty(&report).expect("it is JSON") + "\n";
        std::fs::write(folder.join("mutants.json"), text).expect("a file");
    }
    println!("{found} of {} mutants found, {} false alarms", mutants.len(), alarms.len());
    println!("missed: {missed:?}");
    println!("{} of {chosen} comparisons were not made: no time", chosen - all);
    assert!(!mutants.is_empty(), "no mutant was tried");
    assert!(alarms.is_empty(), "false alarms: {alarms:#?}");
    // Of few, one may be missed.
    let least = if is_sample { 90 } else { 95 };
    assert!(100 * found >= least * mutants.len(), "missed: {missed:?}");
}

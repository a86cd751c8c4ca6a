//! The oracle: real FastAPI and its Rust port answer the same requests, to the byte.
//!
//! `make compat REQUESTS=200000 SEED=7` sends many and others; a difference is shrunk to a small
//! request, printed, and kept in `regressions.txt`, which every run begins with. `make compat VERSIONS=0.115/2.9`
//! does it with older releases.

#![expect(clippy::expect_used, clippy::panic, reason = "a test ends so")]
#![expect(clippy::too_many_lines, reason = "the port is a list")]

mod app;
mod http;
mod ledger;
mod names;
mod port;
mod requests;
mod switches;
mod versions;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fastapi_compat::Switch;
use fastapi_compat::openapi::{Info, OpenApi};
use proptest::strategy::{BoxedStrategy, Strategy};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::{Value, json};
use testbed::{Service, root};

use self::requests::{Request, requests};
use self::versions::Versions;
use self::wire::{Answer, Connection};

/// An application in Python, its port, and the requests that both are sent.
struct Oracle {
    /// The module of the application.
    probe: &'static str,
    router: fastapi_compat::Router,
    operations: Vec<String>,
    requests: fn(&[String]) -> BoxedStrategy<Request>,
    /// The requests that once differed, in a file of this name.
    regressions: &'static str,
    /// What it chooses of the newest releases' switches.
    switch: Option<Switch>,
    /// What it says of itself in the document.
    finish: fn(&mut OpenApi),
    /// What stands around it.
    serve: fn(axum::Router) -> axum::Router,
}

/// Each has a connection to both sides.
const THREADS: u64 = 8;
/// One thread gives up after so many different requests that differ.
const ENOUGH: usize = 5;

#[derive(Default)]
struct Tally {
    requests: AtomicU64,
    /// FastAPI failed, and ours is what it meant: how often by which rules of the ledger.
    ledger: Mutex<ledger::Uses>,
    /// For each operation: how many requests were accepted, and how many refused.
    operations: Mutex<BTreeMap<String, [u64; 2]>>,
}

struct Services<'a> {
    python: Connection,
    rust: Connection,
    tally: &'a Tally,
}

impl Services<'_> {
    /// Sends the request to both.
    fn compare(&mut self, request: &Request) -> Result<(), String> {
        let expected = self.python.send(&request.bytes)?;
        let given = self.rust.send(&request.bytes)?;
        self.tally.requests.fetch_add(1, Ordering::Relaxed);
        // A 307 is the router's.
        let accepted = expected.status == 101 || (200..=303).contains(&expected.status);
        if let Ok(mut operations) = self.tally.operations.lock() {
            operations.entry(request.operation.clone()).or_default()[usize::from(!accepted)] += 1;
        }
        if expected == given {
            return Ok(());
        }
        if expected.status == 500 {
            let mut meant = self.python.send(&ledger::request(&request.bytes))?;
            let mut uses = self.tally.ledger.lock().map_err(|_| "a thread panicked".to_owned())?;
            ledger::count(&mut meant, &mut uses)?;
            if meant == given {
                return Ok(());
            }
            return Err(format!("FastAPI fails and means: {meant}\nours:    {given}"));
        }
        Err(format!("FastAPI: {expected}\nours:    {given}"))
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map_or(default, |text| {
        text.parse().unwrap_or_else(|_| panic!("{name} must be a number and is '{text}'"))
    })
}

/// Sends `count` requests from one seed; gives those that differ, each as small as it gets.
fn check(
    addresses: &[String; 2],
    requests: &BoxedStrategy<Request>,
    tally: &Tally,
    seed: [u64; 2],
    count: u64,
) -> Vec<(Request, String)> {
    let mut differences = Vec::new();
    let mut left = count;
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed[0].to_le_bytes());
    bytes[8..16].copy_from_slice(&seed[1].to_le_bytes());
    while left > 0 && differences.len() < ENOUGH {
        let mut services = Services {
            python: Connection::open(&addresses[0]).expect("FastAPI is reached"),
            rust: Connection::open(&addresses[1]).expect("the port is reached"),
            tally,
        };
        let cases = u32::try_from(left).unwrap_or(u32::MAX);
        let config = Config { cases, failure_persistence: None, ..Config::default() };
        bytes[16] += 1;
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(config, rng);
        let services = Mutex::new(&mut services);
        let before = tally.requests.load(Ordering::Relaxed);
        let outcome = runner.run(requests, |request| {
            let mut services =
                services.lock().map_err(|_| TestCaseError::fail("a thread panicked"))?;
            services.compare(&request).map_err(TestCaseError::fail)
        });
        match outcome {
            Ok(()) => left = 0,
            Err(TestError::Fail(reason, request)) => {
                differences.push((request, reason.message().to_owned()));
                let sent = tally.requests.load(Ordering::Relaxed) - before;
                left = left.saturating_sub(sent / THREADS);
            }
            Err(TestError::Abort(reason)) => panic!("{reason}"),
        }
    }
    differences
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/compat")
}

/// The requests that once differed: an operation and the escaped bytes on each line.
fn kept(regressions: &str) -> Vec<Request> {
    let text = std::fs::read_to_string(folder().join(regressions)).unwrap_or_default();
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(operation, bytes)| Request {
            operation: operation.to_owned(),
            bytes: wire::unescape(bytes),
        })
        .collect()
}

fn keep(regressions: &str, differences: &[(Request, String)]) {
    let mut text = std::fs::read_to_string(folder().join(regressions)).unwrap_or_default();
    for (request, _) in differences {
        let line = format!("{} {request:?}\n", request.operation);
        if !text.contains(&line) {
            text.push_str(&line);
        }
    }
    std::fs::write(folder().join(regressions), text).expect("the regressions are kept");
}

fn write_report(probe: &str, seed: u64, tally: &Tally, differences: &[(Request, String)]) {
    let operations = tally.operations.lock().expect("no thread panicked");
    let report = json!({
        "requests": tally.requests.load(Ordering::Relaxed),
        "differences": differences.len(),
        "ledger": *tally.ledger.lock().expect("no thread panicked"),
        "seed": seed,
        "operations": operations.iter().map(|(name, [accepted, refused])| {
            (name.clone(), json!({"accepted": accepted, "refused": refused}))
        }).collect::<serde_json::Map<_, _>>(),
        "different": differences.iter().map(|(request, difference)| {
            json!({"request": format!("{request:?}"), "difference": difference})
        }).collect::<Vec<_>>(),
    });
    let folder = root().join("target/compat");
    std::fs::create_dir_all(&folder).expect("target/compat can be made");
    let report = format!("{report:#}\n");
    let name = if probe == "probe" { "report" } else { probe };
    std::fs::write(folder.join(format!("{name}.json")), report).expect("the report is written");
}

async fn probe(module: &str, versions: Option<&Versions>) -> Service {
    let mut command = Command::new(versions::interpreter(versions));
    command.args(["-W", "ignore", "-m", "uvicorn", &format!("{module}:served"), "--port", "0"]);
    command.args(["--no-access-log", "--no-server-header", "--no-date-header"]);
    command.args(["--log-level", "info", "--loop", "uvloop", "--http", "httptools"]);
    command.env("FILES", http::files());
    command.env("PYTHONPATH", folder()).env("PYTHONDONTWRITEBYTECODE", "1");
    Service::start("probe", &command, "Uvicorn running on ").await.expect("the probe app starts")
}

/// Both describe the operations by the same OpenAPI document, as a JSON value.
fn assert_same_documents(fastapi: &str, ours: &Value, left_out: &BTreeSet<String>) {
    let mut connection = Connection::open(fastapi).expect("FastAPI is reached");
    let request = b"GET /openapi.json HTTP/1.1\r\nhost: test\r\n\r\n";
    let answer = connection.send(request).expect("FastAPI has a document");
    let fastapi: Value = serde_json::from_slice(&answer.body).expect("the document is JSON");
    let fastapi = versions::without(fastapi, left_out);
    let mut differences = Vec::new();
    differences_between("", &fastapi, ours, &mut differences);
    let count = differences.len();
    differences.truncate(20);
    assert!(count == 0, "{count} differences between the documents:\n{}", differences.join("\n"));
}

fn differences_between(path: &str, fastapi: &Value, ours: &Value, found: &mut Vec<String>) {
    match (fastapi, ours) {
        (Value::Object(left), Value::Object(right)) => {
            let keys: BTreeSet<_> = left.keys().chain(right.keys()).collect();
            for key in keys {
                let value =
                    |side: &serde_json::Map<_, _>| side.get(key).cloned().unwrap_or_default();
                differences_between(&format!("{path}/{key}"), &value(left), &value(right), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differences_between(&format!("{path}/{index}"), left, right, found);
            }
        }
        // 100 and 100.0 are one value.
        (Value::Number(left), Value::Number(right)) if left.as_f64() == right.as_f64() => {}
        _ if fastapi == ours => {}
        _ => found.push(format!("{path}: FastAPI {fastapi}, ours {ours}")),
    }
}

/// Serves the router as it is.
const fn plain(app: axum::Router) -> axum::Router {
    app
}

#[test]
fn fastapi_and_its_port_answer_the_same() {
    let (router, operations) = port::port();
    let requests = |operations: &[String]| requests(operations).boxed();
    let (probe, regressions) = ("probe", "regressions.txt");
    let (switch, finish, serve) = (None, (|_| {}) as fn(&mut OpenApi), plain as fn(_) -> _);
    prove(Oracle { probe, router, operations, requests, regressions, switch, finish, serve });
}

#[test]
fn routes_answers_and_security_are_the_same() {
    let (router, operations) = http::port();
    let (probe, requests, regressions) = ("probe_http", http::requests, "http/regressions.txt");
    let (switch, finish, serve) = (None, (|_| {}) as fn(&mut OpenApi), plain as fn(_) -> _);
    prove(Oracle { probe, router, operations, requests, regressions, switch, finish, serve });
}

#[test]
fn what_an_application_chooses_is_the_same() {
    let (router, operations) = app::port();
    let (probe, requests, regressions) = ("probe_app", app::requests, "app_regressions.txt");
    let (switch, finish, serve) = (Some(app::SWITCH), app::finish, app::serve);
    prove(Oracle { probe, router, operations, requests, regressions, switch, finish, serve });
}

/// Starts both sides and sends them the same requests.
fn prove(oracle: Oracle) {
    let Oracle { probe: module, mut router, mut operations, .. } = oracle;
    let Oracle { requests, regressions, switch, finish, serve, .. } = oracle;
    let (count, seed) = (number("REQUESTS", 10_000), number("SEED", 1));
    let versions = Versions::of_environment();
    if let Some(versions) = &versions {
        let dialect = versions.dialect();
        router = router.dialect(switch.map_or(dialect, |switch| dialect.with(switch)));
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let info = Info { title: "FastAPI", version: "0.1.0", token_url: "/token" };
    let mut document = router.document(&info).expect("the models have names of their own");
    finish(&mut document);
    let document = serde_json::to_value(document).expect("the document is JSON");
    let probe = runtime.block_on(probe(module, versions.as_ref()));
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
    let ours = listener.local_addr().expect("the port").to_string();
    let app = serve(router.with_state(()));
    runtime.spawn(async { axum::serve(listener, app).await });
    let addresses = [probe.url.trim_start_matches("http://").to_owned(), ours];

    let left_out = Versions::left_out(&addresses[0]);
    operations.retain(|operation| !left_out.contains(operation));
    assert_same_documents(&addresses[0], &versions::without(document, &left_out), &left_out);

    let tally = Tally::default();
    let mut services = Services {
        python: Connection::open(&addresses[0]).expect("FastAPI is reached"),
        rust: Connection::open(&addresses[1]).expect("the port is reached"),
        tally: &tally,
    };
    let mut differences = Vec::new();
    for request in kept(regressions).into_iter().chain(switches::requests(&operations)) {
        if left_out.contains(&request.operation) {
            continue;
        }
        if let Err(difference) = services.compare(&request) {
            differences.push((request, difference));
        }
    }
    let done = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (addresses, operations, tally, done) = (&addresses, &operations, &tally, &done);

                scope.spawn(move || {
                    let count = count.div_ceil(THREADS);
                    let requests = requests(operations);
                    let found = check(addresses, &requests, tally, [seed, thread], count);
                    done.fetch_add(1, Ordering::Relaxed);
                    found
                })
            })
            .collect();
        while count > 10_000 && done.load(Ordering::Relaxed) < THREADS {
            eprint!("\r{} of {count} requests", tally.requests.load(Ordering::Relaxed));
            std::thread::sleep(Duration::from_millis(500));
        }
        for thread in threads {
            differences.extend(thread.join().expect("a thread of the oracle panicked"));
        }
    });
    if versions.is_none() {
        keep(regressions, &differences);
    }
    write_report(module, seed, &tally, &differences);
    for (request, difference) in &differences {
        eprintln!("\n{request:?}\n{difference}");
    }
    let requests = tally.requests.load(Ordering::Relaxed);
    let uses = std::mem::take(&mut *tally.ledger.lock().expect("no thread panicked"));
    let versions = versions.map_or_else(|| "newest".to_owned(), |versions| versions.to_string());
    println!(
        "\r{module} {versions}: {requests} requests with seed {seed}: {} different, {} operations left out, \
         FastAPI fails by rules of the ledger: {uses:?}",
        differences.len(),
        left_out.len()
    );
    let is_unused = |rule: &&ledger::Rule| module == "probe" && !uses.contains_key(rule.name);
    let unused: Vec<_> = ledger::RULES.iter().filter(is_unused).map(|rule| rule.name).collect();
    if !unused.is_empty() {
        println!("rules of the ledger that no request needed: {}", unused.join(", "));
    }
    assert!(differences.is_empty(), "FastAPI and its port differ");

    // A generator that reaches nothing would find no difference either.
    let tally = tally.operations.lock().expect("no thread panicked");
    if count >= 100_000 {
        assert!(unused.is_empty(), "no request needed the rules {}", unused.join(", "));
        for operation in &operations {
            let [accepted, refused] = tally.get(operation).copied().unwrap_or_default();
            // What a convertor does not match is a 404.
            let accepts = operation != "path/int-text/{v}" && !http::only_fails(operation);
            assert!(accepted > 0 || !accepts, "no request to {operation} was accepted");
            let refuses = !operation.ends_with("/any") && operation != "cookie/optional";
            let refuses = refuses && module == "probe";
            assert!(refused > 0 || !refuses, "no request to {operation} was refused");
        }
    }
}

/// The table of the documentation names all operations of the oracle and no others.
#[test]
fn the_coverage_table_is_true() {
    let rows = include_str!("../../coverage.md").lines().filter(|line| line.starts_with('|'));
    let named = rows.skip(2).filter_map(|row| row.rsplit('|').nth(1));
    let named: BTreeSet<_> =
        named.flat_map(|cell| cell.split('`').skip(1).step_by(2)).map(ToOwned::to_owned).collect();
    assert_eq!(named, names::operations());
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        write!(f, "{} {:?} {body}", self.status, self.headers)
    }
}

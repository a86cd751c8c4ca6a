//! The layers: each alone in an axum application, and each beside the middleware of Starlette or
//! uvicorn that it stands for; and the choice of a route beside Starlette's.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test ends so")]

mod alone;
mod cors;
mod cors_options;
mod proxies;
mod routes;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex};

use serde_json::Value;
use testbed::python;

/// FastAPI, Starlette and uvicorn, started once.
struct Probe {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    _process: Child,
}

static PROBE: LazyLock<Mutex<Probe>> = LazyLock::new(|| {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/layers");
    let mut process = Command::new(python().expect("run `make venv`"))
        .args(["-W", "ignore"])
        .arg(folder.join("probe.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the probe starts");
    Mutex::new(Probe {
        stdin: process.stdin.take().expect("it is piped"),
        stdout: BufReader::new(process.stdout.take().expect("it is piped")),
        _process: process,
    })
});

/// What Python does with a case.
fn ask(case: &Value) -> Value {
    let mut probe = PROBE.lock().expect("no test has panicked while it asked");
    writeln!(probe.stdin, "{case}").expect("the probe reads");
    let mut line = String::new();
    probe.stdout.read_line(&mut line).expect("the probe answers");
    drop(probe);
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line} for {case}"))
}

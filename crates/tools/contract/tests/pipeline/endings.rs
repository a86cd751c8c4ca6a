//! However a run ends, it leaves a report that says so.

use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::program::{Outcome, Program};
use crate::server::{Server, free_port, json};

/// Every file of the report says that the run is incomplete.
fn is_incomplete(outcome: &Outcome, why: &str) {
    let names: Vec<_> = outcome.files.iter().map(|(name, _)| name.as_str()).collect();
    for name in ["report.json", "report.html", "report.md", "junit.xml"] {
        let (_, text) = outcome.files.iter().find(|(file, _)| file == name).unwrap();
        assert!(text.contains("incomplete") && text.contains(why), "{name}: {text}");
    }
    assert_eq!(names.len(), 4, "{names:?}");
    assert_ne!(outcome.report["different"], 0);
}

#[test]
fn a_candidate_that_stops() {
    let old = Server::start(|_| json(200, "{}"));
    // It closes its socket after the first answer.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        use std::io::{Read, Write};
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        _ = stream.read(&mut [0; 4096]);
        let answer = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n\
            content-length: 2\r\n\r\n{}";
        _ = stream.write_all(answer.as_bytes());
    });
    let cases = "- {name: first, request: GET /1}\n\n- {name: second, request: GET /2}\n- {name: third, request: GET /3}\n";
    let program = Program::new();
    let outcome = program.run(cases, &["--reference", &old.url, "--candidate", &url]);
    assert_eq!(outcome.code, 2, "{}", outcome.output);
    let expected =
        format!("cases.yaml:3:3: case 'second': the candidate at {url}/ cannot be reached");
    assert!(outcome.errors.contains(&expected), "{}", outcome.errors);
    assert!(outcome.errors.contains("Connection refused"), "{}", outcome.errors);
    is_incomplete(&outcome, "cannot be reached");
    assert_eq!(outcome.report["same"], 1, "what is known is in it");
}

#[test]
fn nothing_of_yesterday_is_left() {
    let service = Server::start(|_| json(200, "{}"));
    let cases = "- {name: a, request: GET /, status: 200}\n";
    let program = Program::new();
    assert_eq!(program.run(cases, &["--candidate", &service.url]).code, 0);
    let unreachable = format!("http://127.0.0.1:{}", free_port());
    let outcome = program.run(cases, &["--candidate", &unreachable]);
    assert_eq!(outcome.code, 2);
    is_incomplete(&outcome, "nothing listens there");
    assert_eq!(outcome.report["same"], 0);
    // Broken cases end it before the first request.
    let outcome = program.run("- {nam: a}\n", &["--candidate", &service.url]);
    assert_eq!(outcome.code, 2);
    is_incomplete(&outcome, "nam");
}

#[test]
fn names_that_do_not_exist() {
    let cases = "- {name: a, request: GET /, status: 200}\n";
    let outcome = Program::new().run(cases, &["--candidate", "http://nothing.invalid"]);
    assert_eq!(outcome.code, 2);
    for part in ["case 'a'", "http://nothing.invalid", "its name cannot be resolved"] {
        assert!(outcome.errors.contains(part), "{part}: {}", outcome.errors);
    }
}

#[test]
fn signals() {
    for signal in ["INT", "TERM"] {
        let count = AtomicUsize::new(0);
        let service = Server::start(move |_| {
            if count.fetch_add(1, Ordering::SeqCst) > 0 {
                thread::sleep(Duration::from_secs(30));
            }
            json(200, "{}")
        });
        let program = Program::new();
        let cases = program.write(
            "cases.yaml",
            "- {name: a, request: GET /, status: 200}\n- {name: b, request: GET /, status: 200}\n",
        );
        let arguments =
            ["run", "--cases", &cases, "--report", "out/report.json", "--candidate", &service.url];
        let child = program
            .command(env!("CARGO_BIN_EXE_contract"), &arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while service.requests().len() < 2 && start.elapsed() < Duration::from_secs(30) {
            thread::sleep(Duration::from_millis(20));
        }
        let id = child.id().to_string();
        assert!(program.command("kill", &[&format!("-{signal}"), &id]).status().unwrap().success());
        let outcome = program.outcome(&child.wait_with_output().unwrap());
        assert_eq!(outcome.code, 2, "{}", outcome.errors);
        assert!(start.elapsed() < Duration::from_secs(25));
        is_incomplete(&outcome, "it was interrupted");
        assert_eq!(outcome.report["same"], 1, "the first case is in it");
    }
}

/// The largest size of a file stands for a full disk: the report of the beginning has room, that of the
/// end has none.
#[test]
fn a_full_disk() {
    let (old, new) =
        (Server::start(|_| json(200, r#"{"a":1}"#)), Server::start(|_| json(200, r#"{"a":2}"#)));
    let program = Program::new();
    let rows: Vec<_> = (0..300).map(|n| format!("{{n: '{n}'}}")).collect();
    let cases = format!("- {{name: a, request: 'POST /${{n}}', each: [{}]}}\n", rows.join(", "));
    let cases = program.write("cases.yaml", &cases);
    let script = format!(
        "trap '' XFSZ; ulimit -f 32; exec {} run --cases {cases} --report out/report.json \
         --reference {} --candidate {}",
        env!("CARGO_BIN_EXE_contract"),
        old.url,
        new.url
    );
    let output = program.command("sh", &["-c", &script]).output().unwrap();
    let outcome = program.outcome(&output);
    assert_eq!(outcome.code, 2, "{}{}", outcome.output, outcome.errors);
    assert!(
        outcome.errors.contains("report.json cannot be written: File too large"),
        "{}",
        outcome.errors
    );
    assert!(outcome.output.contains("300 requests, 0 same, 0 better, 300 different"));
    let report = outcome.report.to_string();
    assert!(report.contains("incomplete: it began and did not end"), "{report}");
    let leftovers: Vec<_> =
        outcome.files.iter().filter(|(name, _)| name.contains(".new")).collect();
    assert!(leftovers.is_empty());

    let outcome = program.contract(&[
        "run",
        "--cases",
        &cases,
        "--candidate",
        &new.url,
        "--report",
        "/proc/nothing/report.json",
    ]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("/proc/nothing/report.json"), "{}", outcome.errors);
}

//! More than the service can do at a time, and a shutdown that is in a hurry.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::Method;
use testbed::{Scratch, rust, rust_binary};
use tokio::process::Child;

use crate::client::Api;
use crate::management::get;

#[tokio::test]
async fn sign_ins_beyond_what_hashing_can_take_are_refused_at_once_and_hurt_nothing_else() {
    let settings = [
        ("PASSWORD_THREADS", "1"),
        ("PASSWORD_QUEUE_SECONDS", "10"),
        // Only the hashing is too much: other tests on the same processors are no overload of the service.
        ("MAX_DELAY_MILLISECONDS", "0"),
        ("MANAGEMENT_PORT", "0"),
    ];
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &settings).await.unwrap();
    let mut sign_ins = tokio::task::JoinSet::new();
    for number in 0..200 {
        let url = service.url.clone();
        sign_ins.spawn(async move {
            let api = Api::new(&url);
            let start = Instant::now();
            let answer = api
                .request(Method::POST, "/login/access-token")
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("username=unknown{number}@example.com&password=wrong"))
                .send()
                .await
                .unwrap();
            (answer, start.elapsed())
        });
    }
    let api = Api::new(&service.url);
    let mut answers = Vec::new();
    while !sign_ins.is_empty() {
        if let Some(answer) = sign_ins.try_join_next() {
            answers.push(answer.unwrap());
        } else {
            let health = api.ask(Method::GET, "/utils/health-check/", None, None).await;
            assert_eq!(health.0, 200);
        }
    }
    let (mut verified, mut refused) = (0, 0);
    for (answer, took) in answers {
        match answer.status().as_u16() {
            400 => verified += 1,
            503 => {
                refused += 1;
                let seconds = answer.headers()["retry-after"].to_str().unwrap();
                assert!(seconds.parse::<u64>().unwrap() >= 1, "{seconds}");
                assert_eq!(answer.text().await.unwrap(), r#"{"detail":"Service Unavailable"}"#);
            }
            status => panic!("{status} after {took:?}"),
        }
    }
    assert!(verified >= 2, "those that could wait are verified: {verified}");
    assert!(refused >= 100, "the others are refused: {refused}");
    let (_, metrics) = get(&format!("{}/metrics", service.management().await.unwrap())).await;
    assert!(!metrics.contains("password_hashes_refused_total 0\n"), "{metrics}");
    assert!(metrics.contains("http_server_requests_refused_total 0\n"), "{metrics}");
}

/// A service whose output goes to these files in a folder, once it listens, and where.
async fn started(
    folder: &std::path::Path,
    database: &Scratch,
    settings: &[(&str, &str)],
    errors: impl Into<Stdio>,
) -> (Child, String) {
    let log = folder.join("log");
    let service = tokio::process::Command::new(rust_binary().unwrap())
        .kill_on_drop(true)
        .env("DATABASE_URL", &database.url)
        .env("PORT", "0")
        .envs(settings.iter().copied())
        .current_dir(folder)
        .stdout(std::fs::File::create(&log).unwrap())
        .stderr(errors)
        .spawn()
        .unwrap();
    let start = Instant::now();
    loop {
        let text = std::fs::read_to_string(&log).unwrap();
        if let Some((_, after)) = text.split_once("Molt listens on ")
            && let Some(url) = after.split_whitespace().next()
            && text.contains("Documentation")
        {
            return (service, url.to_owned());
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn terminate(service: &Child) {
    let pid = service.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
}

async fn ended(service: &mut Child, within: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < within {
        if service.try_wait().unwrap().is_some() {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

#[tokio::test]
async fn a_second_signal_ends_the_drain_at_once() {
    let (folder, database) = (tempfile::tempdir().unwrap(), Scratch::new().await.unwrap());
    let errors = std::fs::File::create(folder.path().join("errors")).unwrap();
    let settings = [("DRAIN_SECONDS", "60")];
    let (mut service, _) = started(folder.path(), &database, &settings, errors).await;
    terminate(&service);
    assert!(!ended(&mut service, Duration::from_secs(1)).await, "it drains");
    terminate(&service);
    assert!(ended(&mut service, Duration::from_secs(5)).await, "it has ended");
    let errors = std::fs::read_to_string(folder.path().join("errors")).unwrap();
    assert!(errors.contains("a second signal"), "the last line is written: {errors}");
}

#[tokio::test]
async fn a_log_that_takes_no_lines_stops_no_request() {
    let (folder, database) = (tempfile::tempdir().unwrap(), Scratch::new().await.unwrap());
    // Nothing reads it: a pipe holds some 200 lines.
    let (reader, writer) = std::io::pipe().unwrap();
    let (mut service, url) = started(folder.path(), &database, &[], writer).await;
    let api = Api::new(&url);
    for number in 0..500 {
        let answer = api.ask(Method::GET, "/utils/health-check/", None, None);
        let answer = tokio::time::timeout(Duration::from_secs(10), answer).await;
        assert_eq!(answer.map(|(status, _)| status), Ok(200), "request {number}");
    }
    terminate(&service);
    assert!(ended(&mut service, Duration::from_secs(10)).await, "it has ended");
    drop(reader);
}

//! Recorded traffic: what can be committed, and answers in place of a service.

use serde_json::json;

use crate::program::Program;
use crate::server::{Request, Server, json as answer};

/// A token that expires so many seconds after 1970.
fn token_until(subject: &str, expiry: i64) -> String {
    use base64::Engine as _;
    let encode = |text: &str| base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(text);
    let claims = format!(r#"{{"sub":"{subject}","exp":{expiry}}}"#);
    format!("{}.{}.c2lnbmF0dXJl", encode(r#"{"alg":"HS256"}"#), encode(&claims))
}

/// That of the recording.
fn token(subject: &str) -> String {
    token_until(subject, 1_767_262_000)
}

/// A recording as browsers write it: a sign-in, a row that is created and read, and things besides.
fn har() -> String {
    let header = |name: &str, value: &str| json!({"name": name, "value": value});
    let created = json!({"id": 41, "owner_id": "u-1", "created_at": "2026-01-01T10:00:05.120000Z"});
    let bearer = format!("Bearer {}", token("alice"));
    let entry =
        |method: &str, url: &str, headers: Vec<serde_json::Value>, body, status, text: String| {
            json!({
                "startedDateTime": "2026-01-01T11:00:05.000+01:00",
                "time": 40.5,
                "request": {"method": method, "url": url, "headers": headers, "postData": body},
                "response": {
                    "status": status,
                    "headers": [
                        header("Content-Type", "application/json"),
                        header("content-encoding", "gzip"),
                        header("content-length", "9999"),
                        header("set-cookie", "a=1\nb=2"),
                    ],
                    "content": {"size": text.len(), "text": text},
                },
            })
        };
    let body =
        |text: serde_json::Value| json!({"mimeType": "application/json", "text": text.to_string()});
    let none = json!(null);
    let login = json!({"user": "alice", "password": "hunter22"});
    let entries = vec![
        entry(
            "POST",
            "https://shop.test/login",
            vec![header("cookie", "sid=c00kie-value; theme=dark")],
            body(login),
            200,
            json!({"access_token": token("alice")}).to_string(),
        ),
        entry(
            "POST",
            "https://shop.test/items",
            vec![header("authorization", &bearer)],
            body(json!({"title": "one"})),
            201,
            created.to_string(),
        ),
        entry(
            "GET",
            "https://shop.test/items/41?api_key=k3y-of-a-client",
            vec![
                header("authorization", &bearer),
                header("x-api-key", "k3y-of-a-client"),
                header("referer", "https://shop.test/?token=k3y-of-a-client"),
            ],
            none.clone(),
            200,
            created.to_string(),
        ),
        entry("GET", "https://cdn.test/logo.png", vec![], none.clone(), 200, String::new()),
        entry("DELETE", "https://shop.test/other", vec![], none, 204, String::new()),
    ];
    json!({"log": {"version": "1.2", "entries": entries}}).to_string()
}

const SECRETS: [&str; 5] = ["c00kie-value", "hunter22", "k3y-of-a-client", "eyJ", "dark"];

#[test]
fn what_is_imported_can_be_committed() {
    let program = Program::new();
    let recording = program.write("traffic.har", &har());
    let outcome = program.contract(&[
        "import",
        &recording,
        "--host",
        "shop.*",
        "--path",
        "/items*,/login",
        "--method",
        "get,post",
    ]);
    assert_eq!(outcome.code, 0, "{}", outcome.errors);
    assert_eq!(outcome.output.lines().count(), 3, "{}", outcome.output);
    assert!(outcome.errors.contains("1 × to other hosts (first: entry 4)"), "{}", outcome.errors);
    assert!(outcome.errors.contains("1 × to other paths"), "{}", outcome.errors);
    for secret in SECRETS {
        assert!(!outcome.everything().contains(secret), "{secret}: {}", outcome.output);
    }
    for part in
        ["api_key=${api_key}", r#"\"password\":\"${password}\""#, "sid=${sid}", "Bearer ${token}"]
    {
        assert!(outcome.output.contains(part), "{part}: {}", outcome.output);
    }
    let expected =
        "left out, for --secret NAME to give again: api_key, password, sid, theme, token";
    assert!(outcome.errors.contains(expected), "{}", outcome.errors);

    // What was left out is given again.
    let service = Server::start(|_| answer(200, "{}"));
    let cases = program.write("cases.yaml", &outcome.output);
    let arguments = [
        "run",
        "--cases",
        &cases,
        "--report",
        "out/report.json",
        "--reference",
        &service.url,
        "--candidate",
        &service.url,
        "--secret",
        "password=pw-of-a-test",
        "--secret",
        "token=t-of-a-test",
        "--secret",
        "sid=1",
        "--secret",
        "theme=2",
        "--secret",
        "api_key=3",
    ];
    let outcome = program.contract(&arguments);
    assert_eq!(outcome.code, 0, "{}{}", outcome.output, outcome.errors);
    let seen = service.requests();
    assert!(seen.iter().any(|request| request.body.contains(r#""password":"pw-of-a-test""#)));
    assert!(seen.iter().any(|request| request.header("authorization") == "Bearer t-of-a-test"));

    let kept = program.contract(&["import", &recording, "--keep-secrets"]);
    assert!(kept.output.contains("hunter22"));
}

/// A service that does what was recorded, with ids and tokens of its own.
fn service(is_faulty: bool) -> Server {
    Server::start(move |request: &Request| {
        let now = {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
            chrono::DateTime::from_timestamp(i64::try_from(now.as_secs()).unwrap(), 120_000_000)
                .unwrap()
        };
        let body = json!({
            "id": 7,
            "owner_id": if is_faulty { "u-2" } else { "u-1" },
            "created_at": now.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(),
        });
        let (status, body) = match (request.method.as_str(), request.target.as_str()) {
            ("POST", "/login") => {
                // As long from now as in the recording.
                (200, json!({"access_token": token_until("alice", now.timestamp() + 395)}))
            }
            _ if request.header("authorization").is_empty() => (401, json!({})),
            ("POST", _) => (201, body),
            (_, target) if target.starts_with("/items/7") => (200, body),
            _ => (404, json!({})),
        };
        let headers = vec![
            ("content-type", "application/json".to_owned()),
            ("set-cookie", "a=1".to_owned()),
            ("set-cookie", "b=2".to_owned()),
        ];
        Some((status, headers, body.to_string()))
    })
}

#[test]
fn recorded_answers_stand_in_for_a_service_that_is_gone() {
    for (is_faulty, expected) in [(false, 0), (true, 1)] {
        let program = Program::new();
        let recording = program.write("traffic.har", &har());
        let ledger = program.write(
            "ledger.yaml",
            "[{case: '*', paths: [body.id], reason: ids are counted, owner: us}]",
        );
        let candidate = service(is_faulty);
        let outcome = program.contract(&[
            "run",
            "--reference",
            "recorded",
            "--replay",
            &recording,
            "--host",
            "shop.test",
            "--path",
            "/login,/items*",
            "--candidate",
            &candidate.url,
            "--report",
            "out/report.json",
            "--ledger",
            &ledger,
        ]);
        assert_eq!(outcome.code, expected, "{}{}", outcome.output, outcome.errors);
        assert_eq!(candidate.targets()[2], "GET /items/7?api_key=k3y-of-a-client", "its own id");
        if is_faulty {
            let differences = outcome.differences();
            let owners = differences.iter().filter(|path| path.ends_with("body.owner_id"));
            assert_eq!(owners.count(), 2, "{differences:?}");
        }
        for secret in &SECRETS[..3] {
            assert!(!outcome.everything().contains(secret), "{secret}");
        }
    }
    let program = Program::new();
    let log = program
        .write("a.log", "1.2.3.4 - - [25/Nov/2026:02:00:00 +0000] \"GET /a HTTP/1.1\" 200 4\n");
    let outcome = program.contract(&[
        "run",
        "--reference",
        "recorded",
        "--replay",
        &log,
        "--candidate",
        "http://localhost:1",
    ]);
    assert_eq!(outcome.code, 2);
    assert!(outcome.errors.contains("only HAR files have them"), "{}", outcome.errors);
}

//! Two services that the tool has never seen: notes in Python and notes in Rust. It finds what was
//! planted, and nothing else: not the ids, not the points in time.

#![expect(clippy::expect_used, reason = "a test ends so")]
#![expect(clippy::disallowed_methods, reason = "this service is none of Molt's")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{Path as PathParam, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use contract::case::Case;
use contract::ledger::Ledger;
use contract::report::Outcome;
use contract::run::{Options, Plan, Service, run};
use contract::self_test::{Findings, SelfTest};
use reqwest::Url;
use serde_json::{Value, json};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/third_party")
}

struct Python {
    child: Child,
    url: Url,
}

impl Python {
    fn start() -> Self {
        let mut child = Command::new("python3")
            .arg(folder().join("notes.py"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python is installed");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        output.read_line(&mut line).expect("it says where it listens");
        let url = line.trim().rsplit(' ').next().and_then(|url| url.parse().ok());
        Self { child, url: url.expect("a URL") }
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

type Notes = Arc<Mutex<Vec<Value>>>;

/// The notes, and whether the planted differences are active.
#[derive(Clone)]
struct App {
    notes: Notes,
    differs: bool,
}

fn json_text(status: StatusCode, text: String) -> Response {
    (status, [("content-type", "application/json")], text).into_response()
}

async fn read_notes(State(app): State<App>) -> Response {
    let notes = app.notes.lock().expect("no panic");
    let mut listed = notes.clone();
    if app.differs {
        listed.reverse();
    }
    Json(json!({"notes": listed, "count": notes.len()})).into_response()
}

async fn write_note(State(app): State<App>, Json(given): Json<Value>) -> Response {
    let Some(text) = given["text"].as_str() else {
        let detail = if app.differs { "text missing" } else { "text is missing" };
        return json_text(StatusCode::UNPROCESSABLE_ENTITY, json!({"detail": detail}).to_string());
    };
    let now = chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    let id = uuid::Uuid::new_v4().to_string();
    let note = json!({"id": id, "text": text, "created_at": now});
    app.notes.lock().expect("no panic").push(note.clone());
    json_text(StatusCode::CREATED, note.to_string())
}

async fn read_note(State(app): State<App>, PathParam(id): PathParam<String>) -> Response {
    let notes = app.notes.lock().expect("no panic");
    let Some(note) = notes.iter().find(|note| note["id"] == id.as_str()) else {
        let missing = if app.differs { StatusCode::GONE } else { StatusCode::NOT_FOUND };
        return json_text(missing, r#"{"detail":"no such note"}"#.into());
    };
    let mut headers = HeaderMap::new();
    if !app.differs {
        headers.insert("x-kind", "note".parse().expect("a value"));
    }
    (headers, Json(note.clone())).into_response()
}

async fn delete_note(State(app): State<App>, PathParam(id): PathParam<String>) -> Response {
    app.notes.lock().expect("no panic").retain(|note| note["id"] != id.as_str());
    json_text(StatusCode::OK, "{}".into())
}

async fn price(State(app): State<App>) -> Response {
    let price = if app.differs { r#"{"price":1}"# } else { r#"{"price":1.0,"currency":null}"# };
    json_text(StatusCode::OK, price.into())
}

/// As a JWT is written; its signature is of no key, as no other service can check it.
async fn write_token(Json(given): Json<Value>) -> Response {
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let claims = json!({"sub": given["name"]}).to_string();
    let signature = uuid::Uuid::new_v4().simple();
    let token = format!("{}.{}.{signature}", part(r#"{"alg":"HS256"}"#), part(&claims));
    json_text(StatusCode::OK, json!({"token": token}).to_string())
}

async fn text(State(app): State<App>, _: Request) -> Response {
    let text = if app.differs { r#""\u00e9""# } else { "\"é\"" };
    json_text(StatusCode::OK, text.into())
}

async fn rust(differs: bool) -> Url {
    let app = App { notes: Notes::default(), differs };
    let router = Router::new()
        .route("/notes", get(read_notes).post(write_note))
        .route("/notes/{id}", get(read_note).delete(delete_note))
        .route("/price", get(price))
        .route("/text", get(text))
        .route("/tokens", post(write_token))
        .with_state(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("the port");
    tokio::spawn(async { axum::serve(listener, router).await });
    format!("http://{address}").parse().expect("a URL")
}

async fn outcomes(reference: Option<Url>, candidate: Url) -> Vec<Outcome> {
    let cases = Case::load(&folder().join("notes.yaml")).expect("the cases are valid");
    let plan = Plan {
        reference: reference.map(Service::new),
        candidate: Service::new(candidate),
        cases,
        slack: Duration::from_secs(10),
        shared_database: false,
        window: Duration::from_secs(2),
        options: Options::default(),
    };
    let no_document = |_: &str| None;
    run(plan, &mut Ledger::default(), no_document, &mut |_: &Outcome| {})
        .await
        .expect("both answer")
}

#[tokio::test]
async fn planted_differences_are_found_and_nothing_else() {
    let python = Python::start();
    let outcomes = outcomes(Some(python.url.clone()), rust(true).await).await;
    let found: Vec<_> = outcomes
        .iter()
        .flat_map(|outcome| {
            let case = &outcome.case;
            outcome.differences.iter().map(move |difference| format!("{case}: {}", difference.path))
        })
        .collect();
    assert_eq!(
        found,
        [
            "all notes: body.notes[0].id",
            "all notes: body.notes[0].text",
            "all notes: body.notes[0].created_at",
            "all notes: body.notes[1].id",
            "all notes: body.notes[1].text",
            "all notes: body.notes[1].created_at",
            "one note: header x-kind",
            "no text: header content-length",
            "no text: body.detail",
            "a price: header content-length",
            "a price: body.price",
            "a price: body.currency",
            "a text: header content-length",
            "a text: body, byte 1",
            "it is deleted: status",
        ]
    );
}

#[tokio::test]
async fn both_services_are_the_same() {
    let python = Python::start();
    let outcomes = outcomes(Some(python.url.clone()), rust(false).await).await;
    assert!(outcomes.iter().all(Outcome::is_same), "{outcomes:#?}");
}

#[tokio::test]
async fn a_service_alone_is_held_to_what_the_cases_expect() {
    let python = Python::start();
    let outcomes = outcomes(None, python.url.clone()).await;
    assert!(outcomes.iter().all(Outcome::is_same), "{outcomes:#?}");
}

/// The numbers of the self-test on services of which it knows nothing.
#[tokio::test]
async fn faults_in_answers_are_seen() {
    let python = Python::start();
    let candidate = rust(false).await;
    let mut test = SelfTest::new(Findings::default(), &candidate, true).await.expect("a proxy");
    let plan = Plan {
        reference: Some(Service::new(python.url.clone())),
        candidate: Service::new(test.url().expect("it injects").clone()),
        cases: Case::load(&folder().join("notes.yaml")).expect("the cases are valid"),
        slack: Duration::from_millis(200),
        shared_database: false,
        window: Duration::from_secs(2),
        options: Options::default(),
    };
    run(plan, &mut Ledger::default(), |_: &str| None, &mut test).await.expect("both answer");
    let Findings { injected, caught, false_alarms, kinds, .. } = test.findings;
    assert!(kinds.len() >= 40 && injected > 300, "{injected} faults of {} kinds", kinds.len());
    assert_eq!((caught, false_alarms), (injected, 0), "{kinds:#?}");
    for kind in ["id: another of the same version", "token: of another subject"] {
        assert!(kinds.contains_key(kind), "{kind}: {kinds:#?}");
    }
}

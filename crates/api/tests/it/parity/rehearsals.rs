//! Writes of python-legacy that the Rust service before it rehearses.

use std::time::{Duration, Instant};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use testbed::{Postgres, Service, legacy, rust};

use crate::client::{ADMIN, Api, PASSWORD};

const PAGE: &str = "the page's own password";

fn client() -> Client {
    // Another test may have been faster.
    _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().build().unwrap()
}

/// The Rust service before python-legacy, everything shadowed.
async fn front(url: &str, python: &Service, settings: &[(&str, &str)]) -> Service {
    let common = [
        ("LEGACY_URL", python.url.as_str()),
        ("MANAGEMENT_PORT", "0"),
        ("STRANGLER_PASSWORD", PAGE),
        // Hashing takes long in a debug build.
        ("STRANGLER_REHEARSAL_MILLISECONDS", "30000"),
    ];
    let front = rust(url, &[&common, settings].concat()).await.unwrap();
    let plan = format!("{}/_molt/plan", front.management().await.unwrap());
    let plan = client().put(plan).bearer_auth(PAGE).body("default: shadow\n");
    assert_eq!(plan.send().await.unwrap().status(), 204);
    front
}

/// What became of the comparisons of writes, once there are so many.
async fn comparisons(front: &Service, count: u64) -> Value {
    let state = format!("{}/_molt/state", front.management().await.unwrap());
    let start = Instant::now();
    loop {
        let state = client().get(&state).bearer_auth(PAGE).send().await.unwrap();
        let state: Value = serde_json::from_slice(&state.bytes().await.unwrap()).unwrap();
        let operations = state["operations"].as_array().unwrap();
        let writes = operations.iter().filter(|one| one["method"] != "GET");
        let sum = |key: &str| writes.clone().map(|one| one[key].as_u64().unwrap()).sum::<u64>();
        let kinds = ["matches", "mismatches", "noise", "accepted", "uncompared", "dropped"];
        let sums = kinds.map(sum);
        if sums.iter().sum::<u64>() >= count {
            let differences = writes.map(|one| &one["last_differences"]).collect::<Vec<_>>();
            return json!({"sums": sums, "differences": differences});
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{sums:?} of {count}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Writes of every kind, also such that are refused for what is in the database.
async fn write(api: &Api) -> u64 {
    let mut sent = 0;
    let mut expect = |(status, body): (u16, Value), expected: u16| {
        sent += 1;
        assert_eq!(status, expected, "{body}");
        body
    };
    let token = expect(api.try_sign_in(ADMIN.0, ADMIN.1).await, 200);
    let admin = token["access_token"].as_str();
    expect(api.try_sign_in(ADMIN.0, "not the password").await, 400);
    expect(api.sign_up("one@example.com").await, 200);
    expect(api.sign_up("one@example.com").await, 400);
    expect(api.sign_up("no e-mail").await, 422);
    let token = expect(api.try_sign_in("one@example.com", PASSWORD).await, 200);
    let one = token["access_token"].as_str();
    let body = |value: Value| Some(value);
    let change = body(json!({"full_name": "One", "email": "one@example.org"}));
    expect(api.ask(Method::PATCH, "/users/me", one, change).await, 200);
    let taken = body(json!({"email": ADMIN.0}));
    expect(api.ask(Method::PATCH, "/users/me", one, taken).await, 409);
    let password = json!({"current_password": PASSWORD, "new_password": "another good one"});
    expect(api.ask(Method::PATCH, "/users/me/password", one, body(password.clone())).await, 200);
    expect(api.ask(Method::PATCH, "/users/me/password", one, body(password)).await, 400);
    let new = json!({"email": "two@example.com", "password": PASSWORD});
    expect(api.ask(Method::POST, "/users/", one, body(new.clone())).await, 403);
    let two = expect(api.ask(Method::POST, "/users/", admin, body(new)).await, 200);
    let path = format!("/users/{}", two["id"].as_str().unwrap());
    let change = body(json!({"is_active": false}));
    expect(api.ask(Method::PATCH, &path, admin, change).await, 200);
    expect(api.ask(Method::DELETE, &path, admin, None).await, 200);
    expect(api.ask(Method::DELETE, &path, admin, None).await, 404);
    // [with items]
    let item = body(json!({"title": "a chair"}));
    let item = expect(api.ask(Method::POST, "/items/", one, item).await, 200);
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    expect(api.ask(Method::PUT, &path, one, body(json!({"title": "a table"}))).await, 200);
    expect(api.ask(Method::PUT, &path, one, body(json!({"title": ""}))).await, 422);
    expect(api.ask(Method::DELETE, &path, one, None).await, 200);
    expect(api.ask(Method::DELETE, &path, one, None).await, 404);
    // [end]
    expect(api.ask(Method::DELETE, "/users/me", one, None).await, 200);
    sent
}

async fn rehearse(url: &str) {
    let python = legacy(url, &[]).await.unwrap();
    // A rehearsal is no attempt to sign in.
    let limits = [("SIGN_IN_LIMIT_BY_ADDRESS", "1"), ("SIGN_IN_LIMIT_BY_ACCOUNT", "1")];
    let service = front(url, &python, &limits).await;
    let sent = write(&Api::new(&service.url)).await;
    let found = comparisons(&service, sent).await;
    let all = json!([sent, 0, 0, 0, 0, 0]);
    assert_eq!(found["sums"], all, "the whole answers are equal: {found:#}\n{}", service.log());
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    rehearse(&format!("sqlite:///{}/shared.db", folder.path().display())).await;
}

#[tokio::test]
async fn on_postgres() {
    let postgres = Postgres::start().await.unwrap();
    rehearse(&postgres.database().await.unwrap()).await;
}

/// One whose tokens last as long as the old service's do not, and one that refuses them.
#[tokio::test]
async fn a_service_that_would_do_something_else_is_found() {
    let postgres = Postgres::start().await.unwrap();
    let key = "another key, of as many characters as a key must have";
    for (setting, value) in [("ACCESS_TOKEN_EXPIRE_MINUTES", "60"), ("SECRET_KEY", key)] {
        let url = postgres.database().await.unwrap();
        let python = legacy(&url, &[]).await.unwrap();
        let service = front(&url, &python, &[(setting, value)]).await;
        let api = Api::new(&service.url);
        let token = api.sign_in(ADMIN).await;
        let change = Some(json!({"full_name": "An admin"}));
        let (status, _) = api.ask(Method::PATCH, "/users/me", Some(&token), change).await;
        assert_eq!(status, 200, "no client notices");
        let found = comparisons(&service, 2).await;
        assert_eq!(found["sums"], json!([1, 1, 0, 0, 0, 0]), "{setting}: {found:#}");
    }
}

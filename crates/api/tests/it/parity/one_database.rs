//! One database, both services at the same time.

use reqwest::Method;
// [with items]
use serde_json::json;
// [end]
use testbed::{Postgres, legacy, rust};

use crate::bad_days::sign_up_twice;
use crate::client::{ADMIN, Api, PASSWORD};

/// bcrypt of `PASSWORD`, as an older deployment stored it.
const BCRYPT: &str = "$2b$04$Y1WlMpbvN.EzLlsTK3ygROo.23iJmDXubmtvdLOoM22pbVi9e72pC";

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    for first in ["legacy", "rust"] {
        share(&format!("sqlite:///{}/{first}.db", folder.path().display()), first).await;
    }
}

#[tokio::test]
async fn on_postgres() {
    let postgres = Postgres::start().await.unwrap();
    for first in ["legacy", "rust"] {
        share(&postgres.database().await.unwrap(), first).await;
    }
}

/// Both services several times, on an empty database, at one moment: each migrates or waits.
#[tokio::test]
async fn all_can_start_at_once() {
    let postgres = Postgres::start().await.unwrap();
    let urls = vec![postgres.database().await.unwrap(), postgres.database().await.unwrap()];
    // [with sqlite]
    let folder = tempfile::tempdir().unwrap();
    let files = (0..2).map(|round| format!("sqlite:///{}/{round}.db", folder.path().display()));
    let urls = urls.into_iter().chain(files);
    // [end]
    for url in urls {
        let pythons = (legacy(&url, &[]), legacy(&url, &[]));
        let rusts = (rust(&url, &[]), rust(&url, &[]));
        let (one, other, third, fourth) = tokio::join!(pythons.0, rusts.0, pythons.1, rusts.1);
        for service in [one, other, third, fourth] {
            Api::new(&service.unwrap().url).sign_in(ADMIN).await;
        }
    }
}

/// `first` makes the database, the other adopts it; then each goes on where the other left off.
async fn share(url: &str, first: &str) {
    let (python, rust) = if first == "legacy" {
        let python = legacy(url, &[]).await.unwrap();
        (python, rust(url, &[]).await.unwrap())
    } else {
        let rust = rust(url, &[]).await.unwrap();
        (legacy(url, &[]).await.unwrap(), rust)
    };
    let (python_api, rust_api) = (Api::new(&python.url), Api::new(&rust.url));
    sign_up_twice(&python).await;

    for (index, (one, other)) in
        [(&python_api, &rust_api), (&rust_api, &python_api)].into_iter().enumerate()
    {
        let email = format!("user{index}@example.com");
        assert_eq!(one.sign_up(&email).await.0, 200);
        assert_eq!(other.sign_up(&email).await.0, 400, "the other service knows the e-mail");

        // A token of the one is good at the other, and so is the password.
        let token = one.sign_in((&email, PASSWORD)).await;
        let me = other.ask(Method::GET, "/users/me", Some(&token), None).await;
        assert_eq!(me, one.ask(Method::GET, "/users/me", Some(&token), None).await);
        let other_token = other.sign_in((&email, PASSWORD)).await;

        assert_eq!(one.ask(Method::GET, "/users/me", Some(&other_token), None).await, me);
        // [with items]
        items_are_shared((one, &token), (other, &other_token)).await;
        // [end]
    }

    // Lists come in the same order from both.
    let admin = python_api.sign_in(ADMIN).await;
    for path in ["/users/", "/users/?skip=1&limit=1"] {
        let python = python_api.ask(Method::GET, path, Some(&admin), None).await;
        assert_eq!(rust_api.ask(Method::GET, path, Some(&admin), None).await, python);
        assert!(python.1["count"].as_i64().unwrap() >= 2);
    }

    // A bcrypt hash is good at both and is replaced at the first sign-in.
    for (index, api) in [&python_api, &rust_api].into_iter().enumerate() {
        let email = format!("bcrypt{index}@example.com");
        api.sign_up(&email).await;
        set_hash(url, &email, BCRYPT).await;
        assert_eq!(api.try_sign_in(&email, "wrong").await.0, 400);
        assert_eq!(hash(url, &email).await, BCRYPT, "a wrong password changes nothing");
        api.sign_in((&email, PASSWORD)).await;
        let upgraded = hash(url, &email).await;
        assert!(upgraded.starts_with("$argon2id$v=19$m=65536,t=3,p=4$"), "{upgraded}");
        for api in [&python_api, &rust_api] {
            api.sign_in((&email, PASSWORD)).await;
            assert_eq!(hash(url, &email).await, upgraded, "an up-to-date hash stays");
        }
    }
}

// [with items]
/// An item is the same to both, whichever created or updated it.
async fn items_are_shared((one, token): (&Api, &str), (other, other_token): (&Api, &str)) {
    let body = json!({"title": "é\u{1F600}", "description": null});
    let (_, item) = one.ask(Method::POST, "/items/", Some(other_token), Some(body)).await;
    let path = format!("/items/{}", item["id"].as_str().unwrap());
    assert_eq!(other.ask(Method::GET, &path, Some(token), None).await, (200, item));
    let change = json!({"description": "changed"});
    let changed = other.ask(Method::PUT, &path, Some(token), Some(change)).await;
    assert_eq!(one.ask(Method::GET, &path, Some(token), None).await, changed);
    let list = one.ask(Method::GET, "/items/", Some(token), None).await;
    assert_eq!(other.ask(Method::GET, "/items/", Some(token), None).await, list);
}
// [end]

async fn hash(url: &str, email: &str) -> String {
    let query = "SELECT hashed_password FROM \"user\" WHERE email = $1";
    #[cfg(feature = "sqlite")]
    if let Some(path) = url.strip_prefix("sqlite:///") {
        let pool = sqlx::SqlitePool::connect(path).await.unwrap();
        return sqlx::query_scalar(query).bind(email).fetch_one(&pool).await.unwrap();
    }
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    sqlx::query_scalar(query).bind(email).fetch_one(&pool).await.unwrap()
}

async fn set_hash(url: &str, email: &str, hash: &str) {
    let query = "UPDATE \"user\" SET hashed_password = $1 WHERE email = $2";
    #[cfg(feature = "sqlite")]
    if let Some(path) = url.strip_prefix("sqlite:///") {
        let pool = sqlx::SqlitePool::connect(path).await.unwrap();
        sqlx::query(query).bind(hash).bind(email).execute(&pool).await.unwrap();
        return;
    }
    let pool = sqlx::PgPool::connect(url).await.unwrap();
    sqlx::query(query).bind(hash).bind(email).execute(&pool).await.unwrap();
}

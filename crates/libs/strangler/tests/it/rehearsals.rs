//! Writes that the new service executes without effect, just before the old one gets them.

use std::time::SystemTime;

use axum::extract::Json;
use axum::response::IntoResponse;
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::json;

use super::*;

const OWNER: &str = "0a0a0a0a-1111-4111-8111-000000000001";
const OTHER: &str = "0b0b0b0b-1111-4111-8111-000000000002";

/// Marks a request whose effects are undone.
#[derive(Clone)]
struct Undone;

/// The database of both services.
#[derive(Clone, Default)]
struct Database {
    titles: Shared<Vec<String>>,
    ids: Count,
    /// How often each kind of request came: those that act, and rehearsals.
    acted: Count,
    rehearsed: Count,
}

impl Database {
    /// Creates an item of the caller; the title is unique.
    fn create(&self, title: &str, is_undone: bool) -> (StatusCode, Value) {
        if is_undone { &self.rehearsed } else { &self.acted }.fetch_add(1, Ordering::SeqCst);
        let mut titles = self.titles.lock().unwrap();
        if titles.iter().any(|taken| taken == title) {
            return (StatusCode::CONFLICT, json!({"detail": "there is one"}));
        }
        if !is_undone {
            titles.push(title.to_owned());
        }
        let id = self.ids.fetch_add(1, Ordering::SeqCst);
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs();
        let id = format!("{:08x}-2222-4222-8222-000000000003", id + 0xc0de);
        let item = json!({"id": id, "owner_id": OWNER, "title": title, "price": 1.25, "at": now});
        (StatusCode::CREATED, item)
    }
}

type Mutate = fn(StatusCode, Value) -> (StatusCode, Value);

/// A strangler before both, of which the new one answers so; the operation is shadowed.
async fn front(mutate: Mutate, settings: impl FnOnce(&mut Settings)) -> (Front, Database) {
    let database = Database::default();
    let legacy = {
        let database = database.clone();
        post(async move |body: String| {
            let (status, item) = database.create(&body, false);
            (status, Json(item))
        })
    };
    let native = {
        let database = database.clone();
        post(async move |request: Request| {
            let is_undone = request.extensions().get::<Undone>().is_some();
            let body = axum::body::to_bytes(request.into_body(), 1000).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            if body == "slow" {
                tokio::time::sleep(Duration::from_mins(1)).await;
            }
            let (status, item) = database.create(&body, is_undone);
            let (status, item) = mutate(status, item);
            (status, Json(item)).into_response()
        })
    };
    let routes = |handler| Router::new().route("/items/", handler);
    let mut all = Settings {
        rehearse: Some(Arc::new(|mut request| {
            request.extensions_mut().insert(Undone);
            Box::pin(async { Ok(request) })
        })),
        ..Settings::new(serve(routes(legacy)).await.parse().unwrap())
    };
    settings(&mut all);
    let front = Front::start(routes(native), all).await;
    front.set("create_item", "shadow");
    (front, database)
}

/// Sends it as the owner.
async fn send(front: &Front, title: impl Into<reqwest::Body>) -> (StatusCode, Value) {
    let part = |claims: Value| BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    let token = format!("{}.{}.x_", part(json!({"alg": "HS256"})), part(json!({"sub": OWNER})));
    let request = client().post(format!("{}/items/", front.url)).bearer_auth(token);
    let answer = request.body(title).send().await.unwrap();
    let status = answer.status();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_write_is_rehearsed_and_done_once() {
    let (front, database) = front(|status, item| (status, item), |_| ()).await;
    for title in ["a", "b", "a"] {
        let (status, _) = send(&front, title).await;
        let expected = if status == StatusCode::CONFLICT { "a" } else { title };
        assert_eq!(expected, title);
    }
    let view = front.until("create_item", |view| view["matches"] == 3).await;
    assert_eq!(view["rehearsals"]["requests"], 3);
    assert!(view["rehearsals"]["p50"].as_f64().unwrap() < 0.5, "{view:#}");
    assert_eq!([&view["mismatches"], &view["accepted"]], [0, 0]);
    assert_eq!(count(&database.acted), 3, "each is done once, by the old service");
    assert_eq!(*database.titles.lock().unwrap(), ["a", "b"]);
}

#[tokio::test]
async fn every_defect_of_a_write_is_found() {
    fn set(mut item: Value, key: &str, value: Value) -> Value {
        item[key] = value;
        item
    }
    fn shifted(item: Value, seconds: i64) -> Value {
        match item["at"].as_i64() {
            Some(at) => set(item, "at", (at + seconds).into()),
            None => item,
        }
    }
    let mutants: [(&str, Mutate); 10] = [
        ("another owner", |s, item| (s, set(item, "owner_id", OTHER.into()))),
        ("an id that is not made up", |s, item| {
            let is_new = s == StatusCode::CREATED;
            (s, if is_new { set(item, "id", OTHER.into()) } else { item })
        }),
        ("the owner's id for its own", |s, item| (s, set(item, "id", OWNER.into()))),
        ("another status", |_, item| (StatusCode::OK, item)),
        ("a field that is missing", |s, mut item| {
            item.as_object_mut().unwrap().remove("title");
            (s, item)
        }),
        ("a field more", |s, item| (s, set(item, "is_new", true.into()))),
        ("rounding", |s, item| (s, set(item, "price", 1.3.into()))),
        ("another zone", |s, item| (s, shifted(item, 3600))),
        ("a time of before", |s, item| (s, shifted(item, -60))),
        ("a refusal", |_, _| (StatusCode::FORBIDDEN, json!({"detail": "no"}))),
    ];
    for (defect, mutate) in mutants {
        let (front, database) = front(mutate, |_| ()).await;
        for title in ["a", "b"] {
            let (status, _) = send(&front, title).await;
            assert_eq!(status, StatusCode::CREATED, "{defect}: no client notices");
        }
        let view = front
            .until("create_item", |view| {
                let counts = ["matches", "mismatches", "noise", "uncompared"];
                counts.iter().map(|key| view[*key].as_u64().unwrap()).sum::<u64>() == 2
            })
            .await;
        // It takes a second request to see that an id is always the same.
        let expected = if defect == "an id that is not made up" { 1 } else { 2 };
        assert_eq!(view["mismatches"], expected, "{defect}: {view:#}");
        assert_eq!(count(&database.acted), 2, "{defect}");
    }
}

#[tokio::test]
async fn a_missing_conflict_is_found() {
    let mutate: Mutate = |_, item| (StatusCode::CREATED, item);
    let (front, _) = front(mutate, |_| ()).await;
    send(&front, "a").await;
    assert_eq!(send(&front, "a").await.0, StatusCode::CONFLICT);
    let view = front.until("create_item", |view| view["mismatches"] == 1).await;
    assert_eq!(view["matches"], 1);
}

/// Of many who want the same at once one gets it: no rehearsal can know which.
#[tokio::test]
async fn what_others_do_meanwhile_is_no_mismatch() {
    let (front, _) = front(|status, item| (status, item), |all| all.max_rehearsals = 100).await;
    let mut created = 0;
    for round in 0..10 {
        let title = round.to_string();
        let all = (0..8).map(|_| send(&front, title.clone()));
        let all = futures_util::future::join_all(all).await;
        created += all.iter().filter(|(status, _)| *status == StatusCode::CREATED).count();
    }
    assert_eq!(created, 10);
    let view = front
        .until("create_item", |view| {
            let sum =
                |keys: &[&str]| keys.iter().map(|key| view[*key].as_u64().unwrap()).sum::<u64>();
            sum(&["matches", "mismatches", "noise", "uncompared", "accepted", "dropped"]) == 80
        })
        .await;
    assert_eq!(view["mismatches"], 0, "{view:#}");
}

#[tokio::test]
async fn a_client_gets_the_same_whatever_becomes_of_its_rehearsal() {
    let (front, database) = front(
        |status, item| (status, item),
        |all| {
            all.rehearsal_timeout = Duration::from_millis(100);
            all.shadow_body = 10;
        },
    )
    .await;
    assert_eq!(send(&front, "slow").await.0, StatusCode::CREATED, "given up");
    assert_eq!(send(&front, "a title that is too long").await.0, StatusCode::CREATED);
    // A body that comes slowly goes to the old service as it comes.
    let (sender, receiver) = tokio::sync::mpsc::channel::<Result<&str, std::io::Error>>(1);
    let feeding = async {
        for part in ["by", "and", "by"] {
            sender.send(Ok(part)).await.unwrap();
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
        drop(sender);
    };
    let body = futures_util::stream::unfold(receiver, async |mut receiver| {
        let part = receiver.recv().await?;
        Some((part, receiver))
    });
    let ((), (status, item)) =
        tokio::join!(feeding, send(&front, reqwest::Body::wrap_stream(body)));
    assert_eq!((status, &item["title"]), (StatusCode::CREATED, &json!("byandby")));
    assert_eq!(count(&database.acted), 3);
    assert_eq!(front.view("create_item")["rehearsals"]["requests"], 0, "none took place");
}

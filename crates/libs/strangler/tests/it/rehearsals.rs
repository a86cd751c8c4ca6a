//! Writes that the new service executes without effect, just before the old one gets them.

use std::time::SystemTime;

use axum::extract::Json;
use axum::response::IntoResponse;
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::StatusCode;
use serde_json::json;

use strangler::{MailRelay, Message, Outbox};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

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
    /// How often a write came that is refused the first time.
    refused: Count,
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
            if body == "busy" && database.refused.fetch_add(1, Ordering::SeqCst) == 0 {
                return StatusCode::SERVICE_UNAVAILABLE.into_response();
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
async fn a_rehearsal_that_is_refused_for_a_moment_is_repeated() {
    let (front, database) = front(|status, item| (status, item), |_| ()).await;
    assert_eq!(send(&front, "busy").await.0, StatusCode::CREATED);
    let view = front.until("create_item", |view| view["matches"] == 1).await;
    assert_eq!(count(&database.acted), 1);
    assert!(count(&database.refused) >= 2, "{view:#}");
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

/// A change that the new service does not make looks right once the old one has made it.
#[tokio::test]
async fn a_change_that_is_not_made_is_found() {
    let stored: Shared<Value> = Arc::new(Mutex::new(json!({"title": "before", "price": 1})));
    let legacy = {
        let stored = Arc::clone(&stored);
        post(async move |Json(change): Json<Value>| {
            *stored.lock().unwrap() = change.clone();
            Json(change)
        })
    };
    let native = post(async move || Json(stored.lock().unwrap().clone()));
    let routes = |handler| Router::new().route("/items/", handler);
    let settings = Settings {
        rehearse: Some(Arc::new(|request| Box::pin(async { Ok(request) }))),
        ..Settings::new(serve(routes(legacy)).await.parse().unwrap())
    };
    let front = Front::start(routes(native), settings).await;
    front.set("create_item", "shadow");
    let change = |title: String| {
        let post = client().post(format!("{}/items/", front.url));
        let post = post.header("content-type", "application/json");
        post.body(json!({"title": title, "price": 1}).to_string()).send()
    };
    change("one".to_owned()).await.unwrap();
    front.until("create_item", |view| view["mismatches"] == 1).await;
    // Several at once may each have been found changed by another.
    let all = (0..8).map(|n| change(format!("number {n}")));
    futures_util::future::join_all(all).await;
    let view = front
        .until("create_item", |view| {
            let kinds = ["matches", "mismatches", "noise", "uncompared", "accepted", "dropped"];
            kinds.iter().map(|kind| view[*kind].as_u64().unwrap()).sum::<u64>() == 9
        })
        .await;
    assert_eq!(view["matches"], 0, "{view:#}");
}

/// A mail server that accepts everything.
async fn mail_server() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (from, mut to) = stream.into_split();
                let mut lines = BufReader::new(from).lines();
                to.write_all(b"220 ready\r\n").await.unwrap();
                let mut is_text = false;
                while let Ok(Some(line)) = lines.next_line().await {
                    let reply = match &*line {
                        "." => "250 accepted\r\n",
                        "DATA" => "354 go on\r\n",
                        _ if is_text => continue,
                        _ => "250 ok\r\n",
                    };
                    is_text = line == "DATA";
                    to.write_all(reply.as_bytes()).await.unwrap();
                }
            });
        }
    });
    address
}

/// Sends an e-mail as the old service does.
async fn mail(server: std::net::SocketAddr, to: &str, text: &str) {
    let stream = tokio::net::TcpStream::connect(server).await.unwrap();
    let (from, mut to_server) = stream.into_split();
    let mut lines = BufReader::new(from).lines();
    let text = format!("Subject: Hello\r\nContent-Type: text/html\r\n\r\n{text}\r\n.");
    for line in ["", "EHLO a", "MAIL FROM:<a@b.co>", &format!("RCPT TO:<{to}>"), "DATA", &text] {
        if !line.is_empty() {
            to_server.write_all(format!("{line}\r\n").as_bytes()).await.unwrap();
        }
        lines.next_line().await.unwrap().unwrap();
    }
}

/// What is sent to whom the request names, and with which text.
type Send = fn(&str) -> Option<(String, String)>;

#[tokio::test]
async fn e_mails_are_compared() {
    let to = |to: &str, text: &str| Message {
        to: to.to_owned(),
        subject: "Hello".to_owned(),
        text: text.to_owned(),
    };
    let right: Send =
        |to| Some((to.to_owned(), "token 3e1f0a52-1111-4111-8111-00000000000a".into()));
    let cases: [(&str, Send, Send, &str); 6] = [
        (
            "the same but for an id of its own",
            right,
            |to| Some((to.to_owned(), "token 4e1f0a52-1111-4111-8111-00000000000b".into())),
            "",
        ),
        (
            "another recipient",
            right,
            |to| Some((format!("x{to}"), "token".to_owned())),
            "message.to",
        ),
        ("another text", right, |to| Some((to.to_owned(), "token".into())), "message.text"),
        ("none", right, |_| None, "message"),
        ("one too many", |_| None, right, "message"),
        ("no e-mail at all", |_| None, |_| None, ""),
    ];
    for (case, theirs, ours, path) in cases {
        let relay = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let legacy = post(async move |body: String| {
            if let Some((to, text)) = theirs(&body) {
                mail(relay, &to, &text).await;
            }
            "sent"
        });
        let native = post(async move |request: Request| {
            let outbox = request.extensions().get::<Outbox>().cloned();
            let body = axum::body::to_bytes(request.into_body(), 1000).await.unwrap();
            if let Some((recipient, text)) = ours(&String::from_utf8_lossy(&body)) {
                outbox.unwrap().add(to(&recipient, &text));
            }
            "sent"
        });
        let routes = |handler| Router::new().route("/items/", handler);
        let settings = Settings {
            rehearse: Some(Arc::new(|request| Box::pin(async { Ok(request) }))),
            mail_relay: Some(MailRelay { listen: relay, server: mail_server().await }),
            ..Settings::new(serve(routes(legacy)).await.parse().unwrap())
        };
        let front = Front::start(routes(native), settings).await;
        front.set("create_item", "shadow");
        let post = client().post(format!("{}/items/", front.url)).body("one@example.com");
        assert_eq!(post.send().await.unwrap().status(), 200, "{case}");
        let expected = if path.is_empty() { "matches" } else { "mismatches" };
        let is_known = |view: &Value| view["matches"] != 0 || view["mismatches"] != 0;
        let view = front.until("create_item", is_known).await;
        assert_eq!(view[expected], 1, "{case}: {view:#}");
        let page = client().get(format!("{}/_molt", front.page)).bearer_auth(PASSWORD).send();
        let page = page.await.unwrap().text().await.unwrap();
        assert!(page.contains("and the e-mails of rehearsed writes"), "{page}");
        assert!(!page.contains("the e-mails that a write sends"), "{page}");
        if !path.is_empty() {
            let found = &view["last_differences"][0]["differences"][0];
            assert_eq!(found["path"], path, "{case}: {view:#}");
            assert!(!found.to_string().contains("one@example.com"), "{case}: {found}");
        }
    }
}

/// A write counts as compared only with its e-mails.
#[tokio::test]
async fn the_same_answer_without_the_emails_is_a_verdict_of_its_own() {
    let native = post(async |request: Request| {
        let message = Message {
            to: "one@example.com".to_owned(),
            subject: "Hello".to_owned(),
            text: "Hello".to_owned(),
        };
        request.extensions().get::<Outbox>().unwrap().add(message);
        "sent"
    });
    let routes = |handler| Router::new().route("/items/", handler);
    let settings = Settings {
        rehearse: Some(Arc::new(|request| Box::pin(async { Ok(request) }))),
        ..Settings::new(serve(routes(post(async || "sent"))).await.parse().unwrap())
    };
    let front = Front::start(routes(native), settings).await;
    front.set("create_item", "shadow");
    client().post(format!("{}/items/", front.url)).send().await.unwrap();
    let is_known = |view: &Value| view["matches"] != 0 || view["matches_without_emails"] != 0;
    let view = front.until("create_item", is_known).await;
    assert_eq!([&view["matches"], &view["matches_without_emails"]], [0, 1], "{view:#}");

    let mut registry = prometheus_client::registry::Registry::default();
    front.strangler.register(&mut registry);
    let mut metrics = String::new();
    prometheus_client::encoding::text::encode(&mut metrics, &registry).unwrap();
    let line =
        "strangler_comparisons_total{operation=\"create_item\",verdict=\"match_without_emails\"} 1";
    assert!(metrics.contains(line), "{metrics}");
    let page = client().get(format!("{}/_molt", front.page)).bearer_auth(PASSWORD).send();
    let page = page.await.unwrap().text().await.unwrap();
    assert!(page.contains("1 with the same answer, e-mails not compared"), "{page}");
    assert!(page.contains("the e-mails that a write sends"), "{page}");
}

/// The old service's mail server fails: it learns so, and its clients what it makes of that.
#[tokio::test]
async fn an_unavailable_mail_server_is_reported() {
    let relay = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = Settings {
        mail_relay: Some(MailRelay { listen: relay, server: "127.0.0.1:9".to_owned() }),
        ..Settings::new("http://127.0.0.1:9".parse().unwrap())
    };
    let _front = Front::start(Router::new(), settings).await;
    let stream = tokio::net::TcpStream::connect(relay).await.unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.unwrap();
    assert!(line.starts_with("421 "), "{line}");
}

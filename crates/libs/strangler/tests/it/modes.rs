use axum::Json;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::json;

use super::*;

fn legacy_response(id: &str) -> Json<Value> {
    Json(json!({"id": id, "from": "legacy"}))
}

/// Both services; the new one differs in who it says it is.
fn services(native: fn(String) -> Response) -> (Router, Router) {
    let path = axum::extract::Path::<String>;
    let _ = path;
    let legacy =
        get(async |axum::extract::Path(id): axum::extract::Path<String>| legacy_response(&id));
    let native = get(async move |axum::extract::Path(id): axum::extract::Path<String>| native(id));
    (Router::new().route("/items/{id}", legacy), Router::new().route("/items/{id}", native))
}

async fn front((legacy, native): (Router, Router)) -> Front {
    Front::start(native, Settings::new(serve(legacy).await.parse().unwrap())).await
}

async fn ask(front: &Front, user: usize) -> (u16, String) {
    use base64::Engine as _;
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD
        .encode(json!({"sub": user.to_string()}).to_string());
    let request = client().get(format!("{}/items/7", front.url));
    let answer = request.bearer_auth(format!("x.{claims}.y")).send().await.unwrap();
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default();
    (status, body["from"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn each_mode_asks_whom_it_names() {
    let services = services(|id| Json(json!({"id": id, "from": "native"})).into_response());
    let (legacy, native) = services;
    let mut settings = Settings::new(serve(legacy).await.parse().unwrap());
    // They do differ.
    settings.canary_checks = 0;
    let front = Front::start(native, settings).await;
    assert_eq!(ask(&front, 1).await.1, "legacy", "the initial mode");
    front.set("read_item", "native");
    assert_eq!(ask(&front, 1).await.1, "native");
    front.set("GET /items/{id}", "canary 0%");
    assert_eq!(ask(&front, 1).await.1, "legacy");
    front.set("read_item", "canary 30%");
    let mut native = 0;
    for user in 0..100 {
        let first = ask(&front, user).await.1;
        assert_eq!(ask(&front, user).await.1, first, "a client keeps its service");
        native += usize::from(first == "native");
    }
    assert!((15..45).contains(&native), "{native} of 100 clients for 30 %");
    assert!(front.strangler.set_mode("read_itme", "native".parse().unwrap()).is_err());
}

#[tokio::test]
async fn a_shadow_that_is_the_same_matches() {
    let front = front(services(|id| legacy_response(&id).into_response())).await;
    front.set("read_item", "shadow");
    for _ in 0..10 {
        assert_eq!(ask(&front, 1).await.1, "legacy");
    }
    let view = front.until("read_item", |view| view["matches"] == 10).await;
    assert_eq!(view["mismatches"], 0);
}

#[tokio::test]
async fn a_shadow_that_differs_is_shown_without_secrets() {
    let services = services(|id| {
        Json(json!({"id": id, "from": "native", "email": "me@example.com", "token": "t0ps3cr3t"}))
            .into_response()
    });
    let front = front(services).await;
    front.set("read_item", "shadow");
    assert_eq!(ask(&front, 1).await.1, "legacy", "clients do not notice");
    let view = front.until("read_item", |view| view["mismatches"] == 1).await;
    let shown = view["last_differences"].to_string();
    assert!(shown.contains("body.from") && shown.contains("body.token"), "{shown}");
    assert!(!shown.contains("me@example.com") && !shown.contains("t0ps3cr3t"), "{shown}");
}

#[tokio::test]
async fn what_changes_meanwhile_is_no_mismatch() {
    // Legacy counts; the new service knows the count.
    let counter = Count::default();
    let (one, other) = (Arc::clone(&counter), counter);
    let legacy = get(async move || {
        let count = one.fetch_add(1, Ordering::SeqCst).min(1);
        Json(json!({"from": "legacy", "count": count}))
    });
    let native = get(async move || {
        let count = u64::from(other.load(Ordering::SeqCst) > 0);
        Json(json!({"from": "legacy", "count": count}))
    });
    let routes = |handler| Router::new().route("/items/{id}", handler);
    let front = front((routes(legacy), routes(native))).await;
    front.set("read_item", "shadow");
    ask(&front, 1).await;
    let view = front.until("read_item", |view| view["noise"] == 1).await;
    assert_eq!(view["mismatches"], 0);
}

#[tokio::test]
async fn what_changes_all_the_while_is_no_mismatch() {
    let counter = Count::default();
    let (one, other) = (Arc::clone(&counter), counter);
    let legacy = get(async move || Json(json!({"count": one.fetch_add(1, Ordering::SeqCst)})));
    let native = get(async move || Json(json!({"count": other.load(Ordering::SeqCst) + 100})));
    let routes = |handler| Router::new().route("/items/{id}", handler);
    let front = front((routes(legacy), routes(native))).await;
    front.set("read_item", "shadow");
    ask(&front, 1).await;
    let view = front.until("read_item", |view| view["noise"] == 1).await;
    assert_eq!(view["mismatches"], 0);
}

#[derive(Clone, Copy)]
struct Dry;
#[derive(Clone, Copy)]
struct WouldAct;

/// Neither acts twice, and what they refuse is compared.
#[tokio::test]
async fn a_shadowed_write_is_only_tried() {
    let (acted, tried) = (Count::default(), Count::default());
    let refuse = |body: &str| {
        let detail = json!({"detail": body});
        (StatusCode::UNPROCESSABLE_ENTITY, Json(detail)).into_response()
    };
    let legacy = post({
        let acted = Arc::clone(&acted);
        async move |body: String| {
            if body == "bad" {
                return refuse("bad");
            }
            acted.fetch_add(1, Ordering::SeqCst);
            if body == "taken" {
                StatusCode::CONFLICT.into_response()
            } else {
                "created".into_response()
            }
        }
    });
    let native = post({
        let (acted, tried) = (Arc::clone(&acted), Arc::clone(&tried));
        async move |request: Request| {
            let is_dry = request.extensions().get::<Dry>().is_some();
            let body = axum::body::to_bytes(request.into_body(), 100).await.unwrap();
            if body == "bad" || body == "strict" {
                return refuse("bad");
            }
            let counter = if is_dry { &tried } else { &acted };
            counter.fetch_add(1, Ordering::SeqCst);
            let mut answer = "created".into_response();
            answer.extensions_mut().insert(WouldAct);
            answer
        }
    });
    let routes = |handler| Router::new().route("/items/", handler);
    let settings = Settings {
        dry_run: Some(strangler::DryRun {
            prepare: |request| _ = request.extensions_mut().insert(Dry),
            would_act: |response| response.extensions().get::<WouldAct>().is_some(),
        }),
        ..Settings::new(serve(routes(legacy)).await.parse().unwrap())
    };
    let front = Front::start(routes(native), settings).await;
    front.set("create_item", "shadow");
    for body in ["good", "bad", "taken", "strict"] {
        client().post(format!("{}/items/", front.url)).body(body).send().await.unwrap();
    }
    let view = front
        .until("create_item", |view| {
            let sum = ["matches", "mismatches", "accepted", "uncompared"]
                .map(|key| view[key].as_u64().unwrap());
            sum.iter().sum::<u64>() == 4
        })
        .await;
    assert_eq!((count(&acted), count(&tried)), (3, 2), "legacy alone has acted");
    assert_eq!(view["matches"], 1, "bad: {view:#}");
    assert_eq!(view["accepted"], 1, "good: {view:#}");
    assert_eq!(view["mismatches"], 1, "strict");
    assert_eq!(view["uncompared"], 1, "taken is found only by acting");
}

/// What the old service refuses is compared, and no more.
#[tokio::test]
async fn a_shadowed_read_that_is_not_written_is_only_validated() {
    let refuse = || {
        (StatusCode::UNPROCESSABLE_ENTITY, Json(json!({"detail": [{"type": "int_parsing"}]})))
            .into_response()
    };
    let legacy =
        get(async move |axum::extract::Path(id): axum::extract::Path<String>| match &*id {
            "bad" | "strict" => refuse(),
            "none" => StatusCode::NOT_FOUND.into_response(),
            "raised" => {
                let detail = Json(json!({"detail": "no such id"}));
                (StatusCode::UNPROCESSABLE_ENTITY, detail).into_response()
            }
            _ => legacy_response(&id).into_response(),
        });
    let native = get(async move |axum::extract::Path(id): axum::extract::Path<String>| {
        if id == "bad" || id == "refused" {
            return refuse();
        }
        let mut answer = StatusCode::NOT_IMPLEMENTED.into_response();
        answer.extensions_mut().insert(WouldAct);
        answer
    });
    let routes = |handler| Router::new().route("/items/{id}", handler);
    let settings = Settings {
        dry_run: Some(strangler::DryRun {
            prepare: |_| (),
            would_act: |response| response.extensions().get::<WouldAct>().is_some(),
        }),
        ..Settings::new(serve(routes(legacy)).await.parse().unwrap())
    };
    let front = Front::start(routes(native), settings).await;
    front.set("read_item", "shadow");
    for id in ["7", "bad", "none", "raised", "strict", "refused"] {
        client().get(format!("{}/items/{id}", front.url)).send().await.unwrap();
    }
    let view = front
        .until("read_item", |view| {
            let sum = ["matches", "mismatches", "accepted", "uncompared"]
                .map(|key| view[key].as_u64().unwrap());
            sum.iter().sum::<u64>() == 6
        })
        .await;
    assert_eq!(view["accepted"], 1, "7: {view:#}");
    assert_eq!(view["matches"], 1, "bad: {view:#}");
    assert_eq!(view["uncompared"], 2, "none and raised are found only by reading");
    assert_eq!(view["mismatches"], 2, "strict and refused: {view:#}");
}

#[tokio::test]
async fn a_canary_that_fails_goes_back_and_says_why() {
    let services = services(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response());
    let front = front(services).await;
    front.set("read_item", "canary 100%");
    let mut failures = 0;
    for user in 0..100 {
        failures += usize::from(ask(&front, user).await.0 == 500);
    }
    assert_eq!(failures, 5, "as many as it takes to be sure");
    let view = front.view("read_item");
    assert!(view["fallback"].as_str().unwrap().contains("last 5 answers were errors"));
    front.set("read_item", "canary 100%");
    assert_eq!(ask(&front, 1).await.0, 500, "a mode that is set again starts anew");
}

#[tokio::test]
async fn the_plans_file_is_followed_and_a_bad_one_refused() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml");
    std::fs::write(&plan, "default: native\n").unwrap();
    let (legacy, native) = services(|id| Json(json!({"id": id, "from": "native"})).into_response());
    let settings = Settings {
        plan: Some(plan.clone()),
        ..Settings::new(serve(legacy).await.parse().unwrap())
    };
    let front = Front::start(native, settings.clone()).await;
    assert_eq!(ask(&front, 1).await.1, "native");

    std::fs::write(&plan, "operations: {read_item: legacy}\n").unwrap();
    front.until("read_item", |view| view["mode"] == "legacy").await;
    assert_eq!(ask(&front, 1).await.1, "legacy");

    std::fs::write(&plan, "operations: {read_itme: native}\n").unwrap();
    for _ in 0..100 {
        if front.strangler.overview().error.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(front.strangler.overview().error.unwrap().contains("read_itme"));
    assert_eq!(ask(&front, 1).await.1, "legacy", "the previous plan stays in effect");
    assert!(
        Strangler::start(settings, operations()).is_err(),
        "an invalid plan is refused at the start"
    );

    front.set("read_item", "shadow");
    let written = std::fs::read_to_string(&plan).unwrap();
    assert!(written.contains("\"read_item\": shadow"), "{written}");
}

/// Answers of both services to the same request, and what the shadow says of them.
#[tokio::test]
async fn a_shadow_is_equal_or_different() {
    const A: &str = "00000000-0000-4000-8000-00000000000a";
    const B: &str = "00000000-0000-4000-8000-00000000000b";
    for (legacy, native) in [
        (json!({"owner": A}), json!({"owner": B})),
        (json!({"id": A, "owner": B}), json!({"id": B, "owner": A})),
        (json!([A, B]), json!([B, A])),
        (json!({"at": "2026-01-02T03:04:05Z"}), json!({"at": "2026-01-02T04:04:05Z"})),
        (json!({"at": "2026-01-02T03:04:05Z"}), json!({"at": "1970-01-01T00:00:00Z"})),
        (
            json!({"token": "eyJhIjoxfQ.eyJhIjoxfQ.aaaa"}),
            json!({"token": "eyJhIjoxfQ.eyJhIjoxfQ.bbbb"}),
        ),
    ] {
        let answering = |body: &Value| {
            let body = body.clone();
            Router::new().route("/items/{id}", get(async move || Json(body)))
        };
        let front = front((answering(&legacy), answering(&native))).await;
        front.set("read_item", "shadow");
        ask(&front, 1).await;
        let view = front.until("read_item", |view| view["mismatches"] == 1).await;
        assert_eq!(view["matches"], 0, "{legacy} and {native}");
    }
}

/// A header that always changes hides nothing else.
#[tokio::test]
async fn what_is_unsteady_is_left_out_and_the_rest_is_compared() {
    for header in ["x-process-time", "x-something"] {
        for (status, title) in [(StatusCode::OK, "wrong"), (StatusCode::OK, "right")] {
            let counter = Count::default();
            let legacy = get(async move || {
                let count = counter.fetch_add(1, Ordering::SeqCst).to_string();
                ([(header, count)], Json(json!({"title": "right"})))
            });
            let native = get(async move || (status, Json(json!({"title": title}))));
            let routes = |handler| Router::new().route("/items/{id}", handler);
            let front = front((routes(legacy), routes(native))).await;
            front.set("read_item", "shadow");
            ask(&front, 1).await;
            let expected = match (header, title) {
                (_, "wrong") => "mismatches",
                ("x-process-time", _) => "matches",
                _ => "noise",
            };
            let view = front.until("read_item", |view| view[expected] == 1).await;
            let shown = view["last_differences"].to_string();
            assert_eq!(shown.contains("body.title"), title == "wrong", "{shown}");
            assert!(!shown.contains(header), "{shown}");
        }
    }
}

/// A difference in every response costs the old service at most one more request each, and at a high
/// rate far less.
#[tokio::test]
async fn the_old_service_gets_few_requests_again() {
    let counter = Count::default();
    let asked = Arc::clone(&counter);
    let legacy = get(async move || {
        asked.fetch_add(1, Ordering::SeqCst);
        Json(json!({"from": "legacy"}))
    });
    let native = get(async || Json(json!({"from": "native"})));
    let routes = |handler| Router::new().route("/items/{id}", handler);
    let front = front((routes(legacy), routes(native))).await;
    front.set("read_item", "shadow");
    let start = Instant::now();
    for reads in 1..=200 {
        ask(&front, 1).await;
        let counted = |view: &Value| view["mismatches"].as_u64().zip(view["dropped"].as_u64());
        if reads == 20 || reads == 200 {
            let all = |view: &Value| counted(view).is_some_and(|(a, b)| a + b == reads);
            let view = front.until("read_item", all).await;
            assert!(view["mismatches"].as_u64() >= Some(10), "{view:#}");
            // One of the client and one more each, and 6 to begin with.
            assert!(count(&counter) <= 2 * reads + 6, "{} of {reads}", count(&counter));
        }
    }
    // 200 of the client, two for each of the first 20, two a second.
    let max = 200 + 2 * (20 + start.elapsed().as_secs() + 1);
    assert!(count(&counter) <= max, "{} of {max}", count(&counter));
}

/// An error beside a header that always changes is one.
#[tokio::test]
async fn an_error_of_the_old_service_alone_is_a_mismatch() {
    let counter = Count::default();
    let legacy = get(async move || {
        let count = counter.fetch_add(1, Ordering::SeqCst).to_string();
        (StatusCode::INTERNAL_SERVER_ERROR, [("x-something", count)], "")
    });
    let native = get(async || ([("x-something", "0")], ""));
    let routes = |handler| Router::new().route("/items/{id}", handler);
    let front = front((routes(legacy), routes(native))).await;
    front.set("read_item", "shadow");
    ask(&front, 1).await;
    front.until("read_item", |view| view["mismatches"] == 1).await;
}

/// A count goes up and down with what is created and deleted: the old service may say the same before
/// and after the new one has said something else.
#[tokio::test]
async fn what_changes_to_and_fro_is_no_mismatch() {
    // What each in turn is asked: the client's answer, then before, the new one, after, three times.
    let answers = Count::default();
    let asked = Arc::clone(&answers);
    let legacy = get(async move || {
        let number = asked.fetch_add(1, Ordering::SeqCst);
        Json(json!({"count": if number < 3 { 9 } else { 8 }, "first": number}))
    });
    let native = get(async || Json(json!({"count": 8, "first": 1})));
    let routes = |handler| Router::new().route("/items/{id}", handler);
    let front = front((routes(legacy), routes(native))).await;
    front.set("read_item", "shadow");
    ask(&front, 1).await;
    let view = front.until("read_item", |view| view["noise"] == 1).await;
    assert_eq!(view["mismatches"], 0, "{view:#}");
    assert!((4..=7).contains(&count(&answers)), "{answers:?}");
}

#[tokio::test]
async fn an_old_service_in_this_process_needs_no_network() {
    let (legacy, native) = services(|id| Json(json!({"id": id, "from": "native"})).into_response());
    let mut settings = Settings::new("http://in-this-process".parse().unwrap());
    settings.in_process = Some(Arc::new(move |mut request: Request| {
        // Those of the router before would count for this one too.
        request.extensions_mut().clear();
        let response = tower::ServiceExt::oneshot(legacy.clone(), request);
        Box::pin(async { response.await.map_err(Into::into) })
    }));
    let front = Front::start(native, settings).await;
    assert_eq!(ask(&front, 1).await.1, "legacy");
    front.set("read_item", "native");
    assert_eq!(ask(&front, 1).await.1, "native");
    front.set("read_item", "shadow");
    assert_eq!(ask(&front, 1).await.1, "legacy");
    front.until("read_item", |view| view["mismatches"] == 1).await;
}

#[tokio::test]
async fn an_old_service_that_fails_in_this_process_is_a_502() {
    let (_, native) = services(|id| Json(json!({"id": id, "from": "native"})).into_response());
    let mut settings = Settings::new("http://in-this-process".parse().unwrap());
    settings.in_process = Some(Arc::new(|_| Box::pin(async { Err("on purpose".into()) })));
    let front = Front::start(native, settings).await;
    assert_eq!(ask(&front, 1).await.0, 502);
}

#[tokio::test]
async fn what_is_left_to_legacy_follows_the_plan() {
    let services = services(|id| Json(json!({"id": id, "from": "native"})).into_response());
    let front = front(services).await;
    let is_left =
        |method: http::Method, path: &str| front.strangler.is_left_to_legacy(&method, path);
    assert!(is_left(http::Method::GET, "/items/7"));
    assert!(is_left(http::Method::GET, "/no/operation"));
    for mode in ["native", "canary 0%", "shadow"] {
        front.set("read_item", mode);
        assert!(!is_left(http::Method::GET, "/items/7"), "{mode}");
    }
    assert!(is_left(http::Method::POST, "/items/"), "no write can be rehearsed here");
}

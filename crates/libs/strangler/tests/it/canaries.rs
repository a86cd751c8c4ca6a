//! Evaluation of canaries: what counts as a failure, how soon they fall back, and how they go on.

use axum::Json;
use axum::response::IntoResponse;
use axum::routing::get;
use http::StatusCode;
use serde_json::json;
use strangler::ClientKey;

use super::*;

/// A front before two services that answer `GET /items/{id}` so.
async fn front(
    legacy: axum::routing::MethodRouter,
    native: axum::routing::MethodRouter,
    change: impl FnOnce(&mut Settings),
) -> Front {
    let routes = |handler| Router::new().route("/items/{id}", handler);
    let mut settings = Settings::new(serve(routes(legacy)).await.parse().unwrap());
    change(&mut settings);
    Front::start(routes(native), settings).await
}

fn says(value: Value) -> axum::routing::MethodRouter {
    get(async move || Json(value))
}

async fn ask(front: &Front) -> (u16, Value) {
    let answer = client().get(format!("{}/items/7", front.url)).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or_default())
}

/// A wrong answer with status 200, at a request every 100 ms: nothing but comparing shows it.
#[tokio::test]
async fn a_canary_that_answers_something_else_falls_back() {
    let front = front(says(json!({"is": "right"})), says(json!({"is": "wrong"})), |_| ()).await;
    front.set("read_item", "canary 100%");
    let mut wrong = 0;
    for _ in 0..30 {
        wrong += usize::from(ask(&front).await.1["is"] == "wrong");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let view = front.view("read_item");
    let reason = view["fallback"].as_str().expect("it fell back");
    assert!(reason.contains("others than the old service's"), "{reason}");
    assert!((3..=25).contains(&wrong), "{wrong} of 30 were wrong");
    assert!(view["last_differences"].to_string().contains("body.is"), "{view:#}");
}

/// Within a second by the default settings, although only two a second are checked: after the first that
/// differs the next ones are.
#[tokio::test]
async fn a_wrong_answer_is_noticed_within_a_second_at_a_high_rate() {
    let mut fastest = Duration::MAX;
    // The machine may be busy: not without end.
    for _ in 0..5 {
        let front = front(says(json!({"is": "right"})), says(json!({"is": "wrong"})), |_| ()).await;
        front.set("read_item", "canary 100%");
        let (client, start) = (client(), Instant::now());
        while front.view("read_item")["fallback"].is_null() {
            let get = || client.get(format!("{}/items/7", front.url)).send();
            futures_util::future::join_all((0..4).map(|_| get())).await;
            assert!(start.elapsed() < Duration::from_secs(10), "{:#}", front.view("read_item"));
        }
        fastest = fastest.min(start.elapsed());
        if fastest < Duration::from_secs(1) {
            break;
        }
    }
    assert!(fastest < Duration::from_secs(1), "{fastest:?}");
}

#[tokio::test]
async fn a_canary_that_is_right_is_checked_and_stays() {
    let counter = Count::default();
    let asked = Arc::clone(&counter);
    let legacy = get(async move || {
        asked.fetch_add(1, Ordering::SeqCst);
        Json(json!({"is": "right"}))
    });
    let front = front(legacy, says(json!({"is": "right"})), |_| ()).await;
    front.set("read_item", "canary 100%");
    let start = Instant::now();
    for _ in 0..200 {
        assert_eq!(ask(&front).await.0, 200);
    }
    let view = front.until("read_item", |view| view["matches"].as_u64() >= Some(2)).await;
    assert_eq!([&view["mismatches"], &view["fallback"]], [&json!(0), &Value::Null], "{view:#}");
    let max = 2 * (start.elapsed().as_secs() + 1);
    assert!((2..=max).contains(&count(&counter)), "{} of {max}", count(&counter));
}

/// No client gives up: the timeout alone is the failure.
#[tokio::test]
async fn a_canary_that_times_out_falls_back() {
    let slow = get(async || tokio::time::sleep(Duration::from_mins(1)).await);
    let front = front(says(json!({})), slow, |s| s.timeout = Duration::from_millis(200)).await;
    front.set("read_item", "canary 100%");
    let client = client();
    let waiting = (0..10).map(|_| {
        let get = client.get(format!("{}/items/7", front.url)).send();
        tokio::spawn(get)
    });
    let waiting: Vec<_> = waiting.collect();
    let start = Instant::now();
    front.until("read_item", |view| !view["fallback"].is_null()).await;
    assert!(start.elapsed() < Duration::from_secs(10));
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    assert_eq!(ask(&front).await.0, 200, "by the old service");
}

/// A share of errors: neither in a row, nor by chance.
#[tokio::test]
async fn a_canary_that_fails_now_and_then_falls_back() {
    let counter = Count::default();
    let native = get(async move || {
        let is_bad = counter.fetch_add(1, Ordering::SeqCst).is_multiple_of(5);
        if is_bad {
            StatusCode::BAD_GATEWAY.into_response()
        } else {
            Json(json!({})).into_response()
        }
    });
    let front = front(says(json!({})), native, |_| ()).await;
    for _ in 0..100 {
        assert_eq!(ask(&front).await.0, 200);
    }
    front.set("read_item", "canary 100%");
    let mut failed = 0;
    for _ in 0..100 {
        failed += usize::from(ask(&front).await.0 == 502);
    }
    let view = front.view("read_item");
    assert!(view["fallback"].as_str().unwrap().contains("errors"), "{view:#}");
    assert!((4..=10).contains(&failed), "{failed} clients got an error");
}

#[tokio::test]
async fn an_automatic_canary_goes_from_step_to_step() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml");
    let text = "operations: {read_item: canary automatic}\n\
                steps: {percents: [20, 60, 100], requests: 10, seconds: 1, compared: 2}\n";
    std::fs::write(&plan, text).unwrap();
    let settings = |settings: &mut Settings| {
        settings.plan = Some(plan.clone());
        settings.client = vec![ClientKey::Header(http::HeaderName::from_static("x-user"))];
        // The machine may be busy.
        settings.margin.more = Duration::from_mins(1);
    };
    let one = front(says(json!({})), says(json!({})), settings).await;
    let (client, start) = (client(), Instant::now());
    let mut seen = Vec::new();
    for user in 0.. {
        let get = client.get(format!("{}/items/7", one.url)).header("x-user", user % 100);
        assert_eq!(get.send().await.unwrap().status(), 200);
        let view = one.view("read_item");
        assert_eq!(view["fallback"], Value::Null, "{view:#}");
        let percent = view["percent"].as_u64().unwrap();
        if seen.last() != Some(&percent) {
            seen.push(percent);
        }
        if percent == 100 {
            break;
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{view:#}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(seen, [20, 60, 100]);
    assert!(start.elapsed() > Duration::from_secs(2), "each step takes its time");
    let step = one.view("read_item")["step"].clone();
    assert_eq!([&step["number"], &step["of"]], [&json!(3), &json!(3)], "{step}");
    // A restart goes on from there.
    let kept = folder.path().join("plan.yaml.canaries");
    let waiting = Instant::now();
    while !std::fs::read_to_string(&kept).is_ok_and(|text| text.contains("\"step\": 2")) {
        assert!(
            waiting.elapsed() < Duration::from_secs(10),
            "{:?}",
            std::fs::read_to_string(&kept)
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let other = front(says(json!({})), says(json!({})), settings).await;
    assert_eq!(other.view("read_item")["percent"], 100);
}

#[tokio::test]
async fn a_step_waits_for_its_traffic_and_a_failed_one_goes_back() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml");
    let text = "operations: {read_item: canary automatic}\n\
                steps: {percents: [50, 100], requests: 20, seconds: 0, compared: 0}\n";
    std::fs::write(&plan, text).unwrap();
    let is_bad = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let native = {
        let is_bad = Arc::clone(&is_bad);
        get(async move || {
            let status = if is_bad.load(Ordering::SeqCst) { 500 } else { 200 };
            (StatusCode::from_u16(status).unwrap(), Json(json!({})))
        })
    };
    let front = front(says(json!({})), native, |settings| {
        settings.plan = Some(plan);
        settings.client = vec![ClientKey::Header(http::HeaderName::from_static("x-user"))];
    })
    .await;
    let client = client();
    let asks = async |users: std::ops::Range<u32>| {
        for user in users {
            let get = client.get(format!("{}/items/7", front.url)).header("x-user", user);
            get.send().await.unwrap();
        }
        front.view("read_item")
    };
    let view = asks(0..20).await;
    assert_eq!(view["percent"], 50, "half of 20 requests are not enough: {view:#}");
    let view = asks(20..80).await;
    assert_eq!(view["percent"], 100, "{view:#}");
    is_bad.store(true, Ordering::SeqCst);
    let view = asks(80..90).await;
    assert_eq!(view["percent"], 0, "{view:#}");
    assert!(view["fallback"].as_str().unwrap().contains("errors"), "{view:#}");
}

/// Processes with one plan file share what they find.
#[tokio::test]
async fn a_failure_is_shared_by_processes_with_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml");
    std::fs::write(&plan, "operations: {read_item: canary 100%}\n").unwrap();
    let start = async |native| {
        front(says(json!({})), native, |settings| settings.plan = Some(plan.clone())).await
    };
    let bad = start(get(async || StatusCode::INTERNAL_SERVER_ERROR)).await;
    let good = start(says(json!({}))).await;
    for _ in 0..5 {
        ask(&bad).await;
    }
    let view = good.until("read_item", |view| !view["fallback"].is_null()).await;
    assert_eq!(view["fallback"], bad.view("read_item")["fallback"]);
    // And so is another try.
    good.set("read_item", "canary 100%");
    bad.until("read_item", |view| view["fallback"].is_null()).await;
}

#[tokio::test]
async fn clients_are_distinguished_by_the_chosen_key() {
    for (key, header) in [("header:x-api-key", "x-api-key"), ("cookie:session", "cookie")] {
        let (old, new) = (says(json!("old")), says(json!("new")));
        let front = front(old, new, |settings| {
            settings.client = vec![key.parse().unwrap(), ClientKey::Address];
            settings.canary_checks = 0;
        })
        .await;
        front.set("read_item", "canary 50%");
        let client = client();
        let mut new = 0;
        for user in 0..100 {
            let value =
                if header == "cookie" { format!("session={user}") } else { user.to_string() };
            let get = || client.get(format!("{}/items/7", front.url)).header(header, &value);
            let (one, other) = (get().send().await.unwrap(), get().send().await.unwrap());
            let (one, other) = (one.text().await.unwrap(), other.text().await.unwrap());
            assert_eq!(one, other, "a client keeps its service");
            new += usize::from(one == "\"new\"");
        }
        assert!((30..70).contains(&new), "{key}: {new} of 100");
    }
}

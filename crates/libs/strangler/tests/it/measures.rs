//! What to move next, the baseline, and the metrics.

use axum::Json;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::StatusCode;
use prometheus_client::registry::Registry;
use serde_json::json;
use strangler::CpuSource;

use super::*;

async fn slow(ms: u64) -> Json<Value> {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    Json(json!({"is": "done"}))
}

/// The old service reads in 20 ms and writes in 30; the new one answers at once.
async fn front() -> Front {
    let legacy = Router::new()
        .route("/items/{id}", get(async || slow(20).await))
        .route("/items/", post(async || slow(30).await));
    let native = Router::new()
        .route("/items/{id}", get(async || Json(json!({"is": "done"}))))
        .route("/items/", post(async || Json(json!({"is": "done"}))));
    Front::start(native, Settings::new(serve(legacy).await.parse().unwrap())).await
}

async fn page(front: &Front, path: &str) -> String {
    let get = client().get(format!("{}/_molt{path}", front.page)).bearer_auth(PASSWORD);
    get.send().await.unwrap().text().await.unwrap()
}

async fn ask(front: &Front, count: usize) {
    for n in 0..count {
        let get = client().get(format!("{}/items/7", front.url));
        get.header("x-forwarded-for", format!("192.0.2.{}", n % 5)).send().await.unwrap();
        client().post(format!("{}/items/", front.url)).send().await.unwrap();
    }
}

#[tokio::test]
async fn what_spares_the_old_service_most_at_least_risk_is_next() {
    let front = front().await;
    ask(&front, 10).await;
    client().get(format!("{}/other", front.url)).send().await.unwrap();
    let next: Value = serde_json::from_str(&page(&front, "/next").await).unwrap();
    // Writes take longer, but are riskier.
    assert_eq!([&next[0]["id"], &next[1]["id"]], ["read_item", "create_item"], "{next:#}");
    assert_eq!([&next[0]["risk"], &next[1]["risk"]], ["low", "medium"]);
    assert_eq!([&next[0]["writes"], &next[1]["writes"]], [false, true]);
    assert_eq!([&next[0]["callers"], &next[1]["callers"]], [5, 1], "{next:#}");
    let share = |index: usize| next[index]["share"].as_f64().unwrap();
    // Two fifths and three fifths, where the machine has nothing else to do.
    assert!((0.2..0.65).contains(&share(0)) && (0.35..0.8).contains(&share(1)), "{next:#}");
    assert!(next[0]["legacy"]["p50"].as_f64().unwrap() >= 0.02, "{next:#}");
    let shown = page(&front, "").await;
    assert!(shown.contains("<b>1</b>: ") && shown.contains("about 5 callers"), "{shown}");
    assert!(shown.contains("Ranked by the share of legacy's time"), "{shown}");
    // What is native has been moved.
    front.set("read_item", "native");
    let next: Value = serde_json::from_str(&page(&front, "/next").await).unwrap();
    assert_eq!(next.as_array().unwrap().len(), 1);
}

/// The old service waits for the read and computes the write: by its CPU the write is next, though it is
/// riskier and faster.
#[tokio::test]
async fn what_costs_the_old_service_most_cpu_is_next_where_it_reports_that() {
    let spent = Count::default();
    let costs = |ms: u64, microseconds: u64| {
        let spent = Arc::clone(&spent);
        async move || {
            spent.fetch_add(microseconds, Ordering::SeqCst);
            slow(ms).await
        }
    };
    let metrics = Arc::clone(&spent);
    let metrics = async move || {
        let seconds = Duration::from_micros(count(&metrics)).as_secs_f64();
        format!("# HELP process_cpu_seconds_total CPU\nprocess_cpu_seconds_total {seconds}\n")
    };
    let legacy = Router::new()
        .route("/items/{id}", get(costs(12, 100)))
        .route("/items/", post(costs(1, 5000)))
        .route("/metrics", get(metrics));
    let url = serve(legacy).await;
    let mut settings = Settings::new(url.parse().unwrap());
    let metrics = format!("{url}/metrics").parse().unwrap();
    let interval = Duration::from_millis(100);
    settings.legacy_cpu = Some(CpuSource { metrics, interval });
    let front = Front::start(Router::new(), settings).await;
    let shown = page(&front, "").await;
    assert!(shown.contains("of 0 operations; of the others by the share of its time"), "{shown}");
    let client = client();
    let start = Instant::now();
    let next = loop {
        for n in 0..60_usize {
            for _ in 0..n % 4 {
                client.get(format!("{}/items/7", front.url)).send().await.unwrap();
            }
            for _ in 0..n % 3 {
                client.post(format!("{}/items/", front.url)).send().await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        let next: Value = serde_json::from_str(&page(&front, "/next").await).unwrap();
        if next[0]["id"] == "create_item" && next[0]["cpu"].is_object() {
            break next;
        }
        // A busy machine blurs which interval a request and its CPU belong to.
        assert!(start.elapsed() < Duration::from_secs(90), "{next:#}");
    };
    let (cpu, time) = (next[0]["cpu"]["share"].as_f64(), next[0]["share"].as_f64());
    assert!(cpu > Some(0.5) && cpu > time, "{next:#}");
    let shown = page(&front, "").await;
    assert!(shown.contains("% of the CPU, "), "{shown}");
}

#[tokio::test]
async fn a_source_without_the_cpu_is_reported() {
    let mut settings =
        Settings::new(serve(always(|_| "no".into_response())).await.parse().unwrap());
    let metrics = settings.legacy.clone();
    settings.legacy_cpu = Some(CpuSource { metrics, interval: Duration::from_millis(10) });
    let front = Front::start(Router::new(), settings).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let shown = page(&front, "").await;
    assert!(shown.contains("there is no process_cpu_seconds_total"), "{shown}");
}

#[tokio::test]
async fn the_gain_of_a_move_is_measured_against_the_baseline() {
    let front = front().await;
    ask(&front, 10).await;
    let baseline = page(&front, "/baseline").await;
    let parsed: Value = serde_json::from_str(&baseline).unwrap();
    assert!(parsed["taken"].as_u64() > Some(1_700_000_000), "{parsed:#}");
    // Another process, some time later.
    let later = self::front().await;
    later.set("read_item", "native");
    ask(&later, 10).await;
    let post = client().post(format!("{}/_molt/gain", later.page)).bearer_auth(PASSWORD);
    let gains = post.body(baseline).send().await.unwrap().text().await.unwrap();
    let gains: Value = serde_json::from_str(&gains).unwrap();
    assert_eq!(gains.as_array().unwrap().len(), 1, "{gains:#}");
    assert_eq!(gains[0]["id"], "read_item");
    assert!(gains[0]["p50"].as_f64() > Some(2.0), "{gains:#}");
    let post = client().post(format!("{}/_molt/gain", later.page)).bearer_auth(PASSWORD);
    assert_eq!(post.body("{}").send().await.unwrap().status(), 422);
}

fn metrics(front: &Front) -> String {
    let mut registry = Registry::default();
    front.strangler.register(&mut registry);
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    text
}

#[tokio::test]
async fn metrics_tell_the_plan_the_latencies_and_what_happens_on_connections() {
    use tokio::io::AsyncReadExt;
    let legacy = Router::new()
        .route("/items/{id}", get(async || "one"))
        .route("/big", get(async || vec![b'x'; 50_000_000]))
        .route(
            "/broken",
            get(async || {
                let chunks = futures_util::stream::unfold(0, async |n| {
                    tokio::time::sleep(Duration::from_millis(n * 100)).await;
                    (n < 2).then(|| (if n == 0 { Ok("a part") } else { Err("broken") }, n + 1))
                });
                axum::body::Body::from_stream(chunks).into_response()
            }),
        );
    let mut settings = Settings::new(serve(legacy).await.parse().unwrap());
    settings.timeout = Duration::from_secs(2);
    let native = Router::new().fallback(async || StatusCode::IM_A_TEAPOT);
    let front = Front::start(native, settings).await;
    front.set("create_item", "canary 30%");
    for _ in 0..3 {
        client().get(format!("{}/items/7", front.url)).send().await.unwrap();
    }
    // It breaks, a client leaves, another sends what is no request.
    assert!(
        client().get(format!("{}/broken", front.url)).send().await.unwrap().bytes().await.is_err()
    );
    {
        let mut stream =
            tokio::net::TcpStream::connect(front.url.trim_start_matches("http://")).await.unwrap();
        let head = b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
        tokio::io::AsyncWriteExt::write_all(&mut stream, head).await.unwrap();
        stream.read_exact(&mut [0; 100]).await.unwrap();
    }
    client().get(format!("{}/x", front.url)).header("host", "a b").send().await.unwrap();
    client().get(format!("{}/_molt", front.page)).bearer_auth("wrong").send().await.unwrap();
    let start = Instant::now();
    for line in [
        "strangler_requests_total{operation=\"read_item\",side=\"legacy\"} 3",
        "strangler_requests_total{operation=\"none\",side=\"legacy\"} 2",
        "strangler_duration_seconds_bucket{le=\"+Inf\",operation=\"read_item\",side=\"legacy\"} 3",
        "strangler_duration_seconds_count{operation=\"read_item\",side=\"legacy\"} 3",
        "strangler_mode{operation=\"create_item\",mode=\"canary\"} 1.0",
        "strangler_mode{operation=\"read_item\",mode=\"legacy\"} 1.0",
        "strangler_native_share{operation=\"create_item\"} 0.3",
        "strangler_canary_failed{operation=\"create_item\"} 0.0",
        "strangler_plan_error 0.0",
        "strangler_comparisons_total{operation=\"read_item\",verdict=\"uncompared\"} 0",
        "strangler_events_total{event=\"cut_by_legacy\"} 1",
        "strangler_events_total{event=\"client_left\"} 1",
        "strangler_events_total{event=\"refused\"} 1",
        "strangler_events_total{event=\"sign_in_failed\"} 1",
        "strangler_events_total{event=\"upgrade\"} 0",
        "strangler_tunnels 0.0",
        "strangler_in_flight 0.0",
    ] {
        loop {
            let text = metrics(&front);
            if text.lines().any(|found| found == line) {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{line} is not in\n{text}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

//! The service before an old one.

use std::time::Duration;

use reqwest::Method;
use testbed::{Scratch, Signal, rust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::Api;
use crate::management::get;
use crate::observability::{PARENT, Received, TRACE};

#[tokio::test]
async fn a_strangler_counts_who_answered() {
    let url = Received::default().listen().await;
    let settings = [("LEGACY_URL", url.as_str()), ("MANAGEMENT_PORT", "0")];
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &settings).await.unwrap();
    Api::new(&service.url).request(Method::GET, "/users/me").send().await.unwrap();
    let (_, metrics) = get(&format!("{}/metrics", service.management().await.unwrap())).await;
    for (side, count) in [("legacy", 1), ("native", 0)] {
        let line = format!(
            "strangler_requests_total{{operation=\"users-read_user_me\",side=\"{side}\"}} {count}\n"
        );
        assert!(metrics.contains(&line), "{line} is not in\n{metrics}");
    }
    let (status, _) = get(&format!("{}/_molt", service.management().await.unwrap())).await;
    assert_eq!(status, 401);
}

#[tokio::test]
async fn the_client_s_trace_passes_to_the_old_service() {
    let old = Received::default();
    let url = old.listen().await;
    let settings = [("LEGACY_URL", url.as_str()), ("MANAGEMENT_PORT", "0")];
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &settings).await.unwrap();
    let api = Api::new(&service.url);
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let request = api.request(Method::GET, "/users/").header("traceparent", &traceparent);
    request.send().await.unwrap();
    let (headers, _) = old.all().pop().unwrap();
    assert_eq!(headers["traceparent"], traceparent, "no span of this service is exported");
    assert!(!headers.contains_key("tracestate"), "{headers:?}");
    assert_eq!(headers["x-request-id"], TRACE);
}

/// With an exporter the old service's parent is a span that is exported; what this service does not
/// sample leaves the client's headers, and its sampling decision, as they are.
#[tokio::test]
async fn the_client_s_sampling_decision_stays() {
    let collector = Received::default().listen().await;
    let sent = format!("00-{TRACE}-{PARENT}");
    for (sampler, ratio, flags, is_ours) in [
        ("always_on", "1", "01", true),
        ("parentbased_always_on", "1", "01", true),
        ("parentbased_always_on", "1", "00", false),
        ("always_off", "1", "01", false),
        ("traceidratio", "0", "01", false),
    ] {
        let old = Received::default();
        let url = old.listen().await;
        let settings = [
            ("LEGACY_URL", url.as_str()),
            ("MANAGEMENT_PORT", "0"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector),
            ("OTEL_TRACES_SAMPLER", sampler),
            ("OTEL_TRACES_SAMPLER_ARG", ratio),
        ];
        let database = Scratch::new().await.unwrap();
        let service = rust(&database.url, &settings).await.unwrap();
        let api = Api::new(&service.url);
        let sent = format!("{sent}-{flags}");
        let request = api.request(Method::GET, "/users/").header("traceparent", &sent);
        request.header("tracestate", "vendor=1").send().await.unwrap();
        api.request(Method::GET, "/users/").send().await.unwrap();
        let all = old.all();
        let case = format!("{sampler}, {flags}: {all:?}");
        let [(headers, _), (without, _)] = all.as_slice() else { panic!("{case}") };
        let passed = headers["traceparent"].to_str().unwrap();
        if is_ours {
            assert!(
                passed.starts_with(&format!("00-{TRACE}-")) && passed.ends_with("-01"),
                "{case}"
            );
            assert!(!passed.contains(PARENT), "the parent is the span of this service: {case}");
        } else {
            assert_eq!(passed, sent, "{case}");
        }
        assert_eq!(headers["tracestate"], "vendor=1", "{case}");
        let is_begun = sampler.ends_with("always_on");
        assert_eq!(without.contains_key("traceparent"), is_begun, "{case}");
    }
}

/// The documentation belongs to the operations: it moves with the plan's default, or alone.
#[tokio::test]
async fn the_documentation_moves_with_the_plan() {
    let url = Received::default().listen().await;
    let folder = tempfile::tempdir().unwrap();
    let plan = folder.path().join("plan.yaml");
    let path = plan.display().to_string();
    for (text, is_native) in [
        ("default: native\n", [true, true]),
        ("default: native\noperations: {GET /docs: legacy}\n", [false, true]),
        ("default: legacy\noperations: {GET /api/v1/openapi.json: native}\n", [false, true]),
        ("default: legacy\n", [false, false]),
    ] {
        std::fs::write(&plan, text).unwrap();
        let settings =
            [("LEGACY_URL", url.as_str()), ("MANAGEMENT_PORT", "0"), ("STRANGLER_PLAN", &path)];
        let database = Scratch::new().await.unwrap();
        let service = rust(&database.url, &settings).await.unwrap();
        for (path, is_native) in ["/docs", "/api/v1/openapi.json"].iter().zip(is_native) {
            // The old service of this test answers with nothing.
            let (status, body) = get(&format!("{}{path}", service.url)).await;
            assert_eq!((status.as_u16(), !body.is_empty()), (200, is_native), "{path}, {text}");
        }
    }
}

#[tokio::test]
async fn without_an_old_service_there_is_no_page() {
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[("MANAGEMENT_PORT", "0")]).await.unwrap();
    let (status, _) = get(&format!("{}/_molt", service.management().await.unwrap())).await;
    assert_eq!(status, 404);
}

/// A WebSocket goes on while the service shuts down, until its client has enough.
#[tokio::test]
async fn a_websocket_goes_on_through_a_shutdown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let agreed = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                              Upgrade: websocket\r\n\r\n";
                stream.write_all(agreed.as_bytes()).await.unwrap();
                let (mut from, mut to) = stream.split();
                _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    let settings = [("LEGACY_URL", url.as_str()), ("MANAGEMENT_PORT", "0"), ("DRAIN_SECONDS", "0")];
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &settings).await.unwrap();
    let address = service.url.trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(stream.read_u8().await.unwrap());
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    service.send(Signal::Terminate).unwrap();
    for number in 0..20_u32 {
        stream.write_u32(number).await.unwrap();
        assert_eq!(stream.read_u32().await.unwrap(), number);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stream.shutdown().await.unwrap();
    drop(stream);
    let ended = tokio::time::timeout(Duration::from_secs(5), service.stop()).await;
    assert!(ended.is_ok(), "it ends with its last WebSocket");
}

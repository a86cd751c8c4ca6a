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

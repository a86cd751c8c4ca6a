use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::IntoResponse;
use futures_util::StreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// A front before this old service; the new one answers 418.
async fn before(legacy: Router, change: impl FnOnce(&mut Settings)) -> Front {
    let mut settings = Settings::new(serve(legacy).await.parse().unwrap());
    change(&mut settings);
    let native = always(|_| StatusCode::IM_A_TEAPOT.into_response());
    Front::start(native, settings).await
}

/// Sends bytes as they stand and reads until the connection is closed.
async fn raw(url: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    _ = tokio::time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer)).await;
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn headers_of_a_connection_stay_there_and_the_client_is_named() {
    let seen: Shared<HeaderMap> = Arc::default();
    let legacy = Router::new().fallback({
        let seen = Arc::clone(&seen);
        async move |request: Request| {
            *seen.lock().unwrap() = request.headers().clone();
            ([("connection", "x-mine"), ("x-mine", "1"), ("x-other", "2")], "ok")
        }
    });
    let front = before(legacy, |_| {}).await;
    let answer = raw(
        &front.url,
        "GET /x?a=%20 HTTP/1.1\r\nHost: api.example\r\nConnection: close, X-Secret\r\n\
         X-Secret: 1\r\nTE: trailers\r\nProxy-Connection: x\r\nX-Forwarded-For: 10.1.1.1\r\n\r\n",
    )
    .await;
    assert!(answer.contains("x-other: 2") && !answer.contains("x-mine"), "{answer}");
    let seen = seen.lock().unwrap().clone();
    for removed in ["x-secret", "proxy-connection"] {
        assert!(!seen.contains_key(removed), "{removed} was passed on: {seen:?}");
    }
    assert_eq!(seen["host"], "api.example");
    assert_eq!(seen["te"], "trailers");
    assert_eq!(seen["connection"], "te");
    assert_eq!(seen["x-forwarded-for"], "10.1.1.1, 127.0.0.1");
    assert_eq!(seen["x-forwarded-host"], "api.example");
    assert_eq!(seen["forwarded"], "for=127.0.0.1;host=\"api.example\";proto=http");
}

#[tokio::test]
async fn an_untrusted_client_cannot_set_forwarded_headers() {
    let legacy = always(|request| {
        let names = ["x-forwarded-for", "x-forwarded-proto"];
        let values = names.map(|name| format!("{:?}", request.headers().get(name)));
        values.join(" ").into_response()
    });
    let front = before(legacy, |settings| settings.trust = Arc::new(|_| false)).await;
    let request = client().get(format!("{}/x", front.url));
    let request = request.header("x-forwarded-for", "1.1.1.1").header("x-forwarded-proto", "https");
    let answer = request.send().await.unwrap().text().await.unwrap();
    assert_eq!(answer, "Some(\"127.0.0.1\") Some(\"http\")");
}

#[tokio::test]
async fn bodies_stream_both_ways_and_trailers_arrive() {
    let legacy = Router::new().fallback(async |request: Request| {
        // Answers as the request comes in.
        let chunks = request.into_body().into_data_stream().map(|c| c.map(Frame::data));
        let mut trailers = HeaderMap::new();
        trailers.insert(HeaderName::from_static("x-sum"), HeaderValue::from_static("7"));
        let end = futures_util::stream::iter([Ok(Frame::trailers(trailers))]);
        ([("trailer", "x-sum")], Body::new(StreamBody::new(chunks.chain(end))))
    });
    let front = before(legacy, |_| {}).await;
    let mut stream = TcpStream::connect(front.url.trim_start_matches("http://")).await.unwrap();
    let head =
        "POST /echo HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut received = String::new();
    for word in ["first", "second"] {
        stream.write_all(format!("{:x}\r\n{word}\r\n", word.len()).as_bytes()).await.unwrap();
        // The one comes back before the other is sent.
        while !received.contains(word) {
            let mut buffer = [0; 1024];
            let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
            received.push_str(&String::from_utf8_lossy(&buffer[..read.unwrap().unwrap()]));
        }
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    while !received.contains("x-sum: 7") {
        let mut buffer = [0; 1024];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read(&mut buffer)).await;
        received.push_str(&String::from_utf8_lossy(&buffer[..read.unwrap().unwrap()]));
    }
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_is_asked() {
    let legacy = Router::new().fallback(async |body: Bytes| format!("{} bytes", body.len()));
    let front = before(legacy, |_| {}).await;
    let mut stream = TcpStream::connect(front.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\
                Connection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut buffer = [0; 25];
    stream.read_exact(&mut buffer).await.unwrap();
    assert_eq!(&buffer, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"abc").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("3 bytes"), "{answer}");
}

#[tokio::test]
async fn an_unreachable_slow_or_overloaded_legacy_is_reported_in_fastapis_format() {
    let front = before(Router::new(), |settings| {
        settings.legacy = "http://127.0.0.1:9".parse().unwrap();
    })
    .await;
    let answer = client().get(format!("{}/x", front.url)).send().await.unwrap();
    assert_eq!(answer.status(), 502);
    assert_eq!(answer.text().await.unwrap(), r#"{"detail":"Bad Gateway"}"#);

    let slow = || Router::new().fallback(async || tokio::time::sleep(Duration::from_mins(1)).await);
    let front = before(slow(), |s| s.timeout = Duration::from_millis(200)).await;
    let answer = client().get(format!("{}/x", front.url)).send().await.unwrap();
    assert_eq!(answer.status(), 504);
    assert_eq!(answer.text().await.unwrap(), r#"{"detail":"Gateway Timeout"}"#);

    let front = before(slow(), |settings| settings.max_in_flight = 1).await;
    let waiting = tokio::spawn(client().get(format!("{}/x", front.url)).send());
    tokio::time::sleep(Duration::from_millis(100)).await;
    let answer = client().get(format!("{}/x", front.url)).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["retry-after"].as_bytes()),
        (503, &b"1"[..])
    );
    waiting.abort();
}

#[tokio::test]
async fn a_body_that_flows_is_never_too_slow() {
    let legacy = Router::new().fallback(async |body: Bytes| format!("{} bytes", body.len()));
    let front = before(legacy, |settings| {
        (settings.timeout, settings.upload_rate) = (Duration::from_millis(300), 10);
    })
    .await;
    let drops = futures_util::stream::unfold(0, async |n| {
        tokio::time::sleep(Duration::from_millis(100)).await;
        (n < 8).then(|| (Ok::<_, std::io::Error>("drop "), n + 1))
    });
    let body = reqwest::Body::wrap_stream(drops);
    let answer = client().post(format!("{}/x", front.url)).body(body).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "40 bytes");
}

#[tokio::test]
async fn a_client_that_disconnects_cancels_its_request() {
    struct Disconnected(Count);
    impl Drop for Disconnected {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let disconnects = Count::default();
    let legacy = Router::new().fallback({
        let disconnects = Arc::clone(&disconnects);
        async move || {
            let _counter = Disconnected(disconnects);
            tokio::time::sleep(Duration::from_mins(1)).await;
        }
    });
    let front = before(legacy, |_| {}).await;
    let request = client().get(format!("{}/x", front.url)).timeout(Duration::from_millis(200));
    assert!(request.send().await.is_err());
    for _ in 0..100 {
        if count(&disconnects) == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("legacy still works on an abandoned request");
}

#[tokio::test]
async fn an_answer_that_stands_still_is_broken_off() {
    let legacy = Router::new().fallback(async || {
        let chunks = futures_util::stream::iter([Ok::<_, std::io::Error>("a part")]);
        Body::from_stream(chunks.chain(futures_util::stream::pending()))
    });
    let front = before(legacy, |s| s.timeout = Duration::from_millis(200)).await;
    let answer = client().get(format!("{}/x", front.url)).send().await.unwrap();
    assert!(answer.bytes().await.is_err());
}

/// uvicorn closes a connection after a 500 a moment later than it answers.
#[tokio::test]
async fn a_connection_on_which_legacy_failed_is_not_used_again() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let connections = Count::default();
    let counter = Arc::clone(&connections);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(async move {
                let mut buffer = [0; 4096];
                while stream.read(&mut buffer).await.is_ok_and(|read| read > 0) {
                    let answer = "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n";
                    stream.write_all(answer.as_bytes()).await.unwrap();
                }
            });
        }
    });
    let front = before(Router::new(), |s| s.legacy = url.parse().unwrap()).await;
    for _ in 0..3 {
        let post = client().post(format!("{}/x", front.url)).body("a");
        assert_eq!(post.send().await.unwrap().status(), 500);
    }
    assert_eq!(count(&connections), 3);
}

/// Clients speak HTTP/2, as behind `axum::serve` with its feature `http2`, and the old service HTTP/1.1.
#[tokio::test]
async fn http_2_of_clients_becomes_http_1() {
    let legacy = Router::new().fallback(async |request: Request| {
        let text = |name: &str| {
            let value = request.headers().get(name).map(|value| value.to_str().unwrap());
            value.unwrap_or("none").to_owned()
        };
        let names = ["host", "cookie", "x-forwarded-host", "x-forwarded-for"].map(text);
        let head = format!("{:?} {} {}", request.version(), request.uri(), names.join(" | "));
        let body = axum::body::to_bytes(request.into_body(), 100).await.unwrap();
        format!("{head} | {}", String::from_utf8_lossy(&body))
    });
    let strangler = strangler::Strangler::start(
        Settings::new(serve(legacy).await.parse().unwrap()),
        operations(),
    );
    let native = Router::new().layer(strangler.unwrap().layer());
    let (client, server) = tokio::io::duplex(64 * 1024);
    tokio::spawn(async move {
        use hyper_util::rt::{TokioExecutor, TokioIo};
        let service = hyper_util::service::TowerToHyperService::new(native);
        let builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder.serve_connection(TokioIo::new(server), service).await.unwrap();
    });
    let (mut sender, connection) = hyper::client::conn::http2::handshake(
        hyper_util::rt::TokioExecutor::new(),
        hyper_util::rt::TokioIo::new(client),
    )
    .await
    .unwrap();
    tokio::spawn(connection);
    let request = http::Request::post("http://pub.test/items?a=%20");
    let request = request.header("cookie", "a=1").header("cookie", "b=2");
    let request = request.body(Body::from("abc")).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    let body = axum::body::to_bytes(Body::new(answer.into_body()), 1000).await.unwrap();
    let expected = "HTTP/1.1 /items?a=%20 pub.test | a=1; b=2 | pub.test | none | abc";
    assert_eq!(body, expected);
}

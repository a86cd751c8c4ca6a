//! Clients that read or send slowly, and what they may hold.

use super::*;

#[tokio::test]
async fn slow_clients_hold_no_permit() {
    // A client that reads nothing of a large response.
    let legacy = Router::new()
        .route("/big", axum::routing::get(async || vec![b'x'; 60_000_000]))
        .route("/slow", axum::routing::post(async |body: axum::body::Bytes| body))
        .fallback(async || "ok");
    let mut settings = Settings::new(serve(legacy).await.parse().unwrap());
    (settings.timeout, settings.max_in_flight) = (Duration::from_secs(1), 1);
    let front = Front::start(always(|_| StatusCode::IM_A_TEAPOT.into_response()), settings).await;
    let mut reads_nothing =
        TcpStream::connect(front.url.trim_start_matches("http://")).await.unwrap();
    reads_nothing.write_all(b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let get = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(send(&front.url, get).await.starts_with("HTTP/1.1 503"));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert!(send(&front.url, get).await.contains("ok"));
    // What the client gets is not the whole, and cannot be taken for it.
    let mut received = Vec::new();
    _ = reads_nothing.read_to_end(&mut received).await;
    assert!(received.len() < 60_000_000, "{}", received.len());

    // A client that sends a byte from time to time.
    let slow = {
        let url = front.url.clone();
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
            let head = "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n";
            stream.write_all(head.as_bytes()).await.unwrap();
            for _ in 0..6 {
                tokio::time::sleep(Duration::from_millis(600)).await;
                _ = stream.write_all(b"x").await;
            }
            let mut received = Vec::new();
            _ = tokio::time::timeout(Duration::from_secs(1), stream.read_buf(&mut received)).await;
            String::from_utf8_lossy(&received).into_owned()
        })
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(send(&front.url, get).await.starts_with("HTTP/1.1 503"));
    assert!(slow.await.unwrap().starts_with("HTTP/1.1 408"));
    assert!(send(&front.url, get).await.contains("ok"));
}

/// A client that takes a little now and then, each time before the timeout.
#[tokio::test]
async fn a_client_that_reads_in_drops_holds_no_permit() {
    use http_body_util::BodyExt;
    use tower::{Layer, ServiceExt};

    let legacy = Router::new()
        .route("/big", axum::routing::get(async || vec![b'x'; 60_000_000]))
        .fallback(async || "ok");
    let mut settings = Settings::new(serve(legacy).await.parse().unwrap());
    (settings.timeout, settings.max_in_flight) = (Duration::from_secs(1), 1);
    settings.download_rate = 100_000_000;
    let front = Front::start(always(|_| StatusCode::IM_A_TEAPOT.into_response()), settings).await;
    // Without a connection, whose buffers would take much of it at once.
    let service = front.strangler.layer().layer(Router::new());
    let request = Request::get("/big").header("host", "a").body(axum::body::Body::empty());
    let mut body = service.oneshot(request.unwrap()).await.unwrap().into_body();
    let get = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(send(&front.url, get).await.starts_with("HTTP/1.1 503"));
    let (start, mut received) = (Instant::now(), 0);
    let end = loop {
        match body.frame().await {
            Some(Ok(frame)) => received += frame.into_data().unwrap().len(),
            end => break end,
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{received} bytes so far");
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    assert!(matches!(end, Some(Err(_))), "it is broken off, and not taken for the whole");
    assert!(received < 60_000_000 && start.elapsed() > Duration::from_secs(1), "{received}");
    assert!(send(&front.url, get).await.contains("ok"));
}

/// A slow old service is no slow client.
#[tokio::test]
async fn only_the_client_s_time_counts_for_its_rate() {
    let legacy = Router::new().fallback(async || {
        let drops = futures_util::stream::unfold(0, async |n| {
            tokio::time::sleep(Duration::from_millis(100)).await;
            (n < 12).then(|| (Ok::<_, std::io::Error>("drop "), n + 1))
        });
        axum::body::Body::from_stream(drops).into_response()
    });
    let mut settings = Settings::new(serve(legacy).await.parse().unwrap());
    (settings.timeout, settings.download_rate) = (Duration::from_millis(400), 1_000_000);
    let front = Front::start(always(|_| StatusCode::IM_A_TEAPOT.into_response()), settings).await;
    let answer = client().get(format!("{}/x", front.url)).send().await.unwrap();
    assert_eq!(answer.text().await.unwrap(), "drop ".repeat(12));
}

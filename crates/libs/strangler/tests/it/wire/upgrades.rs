//! Changes of the protocol, and what passes through a tunnel.

use super::*;

/// An old service that agrees to change the protocol and then sends everything back.
async fn upgrading() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(stream.read_u8().await.unwrap());
                }
                let head = String::from_utf8(head).unwrap().to_lowercase();
                if !head.contains("\r\nupgrade: websocket\r\n") {
                    return stream.write_all(OK.as_bytes()).await.unwrap();
                }
                assert!(head.contains("\r\nconnection: upgrade\r\n"), "{head}");
                assert!(head.contains("\r\nsec-websocket-key: aaaa\r\n"), "{head}");
                let agreed = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\
                              Upgrade: websocket\r\nSec-WebSocket-Accept: yes\r\n\r\nfirst";
                stream.write_all(agreed.as_bytes()).await.unwrap();
                let (mut from, mut to) = stream.split();
                _ = tokio::io::copy(&mut from, &mut to).await;
            });
        }
    });
    url
}

#[tokio::test]
async fn other_protocols_pass_both_ways() {
    let mut settings = Settings::new(upgrading().await.parse().unwrap());
    // A tunnel is no request that waits: neither limit is its.
    (settings.timeout, settings.max_in_flight) = (Duration::from_millis(200), 1);
    let front = Front::start(always(|_| StatusCode::IM_A_TEAPOT.into_response()), settings).await;
    let mut stream = TcpStream::connect(front.url.trim_start_matches("http://")).await.unwrap();
    let head = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
                Upgrade: websocket\r\nSec-WebSocket-Key: aaaa\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    while !received.ends_with(b"first") {
        received.push(stream.read_u8().await.unwrap());
    }
    let received = String::from_utf8(received).unwrap().to_lowercase();
    assert!(received.starts_with("http/1.1 101 "), "{received}");
    for header in ["connection: upgrade", "upgrade: websocket", "sec-websocket-accept: yes"] {
        assert!(received.contains(&format!("\r\n{header}\r\n")), "{received}");
    }
    for number in 0..1000_u32 {
        let message = number.to_be_bytes();
        stream.write_all(&message).await.unwrap();
        let mut echo = [0; 4];
        stream.read_exact(&mut echo).await.unwrap();
        assert_eq!(echo, message);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(send(&front.url, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await.contains("ok"));
    stream.write_all(b"late").await.unwrap();
    let mut echo = [0; 4];
    stream.read_exact(&mut echo).await.unwrap();
    assert_eq!(&echo, b"late");
    // The client's end is the old service's.
    stream.shutdown().await.unwrap();
    assert_eq!(stream.read(&mut echo).await.unwrap(), 0);
}

/// What either side sends keeps a tunnel open; silence closes it, and gives its permit back.
#[tokio::test]
async fn a_silent_tunnel_is_closed() {
    let mut settings = Settings::new(upgrading().await.parse().unwrap());
    (settings.tunnel_idle, settings.max_in_flight) = (Duration::from_millis(600), 1);
    let front = Front::start(always(|_| StatusCode::IM_A_TEAPOT.into_response()), settings).await;
    let head = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
                Upgrade: websocket\r\nSec-WebSocket-Key: aaaa\r\n\r\n";
    let mut stream = TcpStream::connect(front.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    while !received.ends_with(b"first") {
        received.push(stream.read_u8().await.unwrap());
    }
    for number in 0..12_u32 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        stream.write_u32(number).await.unwrap();
        assert_eq!(stream.read_u32().await.unwrap(), number, "it is in use");
    }
    assert!(send(&front.url, head).await.starts_with("HTTP/1.1 503"));
    let closed = tokio::time::timeout(Duration::from_secs(5), stream.read_u8()).await;
    assert!(closed.expect("it is closed").is_err());
    assert!(send(&front.url, head).await.starts_with("HTTP/1.1 101"));
}

#[tokio::test]
async fn http_2_does_not_pass_unseen() {
    let legacy = Raw::start(&[OK]).await;
    let front = legacy.front(|_| {}).await;
    let head = "GET /x HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\
                HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n\r\n";
    assert!(send(&front.url, head).await.contains("ok"));
    let head = legacy.requests()[0].to_lowercase();
    assert!(!head.contains("upgrade") && !head.contains("http2-settings"), "{head}");
}

#[tokio::test]
async fn a_change_of_the_protocol_is_one_that_was_asked_for() {
    let asked = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    let plain = "GET /ws HTTP/1.1\r\nHost: a\r\n\r\n";
    for (request, answer) in [
        (plain, "HTTP/1.1 101 S\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\nxx"),
        (asked, "HTTP/1.1 101 S\r\n\r\nxx"),
    ] {
        let legacy = Raw::start(vec![answer].leak()).await;
        let front = legacy.front(|_| {}).await;
        let received = send(&front.url, request).await;
        assert!(received.starts_with("HTTP/1.1 502"), "{answer:?}: {received}");
    }
    // One that is refused is an ordinary answer.
    let refused = "HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno";
    let legacy = Raw::start(vec![refused, OK].leak()).await;
    let front = legacy.front(|_| {}).await;
    let received = send(&front.url, asked).await;
    assert!(received.starts_with("HTTP/1.1 403") && received.ends_with("no"), "{received}");
}

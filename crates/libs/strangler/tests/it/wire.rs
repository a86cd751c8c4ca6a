//! Raw bytes on both sides: framing, hosts, connections and upgrades.

mod slow_clients;
mod upgrades;

use axum::response::IntoResponse;
use http::StatusCode;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;

/// An old service of raw bytes: each connection gets the answers in turn, each after a request's head.
struct Raw {
    url: String,
    /// The heads, with what of a body came along.
    requests: Shared<Vec<String>>,
}

impl Raw {
    /// An empty answer closes the connection.
    async fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests: Shared<Vec<String>> = Arc::default();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, answers, Arc::clone(&seen)));
            }
        });
        Self { url, requests }
    }

    async fn front(&self, change: impl FnOnce(&mut Settings)) -> Front {
        let mut settings = Settings::new(self.url.parse().unwrap());
        settings.timeout = Duration::from_secs(2);
        change(&mut settings);
        let native = always(|_| StatusCode::IM_A_TEAPOT.into_response());
        Front::start(native, settings).await
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

async fn answer(mut stream: TcpStream, answers: &[&str], seen: Shared<Vec<String>>) {
    for answer in answers {
        let mut received = Vec::new();
        while !received.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
            if stream.read_buf(&mut received).await.unwrap_or(0) == 0 {
                return;
            }
        }
        // What follows at once belongs to it.
        let wait = Duration::from_millis(50);
        while let Ok(Ok(1..)) = tokio::time::timeout(wait, stream.read_buf(&mut received)).await {}
        seen.lock().unwrap().push(String::from_utf8_lossy(&received).into_owned());
        if answer.is_empty() {
            return;
        }
        _ = stream.write_all(answer.as_bytes()).await;
    }
    // Nothing more is answered, and the connection stays open.
    _ = stream.read(&mut [0]).await;
}

/// Sends bytes as they stand, and reads until the connection ends or is silent.
async fn send(url: &str, bytes: &str) -> String {
    let mut stream = TcpStream::connect(url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let mut received = Vec::new();
    let wait = Duration::from_millis(400);
    while let Ok(Ok(1..)) = tokio::time::timeout(wait, stream.read_buf(&mut received)).await {}
    String::from_utf8_lossy(&received).into_owned()
}

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn a_length_beside_chunks_does_not_cut_the_body() {
    let legacy =
        Raw::start(&["HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n\
         5\r\nhello\r\n0\r\n\r\n"])
        .await;
    let front = legacy.front(|_| {}).await;
    let received = send(&front.url, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(!received.contains("content-length"), "{received}");
    assert!(received.contains("5\r\nhello\r\n0\r\n\r\n"), "{received}");
}

#[tokio::test]
async fn a_body_that_is_coded_unseen_is_an_error() {
    let legacy = Raw::start(&[
        "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nxx\r\n0\r\n\r\n",
    ])
    .await;
    let front = legacy.front(|_| {}).await;
    let received = send(&front.url, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(received.starts_with("HTTP/1.1 502"), "{received}");
}

#[tokio::test]
async fn a_get_is_sent_again_only_where_a_kept_connection_was_closed() {
    let legacy = Raw::start(&[OK, ""]).await;
    let front = legacy.front(|_| {}).await;
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    assert!(send(&front.url, &get("/first")).await.contains("ok"));
    // The kept connection breaks: once more, on a new one, where it is answered.
    assert!(send(&front.url, &get("/second")).await.contains("ok"));
    assert_eq!(legacy.requests().len(), 3);

    let legacy = Raw::start(&[""]).await;
    let front = legacy.front(|_| {}).await;
    assert!(send(&front.url, &get("/x")).await.starts_with("HTTP/1.1 502"));
    assert_eq!(legacy.requests().len(), 1, "a new connection broke: it was executed");

    let legacy = Raw::start(&[OK, ""]).await;
    let front = legacy.front(|settings| settings.retry = false).await;
    assert!(send(&front.url, &get("/first")).await.contains("ok"));
    assert!(send(&front.url, &get("/second")).await.starts_with("HTTP/1.1 502"));
    assert_eq!(legacy.requests().len(), 2);
}

#[tokio::test]
async fn an_answer_that_began_is_not_asked_for_again() {
    let legacy = Raw::start(&[OK, "HTTP/1.1 200 O"]).await;
    let front = legacy.front(|_| {}).await;
    let get = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(send(&front.url, get).await.contains("ok"));
    let mut stream = TcpStream::connect(front.url.trim_start_matches("http://")).await.unwrap();
    stream.write_all(get.as_bytes()).await.unwrap();
    let mut received = [0; 12];
    stream.read_exact(&mut received).await.unwrap();
    assert_eq!(&received, b"HTTP/1.1 504");
    assert_eq!(legacy.requests().len(), 2);
}

#[tokio::test]
async fn a_body_arrives_with_every_method() {
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "QUERY"] {
        for (framing, body) in
            [("Transfer-Encoding: chunked", "3\r\nabc\r\n0\r\n\r\n"), ("Content-Length: 3", "abc")]
        {
            let legacy = Raw::start(&["HTTP/1.1 204 No Content\r\n\r\n"]).await;
            let front = legacy.front(|_| {}).await;
            let request = format!("{method} /x HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{body}");
            send(&front.url, &request).await;
            let requests = legacy.requests();
            let (head, sent) = requests[0].split_once("\r\n\r\n").unwrap();
            assert_eq!(sent, body, "{method}, {framing}: {head}");
            assert!(head.to_lowercase().contains(&framing.to_lowercase()), "{method}: {head}");
        }
    }
}

#[tokio::test]
async fn requests_that_an_http_server_refuses_are_refused() {
    for (request, status) in [
        ("GET /x HTTP/1.1\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: a b/\"c\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: user@a\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: a:b\r\n\r\n", 400),
        ("GET /x HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400),
        ("GET http://user:pw@other.test/x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET ftp://other.test/x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        ("CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n", 405),
        ("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        ("POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
    ] {
        let legacy = Raw::start(&[OK]).await;
        let front = legacy.front(|_| {}).await;
        let received = send(&front.url, request).await;
        assert!(received.starts_with(&format!("HTTP/1.1 {status}")), "{request:?}: {received}");
        let others = serde_json::to_value(front.strangler.overview()).unwrap()["others"].clone();
        assert_eq!(others["errors"], 0, "{request:?} counts for the old service");
    }
}

#[tokio::test]
async fn the_host_is_the_client_s() {
    for (request, host) in [
        ("GET /x HTTP/1.1\r\nHost: pub.test\r\nConnection: close, host\r\n\r\n", "pub.test"),
        ("GET http://other.test/x HTTP/1.1\r\nHost: pub.test\r\n\r\n", "other.test"),
        ("GET /x HTTP/1.1\r\nHost: pub.test:8080\r\n\r\n", "pub.test:8080"),
        ("GET /x HTTP/1.1\r\nHost: [2001:db8::1]:80\r\n\r\n", "[2001:db8::1]:80"),
    ] {
        let legacy = Raw::start(&[OK]).await;
        let front = legacy.front(|_| {}).await;
        send(&front.url, request).await;
        let head = legacy.requests()[0].to_lowercase();
        assert!(head.contains(&format!("\r\nhost: {host}\r\n")), "{head}");
        assert!(head.contains(&format!("\r\nx-forwarded-host: {host}\r\n")), "{head}");
        assert!(head.starts_with("get /x http/1.1"), "{head}");
    }
}

#[tokio::test]
async fn te_passes_for_trailers_alone() {
    let legacy = Raw::start(&[OK]).await;
    let front = legacy.front(|_| {}).await;
    send(&front.url, "GET /x HTTP/1.1\r\nHost: a\r\nTE: trailers, deflate;q=0.5\r\n\r\n").await;
    let head = legacy.requests()[0].to_lowercase();
    assert!(
        head.contains("\r\nte: trailers\r\n") && head.contains("\r\nconnection: te\r\n"),
        "{head}"
    );
}

/// A client gets the final answer; hints before it are dropped, as nginx does.
#[tokio::test]
async fn informational_answers_are_no_answers() {
    let legacy = Raw::start(&[
        "HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n\
         HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ])
    .await;
    let front = legacy.front(|_| {}).await;
    let received = send(&front.url, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(
        received.starts_with("HTTP/1.1 200 OK") && received.ends_with("\r\n\r\nok"),
        "{received}"
    );
    assert!(!received.contains("link"), "{received}");
}

#[tokio::test]
async fn an_answer_to_head_has_its_length_and_no_body() {
    const LONG: &str = "HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n";
    let legacy = Raw::start(&[LONG, OK]).await;
    let front = legacy.front(|_| {}).await;
    let received = send(&front.url, "HEAD /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(received.contains("content-length: 70000"), "{received}");
    assert!(received.ends_with("\r\n\r\n"), "{received}");
    // The connection is as good as new.
    let received = send(&front.url, "GET /y HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(received.starts_with("HTTP/1.1 200 OK") && received.ends_with("ok"), "{received}");
}

#[tokio::test]
async fn an_old_server_s_version_does_not_pass() {
    let legacy = Raw::start(&["HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"]).await;
    let front = legacy.front(|_| {}).await;
    let received = send(&front.url, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(received.starts_with("HTTP/1.1 200 OK"), "{received}");
}

#[tokio::test]
async fn a_connection_that_is_about_to_be_closed_is_not_kept() {
    let legacy = Raw::start(&[
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nkeep-alive: timeout=1\r\n\r\nok",
        "HTTP/1.1 500 Late\r\ncontent-length: 0\r\n\r\n",
    ])
    .await;
    let front = legacy.front(|_| {}).await;
    for _ in 0..2 {
        let received = send(&front.url, "POST /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(received.contains("ok"), "{received}");
    }
}

/// What is framed in two ways is refused, or passes in one way: no second request hides in it.
#[tokio::test]
async fn no_request_hides_in_another() {
    for framing in [
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding: xchunked\r\nContent-Length: 3",
        "Transfer-Encoding: chunked, identity",
        "Content-Length: +3",
        "Content-Length: -3",
        "Content-Length: 0x3",
        "Content-Length: 3, 3",
        "Content-Length: 3\r\nContent-Length: 4",
        "Content-Length: 99999999999999999999999",
        "X-A: b\rContent-Length: 3",
        "X-A: \0",
    ] {
        let legacy = Raw::start(&[OK, OK]).await;
        let front = legacy.front(|_| {}).await;
        let request = format!("POST /x HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n0\r\n\r\n");
        let received = send(&front.url, &request).await;
        let is_refused = ["HTTP/1.1 400", "HTTP/1.1 501"].iter().any(|it| received.starts_with(it));
        assert!(is_refused, "{framing:?}: {received}");
        assert_eq!(legacy.requests(), Vec::<String>::new(), "{framing:?}");
    }
    for chunks in ["3\nabc\n0\n\n", "-3\r\nabc", "0x3\r\nabc", "ffffffffffffffff1\r\nabc"] {
        let legacy = Raw::start(&[OK]).await;
        let front = legacy.front(|_| {}).await;
        let head = "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        let received = send(&front.url, &format!("{head}{chunks}")).await;
        assert!(received.starts_with("HTTP/1.1 400"), "{chunks:?}: {received}");
    }
    // With both, chunks count, and the connection is closed after it (RFC 9112, 6.3).
    let legacy = Raw::start(&[OK, OK]).await;
    let front = legacy.front(|_| {}).await;
    let both = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
                0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: a\r\n\r\n";
    send(&front.url, both).await;
    let requests = legacy.requests();
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert!(
        !requests[0].contains("content-length") && !requests[0].contains("hidden"),
        "{requests:?}"
    );
}

/// In no way can a part of an answer, or another body, be taken for the whole.
#[tokio::test]
async fn no_part_of_an_answer_passes_for_the_whole() {
    const GET: &str = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";
    let whole = "HTTP/1.1 200 OK\r\n";
    for (head, body, expected) in [
        ("content-length: 5\r\n", "hello", "5 hello"),
        ("content-length: 5\r\ncontent-length: 5\r\n", "hello", "5 hello"),
        ("content-length: 5, 5\r\n", "hello", "5 hello"),
        ("content-length: 3\r\n", "hello", "3 hel"),
        ("content-length: 5\r\ncontent-length: 3\r\n", "hello", "502"),
        ("content-length: +5\r\n", "hello", "502"),
        ("transfer-encoding: gzip\r\ntransfer-encoding: chunked\r\n", "0\r\n\r\n", "502"),
        ("transfer-encoding: chunked, chunked\r\n", "0\r\n\r\n", "502"),
        ("transfer-encoding: identity\r\ncontent-length: 5\r\n", "hello", "502"),
    ] {
        let answer: &'static str = format!("{whole}{head}\r\n{body}").leak();
        let legacy = Raw::start(vec![answer].leak()).await;
        let front = legacy.front(|_| {}).await;
        let received = send(&front.url, GET).await;
        let is_expected = if expected == "502" {
            received.starts_with("HTTP/1.1 502")
        } else {
            let (length, body) = expected.split_once(' ').unwrap();
            received.contains(&format!("\r\ncontent-length: {length}\r\n"))
                && received.ends_with(&format!("\r\n\r\n{body}"))
        };
        assert!(is_expected, "{head:?}: {received}");
    }
    // Cut off: without its end, and the connection is closed.
    for answer in [
        "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ] {
        let legacy = Raw::start(vec![answer, ""].leak()).await;
        let front = legacy.front(|it| it.timeout = Duration::from_millis(300)).await;
        let mut stream = TcpStream::connect(front.url.trim_start_matches("http://")).await.unwrap();
        stream.write_all(GET.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        let reading = stream.read_to_end(&mut received);
        _ = tokio::time::timeout(Duration::from_secs(3), reading).await.expect("it is closed");
        let received = String::from_utf8_lossy(&received);
        assert!(!received.ends_with("0\r\n\r\n"), "{answer:?}: {received}");
    }
}

#[tokio::test]
async fn an_answer_without_a_body_keeps_its_length() {
    for (method, answer) in [
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"),
        ("HEAD", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"),
        ("GET", "HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n"),
        ("GET", "HTTP/1.1 304 N\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n"),
    ] {
        let legacy = Raw::start(vec![answer, OK].leak()).await;
        let front = legacy.front(|_| {}).await;
        let address = front.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let two =
            format!("{method} /x HTTP/1.1\r\nHost: a\r\n\r\nGET /y HTTP/1.1\r\nHost: a\r\n\r\n");
        stream.write_all(two.as_bytes()).await.unwrap();
        let mut received = Vec::new();
        let wait = Duration::from_millis(500);
        while let Ok(Ok(1..)) = tokio::time::timeout(wait, stream.read_buf(&mut received)).await {}
        let received = String::from_utf8_lossy(&received);
        let (first, second) = received.split_once("\r\n\r\n").unwrap();
        assert!(first.contains("content-length: 5"), "{method} {answer:?}: {received}");
        assert!(second.starts_with("HTTP/1.1 200") && second.ends_with("ok"), "{received}");
    }
}

#[tokio::test]
async fn heads_of_answers_pass_as_they_are() {
    let many: Vec<_> = (0..300).map(|n| format!("set-cookie: c{n}=1\r\n")).collect();
    let many = many.concat();
    for (answer, parts) in [
        (format!("HTTP/1.1 200 OK\r\n{many}content-length: 2\r\n\r\nok"), vec!["c0=1", "c299=1"]),
        ("HTTP/1.1 299 Odd\r\ncontent-length: 2\r\n\r\nok".to_owned(), vec!["HTTP/1.1 299 Odd"]),
        ("HTTP/1.1 999 My Own\r\ncontent-length: 2\r\n\r\nok".to_owned(), vec!["HTTP/1.1 999 My Own"]),
        // A proxy mends these (RFC 9112, 5.1 and 5.2).
        ("HTTP/1.1 200 OK\r\nx-a : b\r\ncontent-length: 2\r\n\r\nok".to_owned(), vec!["x-a: b\r\n"]),
        ("HTTP/1.1 200 OK\r\nx-a: b\r\n c\r\ncontent-length: 2\r\n\r\nok".to_owned(), vec!["x-a: b"]),
        (
            "HTTP/1.1 426 No\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 2\r\n\r\nok"
                .to_owned(),
            vec!["upgrade: websocket", "connection: upgrade"],
        ),
    ] {
        let answer: &'static str = answer.leak();
        let legacy = Raw::start(vec![answer].leak()).await;
        let front = legacy.front(|_| {}).await;
        let received = send(&front.url, "GET /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        for part in parts {
            assert!(received.contains(part), "{part} is not in {received}");
        }
        assert!(received.ends_with("\r\n\r\nok"), "{received}");
    }
}

#[tokio::test]
async fn targets_pass_byte_for_byte() {
    for target in [
        "/a%2Fb",
        "/%C3%A9",
        "//a//b",
        "/a/../b",
        "/./a",
        "/a;b=c",
        "/a|b",
        "/%00",
        "/?",
        "/?a=%20+b",
        "/a?b=c?d",
        "/a%",
        "/~a!$&'()*,=:@",
    ] {
        let legacy = Raw::start(&[OK]).await;
        let front = legacy.front(|_| {}).await;
        send(&front.url, &format!("GET {target} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
        let requests = legacy.requests();
        assert!(requests[0].starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{requests:?}");
    }
}

/// An old service closes idle connections; they are given up before.
#[tokio::test]
async fn an_idle_connection_is_not_used_for_longer_than_it_is_kept() {
    let legacy = Raw::start(&[OK, "HTTP/1.1 500 Late\r\ncontent-length: 0\r\n\r\n"]).await;
    let front = legacy.front(|settings| settings.idle = Duration::from_millis(200)).await;
    for _ in 0..3 {
        // The second request of a connection would be answered with 500.
        let received = send(&front.url, "POST /x HTTP/1.1\r\nHost: a\r\n\r\n").await;
        assert!(received.ends_with("ok"), "{received}");
    }
    assert!(Settings::new("http://a".parse().unwrap()).idle < Duration::from_secs(2), "gunicorn's");
}

//! Bytes on a connection: what both HTTP servers make of them, uvicorn (with httptools) and hyper. Where
//! they differ, docs/operations.md has a row with the reason.

use std::time::Duration;

use testbed::{Scratch, legacy, root, rust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection on which nothing comes for so long is kept.
const KEPT: Duration = Duration::from_millis(1500);

const GET: &str = "GET /api/v1/utils/health-check/ HTTP/1.1\r\n";
const POST: &str =
    "POST /api/v1/users/signup HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n";
const CHUNKS: &str = "\r\n2\r\n{}\r\n0\r\n\r\n";

/// The statuses in their order, and what becomes of the connection.
struct Outcome {
    statuses: Vec<u16>,
    closed: bool,
    /// Of the last answer.
    body: Vec<u8>,
}

impl Outcome {
    /// `200 kept`, `400 closed`; only `closed` without an answer.
    fn summary(&self) -> String {
        let statuses = self.statuses.iter().map(u16::to_string);
        let connection = if self.closed { "closed" } else { "kept" };
        statuses.chain([connection.to_owned()]).collect::<Vec<_>>().join(" ")
    }
}

async fn exchange(address: &str, request: &[u8]) -> Outcome {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // It may be closed before it has taken everything.
    _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let closed = loop {
        match timeout(KEPT, stream.read_buf(&mut answer)).await {
            Err(_) => break false,
            Ok(Ok(0) | Err(_)) => break true,
            Ok(Ok(_)) => {}
        }
    };
    let text = String::from_utf8_lossy(&answer);
    let statuses = text.match_indices("HTTP/1.").filter_map(|(at, _)| {
        let status = text.get(at + "HTTP/1.x ".len()..)?.get(..3)?;
        status.parse().ok()
    });
    let statuses = statuses.collect();
    let body = answer.windows(4).rposition(|window| window == b"\r\n\r\n");
    let body = body.map(|at| answer[at + 4..].to_vec()).unwrap_or_default();
    Outcome { statuses, closed, body }
}

fn get(fields: &str) -> Vec<u8> {
    format!("{GET}Host: x\r\n{fields}\r\n").into_bytes()
}

fn target(target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").into_bytes()
}

fn post(rest: &str) -> Vec<u8> {
    format!("{POST}{rest}").into_bytes()
}

fn fields(count: usize) -> String {
    use std::fmt::Write;

    (0..count).fold(String::new(), |mut all, number| {
        _ = write!(all, "x-{number}: y\r\n");
        all
    })
}

/// What both services make the same of.
fn equal() -> Vec<(&'static str, &'static str, Vec<u8>)> {
    let health = "/api/v1/utils/health-check/";
    vec![
        ("a request", "200 kept", get("")),
        ("150 fields", "200 kept", get(&fields(149))),
        ("400 fields", "200 kept", get(&fields(399))),
        ("a field of 50 kB", "200 kept", get(&format!("x: {}\r\n", "a".repeat(50_000)))),
        ("a path of 50 kB", "404 kept", target(&format!("/{}", "a".repeat(50_000)))),
        ("no Host", "200 kept", format!("{GET}\r\n").into()),
        ("two Hosts", "200 kept", get("Host: y\r\n")),
        ("a value in UTF-8", "200 kept", get("x: \u{e9}\r\n")),
        ("a path in UTF-8", "400 closed", target("/api/v1/\u{e9}")),
        ("a query in UTF-8", "400 closed", target(&format!("{health}?a=\u{e9}"))),
        ("a path without a slash", "400 closed", target("api")),
        ("a URL", "200 kept", target(&format!("http://x{health}"))),
        ("a fragment", "200 kept", target(&format!("{health}#a"))),
        ("an asterisk", "404 kept", b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("CONNECT", "400 closed", b"CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("a method in lower case", "400 closed", b"get / HTTP/1.1\r\nHost: x\r\n\r\n".to_vec()),
        ("an empty line before", "200 kept", [b"\r\n", &get("")[..]].concat()),
        ("a bare LF before", "200 kept", [b"\n", &get("")[..]].concat()),
        ("two requests at once", "200 200 kept", [get(""), get("")].concat()),
        ("Connection: close", "200 closed", get("Connection: close\r\n")),
        ("an upgrade to h2c", "200 kept", get("Connection: Upgrade\r\nUpgrade: h2c\r\n")),
        (
            "a GET with a body",
            "200 kept",
            format!("{GET}Host: x\r\nContent-Length: 2\r\n\r\n{{}}").into(),
        ),
        ("Expect", "100 422 kept", post("Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}")),
        ("chunks", "422 kept", post(&format!("Transfer-Encoding: chunked\r\n{CHUNKS}"))),
        (
            "chunks with an extension and a trailer",
            "422 kept",
            post("Transfer-Encoding: chunked\r\n\r\n2;a=b\r\n{}\r\n0\r\nx: y\r\n\r\n"),
        ),
        (
            "gzip, chunked",
            "422 kept",
            post(&format!("Transfer-Encoding: gzip, chunked\r\n{CHUNKS}")),
        ),
        (
            "two Transfer-Encodings",
            "400 closed",
            post(&format!("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n{CHUNKS}")),
        ),
    ]
}

/// What both services refuse by 400, and close the connection; the text differs.
fn refused() -> Vec<(&'static str, Vec<u8>)> {
    let length = |value: &str| post(&format!("Content-Length: {value}\r\n\r\n{{}}"));
    let encoding = |value: &str| post(&format!("Transfer-Encoding{value}\r\n{CHUNKS}"));
    let chunk = |bytes: &str| post(&format!("Transfer-Encoding: chunked\r\n\r\n{bytes}0\r\n\r\n"));
    let both = |first: &str, second: &str| post(&format!("{first}\r\n{second}\r\n{CHUNKS}"));
    let (two, chunked) = ("Content-Length: 2", "Transfer-Encoding: chunked");
    vec![
        ("a length after chunked", both(chunked, two)),
        ("a length before chunked", both(two, chunked)),
        ("a length of 0 beside chunked", both("content-length: 0", chunked)),
        ("a length beside chunked, apart", both(two, &format!("x: y\r\n{chunked}"))),
        ("a length beside gzip, chunked", both(two, "Transfer-Encoding: gzip, chunked")),
        ("the same length twice", length(&format!("2\r\n{two}"))),
        ("the same length twice, apart", length("2\r\nx: y\r\ncontent-length: 2")),
        ("the same length of 0 twice", post("Content-Length: 0\r\nContent-Length: 0\r\n\r\n")),
        ("lengths that differ by a zero", length("2\r\nContent-Length: 02")),
        ("only bare LFs", format!("{GET}Host: x\r\n\r\n").replace('\r', "").into()),
        (
            "a request line with a bare LF",
            format!("{}Host: x\r\n\r\n", GET.replace('\r', "")).into(),
        ),
        ("a field with a bare LF", get("x: y\n")),
        ("an empty line with a bare LF", format!("{GET}Host: x\r\n\n").into()),
        ("a length behind a bare LF", get("x: y\nContent-Length: 30\r\n")),
        ("a bare LF behind an extension", chunk("2;a\n{}\r\n")),
        ("a trailer with a bare LF", post(&format!("{chunked}\r\n\r\n0\r\nx: y\n\r\n"))),
        ("a length in a trailer", post(&format!("{chunked}\r\n\r\n0\r\n{two}\r\n\r\n"))),
        ("a chunk that is shorter than its size", chunk("5\r\n{}\r\n")),
        ("lengths that differ", length("2\r\nContent-Length: 3")),
        ("a list of lengths", length("2, 2")),
        ("a length with a sign", length("+2")),
        ("a negative length", length("-2")),
        ("no length", length("")),
        ("a length beyond 64 bits", length("99999999999999999999")),
        ("a hexadecimal length", length("0x2")),
        ("chunked, gzip", encoding(": chunked, gzip")),
        ("gzip", encoding(": gzip")),
        ("identity", encoding(": identity")),
        ("xchunked", encoding(": xchunked")),
        ("a blank before the colon of Transfer-Encoding", encoding(" : chunked")),
        ("a chunk whose size is no number", chunk("zz\r\n{}\r\n")),
        ("a chunk with a negative size", chunk("-2\r\n{}\r\n")),
        ("a chunk with a prefix", chunk("0x2\r\n{}\r\n")),
        ("a chunk that is longer than its size", chunk("2\r\n{}xx")),
        ("chunks that end with a bare LF", chunk("2\n{}\n")),
        ("a bare CR", get("x: y\rz: y\r\n")),
        ("NUL in a value", get("x: a\0b\r\n")),
        ("a control character in a value", get("x: \u{1}\r\n")),
        ("a blank before the colon", get("x : y\r\n")),
        ("a folded line", get("x: a\r\n b\r\n")),
        ("a line without a colon", get("abc\r\n")),
        ("a field without a name", get(": y\r\n")),
        ("a name in UTF-8", get("\u{e9}: y\r\n")),
        ("a blank in the path", target("/a b")),
        ("a control character in the path", target("/\u{1}")),
        ("a blank before the method", [b" ", &get("")[..]].concat()),
        ("HTTP/1.2", b"GET / HTTP/1.2\r\nHost: x\r\n\r\n".to_vec()),
        ("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
    ]
}

/// What differs: how python-legacy answers it, and how the Rust service does. The names are the rows of
/// the documentation.
fn different() -> Vec<(&'static str, &'static str, &'static str, Vec<u8>)> {
    let old = GET.replace("1.1", "1.0");
    let websocket = "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    vec![
        ("600 fields", "200 kept", "431 closed", get(&fields(599))),
        (
            "a field of 1 MB",
            "200 kept",
            "431 closed",
            get(&format!("x: {}\r\n", "a".repeat(1_000_000))),
        ),
        (
            "a path of 70 kB",
            "400 closed",
            "414 closed",
            target(&format!("/{}", "a".repeat(70_000))),
        ),
        (
            "a second request that is refused",
            "400 closed",
            "200 400 closed",
            [get(""), post("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}")].concat(),
        ),
        ("a bare CR before", "200 kept", "400 closed", [b"\r", &get("")[..]].concat()),
        (
            "a length with 300 zeros before it",
            "422 kept",
            "400 closed",
            post(&format!("Content-Length: {}2\r\n\r\n{{}}", "0".repeat(300))),
        ),
        ("a path with `\"<>^`", "404 kept", "400 closed", target("/\"<>^")),
        ("two blanks before the path", "404 kept", "400 closed", target(" /")),
        (
            "`Transfer-Encoding` in HTTP/1.0",
            "422 closed",
            "400 closed",
            format!("{POST}Transfer-Encoding: chunked\r\n{CHUNKS}").replace("1.1", "1.0").into(),
        ),
        (
            "`Connection: keep-alive` in HTTP/1.0",
            "200 closed",
            "200 kept",
            format!("{old}Connection: keep-alive\r\n\r\n").into(),
        ),
        (
            "HTTP/0.9",
            "200 closed",
            "400 closed",
            format!("{GET}\r\n").replace(" HTTP/1.1", "").into(),
        ),
        (
            "HTTP/2.0",
            "200 closed",
            "400 closed",
            format!("{GET}Host: x\r\n\r\n").replace("1.1", "2.0").into(),
        ),
        (
            "the preface of HTTP/2",
            "400 closed",
            "closed",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
        ),
        ("a WebSocket to a plain route", "403 closed", "200 kept", get(websocket)),
    ]
}

/// Sends each request to both services, and gives the outcomes in the order of the requests: those of
/// python-legacy and of the Rust service.
async fn outcomes(requests: Vec<Vec<u8>>, services: &[String; 2]) -> Vec<(Outcome, Outcome)> {
    let requests = requests.into_iter().map(|request| {
        let [python, rust] = services.clone();
        tokio::spawn(
            async move { tokio::join!(exchange(&python, &request), exchange(&rust, &request)) },
        )
    });
    let mut outcomes = Vec::new();
    for outcome in requests.collect::<Vec<_>>() {
        outcomes.push(outcome.await.unwrap());
    }
    outcomes
}

#[tokio::test]
async fn both_servers_read_the_same_requests() {
    let (ours, its) = (Scratch::new().await.unwrap(), Scratch::new().await.unwrap());
    let (rust, python) = tokio::join!(rust(&ours.url, &[]), legacy(&its.url, &[]));
    let (rust, python) = (rust.unwrap(), python.unwrap());
    let services = [&python, &rust].map(|service| service.url.replace("http://", ""));
    let documentation = std::fs::read_to_string(root().join("docs/operations.md")).unwrap();

    let mut cases = Vec::new();
    for (name, expected, request) in equal() {
        cases.push((name, expected, expected, true, request));
    }
    for (name, request) in refused() {
        cases.push((name, "400 closed", "400 closed", false, request));
    }
    for (name, its, ours, request) in different() {
        let row = format!("| {name} | {its} | {ours} | ");
        assert!(documentation.contains(&row), "docs/operations.md has no row '{row}'");
        cases.push((name, its, ours, false, request));
    }
    let requests = cases.iter_mut().map(|case| std::mem::take(&mut case.4)).collect();
    let outcomes = outcomes(requests, &services).await;
    let mut wrong = Vec::new();
    for ((name, its, ours, same_body, _), (python, rust)) in cases.into_iter().zip(outcomes) {
        if python.summary() != its || rust.summary() != ours {
            let (python, rust) = (python.summary(), rust.summary());
            wrong.push(format!("{name}: python-legacy {python}, Rust {rust}"));
        } else if same_body && python.body != rust.body {
            wrong.push(format!("{name}: the bodies differ"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

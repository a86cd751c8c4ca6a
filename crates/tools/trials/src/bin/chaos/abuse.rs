//! Clients that do everything wrong, beside others that do everything right.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use reqwest::{Body, Client as Http, Method};
use testbed::{Service, rust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use trials::BoxError;

use crate::scenario::{Extent, Scenario, under_load};

/// What a service may need while it is abused, beside what hashing takes.
const MOST_MIB: f64 = 512.0;

async fn service(settings: &[(&str, &str)]) -> Result<(Service, SocketAddr), BoxError> {
    let mut all = vec![("RUST_LOG", "warn")];
    all.extend_from_slice(settings);
    let service = rust("sqlite:///chaos.db", &all).await?;
    let address = service.url.trim_start_matches("http://").parse()?;
    Ok((service, address))
}

/// Those who do everything right must not notice, and memory stays bounded.
fn judge(mut scenario: Scenario, asked: u64, errors: u64, seen: &str) -> Scenario {
    scenario.requests += asked;
    scenario.server_errors += errors;
    if scenario.failed > 0 {
        scenario.wrong.push(format!("others were disturbed: {}", scenario.seen));
    }
    if scenario.peak_mib > MOST_MIB {
        scenario.wrong.push(format!("it took {:.0} MiB", scenario.peak_mib));
    }
    seen.clone_into(&mut scenario.seen);
    scenario
}

/// More at a time than is allowed: the rest is told to come again, at once.
pub(crate) async fn overload(extent: Extent) -> Result<Scenario, BoxError> {
    // More than there are clients who do everything right: without abuse none of them is refused.
    let (service, address) = service(&[("MAX_IN_FLIGHT", "16")]).await?;
    let (mut refused, mut slowest) = (0, Duration::ZERO);
    let mut scenario = under_load("overload", &service, extent, async || {
        // Bodies that do not come keep every place taken.
        let mut slow = Vec::new();
        for _ in 0..16 {
            let mut stream = TcpStream::connect(address).await?;
            let head = "POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            slow.push(stream);
        }
        let http = Http::builder().no_proxy().build()?;
        let url = format!("{}/api/v1/utils/health-check/", service.url);
        sleep(Duration::from_millis(200)).await;
        for _ in 0..extent.pick(200, 2000) {
            let start = Instant::now();
            let answer = http.get(&url).send().await?;
            if answer.status() == 503 && answer.headers().contains_key("retry-after") {
                refused += 1;
                slowest = slowest.max(start.elapsed());
            }
        }
        drop(slow);
        Ok(Instant::now())
    })
    .await?;
    scenario.requests += refused;
    if refused == 0 {
        scenario.wrong.push("nobody was refused".into());
    }
    let slowest = slowest.as_secs_f64() * 1000.0;
    scenario.seen = format!("{refused} refused, within {slowest:.0} ms; {}", scenario.seen);
    Ok(scenario)
}

/// Heads that come byte by byte, and bodies that never do.
pub(crate) async fn slowloris(extent: Extent) -> Result<Scenario, BoxError> {
    let patience = extent.pick("2", "5");
    let (service, address) = service(&[("REQUEST_TIMEOUT_SECONDS", patience)]).await?;
    let count = extent.pick(200, 1000);
    let (mut ended, mut ended_after) = (0, Duration::ZERO);
    let scenario = under_load("slowloris", &service, extent, async || {
        let mut clients = tokio::task::JoinSet::new();
        for number in 0..count {
            clients.spawn(async move {
                let mut stream = TcpStream::connect(address).await.ok()?;
                let start = Instant::now();
                let head = match number % 2 {
                    0 => "GET /api/v1/utils/health-check/ HTTP/1.1\r\nx: ",
                    _ => "POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{",
                };
                stream.write_all(head.as_bytes()).await.ok()?;
                let mut buffer = [0; 1024];
                // Half a minute is what a head may take.
                while start.elapsed() < Duration::from_secs(40) {
                    match timeout(Duration::from_millis(500), stream.read(&mut buffer)).await {
                        // Closed, or answered and then closed.
                        Ok(Ok(0) | Err(_)) => return Some(start.elapsed()),
                        Ok(Ok(_)) => {}
                        Err(_) if stream.write_all(b"a").await.is_err() => {
                            return Some(start.elapsed());
                        }
                        Err(_) => {}
                    }
                }
                None
            });
        }
        for lasted in clients.join_all().await.into_iter().flatten() {
            ended += 1;
            ended_after = ended_after.max(lasted);
        }
        Ok(Instant::now())
    })
    .await?;
    let seen = format!("{ended} of {count} ended after {:.0} s at most", ended_after.as_secs_f64());
    let mut scenario = judge(scenario, count, 0, &seen);
    if ended < count {
        scenario.wrong.push(format!("{} were never ended", count - ended));
    }
    Ok(scenario)
}

/// Clients that go before they are answered, at every moment of a request.
pub(crate) async fn vanishing(extent: Extent) -> Result<Scenario, BoxError> {
    let (service, address) = service(&[]).await?;
    let count = extent.pick(500, 5000);
    let scenario = under_load("vanishing", &service, extent, async || {
        let body = r#"{"email": "nobody", "password": "x"}"#;
        let request = format!(
            "POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        for number in 0..count {
            let mut stream = TcpStream::connect(address).await?;
            let length = request.len() * (number % 50 + 1) / 50;
            stream.write_all(&request.as_bytes()[..length]).await?;
            if number % 3 == 0 {
                stream.set_zero_linger()?;
            }
        }
        Ok(Instant::now())
    })
    .await?;
    let count = u64::try_from(count)?;
    Ok(judge(scenario, count, 0, "gone at every byte of a request"))
}

/// Ten thousand connections that say nothing.
pub(crate) async fn idle(extent: Extent) -> Result<Scenario, BoxError> {
    let count = 10_000;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    if limit.maximum.is_some_and(|most| most < count + 200) {
        return Err(format!("10,000 connections need as many open files: {limit:?}").into());
    }
    let more = rustix::process::Rlimit { current: limit.maximum, ..limit };
    // The service inherits it.
    rustix::process::setrlimit(rustix::process::Resource::Nofile, more)?;
    let (service, address) = service(&[]).await?;
    let scenario = under_load("idle", &service, extent, async || {
        let mut connections = Vec::new();
        for _ in 0..count {
            connections.push(TcpStream::connect(address).await?);
        }
        sleep(extent.pick(Duration::from_secs(1), Duration::from_secs(5))).await;
        Ok(Instant::now())
    })
    .await?;
    Ok(judge(scenario, count, 0, &format!("{count} connections at a time")))
}

/// Bytes that are no HTTP, or almost.
const MALFORMED: [&[u8]; 22] = [
    b"\r\n\r\n",
    b"\0\0\0\0\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost: x\r\nhost: y\r\n\r\n",
    b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    b"GET / HTTP/1.1\r\nx: \x01\x02\r\n\r\n",
    b"GET /\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET http://[::1 HTTP/1.1\r\nhost: x\r\n\r\n",
    b"GET /%zz%00%ff HTTP/1.1\r\nhost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    b"POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n{}",
    b"POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999999999999\r\n\r\n{}",
    b"POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n\r\n",
    b"POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ntransfer-encoding: gzip, x\r\n\r\n",
    b"POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-type: multipart/form-data\r\ncontent-length: 2\r\n\r\n{}",
    b"POST /api/v1/login/access-token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 3\r\n\r\n%%%",
    b"OPTIONS * HTTP/1.1\r\nhost: x\r\naccess-control-request-method: \xff\r\norigin: \xff\r\n\r\n",
];

/// What comes back until the connection ends or nothing comes any more.
async fn converse(address: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, BoxError> {
    let mut stream = TcpStream::connect(address).await?;
    // It may be closed while we write.
    _ = timeout(Duration::from_secs(10), stream.write_all(bytes)).await;
    _ = stream.shutdown().await;
    let mut answer = Vec::new();
    _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    Ok(answer)
}

fn is_500(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 500")
}

pub(crate) async fn malformed(extent: Extent) -> Result<Scenario, BoxError> {
    let (service, address) = service(&[]).await?;
    let mut random = fastrand::Rng::with_seed(1);
    let (mut asked, mut errors) = (0, 0);
    let scenario = under_load("malformed", &service, extent, async || {
        for round in 0..extent.pick(10, 50) {
            for bytes in MALFORMED {
                let mut bytes = bytes.to_vec();
                // As it is at first, then with more faults.
                for _ in 0..round.min(8) {
                    let at = random.usize(..bytes.len());
                    bytes[at] = random.u8(..);
                }
                asked += 1;
                errors += u64::from(is_500(&converse(address, &bytes).await?));
            }
        }
        Ok(Instant::now())
    })
    .await?;
    Ok(judge(scenario, asked, errors, "22 kinds, and mutations of them"))
}

/// Too much of everything.
pub(crate) async fn oversized(extent: Extent) -> Result<Scenario, BoxError> {
    let (service, address) = service(&[]).await?;
    let rounds = extent.pick(1, 5);
    let (mut asked, mut errors) = (0, 0);
    let mut unexpected = Vec::new();
    let scenario = under_load("oversized", &service, extent, async || {
        let http = Http::builder().no_proxy().timeout(Duration::from_mins(1)).build()?;
        let url = |path: &str| format!("{}/api/v1{path}", service.url);
        let long = "a".repeat(1024 * 1024);
        let nested = "[".repeat(1_000_000);
        let many: Vec<_> = (0..50_000).map(|n| format!("\"k{n}\":{n}")).collect();
        let many = many.join(",");
        let bodies = [
            (format!("{{\"email\": \"{long}{long}{long}\"}}"), 413),
            (
                format!(
                    "{{\"email\": \"{long}@example.com\", \"password\": \"{}\"}}",
                    "x".repeat(9)
                ),
                422,
            ),
            (nested, 400),
            (format!("{{{many}}}"), 422),
            (format!("{{\"email\": {}}}", "9".repeat(1_000_000)), 400),
        ];
        for _ in 0..rounds {
            for (body, expected) in &bodies {
                let request =
                    http.post(url("/users/signup")).header("content-type", "application/json");
                let status = match request.body(body.clone()).send().await {
                    Ok(answer) => answer.status().as_u16(),
                    // Refused, and the connection ended, before all of it was sent.
                    Err(_) if *expected == 413 => 413,
                    Err(error) => return Err(error.into()),
                };
                asked += 1;
                errors += u64::from(status == 500);
                if status != *expected {
                    unexpected.push(format!("{status} for a body of {} bytes", body.len()));
                }
            }
            // A body without an end: 64 MiB, of which nothing is kept.
            let chunk = bytes::Bytes::from(vec![b' '; 64 * 1024]);
            let chunks = futures_util::stream::iter(
                (0..1024).map(move |_| Ok::<_, std::io::Error>(chunk.clone())),
            );
            let request =
                http.post(url("/users/signup")).header("content-type", "application/json");
            let answer = request.body(Body::wrap_stream(chunks)).send().await;
            asked += 1;
            if let Ok(answer) = answer
                && answer.status() != 413
            {
                unexpected.push(format!("{} for a body without an end", answer.status()));
            }
            for head in [
                format!("GET /{long} HTTP/1.1\r\nhost: x\r\n\r\n"),
                format!("GET / HTTP/1.1\r\nhost: x\r\nx: {long}\r\n\r\n"),
                format!("GET / HTTP/1.1\r\nhost: x\r\n{}\r\n", "x: y\r\n".repeat(10_000)),
            ] {
                let answer = converse(address, head.as_bytes()).await?;
                asked += 1;
                errors += u64::from(is_500(&answer));
                if !answer.is_empty() && !answer.starts_with(b"HTTP/1.1 4") {
                    unexpected.push("a head of a megabyte is taken".into());
                }
            }
        }
        Ok(Instant::now())
    })
    .await?;
    let seen = "bodies, names, numbers, nesting, heads, paths";
    let mut scenario = judge(scenario, asked, errors, seen);
    scenario.wrong.extend(unexpected);
    Ok(scenario)
}

/// Bodies from which everything else is made.
const CORPUS: [(&str, &str, &str); 6] = [
    (
        "/users/signup",
        "application/json",
        r#"{"email":"a@example.com","password":"changethis","full_name":"é 😀"}"#,
    ),
    ("/items/", "application/json", r#"{"title":"a title","description":null}"#),
    (
        "/reset-password/",
        "application/json",
        r#"{"token":"eyJhbGciOiJIUzI1NiJ9.e30.AA","new_password":"changethis"}"#,
    ),
    (
        "/login/access-token",
        "application/x-www-form-urlencoded",
        "grant_type=password&username=a%40example.com&password=x&scope=&client_id=",
    ),
    (
        "/login/access-token",
        "multipart/form-data; boundary=x",
        "--x\r\ncontent-disposition: form-data; name=\"username\"\r\n\r\na\r\n--x\r\ncontent-disposition: form-data; name=\"password\"; filename=\"p\"\r\n\r\nb\r\n--x--\r\n",
    ),
    (
        "/private/users/",
        "application/json",
        r#"{"email":"b@example.com","password":"x","full_name":"b","is_verified":1e400}"#,
    ),
];

/// What decoders stumble over.
const SPICES: [&[u8]; 20] = [
    b"\0",
    b"\xff",
    b"\xed\xa0\x80",
    b"\\ud800",
    b"\\u0000",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"1e999",
    b"-0",
    b"NaN",
    b"null",
    b"%",
    b"%ff%00",
    b"&",
    b"\r\n--x\r\n",
];

fn mutated(body: &str, random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = body.as_bytes().to_vec();
    for _ in 0..random.usize(1..6) {
        let at = random.usize(..=bytes.len());
        match random.u8(..5) {
            0 if at < bytes.len() => bytes[at] = random.u8(..),
            1 => bytes.truncate(at),
            2 if at < bytes.len() => drop(bytes.remove(at)),
            3 => {
                let copied = bytes[at..(at + 20).min(bytes.len())].to_vec();
                bytes.splice(at..at, copied);
            }
            _ => {
                let spice = SPICES[random.usize(..SPICES.len())];
                bytes.splice(at..at, spice.iter().copied());
            }
        }
    }
    bytes
}

/// Mutated bodies: whatever comes, the answer is no 500.
pub(crate) async fn fuzz(extent: Extent) -> Result<Scenario, BoxError> {
    // Whoever finds something wants to see it again.
    let seed = std::env::var("SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| fastrand::u64(..1_000_000));
    let mut random = fastrand::Rng::with_seed(seed);
    let (service, _) = service(&[]).await?;
    let count = extent.pick(500, 600);
    let (mut errors, mut found) = (0, Vec::new());
    let scenario = under_load("fuzz", &service, extent, async || {
        let http = Http::builder().no_proxy().build()?;
        for _ in 0..count {
            let (path, kind, body) = CORPUS[random.usize(..CORPUS.len())];
            let body = mutated(body, &mut random);
            let request = http
                .request(Method::POST, format!("{}/api/v1{path}", service.url))
                .header("content-type", kind);
            let seen = match request.body(body.clone()).send().await {
                Ok(answer) if answer.status().is_server_error() => answer.status().to_string(),
                Ok(_) => continue,
                Err(error) => format!("no answer ({error:?})"),
            };
            errors += 1;
            found.push(format!("{path} {seen}: {:?}", String::from_utf8_lossy(&body)));
        }
        Ok(Instant::now())
    })
    .await?;
    let mut scenario = judge(scenario, count, errors, &format!("SEED={seed}"));
    found.truncate(5);
    scenario.wrong.extend(found);
    Ok(scenario)
}

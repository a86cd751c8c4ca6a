//! Requests that are not HTTP, or too large.

use std::time::{Duration, Instant};

use reqwest::{Body, Client as Http};
use trials::BoxError;

use crate::scenario::{Extent, Scenario, under_load};
use crate::service::{evaluate, exchange, is_500, service};

/// Bytes that are not HTTP, or not quite.
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

/// Bytes that are not HTTP, and mutations of them: the answer is never a 500.
pub(crate) async fn malformed(extent: Extent) -> Result<Scenario, BoxError> {
    let (service, address) = service(&[]).await?;
    let mut random = fastrand::Rng::with_seed(1);
    let (mut requests, mut errors) = (0, 0);
    let scenario = under_load("malformed", &service, extent, async || {
        for round in 0..extent.pick(10, 50) {
            for bytes in MALFORMED {
                let mut bytes = bytes.to_vec();
                // Unchanged at first, then with more and more mutations.
                for _ in 0..round.min(8) {
                    let at = random.usize(..bytes.len());
                    bytes[at] = random.u8(..);
                }
                requests += 1;
                errors += u64::from(is_500(&exchange(address, &bytes).await?));
            }
        }
        Ok(Instant::now())
    })
    .await?;
    Ok(evaluate(scenario, requests, errors, "22 kinds, and mutations of them"))
}

/// Bodies, names, numbers, nesting and heads beyond every limit.
pub(crate) async fn oversized(extent: Extent) -> Result<Scenario, BoxError> {
    let (service, address) = service(&[]).await?;
    let rounds = extent.pick(1, 5);
    let (mut requests, mut errors) = (0, 0);
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
                requests += 1;
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
            requests += 1;
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
                let answer = exchange(address, head.as_bytes()).await?;
                requests += 1;
                errors += u64::from(is_500(&answer));
                if !answer.is_empty() && !answer.starts_with(b"HTTP/1.1 4") {
                    unexpected.push("a head of a megabyte is accepted".into());
                }
            }
        }
        Ok(Instant::now())
    })
    .await?;
    let seen = "bodies, names, numbers, nesting, heads, paths";
    let mut scenario = evaluate(scenario, requests, errors, seen);
    scenario.wrong.extend(unexpected);
    Ok(scenario)
}

//! Mutations of valid bodies.

use std::time::Instant;

use reqwest::{Client as Http, Method};
use trials::BoxError;

use crate::scenario::{Extent, Scenario, under_load};
use crate::service::{evaluate, service};

/// Valid bodies, from which the others are made by mutation.
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

/// Tokens that decoders often mishandle.
const TOKENS: [&[u8]; 20] = [
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
                let token = TOKENS[random.usize(..TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
        }
    }
    bytes
}

/// Mutated bodies: the answer is never a 5xx.
pub(crate) async fn fuzz(extent: Extent) -> Result<Scenario, BoxError> {
    // Given again to repeat a run.
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
    let mut scenario = evaluate(scenario, count, errors, &format!("SEED={seed}"));
    found.truncate(5);
    scenario.wrong.extend(found);
    Ok(scenario)
}

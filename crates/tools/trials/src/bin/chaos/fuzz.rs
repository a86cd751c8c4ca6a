//! Mutations of valid bodies.

use std::time::Instant;

use reqwest::{Client as Http, Method, StatusCode};
use tokio::task::JoinSet;
use trials::BoxError;

use crate::scenario::{Extent, NO_SIGN_INS, Scenario, under_load_of};
use crate::service::{evaluate, service};

/// Bodies, from which the others are made by mutation. What hashes a password is not quite valid: it
/// would be waited for.
const CORPUS: [(&str, &str, &str); 6] = [
    (
        "/users/signup",
        "application/json",
        r#"{"email":"a@example.com","password":"changed","full_name":"é 😀"}"#,
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
        "grant_type=passwords&username=a%40example.com&password=x&scope=&client_id=",
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
    let (service, _) = service(&[]).await?;
    let count: u64 = extent.pick(1_000, 200_000);
    let (mut errors, mut found) = (0, Vec::new());
    let mut scenario = under_load_of("fuzz", &service, extent, NO_SIGN_INS, async || {
        let mut clients = JoinSet::new();
        for number in 0..CLIENTS {
            let random = fastrand::Rng::with_seed(seed + number);
            clients.spawn(send_mutated(service.url.clone(), random, count / CLIENTS));
        }
        for failures in clients.join_all().await {
            let failures = failures?;
            errors += failures.len() as u64;
            found.extend(failures);
        }
        Ok(Instant::now())
    })
    .await?;
    scenario = evaluate(scenario, count, errors, &format!("SEED={seed}"));
    found.truncate(5);
    scenario.wrong.extend(found);
    Ok(scenario)
}

const CLIENTS: u64 = 8;

/// Sends so many mutated bodies, one after the other, and gives those that were answered with a 5xx or
/// not at all. A sign-in may be refused because too many passwords wait.
async fn send_mutated(
    url: String,
    mut random: fastrand::Rng,
    count: u64,
) -> Result<Vec<String>, BoxError> {
    let http = Http::builder().no_proxy().build()?;
    let mut found = Vec::new();
    for _ in 0..count {
        let (path, kind, body) = CORPUS[random.usize(..CORPUS.len())];
        let body = mutated(body, &mut random);
        let request =
            http.request(Method::POST, format!("{url}/api/v1{path}")).header("content-type", kind);
        let seen = match request.body(body.clone()).send().await {
            Ok(answer)
                if answer.status() == StatusCode::SERVICE_UNAVAILABLE
                    && answer.headers().contains_key("retry-after") =>
            {
                continue;
            }
            Ok(answer) if answer.status().is_server_error() => answer.status().to_string(),
            Ok(_) => continue,
            Err(error) => format!("no answer ({error:?})"),
        };
        found.push(format!("{path} {seen}: {:?}", String::from_utf8_lossy(&body)));
    }
    Ok(found)
}

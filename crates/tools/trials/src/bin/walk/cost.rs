//! The cost of the strangler: latency, throughput, memory.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use testbed::usage::memory;
use testbed::{legacy, rust_on};
use trials::BoxError;

use crate::migration::Migration;
use crate::report::Proxied;

/// Measures requests to legacy through the strangler and directly, in turns.
pub(crate) async fn cost(walk: &Migration) -> Result<Proxied, BoxError> {
    let legacy = legacy(&walk.database, &[]).await?;
    let socket = TcpListener::bind("127.0.0.1:0")?;
    let settings =
        [("LEGACY_URL", legacy.url.as_str()), ("MANAGEMENT_PORT", "0"), ("RUST_LOG", "warn")];
    let molt = rust_on(&socket, &walk.database, &settings).await?;
    let sign_in = walk.http.post(format!("{}/api/v1/login/access-token", legacy.url));
    let sign_in = sign_in
        .header("content-type", "application/x-www-form-urlencoded")
        .body("username=admin@example.com&password=changethis");
    let token: Value = serde_json::from_slice(&sign_in.send().await?.bytes().await?)?;
    let token = token["access_token"].as_str().unwrap_or_default().to_owned();
    let get = async |base: &str| {
        let url = format!("{base}/api/v1/users/me");
        let answer = walk.http.get(url).bearer_auth(&token).send().await?;
        let status = answer.status().as_u16();
        answer.bytes().await?;
        if status == 200 { Ok(()) } else { Err(BoxError::from(format!("{base} answers {status}"))) }
    };
    let mut proxied = Proxied::default();
    let mut latencies = [Vec::new(), Vec::new()];
    let mut rates = [Vec::new(), Vec::new()];
    for round in 0..6 {
        for (side, base) in [&legacy.url, &molt.url].into_iter().enumerate() {
            let start = Instant::now();
            for _ in 0..100 {
                let start = Instant::now();
                get(base).await?;
                latencies[side].push(start.elapsed().as_secs_f64() * 1000.0);
            }
            if round == 0 || start.elapsed().is_zero() {
                latencies[side].clear(); // warming up
                continue;
            }
            let start = Instant::now();
            let requests = stream::iter(0..600).map(|_| get(base)).buffer_unordered(16);
            let answers: Vec<_> = requests.collect().await;
            answers.into_iter().collect::<Result<(), _>>()?;
            rates[side].push(600.0 / start.elapsed().as_secs_f64());
        }
    }
    let median = |values: &mut Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or_default()
    };
    proxied.direct_p50_ms = median(&mut latencies[0]);
    proxied.through_p50_ms = median(&mut latencies[1]);
    proxied.direct_per_second = median(&mut rates[0]);
    proxied.through_per_second = median(&mut rates[1]);
    Ok(proxied)
}

/// Streams a large body up and down again and measures the process's memory meanwhile.
pub(crate) async fn stream_through(
    mib: u64,
    walk: &mut Migration,
    proxied: &mut Proxied,
) -> Result<(), BoxError> {
    walk.bar.set_message(format!("{mib} MiB stream through"));
    let echo = axum::Router::new().fallback(async |request: axum::extract::Request| {
        axum::body::Body::new(request.into_body())
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, echo).await });
    let socket = TcpListener::bind("127.0.0.1:0")?;
    let settings = [("LEGACY_URL", url.as_str()), ("MANAGEMENT_PORT", "0"), ("RUST_LOG", "warn")];
    let molt = rust_on(&socket, &walk.database, &settings).await?;
    let pid = molt.pid()?;
    proxied.memory_before_mib = memory(pid)?.resident;
    let chunk = Bytes::from(vec![7; 1 << 20]);
    let sent = mib * (1 << 20);
    let body = stream::iter((0..mib).map(move |_| Ok::<_, std::io::Error>(chunk.clone())));
    let request =
        walk.http.post(format!("{}/upload", molt.url)).body(reqwest::Body::wrap_stream(body));
    let mut answer = request.send().await?;
    let received = AtomicU64::new(0);
    let mut peak = proxied.memory_before_mib;
    while let Some(chunk) = answer.chunk().await? {
        let before = received.fetch_add(chunk.len() as u64, Ordering::Relaxed);
        if before >> 24 != (before + chunk.len() as u64) >> 24 {
            peak = peak.max(memory(pid)?.resident);
        }
    }
    if received.load(Ordering::Relaxed) != sent {
        return Err(format!("{sent} bytes went in and {received:?} came out").into());
    }
    (proxied.streamed_mib, proxied.memory_peak_mib) = (mib, peak);
    Ok(())
}

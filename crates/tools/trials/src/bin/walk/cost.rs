//! The cost of the strangler: latency, throughput, memory.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use serde_json::Value;
use testbed::usage::memory;
use testbed::{Service, legacy, rust_on};
use trials::{API, BoxError};

use crate::migration::{Migration, PASSWORD};
use crate::report::{Proxied, Rehearsing};

/// Measures requests to legacy through the strangler and directly, in turns.
pub(crate) async fn cost(walk: &Migration) -> Result<Proxied, BoxError> {
    let legacy = legacy(&walk.database, &[]).await?;
    let socket = TcpListener::bind("127.0.0.1:0")?;
    let settings =
        [("LEGACY_URL", legacy.url.as_str()), ("MANAGEMENT_PORT", "0"), ("RUST_LOG", "warn")];
    let molt = rust_on(&socket, &walk.database, &settings).await?;
    let token = sign_in(walk, &legacy.url).await?;
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
    proxied.direct_p50_ms = median(&mut latencies[0]);
    proxied.through_p50_ms = median(&mut latencies[1]);
    proxied.direct_per_second = median(&mut rates[0]);
    proxied.through_per_second = median(&mut rates[1]);
    Ok(proxied)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The first superuser's token.
async fn sign_in(walk: &Migration, base: &str) -> Result<String, BoxError> {
    let sign_in = walk.http.post(format!("{base}{API}/login/access-token"));
    let sign_in = sign_in
        .header("content-type", "application/x-www-form-urlencoded")
        .body("username=admin@example.com&password=changethis");
    let token: Value = serde_json::from_slice(&sign_in.send().await?.bytes().await?)?;
    let token = token["access_token"].as_str().map(ToOwned::to_owned);
    token.ok_or_else(|| format!("{base} gives no token").into())
}

/// The operation whose rehearsals are measured.
const WRITE: &str = "items-create_item";

/// A strangler whose writes are measured, in one of the settings.
struct Front {
    service: Service,
    management: String,
    milliseconds: Vec<f64>,
}

impl Front {
    async fn start(
        walk: &Migration,
        legacy: &str,
        (mode, rehearsals): (&str, &str),
    ) -> Result<Self, BoxError> {
        let settings = [
            ("LEGACY_URL", legacy),
            ("MANAGEMENT_PORT", "0"),
            ("RUST_LOG", "warn"),
            ("STRANGLER_PASSWORD", PASSWORD),
            ("STRANGLER_REHEARSALS", rehearsals),
        ];
        let socket = TcpListener::bind("127.0.0.1:0")?;
        let service = rust_on(&socket, &walk.database, &settings).await?;
        let management = service.management().await?;
        let plan = walk.http.put(format!("{management}/_molt/plan")).bearer_auth(PASSWORD);
        let status = plan.body(format!("default: {mode}\n")).send().await?.status();
        if status != 204 {
            return Err(format!("the plan was refused with {status}").into());
        }
        Ok(Self { service, management, milliseconds: Vec::new() })
    }

    async fn create(&mut self, walk: &Migration, token: &str) -> Result<(), BoxError> {
        let create = walk.http.post(format!("{}{API}/items/", self.service.url)).bearer_auth(token);
        let create = create.header("content-type", "application/json");
        let start = Instant::now();
        let answer = create.body(r#"{"title":"a title","description":"a description"}"#).send();
        let answer = answer.await?;
        let status = answer.status();
        answer.bytes().await?;
        self.milliseconds.push(start.elapsed().as_secs_f64() * 1000.0);
        if status == 200 { Ok(()) } else { Err(format!("an item was refused: {status}").into()) }
    }

    /// How many writes were rehearsed.
    async fn rehearsed(&self, walk: &Migration) -> Result<u64, BoxError> {
        let url = format!("{}/_molt/state", self.management);
        let state = walk.http.get(url).bearer_auth(PASSWORD).send().await?.bytes().await?;
        let state: Value = serde_json::from_slice(&state)?;
        let operations = state["operations"].as_array().cloned().unwrap_or_default();
        let write = operations.iter().find(|operation| operation["id"] == WRITE);
        let count = write.and_then(|write| write["rehearsals"]["requests"].as_u64());
        count.ok_or_else(|| format!("the state has no {WRITE}").into())
    }
}

/// Measures creating an item through the strangler in turns: left to legacy, shadowed without a rehearsal,
/// and rehearsed. All are one at a time, so that what is measured is the wait of one client.
///
/// # Errors
/// When writes were rehearsed that should not have been, or a tenth of those that should was not.
pub(crate) async fn rehearsal_cost(walk: &Migration) -> Result<Rehearsing, BoxError> {
    const ROUNDS: usize = 6;
    const WRITES: usize = 50;
    let legacy = legacy(&walk.database, &[]).await?;
    let token = sign_in(walk, &legacy.url).await?;
    let mut fronts = Vec::new();
    for settings in [("legacy", "4"), ("shadow", "0"), ("shadow", "4")] {
        fronts.push(Front::start(walk, &legacy.url, settings).await?);
    }
    for round in 0..ROUNDS {
        for front in &mut fronts {
            for _ in 0..WRITES {
                front.create(walk, &token).await?;
            }
            if round == 0 {
                front.milliseconds.clear(); // warming up
            }
        }
    }
    let [left, shadowed, rehearsed] = fronts.as_mut_slice() else {
        return Err("there are three settings".into());
    };
    for (front, name) in [(&*left, "left to legacy"), (&*shadowed, "shadowed without rehearsals")] {
        let count = front.rehearsed(walk).await?;
        if count > 0 {
            return Err(format!("{count} writes were rehearsed, {name}").into());
        }
    }
    let count = rehearsed.rehearsed(walk).await?;
    if count < (ROUNDS * WRITES) as u64 * 9 / 10 {
        return Err(format!("only {count} of {} writes were rehearsed", ROUNDS * WRITES).into());
    }
    Ok(Rehearsing {
        legacy: median(&mut left.milliseconds),
        shadowed: median(&mut shadowed.milliseconds),
        rehearsed: median(&mut rehearsed.milliseconds),
    })
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

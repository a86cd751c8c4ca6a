//! More than the service can do, in an open loop: sign-ins beyond what hashing can take, and requests
//! beyond what the whole service can take.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use reqwest::Client as Http;
use serde_json::json;
use testbed::{Service, rust_binary};
use trials::clients::{Client, Load, Pace};
use trials::{BoxError, Stage};

use crate::open_loop::{closed_loop, open_loop};
use crate::scenario::{Extent, Scenario};
use crate::service::{many_files, service, start_by};

/// What is to be completed, of what is completed when no more is asked for.
const GOODPUT: f64 = 0.9;

/// How often more sign-ins than hashing can take.
const FLOOD: f64 = 50.0;

/// How often more requests than the service can take.
const OVERLOAD: f64 = 3.0;

/// Well-behaved clients beside a flood: their sign-ins would be a part of it.
pub(crate) const UNHURRIED: Pace = Pace { pause: Duration::from_millis(100), signs_in: false };

/// Adds an expectation on latency to a full run. Short runs are of unoptimised builds, beside others.
pub(crate) fn slower_than_twice(
    scenario: &mut Scenario,
    extent: Extent,
    before: &Stage,
    during: &Stage,
) {
    if extent == Extent::Full && during.p99_ms > 2.0 * before.p99_ms {
        let (before, during) = (before.p99_ms, during.p99_ms);
        scenario.wrong.push(format!("others' p99 was {during:.1} ms, without it {before:.1} ms"));
    }
}

fn sign_in(email: &str) -> String {
    let body = format!("username={email}&password=wrong");
    format!(
        "POST /api/v1/login/access-token HTTP/1.1\r\nhost: x\r\n\
         content-type: application/x-www-form-urlencoded\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Anonymous sign-ins, fifty times as many as can be hashed: as many are completed as before, and no
/// other operation notices.
pub(crate) async fn flood(extent: Extent) -> Result<Scenario, BoxError> {
    many_files(10_000)?;
    let (service, address) = service(&[]).await?;
    let load = Load::paced(&service.url, "flood", extent.pick(2, 4), UNHURRIED).await?;
    // Verified to the end, and wrong: 400.
    let request = sign_in("flood0@example.com");
    let measured = extent.pick(Duration::from_secs(3), Duration::from_secs(20));
    let capacity = closed_loop(address, request.clone(), 4, measured).await;
    let before = load.tally.take();
    let per_second = capacity.per_second(400);
    let lasts = extent.pick(Duration::from_secs(5), Duration::from_mins(1));
    let flood = open_loop(address, request, FLOOD * per_second, lasts).await;
    let mut stage = load.tally.take();
    let (p99_before, p99) = (before.p99_ms, stage.p99_ms);
    let during = stage.clone();
    let tally = Arc::clone(&load.tally);
    let clients = load.stop().await;
    stage.add(tally.take());
    let mut scenario = Scenario::count("sign-in-flood", &[&service], stage, &clients).await?;
    scenario.bad = capacity.sent + flood.sent;
    scenario.server_errors += flood.count(500);
    scenario.unaffected();
    slower_than_twice(&mut scenario, extent, &before, &during);
    scenario.wrong.extend(flood.others(&[400, 503]));
    let completed = flood.per_second(400);
    if completed <= 0.0 || flood.without_retry_after > 0 {
        let without = flood.without_retry_after;
        scenario.wrong.push(format!("{completed:.1}/s completed, {without} without Retry-After"));
    }
    if extent == Extent::Full && completed < GOODPUT * per_second {
        scenario.wrong.push(format!("{completed:.1}/s completed, of {per_second:.1}"));
    }
    scenario.seen = format!(
        "{:.0}/s: {completed:.1}/s verified, {per_second:.1}/s when no more come, {} refused; others' p99 \
         {p99:.1} ms, {p99_before:.1} when no more come",
        FLOOD * per_second,
        flood.count(503),
    );
    Ok(scenario)
}

/// A service that has one processor for itself, so that what sends the requests does not take from it
/// what it needs to answer them.
async fn on_one_processor() -> Result<(Service, SocketAddr), BoxError> {
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", "0"]).arg(rust_binary()?);
    let service = start_by(&mut command, "sqlite:///chaos.db", &[]).await?;
    let address = service.url.trim_start_matches("http://").parse()?;
    Ok((service, address))
}

/// Lets all threads of this process run on these processors only.
fn run_on(processors: &str) -> Result<(), BoxError> {
    let mut command = Command::new("taskset");
    command.args(["--all-tasks", "--cpu-list", "--pid", processors]);
    let output = command.arg(std::process::id().to_string()).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!("taskset: {}", String::from_utf8_lossy(&output.stderr).trim()).into())
}

/// Three times as many requests as the service can take: it answers as many as before.
///
/// The service has the first processor, and what sends the requests has the others: else it would take
/// from the service what that needs for its answers.
pub(crate) async fn saturation(extent: Extent) -> Result<Scenario, BoxError> {
    many_files(10_000)?;
    let processors = std::thread::available_parallelism()?.get();
    if processors < 2 {
        return Err("two processors are needed: one for what sends the requests".into());
    }
    let (service, address) = on_one_processor().await?;
    run_on(&format!("1-{}", processors - 1))?;
    let scenario = saturate(&service, address, extent).await;
    run_on(&format!("0-{}", processors - 1))?;
    scenario
}

async fn saturate(
    service: &Service,
    address: SocketAddr,
    extent: Extent,
) -> Result<Scenario, BoxError> {
    let client = Client::new(&service.url, "saturation@example.com", Arc::default()).await?;
    let http = Http::builder().no_proxy().build()?;
    for number in 0..100 {
        let item = json!({"title": format!("item {number}")}).to_string();
        let url = format!("{}/api/v1/items/", service.url);
        let request = http.post(url).bearer_auth(client.token());
        request.header("content-type", "application/json").body(item).send().await?;
    }
    let request = format!(
        "GET /api/v1/items/?limit=100 HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n",
        client.token()
    );
    let lasts = extent.pick(Duration::from_secs(4), Duration::from_secs(20));
    // Warm first.
    closed_loop(address, request.clone(), 16, lasts / 4).await;
    let capacity = closed_loop(address, request.clone(), 16, lasts).await;
    let rate = OVERLOAD * capacity.per_second(200);
    let overload = open_loop(address, request.clone(), rate, lasts).await;
    // The machine may do other things as well: what it could do is the mean of before and after.
    let after = closed_loop(address, request, 16, lasts).await;
    let per_second = f64::midpoint(capacity.per_second(200), after.per_second(200));
    let stage = Stage { requests: capacity.sent + after.sent, ..Stage::default() };
    let mut scenario = Scenario::count("saturation", &[service], stage, &[]).await?;
    scenario.bad = overload.sent;
    scenario.server_errors += overload.count(500);
    scenario.wrong.extend(capacity.others(&[200]));
    scenario.wrong.extend(after.others(&[200]));
    scenario.wrong.extend(overload.others(&[200, 503]));
    let goodput = overload.per_second(200);
    if goodput <= 0.0 {
        scenario.wrong.push("no request was answered".into());
    }
    if extent == Extent::Full && goodput < GOODPUT * per_second {
        scenario.wrong.push(format!("{goodput:.0}/s answered, of {per_second:.0}"));
    }
    scenario.seen = format!(
        "{rate:.0}/s on one processor: {goodput:.0}/s answered, {per_second:.0}/s when no more come ({:.0} \
         before, {:.0} after), {} refused, all but {} in time",
        capacity.per_second(200),
        after.per_second(200),
        overload.count(503),
        overload.late.values().sum::<u64>(),
    );
    Ok(scenario)
}

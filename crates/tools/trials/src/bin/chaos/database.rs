//! Failures of the database: crashes, network faults, a full disk.

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use reqwest::Client as Http;
use serde_json::json;
use testbed::proxy::{Network, Proxy};
use testbed::usage::memory;
use testbed::{Postgres, Service, rust_binary};
use tokio::time::sleep;
use trials::BoxError;
use trials::clients::{Client, Load};

use crate::scenario::{Extent, Scenario, under_load};
use crate::service::{start, start_by};

/// A short timeout, so that an outage shows and is not waited out.
const SETTINGS: [(&str, &str); 1] = [("DATABASE_TIMEOUT_SECONDS", "1")];

pub(crate) async fn killed(extent: Extent) -> Result<Scenario, BoxError> {
    let postgres = Postgres::start().await?;
    let service = start(&postgres.database().await?, &SETTINGS).await?;
    under_load("database-killed", &service, extent, async || {
        postgres.crash()?;
        sleep(extent.outage()).await;
        postgres.recover()?;
        Ok(Instant::now())
    })
    .await
    .map(Scenario::bounded)
}

/// A service that reaches its database through a proxy.
async fn behind_a_proxy(postgres: &Postgres) -> Result<(Service, Proxy), BoxError> {
    let (proxy, through) = Proxy::before(&postgres.database().await?.parse()?).await?;
    Ok((start(through.as_str(), &SETTINGS).await?, proxy))
}

async fn network(
    name: &'static str,
    network: Network,
    extent: Extent,
) -> Result<Scenario, BoxError> {
    let postgres = Postgres::start().await?;
    let (service, proxy) = behind_a_proxy(&postgres).await?;
    under_load(name, &service, extent, async || {
        proxy.set(network);
        sleep(extent.outage()).await;
        proxy.set(Network::Good);
        Ok(Instant::now())
    })
    .await
    .map(Scenario::bounded)
}

pub(crate) async fn cut(extent: Extent) -> Result<Scenario, BoxError> {
    network("network-cut", Network::Cut, extent).await
}

/// A slow network must fail no request.
pub(crate) async fn slow(extent: Extent) -> Result<Scenario, BoxError> {
    let slow = Network::Slow(Duration::from_millis(50));
    let mut scenario = network("network-slow", slow, extent).await?;
    if scenario.failed > 0 {
        scenario.wrong.push("requests failed on a slow network".into());
    }
    Ok(scenario)
}

pub(crate) async fn silent(extent: Extent) -> Result<Scenario, BoxError> {
    network("network-silent", Network::Silent, extent).await
}

/// SQLite on a file system that fills up. The mount needs root, or user namespaces.
pub(crate) async fn disk_full(extent: Extent) -> Result<Scenario, BoxError> {
    let disk = tempfile::tempdir()?;
    let path = disk.path().display();
    let mut command = Command::new("unshare");
    let namespace =
        if is_root() { vec!["--mount"] } else { vec!["--user", "--map-root-user", "--mount"] };
    command.args(namespace).args(["sh", "-c"]).arg(format!(
        "mount -t tmpfs -o size=8m tmpfs {path} && exec {}",
        rust_binary()?.display()
    ));
    let database = format!("sqlite:///{path}/molt.db");
    let service = start_by(&mut command, &database, &SETTINGS).await.map_err(|error| {
        format!("a file system of our own is needed (root, or user namespaces): {error}")
    })?;
    // From outside, its mount is seen through the process.
    let writer = Client::new(&service.url, "writer@example.com", Arc::default()).await?;
    let filler = PathBuf::from(format!("/proc/{}/root{path}/filler", service.pid()?));
    let mut scenario = under_load("disk-full", &service, extent, async || {
        // Fills all space that is left.
        let filled = Command::new("dd")
            .args(["if=/dev/zero", "bs=4k", "status=none"])
            .arg(format!("of={}", filler.display()))
            .output()?;
        if filled.status.success() {
            return Err("the disk does not fill up".into());
        }
        // There may be room in the write-ahead log, and for a while it is used anew.
        until_refused(&service, &writer).await?;
        sleep(extent.outage()).await;
        std::fs::remove_file(&filler)?;
        Ok(Instant::now())
    })
    .await?
    .bounded();
    if scenario.failed == 0 {
        scenario.wrong.push("no request failed although the disk was full".into());
    }
    Ok(scenario)
}

/// Creates items until there is no room for them, for a minute at most.
async fn until_refused(service: &Service, writer: &Client) -> Result<(), BoxError> {
    let http = Http::builder().no_proxy().build()?;
    let item = json!({"title": "a title", "description": "x".repeat(255)}).to_string();
    let start = Instant::now();
    loop {
        let request =
            http.post(format!("{}/api/v1/items/", service.url)).bearer_auth(writer.token());
        let request = request.header("content-type", "application/json").body(item.clone());
        match request.send().await?.status().as_u16() {
            200 if start.elapsed() < Duration::from_mins(1) => {}
            503 => return Ok(()),
            status => return Err(format!("{status} from a database on a full disk").into()),
        }
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// Load for a long time, and a fault every twenty seconds. Memory must not grow.
pub(crate) async fn soak(lasts: Duration, bar: &ProgressBar) -> Result<Scenario, BoxError> {
    let postgres = Postgres::start().await?;
    let (service, proxy) = behind_a_proxy(&postgres).await?;
    let load = Load::start(&service.url, "soak", 8).await?;
    let start = Instant::now();
    let mut samples = Vec::new();
    let mut faults = ["cut", "slow", "silent", "crash"].into_iter().cycle();
    while start.elapsed() < lasts {
        let fault = faults.next().unwrap_or_default();
        bar.set_message(format!("{} s of {}: {fault}", start.elapsed().as_secs(), lasts.as_secs()));
        match fault {
            "cut" => proxy.set(Network::Cut),
            "slow" => proxy.set(Network::Slow(Duration::from_millis(20))),
            "silent" => proxy.set(Network::Silent),
            _ => postgres.crash()?,
        }
        sleep(Duration::from_secs(2)).await;
        proxy.set(Network::Good);
        if fault == "crash" {
            postgres.recover()?;
        }
        for _ in 0..18 {
            sleep(Duration::from_secs(1)).await;
            samples.push(memory(service.pid()?)?.resident);
        }
    }
    let tally = Arc::clone(&load.tally);
    let clients = load.stop().await;
    let mut scenario = Scenario::count("soak", &[&service], tally.take(), &clients).await?;
    scenario.seconds = start.elapsed().as_secs_f64();
    let quarter = samples.len() / 4;
    let max = |samples: &[f64]| samples.iter().copied().fold(0.0, f64::max);
    let (first, last) = (max(&samples[..quarter]), max(&samples[samples.len() - quarter..]));
    scenario.seen =
        format!("{first:.1} MiB in the first quarter, {last:.1} in the last; {}", scenario.seen);
    if last > 1.5 * first {
        scenario.wrong.push(format!("memory grows: {first:.1} MiB, then {last:.1}"));
    }
    Ok(scenario)
}

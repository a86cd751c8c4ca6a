//! The worst bodies there are, under the memory limit of the manifest.

use std::time::Duration;

use reqwest::Client as Http;
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use testbed::{Service, root};
use tokio::task::JoinSet;
use trials::BoxError;
use trials::clients::Load;

use crate::admission::{UNHURRIED, slower_than_twice};
use crate::scenario::{Extent, Scenario};
use crate::service::service;

/// The largest body that the service reads, by default.
const BODY: usize = 2 * 1024 * 1024;

/// How many are sent at a time.
const AT_A_TIME: usize = 4;

/// What a thread that decodes a body reserves for its stack at most, in MiB; it takes no memory.
const STACK_MIB: u64 = 16;

/// What the manifest allows the service, in MiB.
fn manifest_limit() -> Result<u64, BoxError> {
    let manifest = std::fs::read_to_string(root().join("k8s/components/molt/deployment.yaml"))?;
    let limit = || {
        let (_, limits) = manifest.split_once("limits:")?;
        let (_, memory) = limits.split_once("memory: ")?;
        memory.split_once("Mi")?.0.parse().ok()
    };
    limit().ok_or_else(|| "the manifest has no memory limit in Mi".into())
}

/// Lets the kernel refuse the service more memory than this: what is writable and not shared.
fn restrict(service: &Service, mib: u64) -> Result<(), BoxError> {
    let threads = std::thread::available_parallelism()?.get() as u64;
    let bytes = Some((mib + threads * STACK_MIB) * 1024 * 1024);
    let pid = Pid::from_raw(service.pid()?.try_into()?);
    prlimit(pid, Resource::Data, Rlimit { current: bytes, maximum: bytes })?;
    Ok(())
}

/// Repeats something until a body is as long as it may be.
fn filled(start: &str, item: &str, separator: &str, end: &str) -> Vec<u8> {
    let room = BODY - start.len() - end.len() - item.len();
    let more = format!("{separator}{item}");
    format!("{start}{item}{}{end}", more.repeat(room / more.len())).into_bytes()
}

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";
const MULTIPART: &str = "multipart/form-data; boundary=x";

/// Content types and bodies: those that take most of memory or time come first.
fn worst() -> Vec<(&'static str, Vec<u8>)> {
    let keys: Vec<_> = (0..160_000).map(|key| format!("\"{key:x}\":0")).collect();
    let deep = format!("{{\"a\":{}0{}}}", "[".repeat(959), "]".repeat(959));
    let part = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\r\n";
    vec![
        (JSON, filled("{\"a\":[", "0", ",", "]}")),
        (JSON, filled("{\"email\":[", "0", ",", "],\"password\":{},\"full_name\":0}")),
        (JSON, format!("{{{}}}", keys.join(",")).into_bytes()),
        (FORM, filled("", "a", "&", "")),
        (MULTIPART, filled("", part, "", "--x--\r\n")),
        (JSON, filled("{\"a\":[", "{}", ",", "]}")),
        (JSON, filled("{\"a\":[", "\"\"", ",", "]}")),
        (JSON, filled("[", &deep, ",", "]")),
        (JSON, filled("{\"a\":", "[", "", "")),
        (JSON, filled("{\"a\":", "9", "", "}")),
        (JSON, filled("{\"a\":0.", "9", "", "}")),
        (JSON, filled("{\"a\":[", &"9".repeat(4300), ",", "]}")),
        // What the patterns of an address are matched against.
        (JSON, filled("{\"email\":\"", "a.", "", "@example.com\",\"password\":\"changethis\"}")),
        (JSON, filled("{\"email\":\"a@", "a-", "", "\",\"password\":\"changethis\"}")),
        (JSON, filled("{\"a\":\"", "\\u0001", "", "\"}")),
        (FORM, filled("username=", "+", "", "")),
        (JSON, vec![0xFF; BODY]),
    ]
}

/// Millions of empty values, of errors, of keys, of parts; nesting; long numbers and texts, four at a
/// time: the service stays within its limit, and others are answered.
pub(crate) async fn worst_bodies(extent: Extent) -> Result<Scenario, BoxError> {
    let limit = manifest_limit()?;
    let settings = [("PASSWORD_THREADS", "1"), ("REQUEST_TIMEOUT_SECONDS", "120")];
    let (service, _) = service(&settings).await?;
    restrict(&service, limit)?;
    let load = Load::paced(&service.url, "bodies", extent.pick(2, 4), UNHURRIED).await?;
    tokio::time::sleep(extent.pick(Duration::from_secs(1), Duration::from_secs(20))).await;
    let mut stage = load.tally.take();
    let before = stage.clone();

    let http = Http::builder().no_proxy().timeout(Duration::from_mins(3)).build()?;
    let (mut sent, mut wrong, mut errors) = (0, Vec::new(), 0);
    let bodies = worst();
    let bodies = &bodies[..extent.pick(4, bodies.len())];
    for _ in 0..extent.pick(1, 5) {
        for (number, (kind, body)) in bodies.iter().enumerate() {
            let paths: &[&str] = match *kind {
                JSON => &["/users/signup", "/reset-password/"],
                _ => &["/login/access-token"],
            };
            let mut requests = JoinSet::new();
            for path in paths.iter().cycle().take(AT_A_TIME) {
                let request = http.post(format!("{}/api/v1{path}", service.url));
                let request = request.header("content-type", *kind).body(body.clone());
                requests.spawn(async move {
                    let mut answer = request.send().await?;
                    while answer.chunk().await?.is_some() {}
                    Ok::<_, reqwest::Error>(answer.status().as_u16())
                });
            }
            for answer in requests.join_all().await {
                sent += 1;
                match answer {
                    Ok(status) if status < 500 => {}
                    Ok(status) => {
                        errors += u64::from(status == 500);
                        wrong.push(format!("body {number}: {status}"));
                    }
                    Err(error) => wrong.push(format!("body {number}: {error:?}")),
                }
            }
        }
    }
    let during = load.tally.take();
    let seen = format!(
        "{limit} MiB at most; others' p99 {:.1} ms, {:.1} without them",
        during.p99_ms, before.p99_ms
    );
    stage.add(during.clone());
    let tally = std::sync::Arc::clone(&load.tally);
    let clients = load.stop().await;
    stage.add(tally.take());
    let mut scenario = Scenario::count("worst-bodies", &[&service], stage, &clients).await?;
    scenario.bad = sent;
    scenario.server_errors += errors;
    scenario.wrong.extend(wrong);
    scenario.unaffected();
    slower_than_twice(&mut scenario, extent, &before, &during);
    #[expect(clippy::cast_precision_loss, reason = "a limit in MiB")]
    if scenario.peak_mib > limit as f64 {
        scenario.wrong.push(format!("{:.0} MiB of {limit}", scenario.peak_mib));
    }
    scenario.seen = seen;
    Ok(scenario)
}

//! The service under test, and what scenarios with misbehaving clients share.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};
use testbed::bodies::manifest_limit;
use testbed::{Service, rust};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use trials::BoxError;

use crate::scenario::Scenario;

/// Lets this process, and services that it starts from now on, have so many connections.
pub(crate) fn many_files(count: u64) -> Result<(), BoxError> {
    let limit = getrlimit(Resource::Nofile);
    if limit.maximum.is_some_and(|maximum| maximum < count + 200) {
        return Err(format!("{count} connections need as many open files: {limit:?}").into());
    }
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    Ok(())
}

/// What the manifest sets, and a log of what is out of the ordinary. Settings of a scenario come after it.
pub(crate) const SETTINGS: [(&str, &str); 2] = [("RUST_LOG", "warn"), ("PASSWORD_THREADS", "1")];

/// What a thread that decodes a body reserves for its stack at most, in MiB; it takes no memory.
const STACK_MIB: u64 = 16;

/// Starts the Rust service under the memory limit of its manifest; every scenario does it here, or by
/// [`start_by`].
pub(crate) async fn start(database: &str, settings: &[(&str, &str)]) -> Result<Service, BoxError> {
    let service = rust(database, &[&SETTINGS, settings].concat()).await?;
    restrict(&service)?;
    Ok(service)
}

/// The same by a command that becomes the service.
pub(crate) async fn start_by(
    command: &mut Command,
    database: &str,
    settings: &[(&str, &str)],
) -> Result<Service, BoxError> {
    command.env("DATABASE_URL", database).env("PORT", "0").envs(SETTINGS);
    command.envs(settings.iter().copied());
    let service = Service::start("molt", command, "Molt listens on ").await?;
    restrict(&service)?;
    Ok(service)
}

/// Starts the Rust service on a database of its own and gives its address.
pub(crate) async fn service(settings: &[(&str, &str)]) -> Result<(Service, SocketAddr), BoxError> {
    let service = start("sqlite:///chaos.db", settings).await?;
    let address = service.url.trim_start_matches("http://").parse()?;
    Ok((service, address))
}

/// Lets the kernel refuse the service more memory than the manifest gives it. What counts is all that is
/// writable and not shared, also what is reserved and not used, which is added: what there is of that
/// after the start, and the stacks of threads that decode bodies.
fn restrict(service: &Service) -> Result<(), BoxError> {
    const MIB: u64 = 1024 * 1024;
    let limit = manifest_limit().ok_or("the manifest has no memory limit in Mi")?;
    let pid = service.pid()?;
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
    };
    let (Some(data), Some(resident)) = (kib("VmData"), kib("RssAnon")) else {
        return Err(format!("/proc/{pid}/status has no VmData and RssAnon").into());
    };
    let threads = std::thread::available_parallelism()?.get() as u64;
    let reserved = data.saturating_sub(resident) * 1024 + threads * STACK_MIB * MIB;
    let bytes = Some(limit * MIB + reserved);
    let pid = Pid::from_raw(pid.try_into()?);
    prlimit(pid, Resource::Data, Rlimit { current: bytes, maximum: bytes })?;
    Ok(())
}

/// Adds the requests of misbehaving clients, of which `errors` were answered with 500. Well-behaved
/// clients must not be affected.
pub(crate) fn evaluate(mut scenario: Scenario, requests: u64, errors: u64, seen: &str) -> Scenario {
    scenario.bad += requests;
    scenario.server_errors += errors;
    scenario.unaffected();
    seen.clone_into(&mut scenario.seen);
    scenario
}

/// Sends bytes on a connection and gives what comes back until it ends, or for ten seconds.
pub(crate) async fn exchange(address: SocketAddr, bytes: &[u8]) -> Result<Vec<u8>, BoxError> {
    let mut stream = TcpStream::connect(address).await?;
    // The service may close it meanwhile.
    _ = timeout(Duration::from_secs(10), stream.write_all(bytes)).await;
    _ = stream.shutdown().await;
    let mut answer = Vec::new();
    _ = timeout(Duration::from_secs(10), stream.read_to_end(&mut answer)).await;
    Ok(answer)
}

/// Whether a response has the status 500.
pub(crate) fn is_500(answer: &[u8]) -> bool {
    answer.starts_with(b"HTTP/1.1 500")
}

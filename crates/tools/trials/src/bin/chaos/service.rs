//! The service under test, and what scenarios with misbehaving clients share.

use std::net::SocketAddr;
use std::time::Duration;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
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

/// Starts the Rust service on a database of its own and gives its address.
pub(crate) async fn service(settings: &[(&str, &str)]) -> Result<(Service, SocketAddr), BoxError> {
    let mut all = vec![("RUST_LOG", "warn")];
    all.extend_from_slice(settings);
    let service = rust("sqlite:///chaos.db", &all).await?;
    let address = service.url.trim_start_matches("http://").parse()?;
    Ok((service, address))
}

/// Adds the requests of misbehaving clients, of which `errors` were answered with 500. Well-behaved
/// clients must not be affected, and memory must stay within its limit.
pub(crate) fn evaluate(mut scenario: Scenario, requests: u64, errors: u64, seen: &str) -> Scenario {
    scenario.bad += requests;
    scenario.server_errors += errors;
    scenario.unaffected();
    scenario.within_memory();
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

//! Clients that make connections hold memory, by heads that are never finished.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use reqwest::Method;
use testbed::{Scratch, Service, rust};
use tokio::net::TcpSocket;

use crate::client::Api;

const MIB: u64 = 1024 * 1024;

/// A line of `/proc/<pid>/status`, in bytes.
pub(crate) fn memory(service: &Service, line: &str) -> u64 {
    let status = format!("/proc/{}/status", service.pid().unwrap());
    let status = std::fs::read_to_string(status).unwrap();
    let (_, value) = status.split_once(&format!("{line}:")).unwrap();
    value.split_whitespace().next().unwrap().parse::<u64>().unwrap() * 1024
}

/// The resident memory of the service, in MiB.
fn resident(service: &Service) -> u64 {
    memory(service, "VmRSS") / MIB
}

/// A connection that takes little before it is read from.
async fn connect(service: &Service) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    let address = service.url.trim_start_matches("http://").parse().unwrap();
    socket.connect(address).await.unwrap().into_std().unwrap()
}

async fn connections(service: &Service, count: usize) -> Vec<TcpStream> {
    let mut streams = Vec::new();
    while streams.len() < count {
        streams.push(connect(service).await);
    }
    streams
}

/// Sends as much as the sockets take.
fn send(mut stream: &TcpStream, bytes: &[u8]) {
    // Errors are those of connections that the service has closed.
    _ = stream.write(bytes);
}

async fn is_well(api: &Api) {
    let start = Instant::now();
    let answer = api.send(Method::GET, "/utils/health-check/", None, None).await;
    assert_eq!(answer.status(), 200);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_are_never_finished_take_little_memory() {
    let database = Scratch::new().await.unwrap();
    let service = rust(&database.url, &[]).await.unwrap();
    let api = Api::new(&service.url);
    is_well(&api).await;
    let before = resident(&service);
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx: {}", "x".repeat(60_000));
    let streams = connections(&service, 1000).await;
    for stream in &streams {
        send(stream, head.as_bytes());
    }
    let start = Instant::now();
    // 8 MiB are a hundred and fifty of them; the others are refused.
    let mut refused = 0;
    while refused < 700 && start.elapsed() < Duration::from_secs(20) {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let mut first = [0; 12];
        refused += streams
            .iter()
            .filter(|stream| {
                let mut stream: &TcpStream = stream;
                matches!(stream.read(&mut first), Ok(12)) && first == *b"HTTP/1.1 503"
            })
            .count();
    }
    let taken = resident(&service).saturating_sub(before);
    println!("{refused} of {} heads refused, {taken} MiB more than at rest", streams.len());
    assert!((700..900).contains(&refused), "{refused}");
    assert!(taken <= 40, "{taken} MiB");
    is_well(&api).await;
}

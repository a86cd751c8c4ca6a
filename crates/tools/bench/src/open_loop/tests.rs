use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// What a server does with a request.
enum Reply {
    After(Duration, &'static str),
    /// Answers, and closes the connection without having announced it.
    AndCloses(&'static str),
    Nothing,
}

const GOOD: &str = "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\ntrue";
const REFUSED: &str = "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n";

/// A server whose reply depends on the number of the request, from 0.
fn server(reply: impl Fn(u64) -> Reply + Send + Sync + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (reply, count) = (Arc::new(reply), Arc::new(AtomicU64::new(0)));
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (reply, count) = (Arc::clone(&reply), Arc::clone(&count));
            std::thread::spawn(move || {
                let (mut stream, mut buffer) = (stream.unwrap(), [0; 1024]);
                while stream.read(&mut buffer).unwrap_or(0) > 0 {
                    match reply(count.fetch_add(1, Ordering::Relaxed)) {
                        Reply::After(delay, answer) => {
                            std::thread::sleep(delay);
                            stream.write_all(answer.as_bytes()).unwrap();
                        }
                        Reply::AndCloses(answer) => {
                            return stream.write_all(answer.as_bytes()).unwrap();
                        }
                        Reply::Nothing => {}
                    }
                }
            });
        }
    });
    address
}

fn send(address: SocketAddr, per_second: f64, millis: u64, max_connections: usize) -> Outcome {
    let requests = [Request::new("GET", "/", None, None)];
    let duration = Duration::from_millis(millis);
    let open_loop = OpenLoop { requests: &requests, per_second, duration, max_connections };
    run(address, &open_loop).unwrap()
}

#[test]
fn every_request_is_sent_and_answered() {
    let address = server(|_| Reply::After(Duration::ZERO, GOOD));
    let outcome = send(address, 500.0, 200, 16);
    assert_eq!((outcome.due, outcome.latencies.len(), outcome.failed()), (100, 100, 0));
    assert_eq!(outcome.statuses, BTreeMap::from([(200, 100)]));
    assert_eq!(outcome.lag.len(), 100);
    assert!(outcome.connections <= 16 && outcome.errors.is_empty(), "{:?}", outcome.errors);
}

/// A generator that waits for an answer before it counts the next request would report one latency of
/// 200 ms and 39 short ones.
#[test]
fn a_stall_makes_all_that_is_due_meanwhile_late() {
    let stall = |n| Duration::from_millis(if n == 0 { 200 } else { 0 });
    let address = server(move |n| Reply::After(stall(n), GOOD));
    let outcome = send(address, 100.0, 400, 1);
    assert_eq!(outcome.latencies.len(), 40);
    let late = outcome.latencies.count_between(95_000, u64::MAX);
    assert!(late >= 10, "{late} waited for 95 ms or more");
}

#[test]
fn connections_are_bounded_and_what_has_none_is_counted() {
    let address = server(|_| Reply::Nothing);
    let outcome = send(address, 1000.0, 50, 4);
    assert_eq!((outcome.connections, outcome.unanswered, outcome.unsent), (4, 4, 46));
    assert_eq!((outcome.failed(), outcome.completed), (50, 0));
    // It was the server that was late: those that had no connection are no lag of the generator.
    assert_eq!(outcome.lag.len(), 4);
}

#[test]
fn refusals_are_counted_apart() {
    let answer = |n: u64| if n.is_multiple_of(2) { GOOD } else { REFUSED };
    let address = server(move |n| Reply::After(Duration::ZERO, answer(n)));
    let outcome = send(address, 500.0, 100, 8);
    assert_eq!((outcome.latencies.len(), outcome.refused(), outcome.failed()), (25, 25, 0));
}

#[test]
fn a_connection_that_was_closed_meanwhile_loses_no_request() {
    let address = server(|_| Reply::AndCloses(GOOD));
    let outcome = send(address, 200.0, 100, 8);
    assert_eq!((outcome.latencies.len(), outcome.broken), (20, 0), "{:?}", outcome.errors);
}

#[test]
fn what_breaks_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let outcome = send(address, 200.0, 100, 8);
    assert_eq!((outcome.broken, outcome.failed(), outcome.completed), (20, 20, 0));
}

#[test]
fn a_generator_that_sends_late_has_not_kept_up() {
    let mut outcome = Outcome::new(100);
    outcome.lag.record_n(100, 99).unwrap();
    outcome.lag.record_n(50_000, 1).unwrap();
    assert!(outcome.kept_up());
    outcome.lag.record_n(6_000, 1).unwrap();
    assert!(!outcome.kept_up());
}

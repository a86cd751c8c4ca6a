//! The load generator in a closed loop: as many threads as connections, each sending one request after
//! the other. Fixed rates are [`open_loop`](crate::open_loop)'s.
//!
//! Blocking sockets cost less than any runtime here, so that the generator is not what is measured;
//! every answer is checked.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

use crate::open_loop::{self, OpenLoop};

/// How long a client waits for a response.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A request as it goes over the wire, and what its answer must be.
#[derive(Clone)]
pub(crate) struct Request {
    pub bytes: Vec<u8>,
    pub status: u16,
    /// The length of the answer's body; some answers hold a time without its zeros.
    pub length: Option<std::ops::RangeInclusive<usize>>,
}

impl Request {
    pub(crate) fn new(
        method: &str,
        path: &str,
        token: Option<&str>,
        body: Option<(&str, &str)>,
    ) -> Self {
        use std::fmt::Write as _;

        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: bench\r\n");
        if let Some(token) = token {
            _ = write!(text, "authorization: Bearer {token}\r\n");
        }
        let (kind, body) = body.unwrap_or_default();
        if !kind.is_empty() {
            _ = write!(text, "content-type: {kind}\r\ncontent-length: {}\r\n", body.len());
        }
        _ = write!(text, "\r\n{body}");
        Self { bytes: text.into_bytes(), status: 200, length: None }
    }
}

/// When the requests are sent.
#[derive(Clone, Copy)]
pub(crate) enum Arrivals {
    /// Each connection sends when it has its answer.
    Closed,
    /// So many each second, whether the server keeps up or not; a latency counts from the moment
    /// at which the request was due.
    PerSecond(f64),
}

pub(crate) struct Outcome {
    pub requests: u64,
    pub elapsed: Duration,
    /// In microseconds.
    pub latencies: Histogram<u64>,
    /// The first unexpected responses and broken connections.
    pub errors: Vec<String>,
    /// Whether the requests were sent when they were due.
    pub kept_up: bool,
}

impl Outcome {
    pub(crate) fn per_second(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 requests")]
        let requests = self.requests as f64;
        requests / self.elapsed.as_secs_f64()
    }

    /// In milliseconds.
    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "no latency is that long")]
        let micros = self.latencies.value_at_percentile(percent) as f64;
        micros / 1000.0
    }
}

/// Sends the requests in turn, over and over, until the time is over.
pub(crate) fn run(
    address: &str,
    requests: &[Request],
    connections: usize,
    arrivals: Arrivals,
    duration: Duration,
) -> io::Result<Outcome> {
    let per_second = match arrivals {
        Arrivals::Closed => return closed_loop(address, requests, connections, duration),
        Arrivals::PerSecond(per_second) => per_second,
    };
    let open_loop = OpenLoop { requests, per_second, duration, max_connections: connections };
    let outcome = open_loop::run(address.parse().map_err(io::Error::other)?, &open_loop)?;
    let lost = outcome.due - outcome.latencies.len();
    let mut errors = outcome.errors.clone();
    if errors.is_empty() && lost > 0 {
        errors.push(format!("{lost} of {} requests were not answered", outcome.due));
    }
    Ok(Outcome {
        requests: outcome.latencies.len(),
        elapsed: outcome.elapsed,
        kept_up: outcome.kept_up(),
        latencies: outcome.latencies,
        errors,
    })
}

fn closed_loop(
    address: &str,
    requests: &[Request],
    connections: usize,
    duration: Duration,
) -> io::Result<Outcome> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::connect(address)?);
    }
    let next = AtomicUsize::new(0);
    let start = Instant::now();
    let end = start + duration;
    let work = |mut client: Client| {
        let mut latencies = histogram();
        let mut errors = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let sent = Instant::now();
            if let Err(error) = client.send(&requests[number % requests.len()]) {
                errors.push(error.to_string());
                match Client::connect(address) {
                    Ok(new) if errors.len() < 10 => client = new,
                    _ => break,
                }
                continue;
            }
            let now = Instant::now();
            let took = (now - sent).as_micros();
            latencies.saturating_record(u64::try_from(took).unwrap_or(u64::MAX));
            if now >= end {
                break;
            }
        }
        (latencies, errors)
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let spawn = |client| {
            std::thread::Builder::new().stack_size(128 * 1024).spawn_scoped(scope, || work(client))
        };
        let threads: io::Result<Vec<_>> = clients.into_iter().map(spawn).collect();
        threads
            .map(|threads| threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect())
    })?;
    let mut outcome = Outcome {
        requests: 0,
        elapsed: start.elapsed(),
        latencies: histogram(),
        errors: Vec::new(),
        kept_up: true,
    };
    for result in results {
        let Ok((latencies, errors)) = result else {
            return Err(io::Error::other("a thread of the generator panicked"));
        };
        _ = outcome.latencies.add(latencies);
        outcome.errors.extend(errors);
    }
    outcome.requests = outcome.latencies.len();
    Ok(outcome)
}

pub(crate) fn histogram() -> Histogram<u64> {
    #[expect(clippy::expect_used, reason = "the bounds are constants")]
    Histogram::new_with_bounds(1, 120_000_000, 3).expect("the bounds are valid")
}

/// A connection that is kept alive.
pub(crate) struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024] })
    }

    /// Sends a request and gives the header fields of its answer, in order of their names, without the
    /// values of those that differ each time.
    pub(crate) fn fields(&mut self, request: &Request) -> io::Result<Vec<String>> {
        self.send(request)?;
        let mut headers = [httparse::EMPTY_HEADER; 32];
        let mut response = httparse::Response::new(&mut headers);
        response.parse(&self.buffer).map_err(io::Error::other)?;
        let field = |header: &httparse::Header<'_>| {
            let name = header.name.to_ascii_lowercase();
            let differs = ["date", "x-request-id", "content-length"].contains(&name.as_str());
            if differs {
                name
            } else {
                format!("{name}: {}", String::from_utf8_lossy(header.value))
            }
        };
        let mut fields: Vec<_> = response.headers.iter().map(field).collect();
        fields.sort();
        Ok(fields)
    }

    /// Sends a request and gives the body of its answer, which has been checked.
    pub(crate) fn send(&mut self, request: &Request) -> io::Result<&[u8]> {
        self.stream.write_all(&request.bytes)?;
        let mut filled = 0;
        let (status, body) = loop {
            if filled == self.buffer.len() {
                self.buffer.resize(2 * filled, 0);
            }
            let read = match self.stream.read(&mut self.buffer[filled..]) {
                Ok(0) => return Err(io::Error::other("the server closed the connection")),
                read => read?,
            };
            filled += read;
            if let Some(Answer { status, body, .. }) = answer(&self.buffer[..filled])?
                && body.end <= filled
            {
                break (status, body);
            }
        };
        let length = body.len();
        let body = &self.buffer[body];
        let fits = request.length.as_ref().is_none_or(|allowed| allowed.contains(&length));
        if status == request.status && fits {
            return Ok(body);
        }
        let text = String::from_utf8_lossy(&body[..length.min(300)]);
        Err(io::Error::other(format!("status {status} with {length} bytes: {text}")))
    }
}

/// The head of an answer.
pub(crate) struct Answer {
    pub status: u16,
    /// Where the body is.
    pub body: std::ops::Range<usize>,
    /// Whether the server closes the connection after it.
    pub closes: bool,
}

/// Reads the head of an answer, as soon as it is complete.
pub(crate) fn answer(bytes: &[u8]) -> io::Result<Option<Answer>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut response = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(head) = response.parse(bytes).map_err(io::Error::other)? else {
        return Ok(None);
    };
    let field = |name| {
        let header = response.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.and_then(|header| std::str::from_utf8(header.value).ok())
    };
    let length = field("content-length")
        .and_then(|length| length.parse::<usize>().ok())
        .ok_or_else(|| io::Error::other("an answer without a length"))?;
    let closes = field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let status = response.code.unwrap_or_default();
    Ok(Some(Answer { status, body: head..head + length, closes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_once_its_head_is_complete() {
        assert!(answer(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n").unwrap().is_none());
        let kept = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntr").unwrap().unwrap();
        assert_eq!((kept.status, kept.body, kept.closes), (200, 38..42, false));
        let head = b"HTTP/1.1 503 No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        let closed = answer(head).unwrap().unwrap();
        assert!(closed.closes && closed.status == 503);
        assert!(answer(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}

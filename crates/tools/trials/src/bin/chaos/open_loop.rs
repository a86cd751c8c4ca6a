//! Requests at a fixed rate, whether or not earlier ones are answered.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long a response is waited for.
const TIMEOUT: Duration = Duration::from_secs(40);

/// What came back, by status; 0 is no answer.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// While requests were being sent.
    pub in_time: BTreeMap<u16, u64>,
    /// Afterwards.
    pub late: BTreeMap<u16, u64>,
    /// Responses with 503 that do not say when to come again.
    pub without_retry_after: u64,
    pub sent: u64,
    pub seconds: f64,
}

impl Outcome {
    pub(crate) fn count(&self, status: u16) -> u64 {
        let count = |counts: &BTreeMap<u16, u64>| counts.get(&status).copied().unwrap_or_default();
        count(&self.in_time) + count(&self.late)
    }

    /// Responses with this status a second, while requests were being sent.
    #[expect(clippy::cast_precision_loss, reason = "no count here reaches 2^52")]
    pub(crate) fn per_second(&self, status: u16) -> f64 {
        self.in_time.get(&status).copied().unwrap_or_default() as f64 / self.seconds
    }

    /// All but these statuses, in words.
    pub(crate) fn others(&self, expected: &[u16]) -> Vec<String> {
        let all = self.in_time.iter().chain(&self.late);
        all.filter(|(status, _)| !expected.contains(status))
            .map(|(status, count)| format!("{count} answers of {status} (0: none)"))
            .collect()
    }
}

struct Shared {
    address: SocketAddr,
    request: Vec<u8>,
    idle: Mutex<Vec<TcpStream>>,
    until: Instant,
    outcome: Mutex<Outcome>,
}

impl Shared {
    fn new(address: SocketAddr, request: String, lasts: Duration) -> Arc<Self> {
        Arc::new(Self {
            address,
            request: request.into_bytes(),
            idle: Mutex::default(),
            until: Instant::now() + lasts,
            outcome: Mutex::default(),
        })
    }

    fn outcome(&self) -> std::sync::MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<TcpStream>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self) {
        let answer = timeout(TIMEOUT, self.exchange()).await.ok().flatten();
        let (status, retry_after) = answer.unwrap_or((0, true));
        let mut outcome = self.outcome();
        outcome.without_retry_after += u64::from(status == 503 && !retry_after);
        let in_time = Instant::now() < self.until;
        let counts = if in_time { &mut outcome.in_time } else { &mut outcome.late };
        *counts.entry(status).or_default() += 1;
    }

    /// The status, and whether the response says when to come again.
    async fn exchange(&self) -> Option<(u16, bool)> {
        // A connection that waited may have been closed meanwhile.
        let waiting = self.idle().pop();
        if let Some(stream) = waiting
            && let Some(answer) = self.exchange_on(stream).await
        {
            return Some(answer);
        }
        self.exchange_on(TcpStream::connect(self.address).await.ok()?).await
    }

    async fn exchange_on(&self, mut stream: TcpStream) -> Option<(u16, bool)> {
        stream.set_nodelay(true).ok()?;
        stream.write_all(&self.request).await.ok()?;
        let mut answer = Vec::with_capacity(1024);
        let end = loop {
            if let Some(end) = answer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut answer).await.ok()? == 0 {
                return None;
            }
        };
        let head = String::from_utf8_lossy(answer.get(..end)?).to_ascii_lowercase();
        let status = head.split(' ').nth(1)?.parse().ok()?;
        let field = |name| head.lines().find_map(|line: &str| line.strip_prefix(name));
        let length: usize = field("content-length:").unwrap_or("0").trim().parse().ok()?;
        while answer.len() < end + length {
            if stream.read_buf(&mut answer).await.ok()? == 0 {
                return None;
            }
        }
        if field("connection:").is_none() {
            self.idle().push(stream);
        }
        Some((status, field("retry-after:").is_some()))
    }
}

fn finish(shared: &Shared, lasts: Duration, sent: u64) -> Outcome {
    let mut outcome = std::mem::take(&mut *shared.outcome());
    outcome.sent = sent;
    outcome.seconds = lasts.as_secs_f64();
    outcome
}

/// Sends the request so many times a second, and waits for the last answer.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "requests of some minutes"
)]
pub(crate) async fn open_loop(
    address: SocketAddr,
    request: String,
    per_second: f64,
    lasts: Duration,
) -> Outcome {
    let shared = Shared::new(address, request, lasts);
    let (start, mut sent, mut requests) = (Instant::now(), 0, JoinSet::new());
    while start.elapsed() < lasts {
        let due = (start.elapsed().as_secs_f64() * per_second) as u64;
        while sent < due {
            sent += 1;
            let shared = Arc::clone(&shared);
            requests.spawn(async move { shared.send().await });
        }
        while requests.try_join_next().is_some() {}
        sleep(Duration::from_millis(1)).await;
    }
    requests.join_all().await;
    finish(&shared, lasts, sent)
}

/// What so many clients achieve that send the request again and again.
pub(crate) async fn closed_loop(
    address: SocketAddr,
    request: String,
    clients: usize,
    lasts: Duration,
) -> Outcome {
    let shared = Shared::new(address, request, lasts);
    let mut all = JoinSet::new();
    for _ in 0..clients {
        let shared = Arc::clone(&shared);
        all.spawn(async move {
            let mut sent = 0;
            while Instant::now() < shared.until {
                shared.send().await;
                sent += 1;
            }
            sent
        });
    }
    let sent = all.join_all().await.into_iter().sum();
    finish(&shared, lasts, sent)
}

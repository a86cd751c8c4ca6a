//! Clients that hold connections or permits: too many requests, slow ones, idle and lost connections.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use reqwest::Client as Http;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use trials::BoxError;

use crate::scenario::{Extent, NO_SIGN_INS, Scenario, under_load, under_load_of};
use crate::service::{evaluate, many_files, service};

/// More requests at a time than are allowed: the rest is refused at once, with `Retry-After`.
pub(crate) async fn overload(extent: Extent) -> Result<Scenario, BoxError> {
    // More than there are well-behaved clients: none of them is refused without the others.
    let (service, address) = service(&[("MAX_IN_FLIGHT", "16")]).await?;
    let (mut refused, mut slowest) = (0, Duration::ZERO);
    let mut scenario = under_load("overload", &service, extent, async || {
        // Bodies that are never sent hold every permit.
        let mut slow = Vec::new();
        for _ in 0..16 {
            let mut stream = TcpStream::connect(address).await?;
            let head = "POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n";
            stream.write_all(head.as_bytes()).await?;
            slow.push(stream);
        }
        let http = Http::builder().no_proxy().build()?;
        let url = format!("{}/api/v1/utils/health-check/", service.url);
        sleep(Duration::from_millis(200)).await;
        for _ in 0..extent.pick(200, 2000) {
            let start = Instant::now();
            let answer = http.get(&url).send().await?;
            if answer.status() == 503 && answer.headers().contains_key("retry-after") {
                refused += 1;
                slowest = slowest.max(start.elapsed());
            }
        }
        drop(slow);
        Ok(Instant::now())
    })
    .await?;
    scenario.bad += u64::from(extent.pick(200_u32, 2000)) + 16;
    if refused == 0 {
        scenario.wrong.push("no request was refused".into());
    }
    let slowest = slowest.as_secs_f64() * 1000.0;
    scenario.seen = format!("{refused} refused, within {slowest:.0} ms; {}", scenario.seen);
    Ok(scenario)
}

/// Heads that arrive byte by byte, and bodies that never do.
pub(crate) async fn slowloris(extent: Extent) -> Result<Scenario, BoxError> {
    let (service, address) = service(&[("REQUEST_TIMEOUT_SECONDS", "5")]).await?;
    let count = extent.pick(200, 1000);
    let (mut ended, mut ended_after) = (0, Duration::ZERO);
    let scenario = under_load_of("slowloris", &service, extent, NO_SIGN_INS, async || {
        let mut clients = tokio::task::JoinSet::new();
        for number in 0..count {
            clients.spawn(async move {
                let mut stream = TcpStream::connect(address).await.ok()?;
                let start = Instant::now();
                // A head has half a minute, which a short run has not.
                let head = match number % 2 {
                    0 if extent == Extent::Full => "GET /api/v1/utils/health-check/ HTTP/1.1\r\nx: ",
                    _ => "POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: 99\r\n\r\n{",
                };
                stream.write_all(head.as_bytes()).await.ok()?;
                let mut buffer = [0; 1024];
                // A head may take half a minute.
                while start.elapsed() < Duration::from_secs(40) {
                    match timeout(Duration::from_millis(500), stream.read(&mut buffer)).await {
                        // Closed, or answered and then closed.
                        Ok(Ok(0) | Err(_)) => return Some(start.elapsed()),
                        Ok(Ok(_)) => {}
                        Err(_) if stream.write_all(b"a").await.is_err() => {
                            return Some(start.elapsed());
                        }
                        Err(_) => {}
                    }
                }
                None
            });
        }
        for lasted in clients.join_all().await.into_iter().flatten() {
            ended += 1;
            ended_after = ended_after.max(lasted);
        }
        Ok(Instant::now())
    })
    .await?;
    let seen = format!("{ended} of {count} ended after {:.0} s at most", ended_after.as_secs_f64());
    let mut scenario = evaluate(scenario, count, 0, &seen);
    if ended < count {
        scenario.wrong.push(format!("{} were never ended", count - ended));
    }
    Ok(scenario)
}

/// Clients that disconnect before the response, at every byte of a request.
pub(crate) async fn disconnects(extent: Extent) -> Result<Scenario, BoxError> {
    let (service, address) = service(&[]).await?;
    let count = extent.pick(500, 5000);
    let scenario = under_load("disconnects", &service, extent, async || {
        let body = r#"{"email": "invalid", "password": "x"}"#;
        let request = format!(
            "POST /api/v1/users/signup HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        for number in 0..count {
            let mut stream = TcpStream::connect(address).await?;
            let length = request.len() * (number % 50 + 1) / 50;
            stream.write_all(&request.as_bytes()[..length]).await?;
            if number % 3 == 0 {
                stream.set_zero_linger()?;
            }
        }
        Ok(Instant::now())
    })
    .await?;
    let count = u64::try_from(count)?;
    Ok(evaluate(scenario, count, 0, "disconnected at every byte of a request"))
}

/// Ten thousand idle connections, half of which have had a request; a tenth of them in a short run. That
/// is more than the service keeps open: for the last ones it closes the first.
pub(crate) async fn idle(extent: Extent) -> Result<Scenario, BoxError> {
    let (count, max) = extent.pick((1_000, "800"), (10_000, "8192"));
    many_files(count)?;
    let (service, address) = service(&[("MAX_CONNECTIONS", max)]).await?;
    let (mut refused, mut closed) = (0, 0);
    let scenario = under_load("idle", &service, extent, async || {
        let mut connections = Vec::new();
        for number in 0..count {
            let mut stream = TcpStream::connect(address).await?;
            if number % 2 == 0 {
                let request = "GET /api/v1/utils/health-check/ HTTP/1.1\r\nhost: x\r\n\r\n";
                stream.write_all(request.as_bytes()).await?;
                let mut answer = [0; 12];
                let read = stream.read_exact(&mut answer).await;
                refused += u64::from(read.is_err() || answer != *b"HTTP/1.1 200");
            }
            connections.push(stream);
        }
        sleep(extent.pick(Duration::from_secs(1), Duration::from_secs(5))).await;
        for stream in &connections {
            // What there is of an answer, then whether the connection is still open.
            let closes = loop {
                match stream.try_read(&mut [0; 1024]) {
                    Ok(0) => break true,
                    Ok(_) => {}
                    Err(error) => break error.kind() != ErrorKind::WouldBlock,
                }
            };
            closed += u64::from(closes);
        }
        Ok(Instant::now())
    })
    .await?;
    let seen = format!("{count} connections, of which {max} may be open: {closed} closed");
    let mut scenario = evaluate(scenario, count, 0, &seen);
    if refused > 0 {
        scenario.wrong.push(format!("{refused} requests were not answered"));
    }
    if closed == 0 {
        scenario.wrong.push("no connection was closed".into());
    }
    Ok(scenario)
}

//! A small HTTP server of the standard library, which keeps what it was asked.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::{ServerConfig, ServerConnection, StreamOwned};

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// An answer: status, headers, body.
pub(crate) type Response = (u16, Vec<(&'static str, String)>, String);

#[expect(clippy::unnecessary_wraps, reason = "it is what a handler gives")]
pub(crate) fn json(status: u16, body: &str) -> Option<Response> {
    Some((status, vec![("content-type", "application/json".to_owned())], body.to_owned()))
}

/// A server that runs until the test ends.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<Request>>>,
    /// The largest number of requests that were under way at once.
    pub(crate) peak: Arc<AtomicUsize>,
}

impl Server {
    /// `answer` gives none to close the connection without an answer.
    pub(crate) fn start(
        answer: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), None, answer)
    }

    pub(crate) fn tls(
        config: ServerConfig,
        answer: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), Some(Arc::new(config)), answer)
    }

    pub(crate) fn on(
        listener: TcpListener,
        tls: Option<Arc<ServerConfig>>,
        answer: impl Fn(&Request) -> Option<Response> + Send + Sync + 'static,
    ) -> Self {
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://localhost:{}", listener.local_addr().unwrap().port());
        let (seen, peak) = (Arc::<Mutex<Vec<Request>>>::default(), Arc::<AtomicUsize>::default());
        let (kept, highest) = (Arc::clone(&seen), Arc::clone(&peak));
        let (answer, now) = (Arc::new(answer), Arc::<AtomicUsize>::default());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, answer, tls) = (Arc::clone(&kept), Arc::clone(&answer), tls.clone());
                let (now, peak) = (Arc::clone(&now), Arc::clone(&highest));
                thread::spawn(move || {
                    peak.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    match tls {
                        None => _ = serve(stream, &seen, &*answer),
                        Some(config) => {
                            let connection = ServerConnection::new(config).unwrap();
                            _ = serve(StreamOwned::new(connection, stream), &seen, &*answer);
                        }
                    }
                    now.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Self { url, seen, peak }
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn targets(&self) -> Vec<String> {
        self.requests().iter().map(|r| format!("{} {}", r.method, r.target)).collect()
    }
}

/// A port on which nothing listens.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn serve<S: Read + Write>(
    stream: S,
    seen: &Mutex<Vec<Request>>,
    answer: &dyn Fn(&Request) -> Option<Response>,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let mut parts = line.split_whitespace().map(ToOwned::to_owned);
    let (Some(method), Some(target)) = (parts.next(), parts.next()) else { return Ok(()) };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let request = Request { method, target, headers, body };
    seen.lock().unwrap().push(request.clone());
    let Some((status, headers, body)) = answer(&request) else { return Ok(()) };
    let mut text = format!("HTTP/1.1 {status} Status\r\nconnection: close\r\n");
    for (name, value) in headers {
        text.extend([name, ": ", &value, "\r\n"]);
    }
    let length = body.len().to_string();
    text.extend(["content-length: ", &length, "\r\n\r\n", &body]);
    let output = stream.get_mut();
    output.write_all(text.as_bytes())?;
    output.flush()
}

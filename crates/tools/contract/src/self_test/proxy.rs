//! Stands before the candidate and passes everything through, byte by byte; but for requests for
//! which it was given a faulty answer.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::Url;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

/// What the proxy answers in the place of the candidate.
#[derive(Clone, Debug)]
pub(super) struct Faulty {
    /// As it goes onto the wire; empty closes the connection without an answer.
    pub(super) bytes: Vec<u8>,
    pub(super) delay: Duration,
}

pub(super) struct Proxy {
    pub(super) url: Url,
    next: Arc<Mutex<Option<Faulty>>>,
}

impl Proxy {
    pub(super) async fn before(candidate: &Url) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let mut url = candidate.clone();
        let port = listener.local_addr()?.port();
        if url.set_host(Some("127.0.0.1")).is_err() || url.set_port(Some(port)).is_err() {
            return Err(io::Error::other(format!("{candidate} has no host and port")));
        }
        let host = candidate.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let target = (host.to_owned(), candidate.port_or_known_default().unwrap_or(80));
        let next = Arc::new(Mutex::new(None::<Faulty>));
        let faulty = Arc::clone(&next);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let faulty = faulty.lock().unwrap_or_else(PoisonError::into_inner).take();
                let target = target.clone();
                // A connection that breaks is the client's to notice.
                tokio::spawn(async move {
                    match faulty {
                        Some(faulty) => answer(near, faulty).await,
                        None => pass(near, target).await,
                    }
                });
            }
        });
        Ok(Self { url, next })
    }

    /// The next connection gets this answer.
    pub(super) fn answer_next(&self, faulty: Faulty) {
        *self.next.lock().unwrap_or_else(PoisonError::into_inner) = Some(faulty);
    }
}

async fn pass(mut near: TcpStream, target: (String, u16)) -> io::Result<()> {
    let mut far = TcpStream::connect(target).await?;
    copy_bidirectional(&mut near, &mut far).await.map(drop)
}

/// Reads the request to its end, so that the answer is not lost with it, and answers.
async fn answer(mut near: TcpStream, faulty: Faulty) -> io::Result<()> {
    let mut received = Vec::new();
    while !is_complete(&received) {
        if near.read_buf(&mut received).await? == 0 {
            break;
        }
    }
    tokio::time::sleep(faulty.delay).await;
    near.write_all(&faulty.bytes).await?;
    near.shutdown().await
}

fn is_complete(received: &[u8]) -> bool {
    let mut headers = [httparse::EMPTY_HEADER; 100];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(received) {
        Ok(httparse::Status::Complete(head)) => {
            let length =
                request.headers.iter().find(|h| h.name.eq_ignore_ascii_case("content-length"));
            let length = length.and_then(|h| std::str::from_utf8(h.value).ok()?.parse().ok());
            received.len() >= head + length.unwrap_or(0)
        }
        Ok(httparse::Status::Partial) => false,
        Err(_) => true,
    }
}

//! Connections: HTTP/1.1, each served on its own task.

mod eviction;
mod framing;
mod stream;

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use fastapi_compat::LocalAddr;
use http::StatusCode;
use http::header::{CONNECTION, HeaderValue};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::SemaphorePermit;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use self::eviction::{Eviction, Fresh};
use self::stream::{ClientStream, Held, Progress};

/// Timeout for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// The largest head of a request, and how much of a body is read ahead, in bytes: what a connection may
/// hold at most before its request counts. uvicorn has no such limit.
const BUFFER: usize = 64 * 1024;

/// Maximum number of header fields; uvicorn has no such limit either.
const MAX_FIELDS: usize = 500;

/// Timeout for the first request of a connection, during the shutdown.
const LAST_ARRIVALS: Duration = Duration::from_millis(250);

/// Whether the service is shutting down. Its clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Draining(Arc<AtomicBool>);

impl Draining {
    pub fn begin(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn has_begun(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// How a service shuts down.
#[derive(Clone, Debug)]
pub struct Shutdown {
    /// From the signal on: requests are still accepted, and every answer tells the client to use
    /// another connection. Balancers need that long to send it elsewhere.
    pub drain: Duration,
    /// Then no connection is accepted any more, and requests under way have this long.
    pub timeout: Duration,
    /// Requests whose client has disconnected are waited for too.
    pub background: TaskTracker,
}

/// Serves a connection until it ends: by itself, because there are too many, or at the shutdown.
async fn connection<S>(
    stream: TcpStream,
    http: http1::Builder,
    service: S,
    progress: Arc<Progress>,
    fresh: Fresh,
    closing: CancellationToken,
) where
    S: hyper::service::Service<hyper::Request<Incoming>, Response = Response, Error = Infallible>,
    S: Send + 'static,
    S::Future: Send,
{
    let eviction = Arc::clone(&fresh.0);
    // Before there is a request, the connection needs next to no memory.
    let mut first = [0];
    let has_request = tokio::select! {
        biased;
        peeked = timeout(HEAD_TIMEOUT, stream.peek(&mut first)) => matches!(peeked, Ok(Ok(1))),
        evicted = eviction.of_fresh.acquire() => {
            evicted.into_iter().for_each(SemaphorePermit::forget);
            false
        }
        () = closing.cancelled() => false,
    };
    drop(fresh);
    if !has_request {
        return;
    }
    let stream = ClientStream::new(stream, Arc::clone(&progress));
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = Box::pin(connection);
    let (mut evicted, mut known) = (pin!(eviction.of_used.acquire()), 0);
    let ended = std::future::poll_fn(|context| {
        if let Poll::Ready(ended) = connection.as_mut().poll(context) {
            return Poll::Ready(Some(ended));
        }
        // One that is used is not the oldest any more.
        let count = progress.requests();
        if known != count && eviction.is_near() {
            known = count;
            evicted.set(eviction.of_used.acquire());
        }
        evicted.as_mut().poll(context).map(|evicted| {
            evicted.into_iter().for_each(SemaphorePermit::forget);
            None
        })
    });
    let mut ended = tokio::select! {
        ended = ended => ended,
        () = closing.cancelled() => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        ended = Some(connection.await);
    }
    if let Some(Err(error)) = ended {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Answers requests until `signal` is ready, drains, and returns once no request is under way, or
/// after the timeout.
///
/// With `max_connections` open, each further one closes the oldest of those that had no request yet; if
/// all had one, that whose last request is the longest ago, as soon as it is answered. When there are an
/// eighth more connections nonetheless, further ones are closed at once.
///
/// The service is called without waiting until it is ready.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
    max_connections: usize,
    draining: Draining,
    shutdown: Shutdown,
    signal: impl Future<Output = ()>,
) where
    S: Service<Request, Response = Response, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let (connections, closing) = (TaskTracker::new(), CancellationToken::new());
    let end = async {
        signal.await;
        draining.begin();
        tokio::time::sleep(shutdown.drain).await;
    };
    tokio::pin!(end);
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(BUFFER)
        .max_headers(MAX_FIELDS);
    let eviction = Arc::new(Eviction::new(max_connections));
    let held = Arc::new(Held::default());
    loop {
        let (stream, peer): (_, SocketAddr) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // The client has disconnected before it was accepted.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    // Too many open files: others have to end first.
                    tracing::error!(%error, "a connection cannot be accepted");
                    eviction.evict();
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut end => break,
        };
        let open = connections.len();
        eviction.counted(open);
        if open >= max_connections + max_connections / 8 {
            continue;
        }
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let local = stream.local_addr().ok().map(LocalAddr);
        let (service, draining) = (service.clone(), draining.clone());
        let progress = Arc::new(Progress::new(&held));
        let known = Arc::clone(&progress);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            known.begin();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            if let Some(local) = local {
                request.extensions_mut().insert(local);
            }
            // Called now, not when it is polled: that may never be.
            let answer = service.clone().call(request);
            let (draining, known) = (draining.clone(), Arc::clone(&known));
            async move {
                let mut answer = answer.await?;
                // What changes to another protocol names that one, and has no more heads.
                if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                    known.upgrade();
                } else {
                    known.end();
                    if draining.has_begun() {
                        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                    }
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let (http, fresh, closing) = (http.clone(), eviction.fresh(), closing.clone());
        connections.spawn(connection(stream, http, service, progress, fresh, closing));
    }
    drop(listener);
    // Connections that were accepted a moment ago have a first request on its way.
    tokio::time::sleep(LAST_ARRIVALS.min(shutdown.drain)).await;
    let open = connections.len();
    let background = &shutdown.background;
    let idle = async {
        closing.cancel();
        connections.close();
        connections.wait().await;
        background.close();
        background.wait().await;
    };
    if timeout(shutdown.timeout, idle).await.is_err() {
        tracing::warn!(
            connections = open,
            disconnected = background.len(),
            "shutdown timeout: requests are aborted"
        );
    }
}

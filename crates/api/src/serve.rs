//! Connections: HTTP/1.1, each served on its own task.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

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

/// Makes connections close when there are too many: of each kind the one that has waited longest.
#[derive(Debug)]
struct Eviction {
    max: usize,
    open: AtomicUsize,
    /// How many had no request yet.
    fresh: AtomicUsize,
    /// A permit is a connection that is to be closed; the first in the queue gets it.
    of_fresh: Semaphore,
    of_used: Semaphore,
}

/// A connection without a request, until it is dropped.
struct Fresh(Arc<Eviction>);

impl Drop for Fresh {
    fn drop(&mut self) {
        self.0.fresh.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Eviction {
    fn new(max: usize) -> Self {
        let (of_fresh, of_used) = (Semaphore::new(0), Semaphore::new(0));
        Self { max, open: AtomicUsize::new(0), fresh: AtomicUsize::new(0), of_fresh, of_used }
    }

    fn fresh(self: &Arc<Self>) -> Fresh {
        self.fresh.fetch_add(1, Ordering::Relaxed);
        Fresh(Arc::clone(self))
    }

    /// Closes one.
    fn evict(&self) {
        let has_fresh = self.fresh.load(Ordering::Relaxed) > 0;
        if has_fresh { self.of_fresh.add_permits(1) } else { self.of_used.add_permits(1) }
    }

    /// There are so many connections; with fewer than the maximum none is to be closed any more.
    fn counted(&self, open: usize) {
        self.open.store(open, Ordering::Relaxed);
        if open >= self.max {
            self.evict();
        } else {
            self.of_fresh.forget_permits(usize::MAX);
            self.of_used.forget_permits(usize::MAX);
        }
    }

    /// Whether there are so many connections that their order matters.
    fn is_near(&self) -> bool {
        self.open.load(Ordering::Relaxed) > self.max / 2
    }
}

/// Serves a connection until it ends: by itself, because there are too many, or at the shutdown.
/// `requests` is how many it had.
async fn connection<S>(
    stream: TcpStream,
    http: http1::Builder,
    service: S,
    requests: Arc<AtomicUsize>,
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
    let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut connection = Box::pin(connection);
    let (mut evicted, mut known) = (pin!(eviction.of_used.acquire()), 0);
    let ended = std::future::poll_fn(|context| {
        if let Poll::Ready(ended) = connection.as_mut().poll(context) {
            return Poll::Ready(Some(ended));
        }
        // One that is used is not the oldest any more.
        let count = requests.load(Ordering::Relaxed);
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
        let requests = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&requests);
        let service = service_fn(move |request: hyper::Request<Incoming>| {
            counted.fetch_add(1, Ordering::Relaxed);
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(ConnectInfo(peer));
            if let Some(local) = local {
                request.extensions_mut().insert(local);
            }
            // Called now, not when it is polled: that may never be.
            let answer = service.clone().call(request);
            let draining = draining.clone();
            async move {
                let mut answer = answer.await?;
                // What changes to another protocol names that one.
                if draining.has_begun() && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let (http, fresh, closing) = (http.clone(), eviction.fresh(), closing.clone());
        connections.spawn(connection(stream, http, service, requests, fresh, closing));
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

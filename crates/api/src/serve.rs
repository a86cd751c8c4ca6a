//! Connections: HTTP/1.1, each served on its own task.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use fastapi_compat::LocalAddr;
use http::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

/// Timeout for the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

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

/// Answers requests until `signal` is ready, drains, and returns once no request is under way, or
/// after the timeout.
///
/// The service is called without waiting until it is ready.
pub async fn serve<S>(
    listener: TcpListener,
    service: S,
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
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
    loop {
        let (stream, peer): (_, SocketAddr) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // The client has disconnected before it was accepted.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
                Err(error) => {
                    // Too many open files: others have to end first.
                    tracing::error!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = &mut end => break,
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY could not be set");
        }
        let local = stream.local_addr().ok().map(LocalAddr);
        let (service, draining) = (service.clone(), draining.clone());
        let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
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
                if draining.has_begun() {
                    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(answer)
            }
        });
        let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
        let closing = closing.clone();
        connections.spawn(async move {
            tokio::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = closing.cancelled() => {
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke");
            }
        });
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
    if tokio::time::timeout(shutdown.timeout, idle).await.is_err() {
        tracing::warn!(
            connections = open,
            disconnected = background.len(),
            "shutdown timeout: requests are aborted"
        );
    }
}

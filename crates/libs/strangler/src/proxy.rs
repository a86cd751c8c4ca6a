//! The reverse proxy to the old service: streams in both directions, over pooled connections.
//!
//! hyper-util's client does connections and HTTP/1.1; this adds the duties of an intermediary
//! (RFC 9110, 7.6 and RFC 7239).

use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{Request, StatusCode, Uri, Version};
use http_body::{Frame, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use pin_project_lite::pin_project;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

/// Headers that concern one connection only.
const HOP_BY_HOP: [HeaderName; 7] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    // hyper sends 100 Continue to the client when the body is read.
    header::EXPECT,
];

const FORWARDED: [HeaderName; 4] = [
    header::FORWARDED,
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-forwarded-host"),
    HeaderName::from_static("x-forwarded-proto"),
];

/// How long an idle connection is kept: shorter than uvicorn keeps it (5 s), so that it is never
/// closed while a request is on its way.
const IDLE: Duration = Duration::from_secs(3);

/// How often a safe request is retried when its pooled connection breaks.
const RETRIES: usize = 3;

/// Why there is no response of the old service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error("legacy cannot be reached: {0}")]
    Unreachable(hyper_util::client::legacy::Error),
    #[error("legacy timed out")]
    Timeout,
    #[error("too many requests in flight to legacy")]
    Overloaded,
    #[error("the request cannot be forwarded: {0}")]
    Request(#[from] http::Error),
}

impl IntoResponse for ProxyError {
    fn into_response(self) -> Response {
        let (status, detail) = match self {
            Self::Unreachable(_) => (StatusCode::BAD_GATEWAY, "Bad Gateway"),
            Self::Timeout => (StatusCode::GATEWAY_TIMEOUT, "Gateway Timeout"),
            Self::Overloaded => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
            Self::Request(_) => (StatusCode::BAD_REQUEST, "Bad Request"),
        };
        let body = format!(r#"{{"detail":"{detail}"}}"#);
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// Which peers' `X-Forwarded-*` headers are trusted.
pub type Trust = Arc<dyn Fn(IpAddr) -> bool + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Proxy {
    client: Client<HttpsConnector<HttpConnector>, Body>,
    scheme: Scheme,
    authority: Authority,
    timeout: Duration,
    in_flight: Arc<Semaphore>,
    trust: Trust,
}

impl Proxy {
    pub(crate) fn new(
        scheme: Scheme,
        authority: Authority,
        timeout: Duration,
        max_in_flight: usize,
        trust: Trust,
    ) -> Self {
        // An error means that one is installed already.
        _ = rustls::crypto::ring::default_provider().install_default();
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_connect_timeout(Some(timeout.min(Duration::from_secs(5))));
        http.enforce_http(false);
        let connector =
            HttpsConnectorBuilder::new().with_webpki_roots().https_or_http().enable_http1();
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .build(connector.wrap_connector(http));
        let in_flight = Arc::new(Semaphore::new(max_in_flight));
        Self { client, scheme, authority, timeout, in_flight, trust }
    }

    /// Forwards a request and returns the response as soon as its head is received. Both bodies
    /// stream; a client that disconnects cancels its request.
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response, ProxyError> {
        let permit =
            Arc::clone(&self.in_flight).try_acquire_owned().map_err(|_| ProxyError::Overloaded)?;
        let (mut parts, body) = request.into_parts();
        self.prepare(&mut parts)?;
        let progress = Arc::new(Progress::new());
        let again = (parts.method.is_safe() && http_body::Body::is_end_stream(&body))
            .then(|| parts.clone());
        let body = Body::new(Watched {
            inner: body,
            progress: Some(Arc::clone(&progress)),
            timeout: self.timeout,
            idle: None,
            permit: None,
        });
        let mut answer = self.wait(Request::from_parts(parts, body), &progress).await;
        // A pooled connection may have been closed meanwhile, and the next one as well: safe requests
        // are retried.
        for _ in 0..RETRIES {
            match (&answer, &again) {
                (Err(ProxyError::Unreachable(error)), Some(again)) if !error.is_connect() => {
                    let again = Request::from_parts(again.clone(), Body::empty());
                    answer = self.wait(again, &progress).await;
                }
                _ => break,
            }
        }
        let (mut parts, body) = answer?.into_parts();
        strip(&mut parts.headers);
        let idle = Some(tokio::time::sleep(self.timeout));
        let timeout = self.timeout;
        let body =
            Watched { inner: Body::new(body), progress: None, timeout, idle, permit: Some(permit) };
        Ok(Response::from_parts(parts, Body::new(body)))
    }

    /// Waits for the head of the response; the timeout starts anew with each chunk of the request's
    /// body.
    async fn wait(
        &self,
        mut request: Request<Body>,
        progress: &Progress,
    ) -> Result<Response<hyper::body::Incoming>, ProxyError> {
        let connection = capture_connection(&mut request);
        let answer = self.client.request(request);
        tokio::pin!(answer);
        loop {
            let left = self.timeout.saturating_sub(progress.idle());
            if left.is_zero() {
                return Err(ProxyError::Timeout);
            }
            if let Ok(answer) = tokio::time::timeout(left, &mut answer).await {
                let answer = answer.map_err(ProxyError::Unreachable)?;
                // uvicorn closes a connection after an error without announcing it.
                if answer.status().is_server_error()
                    && let Some(connection) = connection.connection_metadata().as_ref()
                {
                    connection.poison();
                }
                return Ok(answer);
            }
        }
    }

    fn prepare(&self, parts: &mut Parts) -> Result<(), http::Error> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.map(|peer| peer.to_canonical());
        let path = parts.uri.path_and_query().cloned();
        let uri = Uri::builder().scheme(self.scheme.clone()).authority(self.authority.clone());
        parts.uri = match path {
            Some(path) => uri.path_and_query(path).build()?,
            None => uri.path_and_query("/").build()?,
        };
        parts.version = Version::HTTP_11;
        let takes_trailers = parts.headers.get_all(header::TE).iter().any(|te| te == "trailers");
        strip(&mut parts.headers);
        if takes_trailers {
            parts.headers.insert(header::TE, HeaderValue::from_static("trailers"));
        }
        forward(&mut parts.headers, peer, peer.is_some_and(|peer| (self.trust)(peer)));
        // The extensions belong to this connection; hyper has its own.
        parts.extensions.clear();
        Ok(())
    }
}

/// Removes hop-by-hop headers, also those that `Connection` names.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Adds the client to `X-Forwarded-*` and `Forwarded`. Existing values are kept only if the peer is a
/// trusted proxy.
fn forward(headers: &mut HeaderMap, peer: Option<IpAddr>, trusted: bool) {
    if !trusted {
        for name in &FORWARDED {
            headers.remove(name);
        }
    }
    let [forwarded, for_, host, proto] = FORWARDED;
    let scheme = headers.get(&proto).and_then(|value| value.to_str().ok());
    let scheme = scheme.unwrap_or("http").to_owned();
    let requested =
        headers.get(header::HOST).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if let Some(peer) = peer {
        append(headers, for_, &peer.to_string());
        let node = if peer.is_ipv6() { format!("\"[{peer}]\"") } else { peer.to_string() };
        let host = requested.as_ref().filter(|host| !host.contains(['"', '\\']));
        let host = host.map(|host| format!(";host=\"{host}\"")).unwrap_or_default();
        append(headers, forwarded, &format!("for={node}{host};proto={scheme}"));
    }
    for (name, value) in [(proto, Some(scheme)), (host, requested)] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.entry(name).or_insert(value);
        }
    }
}

/// Appends to a header that is a list.
fn append(headers: &mut HeaderMap, name: HeaderName, item: &str) {
    let before = headers.get_all(&name).iter().filter_map(|value| value.to_str().ok());
    let list: Vec<_> = before.chain([item]).collect();
    if let Ok(value) = HeaderValue::from_str(&list.join(", ")) {
        headers.insert(name, value);
    }
}

/// When a body last made progress.
#[derive(Debug)]
struct Progress {
    start: Instant,
    moved: AtomicU64,
}

impl Progress {
    fn new() -> Self {
        Self { start: Instant::now(), moved: AtomicU64::new(0) }
    }

    fn record(&self) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(millis, Ordering::Relaxed);
    }

    fn idle(&self) -> Duration {
        self.start
            .elapsed()
            .saturating_sub(Duration::from_millis(self.moved.load(Ordering::Relaxed)))
    }
}

pin_project! {
    /// A body that records its progress, has an idle timeout, and holds a permit until it has ended.
    struct Watched {
        #[pin]
        inner: Body,
        progress: Option<Arc<Progress>>,
        timeout: Duration,
        // The idle timeout; none if it is enforced elsewhere.
        #[pin]
        idle: Option<Sleep>,
        permit: Option<OwnedSemaphorePermit>,
    }
}

impl http_body::Body for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let mut this = self.project();
        let Poll::Ready(frame) = this.inner.poll_frame(context) else {
            let expired = this.idle.as_mut().as_pin_mut().map(|idle| idle.poll(context));
            return match expired {
                Some(Poll::Ready(())) => {
                    Poll::Ready(Some(Err(axum::Error::new(ProxyError::Timeout))))
                }
                _ => Poll::Pending,
            };
        };
        if let Some(idle) = this.idle.as_mut().as_pin_mut() {
            idle.reset(tokio::time::Instant::now() + *this.timeout);
        }
        if let Some(progress) = this.progress {
            progress.record();
        }
        if frame.is_none() {
            this.permit.take();
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn hop_by_hop_headers_are_removed() {
        let mut all = headers(&[
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "timeout=5"),
            ("x-other", "2"),
        ]);
        strip(&mut all);
        assert_eq!(all, headers(&[("x-other", "2")]));
    }

    #[test]
    fn only_trusted_peers_set_forwarded_headers() {
        let mut all = headers(&[
            ("host", "a.b"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-proto", "https"),
        ]);
        let mut trusted = all.clone();
        forward(&mut all, Some([1, 2, 3, 4].into()), false);
        assert_eq!(all["x-forwarded-for"], "1.2.3.4");
        assert_eq!(all["x-forwarded-proto"], "http");
        assert_eq!(all["forwarded"], "for=1.2.3.4;host=\"a.b\";proto=http");
        forward(&mut trusted, Some([1, 2, 3, 4].into()), true);
        assert_eq!(trusted["x-forwarded-for"], "10.0.0.1, 1.2.3.4");
        assert_eq!(trusted["x-forwarded-proto"], "https");
    }
}

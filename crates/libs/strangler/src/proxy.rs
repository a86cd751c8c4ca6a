//! The reverse proxy to the old service: streams in both directions, over pooled connections.
//!
//! hyper-util's client does connections and HTTP/1.1.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::response::Response;
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{Request, StatusCode, Uri};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::{HttpConnector, capture_connection};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::body::{Pace, Progress, Upload, download};
use crate::causes::causes;
use crate::connect::{Connector, Traffic};
use crate::events::{Event, Events};
use crate::proxy_error::ProxyError;
use crate::settings::{InProcess, Settings, StartError};
use crate::trust::Trust;
use crate::tunnel::Limit;
use crate::{headers, tls, tunnel};

/// The most header fields of a response.
const MAX_FIELDS: usize = 500;
/// The longest text that is read for the strangler itself.
const MAX_TEXT: usize = 4 * 1024 * 1024;

/// What a proxy allows, and whom it trusts.
#[derive(Clone)]
pub(crate) struct Limits {
    /// The longest silence of either side.
    pub(crate) timeout: Duration,
    /// How long an idle connection is kept.
    pub(crate) idle: Duration,
    /// The lowest rate of uploads, in bytes a second.
    pub(crate) upload_rate: u64,
    /// The lowest rate of downloads, in bytes a second.
    pub(crate) download_rate: u64,
    /// How long a tunnel may be silent.
    pub(crate) tunnel_idle: Duration,
    /// Whether a safe request is sent again when the kept connection turns out to be closed.
    pub(crate) retry: bool,
    pub(crate) max_in_flight: usize,
    pub(crate) trust: Trust,
}

#[derive(Clone)]
pub(crate) struct Proxy {
    client: Client<tls::Outer, Body>,
    in_process: Option<InProcess>,
    scheme: Scheme,
    authority: Authority,
    limits: Limits,
    in_flight: Arc<Semaphore>,
    tunnels: Arc<Semaphore>,
    events: Arc<Events>,
    /// Where tunnels run.
    background: TaskTracker,
}

impl Proxy {
    pub(crate) fn new(
        scheme: Scheme,
        authority: Authority,
        settings: &Settings,
        limits: Limits,
        events: Arc<Events>,
    ) -> Result<Self, StartError> {
        let mut http = HttpConnector::new();
        http.set_nodelay(true);
        http.set_connect_timeout(Some(limits.timeout.min(Duration::from_secs(5))));
        http.enforce_http(false);
        let connector = tls::around(Connector(http), settings)?;
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(limits.idle)
            .pool_timer(TokioTimer::new())
            .timer(TokioTimer::new())
            .http1_max_headers(MAX_FIELDS)
            // A proxy removes it (RFC 9112, 5.1 and 5.2).
            .http1_allow_spaces_after_header_name_in_responses(true)
            .http1_allow_obsolete_multiline_headers_in_responses(true)
            .build(connector);
        let semaphore = || Arc::new(Semaphore::new(limits.max_in_flight));
        let (in_flight, tunnels) = (semaphore(), semaphore());
        let background = settings.background.clone();
        let in_process = settings.in_process.clone();
        Ok(Self {
            client,
            in_process,
            scheme,
            authority,
            limits,
            in_flight,
            tunnels,
            events,
            background,
        })
    }

    /// The requests at the old service, and the connections that have changed to another protocol.
    #[cfg(feature = "metrics")]
    pub(crate) fn in_flight(&self) -> (usize, usize) {
        let max = self.limits.max_in_flight;
        let used = |permits: &Semaphore| max.saturating_sub(permits.available_permits());
        (used(&self.in_flight), used(&self.tunnels))
    }

    /// The text at a URL, in time and of at most [`MAX_TEXT`] bytes; or why there is none.
    pub(crate) async fn read(&self, uri: &Uri) -> Result<String, String> {
        let request = Request::get(uri.clone()).body(Body::empty());
        let request = request.map_err(|error| error.to_string())?;
        let reading = async {
            let response = self.client.request(request).await.map_err(|error| causes(&error))?;
            if response.status() != StatusCode::OK {
                return Err(response.status().to_string());
            }
            let body = Limited::new(response.into_body(), MAX_TEXT).collect().await;
            let body = body.map_err(|error| causes(&*error))?.to_bytes();
            Ok(String::from_utf8_lossy(&body).into_owned())
        };
        let late = |_| "no answer in time".to_owned();
        tokio::time::timeout(self.limits.timeout, reading).await.map_err(late)?
    }

    /// Forwards a request and counts what becomes of it.
    pub(crate) async fn send(&self, request: Request<Body>) -> Result<Response, ProxyError> {
        let response = match &self.in_process {
            Some(call) => self.call(call, request).await,
            None => self.forward(request).await,
        };
        if let Some(event) = response.as_ref().err().and_then(ProxyError::event) {
            self.events.count(event);
        }
        response
    }

    /// Passes a request to the old service in this process, whose response needs no translation.
    async fn call(&self, call: &InProcess, request: Request<Body>) -> Result<Response, ProxyError> {
        let _permit = self.in_flight.try_acquire().map_err(|_| ProxyError::Overloaded)?;
        match tokio::time::timeout(self.limits.timeout, call(request)).await {
            Ok(response) => response.map_err(ProxyError::InProcess),
            Err(_) => Err(ProxyError::Timeout),
        }
    }

    /// Forwards a request and returns the response as soon as its head is received. Both bodies
    /// stream; a client that disconnects cancels its request. After a change of the protocol, bytes
    /// pass both ways.
    async fn forward(&self, mut request: Request<Body>) -> Result<Response, ProxyError> {
        let asks_for_tunnel = headers::upgrade(request.headers()).is_some();
        let tunnel = tunnel::Client::of(&mut request);
        let permits = if tunnel.is_some() { &self.tunnels } else { &self.in_flight };
        let permit = Arc::clone(permits).try_acquire_owned().map_err(|_| ProxyError::Overloaded)?;
        let (mut parts, body) = request.into_parts();
        self.prepare(&mut parts, tunnel.is_some())?;
        let method = parts.method.clone();
        let is_repeatable =
            self.limits.retry && method.is_safe() && http_body::Body::is_end_stream(&body);
        let again = is_repeatable.then(|| parts.clone());
        let progress = Arc::new(Progress::new());
        let body = Body::new(Upload { inner: body, progress: Arc::clone(&progress) });
        let mut answer = self.wait(Request::from_parts(parts, body), &progress).await;
        if let (Err(ProxyError::Closed(_)), Some(again)) = (&answer, again) {
            self.events.count(Event::Retry);
            answer = self.wait(Request::from_parts(again, Body::empty()), &progress).await;
        }
        let mut answer = answer?;
        if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
            let Some(tunnel) = tunnel else {
                return Err(ProxyError::Response(
                    "a change of the protocol that was not asked for",
                ));
            };
            let upgrade = hyper::upgrade::on(&mut answer);
            let (mut parts, _) = answer.into_parts();
            headers::prepare_response(&mut parts, &method)?;
            let (idle, events) = (self.limits.tunnel_idle, Arc::clone(&self.events));
            tunnel.connect(upgrade, Limit { idle, permit, events }, &self.background);
            self.events.count(Event::Upgrade);
            return Ok(Response::from_parts(parts, Body::empty()));
        }
        if asks_for_tunnel {
            self.events.count(Event::UpgradeRefused);
        }
        let (mut parts, body) = answer.into_parts();
        headers::prepare_response(&mut parts, &method)?;
        let pace = Pace { timeout: self.limits.timeout, rate: self.limits.download_rate };
        let body = download(body, pace, permit, Arc::clone(&self.events));
        Ok(Response::from_parts(parts, body))
    }

    /// Waits for the head of the response; the timeout starts anew with each chunk of the request's
    /// body.
    async fn wait(
        &self,
        mut request: Request<Body>,
        progress: &Progress,
    ) -> Result<Response<Incoming>, ProxyError> {
        let connection = capture_connection(&mut request);
        let answer = self.client.request(request);
        tokio::pin!(answer);
        loop {
            let timeout = self.limits.timeout;
            let left = timeout.saturating_sub(progress.idle());
            let upload = progress.left(timeout, self.limits.upload_rate);
            let left = upload.map_or(left, |upload| upload.min(left));
            if left.is_zero() {
                let is_client = progress.is_waiting();
                return Err(if is_client { ProxyError::SlowClient } else { ProxyError::Timeout });
            }
            let Ok(answer) = tokio::time::timeout(left, &mut answer).await else { continue };
            let traffic = Traffic::of(&connection);
            let answer = answer.map_err(|error| {
                let was_closed = traffic.as_ref().is_some_and(Traffic::may_have_been_closed);
                if progress.has_failed() {
                    ProxyError::Request("its body")
                } else if was_closed {
                    ProxyError::Closed(error)
                } else {
                    ProxyError::Unreachable(error)
                }
            })?;
            if let Some(traffic) = traffic {
                traffic.responded();
            }
            // uvicorn closes a connection after an error without announcing it.
            let closes_soon = headers::keep_alive(answer.headers())
                .is_some_and(|kept| Duration::from_secs(kept) <= self.limits.idle);
            if (answer.status().is_server_error() || closes_soon)
                && let Some(connection) = connection.connection_metadata().as_ref()
            {
                connection.poison();
            }
            return Ok(answer);
        }
    }

    fn prepare(&self, parts: &mut Parts, may_upgrade: bool) -> Result<(), ProxyError> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let peer = peer.map(|peer| peer.to_canonical());
        let is_trusted = peer.is_some_and(|peer| (self.limits.trust)(peer));
        headers::prepare_request(parts, peer, is_trusted, may_upgrade)?;
        parts.uri = headers::at(&parts.uri, &self.scheme, &self.authority)
            .map_err(|_| ProxyError::Request("its target"))?;
        // The extensions belong to this connection; hyper has its own.
        parts.extensions.clear();
        Ok(())
    }
}

//! What uvicorn does before any application sees a request.

use std::net::SocketAddr;

use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};

/// Methods that uvicorn's HTTP parser knows beyond those that have names in `http`.
const OTHER_METHODS: [&str; 26] = [
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "SEARCH",
    "UNLOCK",
    "BIND",
    "REBIND",
    "UNBIND",
    "ACL",
    "REPORT",
    "MKACTIVITY",
    "CHECKOUT",
    "MERGE",
    "M-SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PURGE",
    "MKCALENDAR",
    "LINK",
    "UNLINK",
    "SOURCE",
    "QUERY",
];

/// Set on requests that came to a trusted proxy over HTTPS.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Https;

/// The proxies whose `X-Forwarded-Proto` is believed, as uvicorn's `--forwarded-allow-ips` has it:
/// addresses, or `*` for all.
#[derive(Debug)]
pub(crate) struct TrustedProxies(Box<[String]>);

impl TrustedProxies {
    pub(crate) fn new(addresses: impl IntoIterator<Item = String>) -> Self {
        Self(addresses.into_iter().collect())
    }

    /// Marks a request that came to a trusted proxy over HTTPS.
    pub(crate) fn mark(&self, request: &mut Request) {
        if let Some(scheme) = request.headers().get("x-forwarded-proto")
            && scheme.as_bytes().trim_ascii() == b"https"
            && let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>()
            && self.trusts(*peer)
        {
            request.extensions_mut().insert(Https);
        }
    }

    fn trusts(&self, peer: SocketAddr) -> bool {
        let peer = peer.ip().to_canonical().to_string();
        self.0.iter().any(|trusted| trusted == "*" || *trusted == peer)
    }
}

pub(crate) fn is_known(method: &Method) -> bool {
    use Method as M;

    [M::GET, M::HEAD, M::POST, M::PUT, M::DELETE, M::PATCH, M::OPTIONS, M::TRACE, M::CONNECT]
        .contains(method)
        || OTHER_METHODS.contains(&method.as_str())
}

/// uvicorn's answer to what is not HTTP.
pub(crate) fn invalid_request() -> Response {
    let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
    (StatusCode::BAD_REQUEST, close, "Invalid HTTP request received.").into_response()
}

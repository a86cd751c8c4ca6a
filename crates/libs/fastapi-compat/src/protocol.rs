//! What uvicorn does before any application sees a request.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

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
#[derive(Clone, Debug)]
pub struct TrustedProxies(Arc<[String]>);

impl TrustedProxies {
    pub fn new(addresses: impl IntoIterator<Item = String>) -> Self {
        Self(addresses.into_iter().collect())
    }

    /// Marks a request that came to a trusted proxy over HTTPS.
    pub(crate) fn mark(&self, request: &mut Request) {
        if let Some(scheme) = request.headers().get("x-forwarded-proto")
            && scheme.as_bytes().trim_ascii() == b"https"
            && let Some(ConnectInfo(peer)) = request.extensions().get::<ConnectInfo<SocketAddr>>()
            && self.trusts(peer.ip())
        {
            request.extensions_mut().insert(Https);
        }
    }

    pub fn trusts(&self, peer: IpAddr) -> bool {
        let peer = peer.to_canonical().to_string();
        self.0.iter().any(|trusted| trusted == "*" || *trusted == peer)
    }

    /// Whose request it is: the last address of `X-Forwarded-For` that is not a trusted proxy's, if
    /// the peer is one, else the peer.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.trusts(peer) {
            return peer;
        }
        let all = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let hops: Vec<IpAddr> = all
            .flat_map(|value| value.split(','))
            .filter_map(|hop| hop.trim().parse().ok())
            .collect();
        let first_of_all = hops.first().copied();
        hops.into_iter().rev().find(|hop| !self.trusts(*hop)).or(first_of_all).unwrap_or(peer)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_say_who_the_client_is() {
        let client = |trusted: &str, peer: &str, forwarded: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("x-forwarded-for", HeaderValue::from_str(forwarded).unwrap());
            let proxies = TrustedProxies::new(trusted.split(',').map(str::to_owned));
            proxies.client(peer.parse().unwrap(), &headers).to_string()
        };
        assert_eq!(client("127.0.0.1", "10.0.0.9", "1.2.3.4"), "10.0.0.9");
        assert_eq!(client("127.0.0.1", "127.0.0.1", "6.6.6.6, 1.2.3.4"), "1.2.3.4");
        assert_eq!(client("127.0.0.1,10.0.0.9", "127.0.0.1", "1.2.3.4, 10.0.0.9"), "1.2.3.4");
        assert_eq!(client("*", "127.0.0.1", "1.2.3.4, 5.6.7.8"), "1.2.3.4");
        assert_eq!(client("127.0.0.1", "127.0.0.1", "unknown"), "127.0.0.1");
    }
}

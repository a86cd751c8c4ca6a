//! The duties of an intermediary for heads (RFC 9110, 7.6, RFC 9112 and RFC 7239).

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::uri::{Authority, Scheme};
use http::{Method, StatusCode, Uri, Version, response};

use crate::proxy_error::ProxyError;
use crate::trust::Trust;

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

/// Headers that stay although `Connection` names them: without them a request would be another one.
const KEPT: [HeaderName; 6] = [
    header::HOST,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::CONTENT_ENCODING,
    header::AUTHORIZATION,
    header::COOKIE,
];

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// Makes a client's request one to the old service, except for its URI.
///
/// # Errors
/// When an HTTP/1.1 server has to refuse it.
pub(crate) fn prepare_request(
    parts: &mut Parts,
    peer: Option<IpAddr>,
    is_trusted: bool,
    may_upgrade: bool,
) -> Result<(), ProxyError> {
    check(parts)?;
    let headers = &mut parts.headers;
    // The authority of a target in absolute form counts, whatever the header says.
    if let Some(authority) = parts.uri.authority() {
        let host = HeaderValue::from_str(authority.as_str()).ok().filter(is_host);
        let host: Result<_, ProxyError> = host.ok_or(ProxyError::Request("its target"));
        headers.insert(header::HOST, host?);
    }
    let is_chunked = headers.contains_key(header::TRANSFER_ENCODING);
    let takes_trailers = tokens(headers, &header::TE).any(|te| te == "trailers");
    let may_upgrade = may_upgrade && parts.version == Version::HTTP_11;
    let upgrade = upgrade(headers).filter(|_| may_upgrade).cloned();
    strip(headers);
    let mut connection = Vec::new();
    if takes_trailers {
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
        connection.push("te");
    }
    if let Some(protocol) = upgrade {
        headers.insert(header::UPGRADE, protocol);
        connection.push("upgrade");
    }
    if let Ok(connection) = HeaderValue::from_str(&connection.join(", "))
        && !connection.is_empty()
    {
        headers.insert(header::CONNECTION, connection);
    }
    if is_chunked {
        // Without it hyper takes a GET for one without a body.
        headers.insert(header::TRANSFER_ENCODING, HeaderValue::from_static("chunked"));
    }
    // HTTP/2 may have a header for each cookie (RFC 9113, 8.2.3).
    let cookies: Vec<_> =
        headers.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if parts.version == Version::HTTP_2
        && cookies.len() > 1
        && let Ok(cookies) = HeaderValue::from_bytes(&cookies.join(&b"; "[..]))
    {
        headers.insert(header::COOKIE, cookies);
    }
    forward(headers, peer, is_trusted);
    parts.version = Version::HTTP_11;
    Ok(())
}

fn check(parts: &Parts) -> Result<(), ProxyError> {
    if parts.method == Method::CONNECT {
        return Err(ProxyError::Connect);
    }
    // Others are for proxies of clients.
    if parts.uri.scheme().is_some_and(|scheme| *scheme != Scheme::HTTP && *scheme != Scheme::HTTPS)
    {
        return Err(ProxyError::Request("its target"));
    }
    let is_path = |path: &str| path.starts_with('/') || path == "*";
    if !parts.uri.path_and_query().is_some_and(|target| is_path(target.as_str())) {
        return Err(ProxyError::Request("its target"));
    }
    let mut hosts = parts.headers.get_all(header::HOST).iter();
    let is_required = parts.version == Version::HTTP_11 && parts.uri.authority().is_none();
    match (hosts.next(), hosts.next()) {
        (None, _) if is_required => return Err(ProxyError::Request("no Host")),
        (_, Some(_)) => return Err(ProxyError::Request("several Host headers")),
        (Some(host), None) if !is_host(host) => return Err(ProxyError::Request("its Host")),
        _ => {}
    }
    let mut encodings = tokens(&parts.headers, &header::TRANSFER_ENCODING);
    match (encodings.next().as_deref(), encodings.next()) {
        (None | Some("chunked"), None) => Ok(()),
        _ => Err(ProxyError::TransferEncoding),
    }
}

/// Whether it is a name or an address, with or without a port (RFC 9110, 7.2).
fn is_host(host: &HeaderValue) -> bool {
    let is_authority = |host: &str| {
        let port = host.rsplit_once(':').map(|(_, port)| port).filter(|port| !port.contains(']'));
        let is_port = |port: &str| {
            port.bytes().all(|byte| byte.is_ascii_digit())
                && (port.is_empty() || port.parse::<u16>().is_ok())
        };
        Authority::try_from(host).is_ok() && !host.contains('@') && port.is_none_or(is_port)
    };
    host.is_empty() || host.to_str().is_ok_and(is_authority)
}

/// The protocol that a message changes to; not HTTP/2, in which requests would pass unseen.
pub(crate) fn upgrade(headers: &HeaderMap) -> Option<&HeaderValue> {
    let asks = tokens(headers, &header::CONNECTION).any(|token| token == "upgrade");
    let is_http2 = tokens(headers, &header::UPGRADE).any(|protocol| protocol == "h2c");
    headers.get(header::UPGRADE).filter(|_| asks && !is_http2)
}

/// The elements of a header that is a list, in lower case.
fn tokens(headers: &HeaderMap, name: &HeaderName) -> impl Iterator<Item = String> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let elements = values.flat_map(|value| value.split(','));
    elements.map(|token| token.trim().to_ascii_lowercase()).filter(|token| !token.is_empty())
}

/// Makes a response of the old service one to the client.
///
/// # Errors
/// When its body is coded in a way that the client would not see.
pub(crate) fn prepare_response(
    parts: &mut response::Parts,
    request: &Method,
) -> Result<(), ProxyError> {
    let headers = &mut parts.headers;
    let is_coded = headers.contains_key(header::TRANSFER_ENCODING);
    if is_coded && !tokens(headers, &header::TRANSFER_ENCODING).eq(["chunked"]) {
        return Err(ProxyError::Response("its Transfer-Encoding"));
    }
    // What it changes to, or would rather speak.
    let changes = parts.status == StatusCode::SWITCHING_PROTOCOLS;
    let protocol =
        upgrade(headers).filter(|_| changes || parts.status == StatusCode::UPGRADE_REQUIRED);
    let protocol = protocol.cloned();
    if changes && protocol.is_none() {
        return Err(ProxyError::Response("a change to no protocol"));
    }
    strip(headers);
    // Several that are equal are one (RFC 9110, 8.6).
    let length = tokens(headers, &header::CONTENT_LENGTH).next();
    if let Some(length) = length.and_then(|length| HeaderValue::from_str(&length).ok()) {
        headers.insert(header::CONTENT_LENGTH, length);
    }
    if let Some(protocol) = protocol {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol);
    }
    // With both, the length is not that of the body (RFC 9112, 6.3).
    let has_body = *request != Method::HEAD && parts.status != StatusCode::NOT_MODIFIED;
    if is_coded && has_body {
        headers.remove(header::CONTENT_LENGTH);
    }
    parts.version = Version::HTTP_11;
    Ok(())
}

/// The seconds for which the old service keeps the connection, if it says so.
pub(crate) fn keep_alive(headers: &HeaderMap) -> Option<u64> {
    let name = HeaderName::from_static("keep-alive");
    tokens(headers, &name).find_map(|token| token.strip_prefix("timeout=")?.trim().parse().ok())
}

/// Removes hop-by-hop headers, also those that `Connection` names.
fn strip(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = tokens(headers, &header::CONNECTION)
        .filter_map(|name| name.parse().ok())
        .filter(|name| !KEPT.contains(name) && !is_forwarding(name))
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// Whether a header names the client or the way to it. Old services read some with `_` for `-`.
fn is_forwarding(name: &HeaderName) -> bool {
    let name = name.as_str().replace('_', "-");
    name.starts_with("x-forwarded")
        || ["forwarded", "x-real-ip", "x-client-ip", "x-cluster-client-ip", "true-client-ip"]
            .contains(&&*name)
}

/// Adds the client to `X-Forwarded-*` and `Forwarded`. Existing values are kept only if the peer is a
/// trusted proxy.
fn forward(headers: &mut HeaderMap, peer: Option<IpAddr>, is_trusted: bool) {
    if !is_trusted {
        let untrusted: Vec<_> =
            headers.keys().filter(|name| is_forwarding(name)).cloned().collect();
        for name in untrusted {
            headers.remove(name);
        }
    }
    let scheme = headers.get(&FORWARDED_PROTO).and_then(|value| value.to_str().ok());
    let scheme = scheme.unwrap_or("http").to_owned();
    let requested =
        headers.get(header::HOST).and_then(|value| value.to_str().ok()).map(str::to_owned);
    if let Some(peer) = peer {
        append(headers, FORWARDED_FOR, &peer.to_string());
        let node = if peer.is_ipv6() { format!("\"[{peer}]\"") } else { peer.to_string() };
        let host = requested.as_ref().filter(|host| !host.contains(['"', '\\']));
        let host = host.map(|host| format!(";host=\"{host}\"")).unwrap_or_default();
        append(headers, header::FORWARDED, &format!("for={node}{host};proto={scheme}"));
    }
    for (name, value) in [(FORWARDED_PROTO, Some(scheme)), (FORWARDED_HOST, requested)] {
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

/// The client's address: the first hop from the right that is not a trusted proxy.
pub(crate) fn client(headers: &HeaderMap, peer: IpAddr, trust: &Trust) -> IpAddr {
    let hops: Vec<_> = tokens(headers, &FORWARDED_FOR).collect();
    let mut client = peer;
    for hop in hops.iter().rev() {
        if !trust(client) {
            break;
        }
        let Some(address) = address(hop) else { break };
        client = address;
    }
    client
}

/// An address, with or without a port.
fn address(hop: &str) -> Option<IpAddr> {
    let with_port = || hop.parse::<std::net::SocketAddr>().ok().map(|address| address.ip());
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}

/// The URI at the old service: its scheme and authority, and the target as the client wrote it.
pub(crate) fn at(target: &Uri, scheme: &Scheme, authority: &Authority) -> Result<Uri, http::Error> {
    let uri = Uri::builder().scheme(scheme.clone()).authority(authority.clone());
    match target.path_and_query() {
        Some(target) => uri.path_and_query(target.clone()).build(),
        None => uri.path_and_query("/").build(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn hop_by_hop_headers_are_removed_and_no_others() {
        let mut all = headers(&[
            ("connection", "close, X-Mine, Host, authorization, x-forwarded-for"),
            ("host", "a.b"),
            ("authorization", "x"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-mine", "1"),
            ("transfer-encoding", "chunked"),
            ("keep-alive", "timeout=5"),
            ("x-other", "2"),
        ]);
        assert_eq!(keep_alive(&all), Some(5));
        strip(&mut all);
        let left = [
            ("host", "a.b"),
            ("authorization", "x"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-other", "2"),
        ];
        assert_eq!(all, headers(&left));
    }

    #[test]
    fn only_trusted_peers_set_forwarded_headers() {
        let mut all = headers(&[
            ("host", "a.b"),
            ("x-forwarded-for", "10.0.0.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-prefix", "/p"),
            ("x-real-ip", "9.9.9.9"),
            ("x_forwarded_port", "1"),
        ]);
        let mut trusted = all.clone();
        forward(&mut all, Some([1, 2, 3, 4].into()), false);
        assert_eq!(all["x-forwarded-for"], "1.2.3.4");
        assert_eq!(all["x-forwarded-proto"], "http");
        assert_eq!(all["forwarded"], "for=1.2.3.4;host=\"a.b\";proto=http");
        for removed in ["x-forwarded-prefix", "x-real-ip", "x_forwarded_port"] {
            assert!(!all.contains_key(removed), "{removed}");
        }
        forward(&mut trusted, Some([1, 2, 3, 4].into()), true);
        assert_eq!(trusted["x-forwarded-for"], "10.0.0.1, 1.2.3.4");
        assert_eq!(trusted["x-forwarded-proto"], "https");
        assert_eq!(trusted["x-forwarded-prefix"], "/p");
    }

    #[test]
    fn the_client_is_the_first_hop_from_the_right_that_is_not_trusted() {
        let trust: Trust = Arc::new(|address| address.to_string().starts_with("10."));
        let peer = IpAddr::from([10, 0, 0, 1]);
        for (hops, expected) in [
            ("", "10.0.0.1"),
            ("1.1.1.1", "1.1.1.1"),
            ("6.6.6.6, 1.1.1.1", "1.1.1.1"),
            ("1.1.1.1, 10.0.0.2", "1.1.1.1"),
            ("1.1.1.1:80, 10.0.0.2", "1.1.1.1"),
            ("[2001:db8::1]:80", "2001:db8::1"),
            ("6.6.6.6, x, 10.0.0.2", "10.0.0.2"),
        ] {
            let mut all = HeaderMap::new();
            all.insert(FORWARDED_FOR, HeaderValue::from_static(hops));
            assert_eq!(client(&all, peer, &trust).to_string(), expected, "{hops}");
        }
    }
}

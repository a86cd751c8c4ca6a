//! What the fuzz targets call (`crates/libs/fastapi-compat/fuzz`): what must hold for any head, and for any
//! SMTP session.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header,
};

use crate::client::ClientKey;
use crate::headers::{client, keep_alive, prepare_request, prepare_response};
#[cfg(feature = "mail-relay")]
use crate::mails::replayed;
use crate::may_differ;
use crate::operations::{Operation, Operations};
use crate::plan::Plan;
use crate::redact;
use crate::trust::Trust;

/// hyper takes no more; and checks of `HeaderMap` in debug builds take the square of their number.
const MAX_FIELDS: usize = 100;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A head passes or is refused, as a request's and as a response's. What passes has nothing that concerns
/// one connection only, and says nothing of the client that an untrusted one made up.
pub fn heads(bytes: &[u8]) {
    let mut lines = bytes.split(|byte| *byte == b'\n');
    let mut start = lines.next().unwrap_or_default().split(|byte| *byte == b' ');
    let method = Method::from_bytes(start.next().unwrap_or_default()).unwrap_or_default();
    let Ok(uri) = Uri::try_from(start.next().unwrap_or(b"/")) else { return };
    let mut headers = HeaderMap::new();
    for line in lines.take(MAX_FIELDS) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let name = HeaderName::from_bytes(parts.next().unwrap_or_default());
        let value = HeaderValue::from_bytes(parts.next().unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            _ = headers.try_append(name, value);
        }
    }
    let trusts: Trust = Arc::new(|address| address.is_loopback());
    let _ = (client(&headers, PEER, &trusts), keep_alive(&headers));

    for (is_trusted, may_upgrade) in [(false, false), (false, true), (true, true)] {
        let (mut parts, ()) = Request::new(()).into_parts();
        (parts.method, parts.uri) = (method.clone(), uri.clone());
        parts.headers = headers.clone();
        if prepare_request(&mut parts, Some(PEER), is_trusted, may_upgrade).is_ok() {
            concerns_all_connections(&parts.headers, &["te", "upgrade", "te, upgrade"]);
            assert!(parts.headers.get_all(header::HOST).iter().count() <= 1);
            let forwarded = parts.headers.get_all("x-forwarded-for").iter();
            let named: Vec<_> = forwarded.map(HeaderValue::as_bytes).collect();
            assert!(is_trusted || named == [&b"127.0.0.1"[..]], "{named:?}");
        }
    }
    for status in [StatusCode::OK, StatusCode::NOT_MODIFIED, StatusCode::SWITCHING_PROTOCOLS] {
        let (mut parts, ()) = Response::new(()).into_parts();
        (parts.status, parts.headers) = (status, headers.clone());
        if prepare_response(&mut parts, &method).is_ok() {
            concerns_all_connections(&parts.headers, &["upgrade"]);
        }
    }
}

/// Apart from these values of `Connection`.
fn concerns_all_connections(headers: &HeaderMap, allowed: &[&str]) {
    for connection in headers.get_all(header::CONNECTION) {
        assert!(allowed.iter().any(|allowed| connection == allowed), "{connection:?}");
    }
    for name in ["keep-alive", "proxy-connection"] {
        assert!(!headers.contains_key(name), "{name}");
    }
    let mut encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
    assert!(encodings.all(|encoding| encoding == "chunked"));
}

/// However a session arrives, the same e-mails are seen in it, and no more than there are bytes. A line
/// that begins with `>` is the server's, every other one the client's.
#[cfg(feature = "mail-relay")]
pub fn smtp(bytes: &[u8]) {
    let whole = replayed(bytes, usize::MAX);
    let given: usize = whole.iter().map(|(_, text)| text.len()).sum();
    assert!(given <= 2 * bytes.len(), "{given} bytes of text in {}", bytes.len());
    for size in [1, 3] {
        assert_eq!(replayed(bytes, size), whole, "in pieces of {size}");
    }
}

/// A plan is read or refused, and written as it is read; so are the keys of clients and the paths at which
/// answers may differ.
pub fn plans(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let operations = Operations::new([
        Operation::new("items-read_items", "GET", "/items/"),
        Operation::new("items-create_item", "POST", "/items/"),
    ]);
    if let Ok(plan) = Plan::parse(&text, &operations) {
        let written = plan.text();
        let again = Plan::parse(&written, &operations).map(|again| again.text());
        assert_eq!(again.ok().as_deref(), Some(written.as_str()));
    }
    _ = text.parse::<ClientKey>();
    let pattern = may_differ::pattern(&text);
    assert_eq!(may_differ::pattern(&pattern), pattern);
    _ = may_differ::is_pattern(&text);
    // What a difference shows is no longer. On more the regex crate takes a slower engine, of several times
    // the time, which would be taken for more than in proportion.
    let shown: String = text.chars().take(200).collect();
    _ = redact::text(&shown);
}

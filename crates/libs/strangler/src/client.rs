//! Identifies clients, so that the same client always gets the same service.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::{HeaderMap, Request};
use serde::Deserialize;
use siphasher::sip::SipHasher13;

use crate::headers;
use crate::proxy::Trust;

/// What tells clients apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKey {
    /// The value of a header, such as an API key.
    Header(HeaderName),
    /// The value of a cookie, such as a session's.
    Cookie(String),
}

impl ClientKey {
    fn value<'a>(&self, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        match self {
            Self::Header(name) => headers.get(name).map(http::HeaderValue::as_bytes),
            Self::Cookie(name) => {
                let cookies =
                    headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
                let mut pairs = cookies.flat_map(|value| value.split(';'));
                pairs
                    .find_map(|pair| pair.trim().strip_prefix(&**name)?.strip_prefix('='))
                    .map(str::as_bytes)
            }
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// The subject of a bearer token. The token is not verified here: a forged one chooses the service
/// that refuses it.
fn subject(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.sub)
}

/// The percentile of a client, 0 to 99: a hash of the subject of its token, else of its key, else of
/// its address. SipHash-1-3 with zeros as its keys: the same in every process and build.
pub(crate) fn percentile<B>(request: &Request<B>, key: Option<&ClientKey>, trust: &Trust) -> u8 {
    let headers = request.headers();
    let address = || {
        let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
        Some(headers::client(headers, peer.ip().to_canonical(), trust))
    };
    let mut hasher = SipHasher13::new();
    if let Some(subject) = subject(headers) {
        hasher.write(subject.as_bytes());
    } else if let Some(value) = key.and_then(|key| key.value(headers)) {
        hasher.write(value);
    } else if let Some(address) = address() {
        match address {
            IpAddr::V4(address) => address.octets().hash(&mut hasher),
            IpAddr::V6(address) => address.octets().hash(&mut hasher),
        }
    }
    u8::try_from(hasher.finish() % 100).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn request(subject: &str, signature: &str) -> Request<()> {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":1,"sub":"{subject}"}}"#));
        Request::builder()
            .header("authorization", format!("Bearer x.{claims}.{signature}"))
            .body(())
            .unwrap()
    }

    fn percentile(request: &Request<()>, key: Option<&ClientKey>) -> u8 {
        let trust: Trust = Arc::new(|peer| peer.is_loopback());
        super::percentile(request, key, &trust)
    }

    #[test]
    fn a_client_stays_with_its_service() {
        assert_eq!(percentile(&request("a", "1"), None), percentile(&request("a", "2"), None));
    }

    #[test]
    fn the_hash_never_changes() {
        let all =
            ["a", "b", "someone@example.com"].map(|name| percentile(&request(name, ""), None));
        assert_eq!(all, [19, 38, 53]);
    }

    /// How many of 10,000 clients are below 10 %.
    fn share(request: impl Fn(usize) -> Request<()>, key: Option<&ClientKey>) -> usize {
        (0..10_000).filter(|n| percentile(&request(*n), key) < 10).count()
    }

    #[test]
    fn every_percent_has_its_share() {
        let by_subject = share(|n| request(&n.to_string(), ""), None);
        let header = ClientKey::Header(HeaderName::from_static("x-api-key"));
        let by_header =
            share(|n| Request::builder().header("x-api-key", n).body(()).unwrap(), Some(&header));
        let cookie = ClientKey::Cookie("session".to_owned());
        let by_cookie = share(
            |n| Request::builder().header("cookie", format!("a=b; session={n}")).body(()).unwrap(),
            Some(&cookie),
        );
        let by_address = share(
            |n| {
                let client = format!("6.6.6.6, 9.9.{}.{}", n / 100, n % 100);
                let mut request =
                    Request::builder().header("x-forwarded-for", client).body(()).unwrap();
                let peer = SocketAddr::from(([127, 0, 0, 1], 1));
                request.extensions_mut().insert(ConnectInfo(peer));
                request
            },
            None,
        );
        for share in [by_subject, by_header, by_cookie, by_address] {
            assert!((900..1100).contains(&share), "{share} of 10,000 clients are below 10 %");
        }
    }
}

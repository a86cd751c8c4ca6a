//! Identifies clients, so that the same client always gets the same service.

use std::hash::Hasher;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use axum::extract::ConnectInfo;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::header::{AUTHORIZATION, COOKIE, HeaderName};
use http::{HeaderMap, Request};
use serde::Deserialize;
use siphasher::sip::SipHasher13;

use crate::headers;
use crate::trust::Trust;

/// What identifies a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKey {
    /// The subject of a bearer token that is a JWT, which is not verified here: a forged one chooses
    /// the service that refuses it.
    Subject,
    /// The value of a header, such as an API key.
    Header(HeaderName),
    /// The value of a cookie, such as a session's.
    Cookie(String),
    /// The address, as trusted proxies forward it.
    Address,
}

/// A text that names no [`ClientKey`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not subject, header:NAME, cookie:NAME or address")]
pub struct ClientKeyError(String);

impl FromStr for ClientKey {
    type Err = ClientKeyError;

    fn from_str(text: &str) -> Result<Self, ClientKeyError> {
        let error = || ClientKeyError(text.to_owned());
        match text.trim().split_once(':').unwrap_or((text.trim(), "")) {
            ("subject", "") => Ok(Self::Subject),
            ("address", "") => Ok(Self::Address),
            ("header", name) => name.parse().map(Self::Header).map_err(|_| error()),
            ("cookie", name) if !name.is_empty() => Ok(Self::Cookie(name.to_owned())),
            _ => Err(error()),
        }
    }
}

/// What a request's client is known by.
enum Known<'a> {
    Subject(String),
    Value(&'a [u8]),
    Address(IpAddr),
}

impl ClientKey {
    fn of<'a, B>(&self, request: &'a Request<B>, trust: &Trust) -> Option<Known<'a>> {
        let headers = request.headers();
        match self {
            Self::Subject => subject(headers).map(Known::Subject),
            Self::Header(name) => headers.get(name).map(|value| Known::Value(value.as_bytes())),
            Self::Cookie(name) => {
                let cookies =
                    headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
                let mut pairs = cookies.flat_map(|value| value.split(';'));
                pairs
                    .find_map(|pair| pair.trim().strip_prefix(&**name)?.strip_prefix('='))
                    .map(|value| Known::Value(value.as_bytes()))
            }
            Self::Address => {
                let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
                let peer = peer.ip().to_canonical();
                Some(Known::Address(headers::client(headers, peer, trust)))
            }
        }
    }
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// The subject of a bearer token.
fn subject(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.sub)
}

/// A hash of the client, by the first key that the request has: SipHash-1-3 with zeros as its keys,
/// the same in every process and build.
pub(crate) fn hash<B>(request: &Request<B>, keys: &[ClientKey], trust: &Trust) -> u64 {
    let mut hasher = SipHasher13::new();
    match keys.iter().find_map(|key| key.of(request, trust)) {
        Some(Known::Subject(subject)) => hasher.write(subject.as_bytes()),
        Some(Known::Value(value)) => hasher.write(value),
        Some(Known::Address(IpAddr::V4(address))) => hasher.write(&address.octets()),
        Some(Known::Address(IpAddr::V6(address))) => hasher.write(&address.octets()),
        None => {}
    }
    hasher.finish()
}

/// The percentile of a client by its hash, 0 to 99.
pub(crate) fn percentile(hash: u64) -> u8 {
    u8::try_from(hash % 100).unwrap_or_default()
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
        let keys = [Some(ClientKey::Subject), key.cloned(), Some(ClientKey::Address)];
        let keys: Vec<_> = keys.into_iter().flatten().collect();
        super::percentile(hash(request, &keys, &trust))
    }

    fn forwarded_for(client: &str) -> Request<()> {
        let mut request = Request::builder().header("x-forwarded-for", client).body(()).unwrap();
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
        request
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
        let address = |client| percentile(&forwarded_for(client), None);
        assert_eq!(["192.0.2.7", "2001:db8::1"].map(address), [36, 92]);
        let header = ClientKey::Header(HeaderName::from_static("x-api-key"));
        let keyed = Request::builder().header("x-api-key", "a").body(()).unwrap();
        assert_eq!(percentile(&keyed, Some(&header)), 19, "the value alone counts");
    }

    #[test]
    fn keys_are_read_and_come_in_their_order() {
        let parse = |text: &str| text.parse::<ClientKey>();
        assert_eq!(parse("subject"), Ok(ClientKey::Subject));
        assert_eq!(parse(" cookie:session"), Ok(ClientKey::Cookie("session".to_owned())));
        assert_eq!(
            parse("header:X-API-Key"),
            Ok(ClientKey::Header(HeaderName::from_static("x-api-key")))
        );
        for wrong in ["", "subjects", "header:", "header:a b", "cookie:", "address:1"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        let trust: Trust = Arc::new(|_| false);
        let both = Request::builder().header("x-a", "a").header("x-b", "b").body(()).unwrap();
        let by = |names: &[&str]| {
            let keys: Vec<_> = names.iter().map(|name| parse(name).unwrap()).collect();
            super::percentile(hash(&both, &keys, &trust))
        };
        assert_eq!(by(&["header:x-a", "header:x-b"]), by(&["header:x-a"]));
        assert_eq!(by(&["subject", "header:x-b"]), by(&["header:x-b"]));
        assert_ne!(by(&["header:x-a"]), by(&["header:x-b"]));
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
        let by_address =
            share(|n| forwarded_for(&format!("6.6.6.6, 9.9.{}.{}", n / 100, n % 100)), None);
        for share in [by_subject, by_header, by_cookie, by_address] {
            assert!((900..1100).contains(&share), "{share} of 10,000 clients are below 10 %");
        }
    }
}

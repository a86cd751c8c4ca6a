//! Identifies clients, so that the same client always gets the same service.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;

use axum::extract::ConnectInfo;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use http::Request;
use http::header::AUTHORIZATION;
use serde::Deserialize;

#[derive(Deserialize)]
struct Claims {
    sub: String,
}

/// The subject of a bearer token. The token is not verified here: a forged one chooses the service
/// that refuses it.
fn subject<B>(request: &Request<B>) -> Option<String> {
    let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return None;
    }
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    serde_json::from_slice::<Claims>(&claims).ok().map(|claims| claims.sub)
}

/// The percentile of a client, 0 to 99: a hash of the subject of its token, else of its address.
pub(crate) fn percentile<B>(request: &Request<B>) -> u8 {
    // Its keys are constants, so that a client keeps its percentile over restarts.
    let mut hasher = DefaultHasher::new();
    match (subject(request), request.extensions().get::<ConnectInfo<SocketAddr>>()) {
        (Some(subject), _) => subject.hash(&mut hasher),
        (None, Some(ConnectInfo(address))) => address.ip().hash(&mut hasher),
        (None, None) => {}
    }
    u8::try_from(hasher.finish() % 100).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(subject: &str, signature: &str) -> Request<()> {
        let claims = BASE64_URL_SAFE_NO_PAD.encode(format!(r#"{{"exp":1,"sub":"{subject}"}}"#));
        Request::builder()
            .header("authorization", format!("Bearer x.{claims}.{signature}"))
            .body(())
            .unwrap()
    }

    #[test]
    fn a_client_stays_with_its_service() {
        assert_eq!(percentile(&request("a", "1")), percentile(&request("a", "2")));
    }

    #[test]
    fn every_percent_has_its_share() {
        let share = (0..10_000).filter(|n| percentile(&request(&n.to_string(), "")) < 10).count();
        assert!((900..1100).contains(&share), "{share} of 10,000 clients are below 10 %");
    }
}

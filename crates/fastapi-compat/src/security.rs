//! FastAPI's security dependencies.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::extract::Dependency;
use crate::response::HttpError;

/// `OAuth2PasswordBearer`: the token of `Authorization: Bearer <token>`, not yet checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Bearer(pub String);

impl Bearer {
    /// The token, or the 401 of FastAPI when the header is absent or has another scheme.
    pub fn from_headers(headers: &HeaderMap) -> Result<&str, HttpError> {
        let value = headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        let mut words = value.splitn(2, |&byte| byte == b' ');
        let (scheme, token) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        if scheme.eq_ignore_ascii_case(b"bearer") {
            // A token is ASCII; what is not, no key has signed.
            let token = std::str::from_utf8(token).unwrap_or_default();
            Ok(token.trim())
        } else {
            Err(HttpError::new(StatusCode::UNAUTHORIZED, "Not authenticated")
                .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
        }
    }
}

impl<S: Sync> Dependency<S> for Bearer {}

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
        match Self::from_headers(&parts.headers) {
            Ok(token) => Ok(Self(token.to_owned())),
            Err(error) => Err(error.into_response()),
        }
    }
}

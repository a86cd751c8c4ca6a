//! FastAPI's security dependencies.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::json;

use crate::extract::Dependency;
use crate::openapi::{Describe, OperationDocument};
use crate::params::latin1;
use crate::response::HttpError;

/// The 401 of FastAPI when a caller does not say who he is.
fn not_authenticated(challenge: &'static str) -> HttpError {
    HttpError::new(StatusCode::UNAUTHORIZED, "Not authenticated")
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// Scheme and parameter of the `Authorization` header; what is not ASCII, nobody has issued.
fn authorization(headers: &HeaderMap) -> (&[u8], &str) {
    let value = headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let mut words = value.splitn(2, |&byte| byte == b' ');
    let (scheme, parameter) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    (scheme, std::str::from_utf8(parameter).unwrap_or_default().trim())
}

/// A dependency that only looks at the headers.
macro_rules! from_headers {
    ([$($generics:tt)*] $type:ty, $read:expr, |$operation:ident| $describe:expr) => {
        impl<S: Sync, $($generics)*> Dependency<S> for $type {}

        impl<S: Sync, $($generics)*> FromRequestParts<S> for $type {
            type Rejection = Response;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
                $read(&parts.headers).map_err(IntoResponse::into_response)
            }
        }

        impl<$($generics)*> Describe for $type {
            fn describe($operation: &mut OperationDocument<'_>) {
                $describe
            }
        }
    };
}

/// `OAuth2PasswordBearer`: the token of `Authorization: Bearer <token>`, not yet checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Bearer(pub String);

impl Bearer {
    /// The token, or the 401 of FastAPI when the header is absent or has another scheme.
    pub fn from_headers(headers: &HeaderMap) -> Result<&str, HttpError> {
        match authorization(headers) {
            (scheme, token) if scheme.eq_ignore_ascii_case(b"bearer") => Ok(token),
            _ => Err(not_authenticated("Bearer")),
        }
    }
}

from_headers!(
    [] Bearer,
    |headers| Bearer::from_headers(headers).map(|token| Bearer(token.to_owned())),
    |operation| operation.bearer()
);

/// `HTTPBasic`: name and password, not yet checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic {
    pub username: String,
    pub password: String,
}

impl std::fmt::Debug for Basic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Basic").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Basic {
    /// Name and password, or the 401 of FastAPI when the header is absent or not to be read.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, HttpError> {
        let credentials = match authorization(headers) {
            (scheme, credentials) if scheme.eq_ignore_ascii_case(b"basic") => credentials,
            _ => return Err(not_authenticated("Basic")),
        };
        // Python's decoder passes over what is no Base64, and stops behind the padding.
        let letters: Vec<u8> = credentials
            .bytes()
            .filter(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
            .collect();
        let text = python_base64(&letters).filter(|text| text.is_ascii());
        let text = text.and_then(|text| String::from_utf8(text).ok());
        match text.as_deref().and_then(|text| text.split_once(':')) {
            Some((username, password)) => {
                Ok(Self { username: username.to_owned(), password: password.to_owned() })
            }
            None => Err(not_authenticated("Basic")),
        }
    }
}

/// `base64.b64decode` of letters and padding.
fn python_base64(letters: &[u8]) -> Option<Vec<u8>> {
    let mut decoded = Vec::new();
    let (mut bits, mut count, mut padding) = (0_u32, 0, 0);
    for &letter in letters {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => {
                padding += 1;
                if count >= 2 && count + padding >= 4 {
                    return Some(decoded);
                }
                continue;
            }
        };
        padding = 0;
        bits = bits << 6 | u32::from(value);
        count = (count + 1) % 4;
        // Each letter but the first of four completes a byte.
        if count != 1 {
            let shift = [0, 0, 4, 2][count];
            decoded.push(u8::try_from(bits >> shift & 0xFF).unwrap_or_default());
        }
    }
    (count == 0).then_some(decoded)
}

from_headers!(
    [] Basic,
    Basic::from_headers,
    |operation| operation.security("HTTPBasic", json!({"type": "http", "scheme": "basic"}))
);

/// The header in which an API key comes.
pub trait ApiKeyName {
    /// As it stands in the document.
    const NAME: &'static str;
}

/// `APIKeyHeader`: the key, not yet checked.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKeyHeader<N> {
    pub key: String,
    name: PhantomData<fn() -> N>,
}

impl<N: ApiKeyName> ApiKeyHeader<N> {
    /// The key, or the 401 of FastAPI when the header is absent or empty.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, HttpError> {
        let key = headers.get(N::NAME).map_or(&b""[..], HeaderValue::as_bytes);
        if key.is_empty() {
            return Err(not_authenticated("APIKey"));
        }
        Ok(Self { key: latin1(key), name: PhantomData })
    }
}

from_headers!(
    [N: ApiKeyName] ApiKeyHeader<N>,
    Self::from_headers,
    |operation| {
        let scheme = json!({"type": "apiKey", "in": "header", "name": N::NAME});
        operation.security("APIKeyHeader", scheme);
    }
);

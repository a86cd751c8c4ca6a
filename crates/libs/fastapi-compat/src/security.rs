//! FastAPI's security dependencies.

use std::marker::PhantomData;

use axum::extract::FromRequestParts;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

use crate::characters::latin1;
use crate::extract::Dependency;
use crate::openapi::{Describe, OperationDocument};
use crate::params::cookies;
use crate::response::HttpError;
use crate::urlencoded::pairs;
use crate::value::Value;

/// The 401 of FastAPI when a caller sends no credentials.
fn not_authenticated(challenge: &'static str) -> HttpError {
    HttpError::new(StatusCode::UNAUTHORIZED, "Not authenticated")
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// Scheme and parameter of the `Authorization` header; what is not ASCII was not issued.
fn authorization(headers: &HeaderMap) -> (&[u8], &str) {
    let value = headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let mut words = value.splitn(2, |&byte| byte == b' ');
    let (scheme, parameter) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    (scheme, std::str::from_utf8(parameter).unwrap_or_default().trim())
}

/// A dependency that only reads the head of a request.
macro_rules! from_parts {
    ([$($generics:tt)*] $type:ty, $read:expr, |$operation:ident| $describe:expr) => {
        impl<S: Sync, $($generics)*> Dependency<S> for $type {}

        impl<S: Sync, $($generics)*> FromRequestParts<S> for $type {
            type Rejection = Response;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
                $read(parts).map_err(IntoResponse::into_response)
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

from_parts!(
    [] Bearer,
    |parts: &Parts| Bearer::from_headers(&parts.headers).map(|token| Bearer(token.to_owned())),
    |operation| operation.bearer()
);

/// `HTTPBearer`: the token of `Authorization: Bearer <token>`, not yet checked; unlike with
/// [`Bearer`], it must not be empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpBearer(pub String);

from_parts!(
    [] HttpBearer,
    |parts: &Parts| match Bearer::from_headers(&parts.headers)? {
        "" => Err(not_authenticated("Bearer")),
        token => Ok(HttpBearer(token.to_owned())),
    },
    |operation| operation.security("HTTPBearer", SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)))
);

/// `HTTPBasic`: name and password, not yet checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic {
    /// What is before the first colon.
    pub username: String,
    /// What is after the first colon.
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

from_parts!(
    [] Basic,
    |parts: &Parts| Basic::from_headers(&parts.headers),
    |operation| operation.security("HTTPBasic", SecurityScheme::Http(Http::new(HttpAuthScheme::Basic)))
);

/// What an API key is called, in the headers, the query or the cookies.
pub trait ApiKeyName {
    /// As it stands in the document.
    const NAME: &'static str;
}

/// A dependency on a key, which must be there and not empty.
macro_rules! api_keys {
    ($($(#[$doc:meta])* $type:ident $scheme:literal $location:ident, |$parts:ident| $read:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $type<N> {
            /// As the client sent it.
            pub key: String,
            name: PhantomData<fn() -> N>,
        }

        from_parts!(
            [N: ApiKeyName] $type<N>,
            |$parts: &Parts| {
                let key: Option<String> = $read;
                let key = key.filter(|key| !key.is_empty());
                let key = key.ok_or_else(|| not_authenticated("APIKey"))?;
                Ok::<_, HttpError>(Self { key, name: PhantomData })
            },
            |operation| {
                let key = ApiKey::$location(ApiKeyValue::new(N::NAME));
                operation.security($scheme, SecurityScheme::ApiKey(key));
            }
        );
    )*};
}

api_keys! {
    /// `APIKeyHeader`: the key, not yet checked.
    ApiKeyHeader "APIKeyHeader" Header, |parts| {
        parts.headers.get(N::NAME).map(|key| latin1(key.as_bytes()).into_owned())
    };
    /// `APIKeyQuery`: the key, not yet checked.
    ApiKeyQuery "APIKeyQuery" Query, |parts| {
        last::<N>(pairs(parts.uri.query().unwrap_or_default().as_bytes()))
    };
    /// `APIKeyCookie`: the key, not yet checked.
    ApiKeyCookie "APIKeyCookie" Cookie, |parts| last::<N>(cookies(&parts.headers));
}

/// The key among named values; of several the last counts.
fn last<N: ApiKeyName>(values: Vec<(String, Value)>) -> Option<String> {
    let (_, value) = values.into_iter().rfind(|(name, _)| name == N::NAME)?;
    if let Value::Str(key) = value { Some(key.into()) } else { None }
}

/// One after the other: the first that refuses is heard.
impl<S, A, B> Dependency<S> for (A, B)
where
    S: Send + Sync,
    A: Dependency<S> + Sync,
    B: Dependency<S> + Sync,
{
    async fn complete(&self, state: &S) -> Result<(), Response> {
        self.0.complete(state).await?;
        self.1.complete(state).await
    }
}

impl<A: Describe, B: Describe> Describe for (A, B) {
    fn describe(operation: &mut OperationDocument<'_>) {
        A::describe(operation);
        B::describe(operation);
    }
}

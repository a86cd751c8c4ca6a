//! FastAPI's security dependencies.

mod api_key;
mod composed;
mod http_schemes;
mod oauth2;
mod scopes;

use std::borrow::Cow;

use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::characters::latin1;
use crate::characters::strip;
use crate::dialect::{Switch, has};
use crate::response::HttpError;

pub use self::api_key::{ApiKeyCookie, ApiKeyHeader, ApiKeyName, ApiKeyQuery};
pub use self::http_schemes::{Basic, HttpBearer, HttpDigest, HttpOptions};
pub use self::oauth2::{
    Bearer, OAuth2AuthorizationCodeBearer, OAuth2Options, OAuth2PasswordBearer, OpenIdConnect,
    OpenIdConnectOptions,
};
pub use self::scopes::{Scopes, Security, SecurityScopes};

/// The 401 of FastAPI when a caller sends no credentials.
fn not_authenticated(challenge: &'static str) -> HttpError {
    HttpError::new(StatusCode::UNAUTHORIZED, "Not authenticated")
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
}

/// What a class of FastAPI answers that is none of OAuth 2.
fn refused(challenge: &'static str) -> HttpError {
    if has(Switch::ForbiddenWithoutCredentials) {
        return HttpError::new(StatusCode::FORBIDDEN, "Not authenticated");
    }
    not_authenticated(challenge)
}

const INVALID: &str = "Invalid authentication credentials";

/// The same of a class that demands a scheme, and may have got another one.
fn refused_scheme(headers: &HeaderMap, challenge: &'static str) -> HttpError {
    if has(Switch::ForbiddenWithoutCredentials) && credentials(headers).is_some() {
        return HttpError::new(StatusCode::FORBIDDEN, INVALID);
    }
    refused(challenge)
}

/// What stands behind the scheme in the header.
fn parameter(text: &str) -> &str {
    if has(Switch::UnstrippedCredentials) { text } else { strip(text) }
}

/// Scheme and parameter of the `Authorization` header; what is not ASCII was not issued.
fn authorization(headers: &HeaderMap) -> (&[u8], &str) {
    let value = headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let mut words = value.splitn(2, |&byte| byte == b' ');
    let (scheme, parameter) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let parameter = std::str::from_utf8(parameter).unwrap_or_default();
    let is_stripped = !has(Switch::UnstrippedCredentials);
    (scheme, if is_stripped { parameter.trim() } else { parameter })
}

/// The `Authorization` header as Starlette decodes it, empty without one.
fn authorization_text(headers: &HeaderMap) -> Cow<'_, str> {
    headers.get(header::AUTHORIZATION).map_or("".into(), |value| latin1(value.as_bytes()))
}

/// Scheme and credentials of the header, if it has both.
pub(crate) fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let text = authorization_text(headers);
    let (scheme, credentials) = text.split_once(' ')?;
    let credentials = parameter(credentials);
    let is_given = !scheme.is_empty() && !credentials.is_empty();
    is_given.then(|| (scheme.to_owned(), credentials.to_owned()))
}

/// The token of a bearer, which may be empty.
fn bearer(headers: &HeaderMap) -> Option<String> {
    let text = authorization_text(headers);
    let (scheme, token) = text.split_once(' ').unwrap_or((&text, ""));
    scheme.eq_ignore_ascii_case("bearer").then(|| parameter(token).to_owned())
}

/// A dependency that only reads the head of a request, and is absent, or invalid, or neither. Within
/// an `Option` it may be absent: `auto_error=False`.
macro_rules! from_parts {
    ([$($generics:tt)*] $type:ty, $read:expr, $absent:expr, |$operation:ident| $describe:expr) => {
        impl<S: Sync, $($generics)*> Dependency<S> for $type {}

        impl<S: Sync, $($generics)*> FromRequestParts<S> for $type {
            type Rejection = Response;

            async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Response> {
                let read: Result<Option<Self>, HttpError> = $read(parts);
                match read {
                    Ok(Some(read)) => Ok(read),
                    Ok(None) => Err($absent(parts).into_response()),
                    Err(error) => Err(error.into_response()),
                }
            }
        }

        impl<S: Sync, $($generics)*> OptionalFromRequestParts<S> for $type {
            type Rejection = Response;

            async fn from_request_parts(
                parts: &mut Parts,
                _: &S,
            ) -> Result<Option<Self>, Response> {
                let read: Result<Option<Self>, HttpError> = $read(parts);
                read.map_err(IntoResponse::into_response)
            }
        }

        impl<$($generics)*> Describe for $type {
            fn describe($operation: &mut OperationDocument<'_>) {
                $describe
            }
        }
    };
}
use from_parts;

/// What credentials are not shown in.
macro_rules! opaque {
    ($($type:ident<$options:ident>),*) => {$(
        impl<$options> fmt::Debug for $type<$options> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    )*};
}
use opaque;

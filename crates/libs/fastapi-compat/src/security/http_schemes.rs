//! The schemes of HTTP itself: `HTTPBearer`, `HTTPDigest`, `HTTPBasic`.

use std::fmt;
use std::marker::PhantomData;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};

use super::{INVALID, authorization, credentials, from_parts, opaque, refused_scheme};
use crate::dialect::{Switch, has};
use crate::extract::Dependency;
use crate::openapi::{Describe, OperationDocument};
use crate::response::HttpError;

/// The arguments of [`HttpBearer`], [`HttpDigest`] and [`Basic`], on a type of yours; those of `()`
/// are FastAPI's defaults.
pub trait HttpOptions {
    /// `scheme_name`; else the name of FastAPI's class.
    const SCHEME_NAME: Option<&'static str> = None;
    /// `description`
    const DESCRIPTION: Option<&'static str> = None;
    /// `bearerFormat`, of [`HttpBearer`] alone.
    const BEARER_FORMAT: Option<&'static str> = None;
    /// `realm`, of [`Basic`] alone.
    const REALM: Option<&'static str> = None;
}

impl HttpOptions for () {}

fn http_scheme<O: HttpOptions>(kind: HttpAuthScheme) -> SecurityScheme {
    let is_bearer = matches!(kind, HttpAuthScheme::Bearer);
    let mut scheme = Http::new(kind);
    scheme.description = O::DESCRIPTION.map(str::to_owned);
    scheme.bearer_format = O::BEARER_FORMAT.filter(|_| is_bearer).map(str::to_owned);
    SecurityScheme::Http(scheme)
}

/// Dependencies on credentials of a scheme, neither of which may be empty.
macro_rules! http_schemes {
    ($($(#[$doc:meta])* $type:ident $class:literal $kind:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $type<O = ()> {
            /// The scheme as the client sent it, in any case.
            pub scheme: String,
            /// What stands behind the scheme.
            pub credentials: String,
            options: PhantomData<fn() -> O>,
        }

        from_parts!(
            [O: HttpOptions] $type<O>,
            |parts: &Parts| {
                let is_of = |scheme: &str| scheme.eq_ignore_ascii_case(stringify!($kind));
                let given = credentials(&parts.headers);
                let is_other = given.as_ref().is_some_and(|(scheme, _)| !is_of(scheme));
                if is_other && is_of("Digest") && has(Switch::DigestSchemeIsDemanded) {
                    return Err(HttpError::new(StatusCode::FORBIDDEN, INVALID));
                }
                let given = given.filter(|_| !is_other);
                Ok(given.map(|(scheme, credentials)| {
                    Self { scheme, credentials, options: PhantomData }
                }))
            },
            |parts: &Parts| refused_scheme(&parts.headers, stringify!($kind)),
            |operation| {
                let name = O::SCHEME_NAME.unwrap_or($class);
                operation.security(name, http_scheme::<O>(HttpAuthScheme::$kind));
            }
        );
    )*};
}

http_schemes! {
    /// `HTTPBearer`: scheme and token of `Authorization: Bearer <token>`, not yet checked; unlike with
    /// [`Bearer`](crate::Bearer), the token must not be empty.
    HttpBearer "HTTPBearer" Bearer;
    /// `HTTPDigest`: scheme and credentials of `Authorization: Digest <credentials>`, not yet
    /// checked.
    HttpDigest "HTTPDigest" Digest;
}

/// `HTTPBasic`: name and password, not yet checked.
#[derive(Clone, PartialEq, Eq)]
pub struct Basic<O = ()> {
    /// What is before the first colon.
    pub username: String,
    /// What is after the first colon.
    pub password: String,
    options: PhantomData<fn() -> O>,
}

impl<O> fmt::Debug for Basic<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Basic").field("username", &self.username).finish_non_exhaustive()
    }
}

impl Basic {
    /// Name and password, or the 401 of FastAPI when the header is absent or not to be read.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, HttpError> {
        Self::read(headers)?.ok_or_else(|| Self::challenge("Not authenticated"))
    }
}

impl<O: HttpOptions> Basic<O> {
    fn challenge(detail: &'static str) -> HttpError {
        let realm = O::REALM.filter(|realm| !realm.is_empty());
        let challenge = realm.map(|realm| format!("Basic realm=\"{realm}\""));
        let challenge = challenge.and_then(|challenge| HeaderValue::try_from(challenge).ok());
        let challenge = challenge.unwrap_or_else(|| HeaderValue::from_static("Basic"));
        HttpError::new(StatusCode::UNAUTHORIZED, detail)
            .with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// The 401 for a header that cannot be read.
    fn invalid() -> HttpError {
        let is_named = has(Switch::ForbiddenWithoutCredentials);
        Self::challenge(if is_named { INVALID } else { "Not authenticated" })
    }

    /// `None` without such a header. One that cannot be read is an error whatever `auto_error` is.
    fn read(headers: &HeaderMap) -> Result<Option<Self>, HttpError> {
        let credentials = match authorization(headers) {
            (scheme, credentials) if scheme.eq_ignore_ascii_case(b"basic") => credentials,
            _ => return Ok(None),
        };
        // Python's decoder passes over what is no Base64, and stops behind the padding.
        let letters: Vec<u8> = credentials
            .bytes()
            .filter(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte))
            .collect();
        let text = python_base64(&letters).filter(|text| text.is_ascii());
        let text = text.and_then(|text| String::from_utf8(text).ok());
        match text.as_deref().and_then(|text| text.split_once(':')) {
            Some((username, password)) => Ok(Some(Self {
                username: username.to_owned(),
                password: password.to_owned(),
                options: PhantomData,
            })),
            None => Err(Self::invalid()),
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
    [O: HttpOptions] Basic<O>,
    |parts: &Parts| Self::read(&parts.headers),
    |_: &Parts| Self::challenge("Not authenticated"),
    |operation| {
        let name = O::SCHEME_NAME.unwrap_or("HTTPBasic");
        operation.security(name, http_scheme::<O>(HttpAuthScheme::Basic));
    }
);

opaque!(HttpBearer<O>, HttpDigest<O>);

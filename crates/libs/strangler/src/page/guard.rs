//! Who may use the page: who knows the password, from the page itself or from a program.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HOST, HeaderName, ORIGIN,
    REFERRER_POLICY, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Deserialize;
use sha2::Sha256;
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::events::{Event, Events};

/// Of each page: it is not framed, cached, or sniffed.
pub(super) const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
        ),
    ),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// How long a wrong password takes; one at a time is tried.
const GUESS: Duration = Duration::from_millis(500);

/// The longest body of a change, in bytes.
const MAX_BODY: usize = 1024 * 1024;

/// What the page's forms have and no other site knows. Processes with one password have the same, so
/// that the page of one may be sent to another.
#[derive(Clone)]
pub(super) struct Token(Arc<str>);

impl Token {
    pub(super) fn of(password: &str) -> Self {
        // HMAC takes keys of any length.
        let code = Hmac::<Sha256>::new_from_slice(password.as_bytes()).map(|mut code| {
            code.update(b"the strangler's page");
            BASE64_URL_SAFE_NO_PAD.encode(code.finalize().into_bytes())
        });
        Self(code.unwrap_or_default().into())
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who may use the pages.
pub(super) struct Guard {
    password: String,
    token: Token,
    /// The permit to wait with a wrong password.
    guesses: Semaphore,
    events: Arc<Events>,
}

#[derive(Deserialize)]
struct WithToken {
    token: String,
}

impl Guard {
    pub(super) fn new(password: String, token: Token, events: Arc<Events>) -> Self {
        Self { password, token, guesses: Semaphore::new(1), events }
    }

    /// Authenticates with Bearer (programs) or Basic (browsers) and the same password; the user name
    /// is ignored. A browser sends the password with requests of other sites' pages too: its changes
    /// need the page's token, and must not say that they come from elsewhere.
    ///
    /// # Errors
    /// The response to who may not.
    pub(super) async fn check(&self, request: Request) -> Result<Request, Response> {
        let unauthorized = || {
            let challenge = [(WWW_AUTHENTICATE, "Basic realm=\"molt\", charset=\"UTF-8\"")];
            let text = "The password of the strangler is required.\n";
            (StatusCode::UNAUTHORIZED, challenge, text).into_response()
        };
        let headers = request.headers();
        if !headers.contains_key(AUTHORIZATION) {
            return Err(unauthorized());
        }
        if !is_authenticated(headers, &self.password) {
            self.events.count(Event::SignInFailed);
            tracing::warn!("wrong password of the strangler's page");
            let Ok(_permit) = self.guesses.try_acquire() else {
                return Err((StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")]).into_response());
            };
            tokio::time::sleep(GUESS).await;
            return Err(unauthorized());
        }
        if request.method().is_safe() {
            return Ok(request);
        }
        let forbidden = || {
            let text = "Send it from the strangler's page, or with a Bearer token.\n";
            (StatusCode::FORBIDDEN, text).into_response()
        };
        match origin(headers) {
            Origin::Other => Err(forbidden()),
            _ if is_bearer(headers) => Ok(request),
            Origin::Unknown => Err(forbidden()),
            Origin::Own => self.with_token(request).await.ok_or_else(forbidden),
        }
    }

    /// The request, if it has the page's token, in the header `X-Molt-Token` or in its form.
    async fn with_token(&self, request: Request) -> Option<Request> {
        let is_known = |token: &[u8]| bool::from(token.ct_eq(self.token.0.as_bytes()));
        if let Some(token) = request.headers().get("x-molt-token") {
            return is_known(token.as_bytes()).then_some(request);
        }
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, MAX_BODY).await.ok()?;
        let form = Request::from_parts(parts.clone(), Body::from(body.clone()));
        let form = axum::Form::<WithToken>::from_request(form, &()).await.ok()?;
        is_known(form.token.as_bytes()).then(|| Request::from_parts(parts, Body::from(body)))
    }
}

/// Where a request comes from, as the browser says.
enum Origin {
    Own,
    Other,
    /// It says nothing.
    Unknown,
}

fn origin(headers: &HeaderMap) -> Origin {
    if let Some(site) = headers.get("sec-fetch-site") {
        let is_own = site == "same-origin" || site == "none";
        return if is_own { Origin::Own } else { Origin::Other };
    }
    let Some(origin) = headers.get(ORIGIN) else { return Origin::Unknown };
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_ascii_lowercase);
    let origin = text(origin).and_then(|origin| Some(origin.split_once("://")?.1.to_owned()));
    let is_own = origin.is_some() && origin == headers.get(HOST).and_then(text);
    if is_own { Origin::Own } else { Origin::Other }
}

fn is_bearer(headers: &HeaderMap) -> bool {
    let value = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scheme = value.and_then(|value| value.get(..7));
    scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer "))
}

fn is_authenticated(headers: &HeaderMap, password: &str) -> bool {
    let given = || {
        let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, credentials) = value.split_once(' ')?;
        if scheme.eq_ignore_ascii_case("bearer") {
            return Some(credentials.to_owned());
        }
        let decoded = String::from_utf8(BASE64_STANDARD.decode(credentials.trim()).ok()?).ok()?;
        let (_, password) = decoded.split_once(':')?;
        scheme.eq_ignore_ascii_case("basic").then(|| password.to_owned())
    };
    given().is_some_and(|given| given.as_bytes().ct_eq(password.as_bytes()).into())
}

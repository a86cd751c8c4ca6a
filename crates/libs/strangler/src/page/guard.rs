//! Who may use the page: who knows the password, from the page itself or from a program.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, FromRequest, Request};
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

use crate::events::{Event, Events};
use crate::headers;
use crate::lock::lock;
use crate::trust::Trust;

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
    // With `no-referrer` browsers would not tell the page's own origin either.
    (REFERRER_POLICY, HeaderValue::from_static("same-origin")),
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
];

/// How long a wrong password takes, the first and at most; each further one of a client twice as long.
/// Until then no other one of that client is tried.
const GUESS: Duration = Duration::from_millis(500);
const MAX_GUESS: Duration = Duration::from_secs(8);
/// After so long without a wrong password the next is the first again.
const FORGOTTEN: Duration = Duration::from_mins(5);
/// Of how many clients wrong passwords are known.
const GUESSERS: usize = 1024;

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
    guesses: Guesses,
    trust: Trust,
    events: Arc<Events>,
}

/// The clients that gave wrong passwords. Their addresses are those that trusted proxies forward.
#[derive(Debug, Default)]
struct Guesses(Mutex<HashMap<Option<IpAddr>, Guesser>>);

#[derive(Clone, Copy, Debug)]
struct Guesser {
    /// When the next password is tried.
    next: Instant,
    pause: Duration,
}

impl Guesses {
    /// Whether a password of this client is tried now: it is right, or how long the wrong one takes.
    fn attempt(&self, client: Option<IpAddr>, is_right: impl FnOnce() -> bool) -> Attempt {
        let now = Instant::now();
        // Held while the password is tried: of many at once one is.
        let mut guessers = lock(&self.0);
        let known = guessers.get(&client).filter(|known| now < known.next + FORGOTTEN).copied();
        if let Some(known) = known.filter(|known| now < known.next) {
            return Attempt::Untried(known.next - now);
        }
        if is_right() {
            guessers.remove(&client);
            return Attempt::Right;
        }
        if guessers.len() >= GUESSERS {
            guessers.retain(|_, guesser| now < guesser.next);
        }
        // So many at once are no people.
        if guessers.len() >= GUESSERS && !guessers.contains_key(&client) {
            return Attempt::Untried(MAX_GUESS);
        }
        let pause = known.map_or(GUESS, |known| (known.pause * 2).min(MAX_GUESS));
        guessers.insert(client, Guesser { next: now + pause, pause });
        Attempt::Wrong(pause)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    Right,
    Wrong(Duration),
    /// The last wrong one was just before: the next may be given after so long.
    Untried(Duration),
}

#[derive(Deserialize)]
struct WithToken {
    token: String,
}

impl Guard {
    pub(super) fn new(password: String, token: Token, trust: Trust, events: Arc<Events>) -> Self {
        Self { password, token, guesses: Guesses::default(), trust, events }
    }

    fn client(&self, request: &Request) -> Option<IpAddr> {
        let ConnectInfo(peer) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
        Some(headers::client(request.headers(), peer.ip().to_canonical(), &self.trust))
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
        let is_right = || is_authenticated(headers, &self.password);
        match self.guesses.attempt(self.client(&request), is_right) {
            Attempt::Right => {}
            Attempt::Wrong(pause) => {
                self.events.count(Event::SignInFailed);
                tracing::warn!("wrong password of the strangler's page");
                tokio::time::sleep(pause.min(GUESS)).await;
                return Err(unauthorized());
            }
            Attempt::Untried(pause) => {
                self.events.count(Event::SignInFailed);
                let after = [(RETRY_AFTER, (pause.as_secs() + 1).to_string())];
                return Err((StatusCode::TOO_MANY_REQUESTS, after).into_response());
            }
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

/// Which page a request comes from, by the headers of the browser.
enum Origin {
    Own,
    Other,
    /// There are no such headers.
    Unknown,
}

fn origin(headers: &HeaderMap) -> Origin {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_ascii_lowercase);
    let host = headers.get(HOST).and_then(text);
    let is_own_site = |site: &HeaderValue| site == "same-origin" || site == "none";
    let is_own_origin = |origin: &HeaderValue| {
        let origin = text(origin).and_then(|it| Some(it.split_once("://")?.1.to_owned()));
        origin.is_some() && origin == host
    };
    // Every value counts, also of a header that is repeated: one other site is enough.
    let sites = headers.get_all("sec-fetch-site").iter().map(is_own_site);
    let mut known = sites.chain(headers.get_all(ORIGIN).iter().map(is_own_origin)).peekable();
    if known.peek().is_none() {
        Origin::Unknown
    } else if known.all(|is_own| is_own) {
        Origin::Own
    } else {
        Origin::Other
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_that_guesses_waits_longer_each_time_and_others_do_not() {
        let guesses = Guesses::default();
        let (one, other) = (Some(IpAddr::from([192, 0, 2, 1])), Some(IpAddr::from([192, 0, 2, 2])));
        assert_eq!(guesses.attempt(one, || false), Attempt::Wrong(GUESS));
        let again = guesses.attempt(one, || true);
        assert!(
            matches!(again, Attempt::Untried(pause) if pause <= GUESS),
            "it learns nothing by it"
        );
        assert_eq!(guesses.attempt(other, || true), Attempt::Right);
        let passed = |guesses: &Guesses| {
            let mut guessers = lock(&guesses.0);
            let known = guessers.get_mut(&one).unwrap();
            known.next = Instant::now();
        };
        for pause in [1, 2, 4, 8, 8].map(Duration::from_secs) {
            passed(&guesses);
            assert_eq!(guesses.attempt(one, || false), Attempt::Wrong(pause));
        }
        passed(&guesses);
        assert_eq!(guesses.attempt(one, || true), Attempt::Right);
        assert_eq!(guesses.attempt(one, || false), Attempt::Wrong(GUESS), "it begins anew");
    }

    #[test]
    fn it_is_known_of_so_many_clients() {
        let guesses = Guesses::default();
        for number in 0..2 * u32::try_from(GUESSERS).unwrap() {
            _ = guesses.attempt(Some(IpAddr::from(number.to_be_bytes())), || false);
        }
        assert_eq!(lock(&guesses.0).len(), GUESSERS);
        assert_eq!(guesses.attempt(None, || true), Attempt::Right);
    }
}

//! Starlette's `TrustedHostMiddleware` and `HTTPSRedirectMiddleware`.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

use crate::host::{Host, authority, host_header, without_default_port};
use crate::location::{full_path, quoted, split, url};
use crate::response::internal_server_error;
use crate::scheme::scheme;

/// A pattern of [`TrustedHostLayer`] with a `*` elsewhere than at its beginning, before a dot.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}`: patterns with a wildcard are like `*.example.com`")]
pub struct HostPatternError(String);

/// Answers requests for other hosts with a 400, as Starlette's `TrustedHostMiddleware` does.
#[derive(Clone, Debug)]
pub struct TrustedHostLayer(Arc<Hosts>);

#[derive(Clone, Debug)]
struct Hosts {
    allows_any: bool,
    patterns: Vec<String>,
    redirects_to_www: bool,
}

impl TrustedHostLayer {
    /// Lets in requests for these hosts: names, `*.example.com` for all below one, or `*`. One for
    /// `example.com` is sent to `www.example.com` if only that is among them.
    ///
    /// # Errors
    /// When a pattern has a `*` elsewhere.
    pub fn new(
        hosts: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Self, HostPatternError> {
        let given: Vec<String> = hosts.into_iter().map(Into::into).collect();
        let is_wrong = |pattern: &&String| {
            let rest = pattern.strip_prefix('*').unwrap_or(pattern);
            rest.contains('*')
                || (rest.len() < pattern.len() && !rest.is_empty() && !rest.starts_with('.'))
        };
        if let Some(pattern) = given.iter().find(is_wrong) {
            return Err(HostPatternError(pattern.clone()));
        }
        let allows_any = given.iter().any(|pattern| pattern == "*");
        let patterns = given.iter().map(|pattern| pattern.to_lowercase()).collect();
        Ok(Self(Arc::new(Hosts { allows_any, patterns, redirects_to_www: true })))
    }

    /// `www_redirect=False`: no request is sent to `www.…`.
    #[must_use]
    pub fn without_www_redirect(self) -> Self {
        Self(Arc::new(Hosts { redirects_to_www: false, ..(*self.0).clone() }))
    }
}

impl Hosts {
    /// The answer to a request that is not let in.
    fn refuse(&self, request: &Parts) -> Option<Response> {
        if self.allows_any {
            return None;
        }
        let Some(host) = host_header(request).and_then(Host::parse) else {
            return Some(invalid_host());
        };
        let host = host.host.to_lowercase();
        let allows = |pattern: &String| {
            let rest = pattern.strip_prefix('*');
            host == *pattern || rest.is_some_and(|rest| host.ends_with(rest))
        };
        if self.patterns.iter().any(allows) {
            return None;
        }
        let www = format!("www.{host}");
        if self.redirects_to_www && self.patterns.contains(&www) {
            let authority = format!("www.{}", authority(request));
            return Some(redirect(request, scheme(&request.extensions), &authority));
        }
        Some(invalid_host())
    }
}

fn invalid_host() -> Response {
    (StatusCode::BAD_REQUEST, "Invalid host header").into_response()
}

/// A 307 to the same path elsewhere.
fn redirect(request: &Parts, scheme: &str, authority: &str) -> Response {
    let path = full_path(&request.uri, &request.extensions);
    match quoted(&split(&url(scheme, authority, &path, request.uri.query()))) {
        Some(location) => {
            let length = (header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            let headers = [length, (header::LOCATION, location)];
            (StatusCode::TEMPORARY_REDIRECT, headers).into_response()
        }
        None => internal_server_error(),
    }
}

impl<S> Layer<S> for TrustedHostLayer {
    type Service = TrustedHost<S>;

    fn layer(&self, inner: S) -> TrustedHost<S> {
        TrustedHost { inner, hosts: Arc::clone(&self.0) }
    }
}

/// The service of [`TrustedHostLayer`].
#[derive(Clone, Debug)]
pub struct TrustedHost<S> {
    inner: S,
    hosts: Arc<Hosts>,
}

impl<S> Service<Request> for TrustedHost<S>
where
    S: Service<Request>,
    S::Response: IntoResponse,
{
    type Response = Response;
    type Error = S::Error;
    type Future = GuardFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let (parts, body) = request.into_parts();
        match self.hosts.refuse(&parts) {
            Some(refusal) => GuardFuture::Refused { refusal: Some(refusal) },
            None => {
                GuardFuture::Allowed { inner: self.inner.call(Request::from_parts(parts, body)) }
            }
        }
    }
}

/// Sends requests of HTTP to the same URL of HTTPS, as Starlette's `HTTPSRedirectMiddleware` does. The
/// scheme is `http` unless a trusted proxy says otherwise:
/// [`ProxyHeadersLayer`](super::ProxyHeadersLayer) belongs around it.
#[derive(Clone, Copy, Debug, Default)]
pub struct HttpsRedirectLayer;

impl<S> Layer<S> for HttpsRedirectLayer {
    type Service = HttpsRedirect<S>;

    fn layer(&self, inner: S) -> HttpsRedirect<S> {
        HttpsRedirect { inner }
    }
}

/// The service of [`HttpsRedirectLayer`].
#[derive(Clone, Debug)]
pub struct HttpsRedirect<S> {
    inner: S,
}

impl<S> Service<Request> for HttpsRedirect<S>
where
    S: Service<Request>,
    S::Response: IntoResponse,
{
    type Response = Response;
    type Error = S::Error;
    type Future = GuardFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let secure = match scheme(request.extensions()) {
            "http" => "https",
            "ws" => "wss",
            _ => return GuardFuture::Allowed { inner: self.inner.call(request) },
        };
        let (parts, _) = request.into_parts();
        let authority = without_default_port(&authority(&parts));
        GuardFuture::Refused { refusal: Some(redirect(&parts, secure, &authority)) }
    }
}

pin_project! {
    /// The answer of [`TrustedHost`] and [`HttpsRedirect`].
    #[project = GuardProjection]
    pub enum GuardFuture<F> {
        #[doc(hidden)]
        Allowed { #[pin] inner: F },
        #[doc(hidden)]
        Refused { refusal: Option<Response> },
    }
}

impl<F, R, E> Future for GuardFuture<F>
where
    F: Future<Output = Result<R, E>>,
    R: IntoResponse,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Poll::Ready(Ok(match self.project() {
            GuardProjection::Allowed { inner } => ready!(inner.poll(context))?.into_response(),
            GuardProjection::Refused { refusal } => {
                refusal.take().unwrap_or_else(internal_server_error)
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_with_a_wildcard_elsewhere_are_refused() {
        for wrong in ["a*", "*a", "*.a.*", "**"] {
            assert!(TrustedHostLayer::new([wrong]).is_err(), "{wrong}");
        }
        assert!(TrustedHostLayer::new(["*", "a", "*.a"]).is_ok());
    }
}

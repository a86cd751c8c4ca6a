//! Cross-origin requests: Starlette's `CORSMiddleware`.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use pin_project_lite::pin_project;
use regex::Regex;
use tower::{Layer, Service};

use super::vary;
use crate::characters::{latin1, strip, to_latin1};
use crate::response::Unhandled;

/// What `*` stands for among the methods.
const ALL_METHODS: [&str; 8] =
    ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY"];

/// Headers that are allowed always.
const SAFELISTED_HEADERS: [&str; 4] =
    ["Accept", "Accept-Language", "Content-Language", "Content-Type"];

const PREFLIGHT_VARY: HeaderValue = HeaderValue::from_static(
    "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, \
     Access-Control-Request-Private-Network",
);
const ANY: HeaderValue = HeaderValue::from_static("*");
const TRUE: HeaderValue = HeaderValue::from_static("true");
const REQUEST_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");

/// The arguments of Starlette's `CORSMiddleware`, by their names and with their defaults: no origins,
/// `GET` alone, no credentials.
#[derive(Clone, Debug)]
pub struct CorsOptions {
    /// Origins as browsers send them (scheme, host and port, no slash at the end), or `*` for all.
    pub allow_origins: Vec<String>,
    /// Methods in capitals, or `*` for those that are in common use.
    pub allow_methods: Vec<String>,
    /// Header names beside those that are always allowed, or `*` for whatever is requested.
    pub allow_headers: Vec<String>,
    /// Whether browsers may send cookies and `Authorization`.
    pub allow_credentials: bool,
    /// Further origins: a regular expression that the whole origin has to match. It is of Rust's
    /// `regex`, which has the syntax of Python's `re` except look-around and back-references.
    pub allow_origin_regex: Option<String>,
    /// Whether pages from public networks may call this service in a private one.
    pub allow_private_network: bool,
    /// Headers of the answer that scripts may read.
    pub expose_headers: Vec<String>,
    /// How long browsers may remember the answer to a preflight, in seconds.
    pub max_age: i64,
}

impl Default for CorsOptions {
    fn default() -> Self {
        Self {
            allow_origins: Vec::new(),
            allow_methods: vec!["GET".to_owned()],
            allow_headers: Vec::new(),
            allow_credentials: false,
            allow_origin_regex: None,
            allow_private_network: false,
            expose_headers: Vec::new(),
            max_age: 600,
        }
    }
}

/// Why options make no layer.
#[derive(Debug, thiserror::Error)]
pub enum CorsError {
    /// The expression cannot be compiled.
    #[error("allow_origin_regex: {0}")]
    OriginRegex(#[from] regex::Error),
    /// An option has characters that no header can carry.
    #[error("{option}: {value:?} cannot be written into a header")]
    HeaderValue {
        /// The name of the option.
        option: &'static str,
        /// What it would give the header.
        value: String,
    },
}

/// Answers preflights and adds the headers that let pages of other origins read answers, to the byte
/// as Starlette's `CORSMiddleware` does. `Vary` is merged with that of the answer.
///
/// Answers of Starlette's `ServerErrorMiddleware`, which is outside of it, have no such headers: those
/// that [`internal_server_error`](crate::internal_server_error) makes stay as they are.
#[derive(Clone, Debug)]
pub struct CorsLayer(Arc<Rules>);

#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "options that have nothing to do with each other"
)]
struct Rules {
    all_origins: bool,
    /// Those that a header can carry.
    origins: Vec<Vec<u8>>,
    origin_regex: Option<Regex>,
    methods: Vec<String>,
    all_headers: bool,
    /// In lower case.
    headers: Vec<String>,
    credentials: bool,
    private_network: bool,
    expose_headers: Option<HeaderValue>,
    /// What every answer to a preflight has.
    preflight: HeaderMap,
}

impl CorsLayer {
    /// Checks the options.
    ///
    /// # Errors
    /// When the regular expression is none, or a header cannot carry a value.
    pub fn new(options: &CorsOptions) -> Result<Self, CorsError> {
        let has_any = |list: &[String]| list.iter().any(|item| item == "*");
        let all_origins = has_any(&options.allow_origins);
        let all_headers = has_any(&options.allow_headers);
        let methods = if has_any(&options.allow_methods) {
            ALL_METHODS.map(str::to_owned).to_vec()
        } else {
            options.allow_methods.clone()
        };
        let given = options.allow_headers.iter().map(String::as_str);
        // Python sorts by code points, as UTF-8 does.
        let headers: BTreeSet<&str> = SAFELISTED_HEADERS.into_iter().chain(given).collect();
        let headers: Vec<&str> = headers.into_iter().collect();

        let mut preflight = HeaderMap::new();
        preflight.insert(header::VARY, PREFLIGHT_VARY);
        if all_origins && !options.allow_credentials {
            preflight.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
        }
        let allow_methods = header_value("allow_methods", methods.join(", "))?;
        preflight.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow_methods);
        preflight.insert(header::ACCESS_CONTROL_MAX_AGE, options.max_age.into());
        if !all_headers {
            let allow_headers = header_value("allow_headers", headers.join(", "))?;
            preflight.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, allow_headers);
        }
        if options.allow_credentials {
            preflight.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
        }
        let expose_headers = (!options.expose_headers.is_empty())
            .then(|| header_value("expose_headers", options.expose_headers.join(", ")))
            .transpose()?;
        Ok(Self(Arc::new(Rules {
            all_origins,
            origins: options.allow_origins.iter().filter_map(|origin| to_latin1(origin)).collect(),
            origin_regex: options.allow_origin_regex.as_deref().map(whole).transpose()?,
            methods,
            all_headers,
            headers: headers.into_iter().map(str::to_lowercase).collect(),
            credentials: options.allow_credentials,
            private_network: options.allow_private_network,
            expose_headers,
            preflight,
        })))
    }
}

fn header_value(option: &'static str, value: String) -> Result<HeaderValue, CorsError> {
    let bytes = to_latin1(&value).and_then(|bytes| HeaderValue::from_bytes(&bytes).ok());
    bytes.ok_or(CorsError::HeaderValue { option, value })
}

/// An expression that matches whole texts only, as Python's `fullmatch`.
fn whole(expression: &str) -> Result<Regex, regex::Error> {
    // Alone first: an error names the pattern as it was given.
    let expression = expression.replace(r"\Z", r"\z");
    Regex::new(&expression)?;
    Regex::new(&format!(r"\A(?:{expression})\z"))
}

impl Rules {
    fn allows(&self, origin: &HeaderValue) -> bool {
        self.all_origins
            || self.origins.iter().any(|allowed| allowed == origin.as_bytes())
            || self.origin_regex.as_ref().is_some_and(|r| r.is_match(&latin1(origin.as_bytes())))
    }

    fn allows_headers(&self, requested: &str) -> bool {
        let lower = requested.to_lowercase();
        lower.split(',').all(|name| self.headers.iter().any(|allowed| allowed == strip(name)))
    }

    /// The answer to a preflight, if the request is one.
    fn preflight(&self, request: &Request) -> Option<Response> {
        if request.method() != Method::OPTIONS {
            return None;
        }
        let requested = request.headers();
        let origin = requested.get(header::ORIGIN)?;
        let method = requested.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
        let mut headers = self.preflight.clone();
        let mut failures = Vec::new();
        if !self.allows(origin) {
            failures.push("origin");
        } else if !self.all_origins || self.credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        }
        let method = latin1(method.as_bytes());
        if !self.methods.iter().any(|allowed| *allowed == method) {
            failures.push("method");
        }
        if let Some(names) = requested.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            if self.all_headers {
                headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
            } else if !self.allows_headers(&latin1(names.as_bytes())) {
                failures.push("headers");
            }
        }
        if requested.contains_key(REQUEST_PRIVATE_NETWORK) {
            if self.private_network {
                headers.insert(ALLOW_PRIVATE_NETWORK, TRUE);
            } else {
                failures.push("private-network");
            }
        }
        let (status, text) = if failures.is_empty() {
            (StatusCode::OK, Cow::Borrowed("OK"))
        } else {
            let text = format!("Disallowed CORS {}", failures.join(", "));
            (StatusCode::BAD_REQUEST, text.into())
        };
        Some((status, headers, text).into_response())
    }

    fn complete(&self, origin: Option<&HeaderValue>, response: &mut Response) {
        // An upgrade is no HTTP to Starlette.
        if response.status() == StatusCode::SWITCHING_PROTOCOLS
            || response.extensions().get::<Unhandled>().is_some()
        {
            return;
        }
        let headers = response.headers_mut();
        if let Some(origin) = origin {
            if self.all_origins {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
            }
            if self.credentials {
                headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, TRUE);
            }
            if let Some(exposed) = &self.expose_headers {
                headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed.clone());
            }
            let is_named = if self.all_origins { self.credentials } else { self.allows(origin) };
            if is_named {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            }
        }
        vary(headers, "Origin");
    }
}

impl<S> Layer<S> for CorsLayer {
    type Service = Cors<S>;

    fn layer(&self, inner: S) -> Cors<S> {
        Cors { inner, rules: Arc::clone(&self.0) }
    }
}

/// The service of [`CorsLayer`].
#[derive(Clone, Debug)]
pub struct Cors<S> {
    inner: S,
    rules: Arc<Rules>,
}

impl<S> Service<Request> for Cors<S>
where
    S: Service<Request>,
    S::Response: IntoResponse,
{
    type Response = Response;
    type Error = S::Error;
    type Future = CorsFuture<S::Future>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        if let Some(response) = self.rules.preflight(&request) {
            return CorsFuture { kind: Kind::Preflight { response: Some(response) } };
        }
        let origin = request.headers().get(header::ORIGIN).cloned();
        let rules = Arc::clone(&self.rules);
        CorsFuture { kind: Kind::Simple { inner: self.inner.call(request), origin, rules } }
    }
}

pin_project! {
    /// The answer of [`Cors`].
    pub struct CorsFuture<F> {
        #[pin]
        kind: Kind<F>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<F> {
        Preflight {
            response: Option<Response>,
        },
        Simple {
            #[pin]
            inner: F,
            origin: Option<HeaderValue>,
            rules: Arc<Rules>,
        },
    }
}

impl<F, R, E> Future for CorsFuture<F>
where
    F: Future<Output = Result<R, E>>,
    R: IntoResponse,
{
    type Output = Result<Response, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().kind.project() {
            KindProjection::Preflight { response } => {
                response.take().map_or(Poll::Pending, |response| Poll::Ready(Ok(response)))
            }
            KindProjection::Simple { inner, origin, rules } => {
                let mut response = ready!(inner.poll(context))?.into_response();
                rules.complete(origin.as_ref(), &mut response);
                Poll::Ready(Ok(response))
            }
        }
    }
}

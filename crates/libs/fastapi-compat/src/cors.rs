//! Cross-origin requests as Starlette's `CORSMiddleware` answers them, set up as FastAPI services
//! do: some origins, credentials, every method and header.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};

const METHODS: &str = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY";
const MAX_AGE_SECONDS: &str = "600";
const PREFLIGHT_VARY: &str = "Origin, Access-Control-Request-Method, \
     Access-Control-Request-Headers, Access-Control-Request-Private-Network";
const REQUEST_PRIVATE_NETWORK: &str = "access-control-request-private-network";

/// The origins whose pages may call the service.
#[derive(Debug)]
pub(crate) struct Cors {
    origins: Box<[String]>,
}

impl Cors {
    /// Origins as browsers send them: scheme, host and port, no slash at the end.
    pub(crate) fn new(origins: impl IntoIterator<Item = String>) -> Self {
        Self { origins: origins.into_iter().collect() }
    }

    /// The answer to a preflight, if the request is one.
    pub(crate) fn preflight(&self, request: &Request) -> Option<Response> {
        let headers = request.headers();
        let origin = headers.get(header::ORIGIN)?;
        let method = headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
        (request.method() == Method::OPTIONS).then(|| self.answer(origin, method, headers))
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.origins.iter().any(|allowed| origin == allowed)
    }

    fn answer(
        &self,
        origin: &HeaderValue,
        method: &HeaderValue,
        request_headers: &HeaderMap,
    ) -> Response {
        let mut failures = Vec::new();
        let mut headers = HeaderMap::new();
        headers.insert(header::VARY, HeaderValue::from_static(PREFLIGHT_VARY));
        let methods = HeaderValue::from_static(METHODS);
        headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
        let max_age = HeaderValue::from_static(MAX_AGE_SECONDS);
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, max_age);
        let credentials = HeaderValue::from_static("true");
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials);
        if self.allows(origin) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        } else {
            failures.push("origin");
        }
        if !METHODS.split(", ").any(|allowed| method == allowed) {
            failures.push("method");
        }
        if let Some(requested) = request_headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
        }
        if request_headers.contains_key(REQUEST_PRIVATE_NETWORK) {
            failures.push("private-network");
        }
        if failures.is_empty() {
            (headers, "OK").into_response()
        } else {
            let text = format!("Disallowed CORS {}", failures.join(", "));
            (StatusCode::BAD_REQUEST, headers, text).into_response()
        }
    }

    pub(crate) fn add_headers(&self, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
        if let Some(origin) = origin {
            let credentials = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, credentials);
            if self.allows(&origin) {
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            }
        }
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}

//! The answers of a router to requests that no operation answers: 404, 405, the redirect to the path
//! with or without a slash at its end, and a 500.

use std::net::SocketAddr;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::layers::scheme;
use crate::response::{HttpError, internal_server_error};

/// The 405 of a path that has an operation with this method.
pub(crate) fn not_allowed<S: Clone + Send + Sync + 'static>(method: &Method) -> MethodRouter<S> {
    let allow = HeaderValue::from_str(method.as_str()).ok();
    any(move || {
        let error = HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed");
        let error = match &allow {
            Some(allow) => error.with_header(header::ALLOW, allow.clone()),
            None => error,
        };
        std::future::ready(error)
    })
}

/// The 405 of a page, to which axum adds what it allows.
pub(crate) async fn page_not_allowed() -> HttpError {
    HttpError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

/// `GET,HEAD` as Starlette writes it: `GET, HEAD`.
pub(crate) fn space_allow(response: &mut Response) {
    if let Some(allow) = response.headers().get(header::ALLOW)
        && let Ok(allow) = allow.to_str()
        && let Ok(spaced) = HeaderValue::from_str(&allow.replace(", ", ",").replace(',', ", "))
    {
        response.headers_mut().insert(header::ALLOW, spaced);
    }
}

/// The 500 when a route was found and axum does not find it.
pub(crate) async fn lost(uri: Uri) -> Response {
    tracing::error!(%uri, "a route matches that axum cannot serve");
    internal_server_error()
}

/// The 404 of a path that has no route.
pub(crate) fn not_found<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    any(async || HttpError::new(StatusCode::NOT_FOUND, "Not Found"))
}

/// The 307 to a path with or without the slash at its end.
pub(crate) fn redirect<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    any(async |request: Request| match request.extensions().get() {
        Some(Location(Some(location))) => {
            // Sent for HEAD too, where hyper would leave it out.
            let length = (header::CONTENT_LENGTH, HeaderValue::from_static("0"));
            let location = (header::LOCATION, location.clone());
            (StatusCode::TEMPORARY_REDIRECT, [length, location]).into_response()
        }
        _ => internal_server_error(),
    })
}

/// Where a redirect leads; nowhere if that cannot be written into a header.
#[derive(Clone)]
pub(crate) struct Location(Option<HeaderValue>);

/// The address of the socket that a request came in by, in the extensions of the request. Redirects
/// name it if the request has no valid `Host`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalAddr(pub SocketAddr);

/// What Python's `quote` leaves alone in the `Location` of a redirect.
const LOCATION: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b':')
    .remove(b'/')
    .remove(b'%')
    .remove(b'#')
    .remove(b'?')
    .remove(b'=')
    .remove(b'@')
    .remove(b'[')
    .remove(b']')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'_')
    .remove(b'.')
    .remove(b'-')
    .remove(b'~');

/// The URL of a path on this host.
pub(crate) fn location(request: &Request, path: &str) -> Location {
    let scheme = scheme(request.extensions());
    let default_port = match scheme {
        "https" | "wss" => 443,
        _ => 80,
    };
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = host.filter(|host| is_host(host)).map_or_else(
        || match request.extensions().get::<LocalAddr>() {
            Some(LocalAddr(local)) => {
                let local = SocketAddr::new(local.ip().to_canonical(), local.port());
                let text = local.to_string();
                let port = format!(":{default_port}");
                text.strip_suffix(&port).map(str::to_owned).unwrap_or(text)
            }
            None => "127.0.0.1".to_owned(),
        },
        str::to_owned,
    );
    let path = path.replace('?', "%3F").replace('#', "%23").replace('\\', "%5C");
    let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
    let query = if query == "?" { "" } else { &query };
    let url = format!("{scheme}://{host}{path}{query}");
    Location(HeaderValue::from_str(&utf8_percent_encode(&url, LOCATION).to_string()).ok())
}

/// A host as a `Host` header may name it: a name or an address, perhaps with a port.
fn is_host(host: &str) -> bool {
    let (name, port) = match host.rsplit_once(':') {
        Some((name, port)) if !port.contains(']') => (name, port),
        _ => (host, ""),
    };
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=%[]:".contains(c);
    !name.is_empty() && name.chars().all(is_name) && port.chars().all(|c| c.is_ascii_digit())
}

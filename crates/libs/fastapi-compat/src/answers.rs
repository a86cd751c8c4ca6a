//! The answers of a router to requests that no operation answers: 404, 405, the redirect to the path
//! with or without a slash at its end, and a 500.

use std::net::SocketAddr;

use axum::extract::{OriginalUri, Request};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use http::request::Parts;
use http::{Extensions, HeaderValue, Method, StatusCode, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::dialect::{Switch, has};
use crate::host::authority;
use crate::layers::scheme;
use crate::response::{HttpError, internal_server_error};
use crate::urlencoded::decode_replacing;

/// The 405 of a path that has an operation with these methods. FastAPI names them in the order of a
/// set, which is that of no order; here it is that of their declaration.
pub(crate) fn not_allowed<S: Clone + Send + Sync + 'static>(methods: &[Method]) -> MethodRouter<S> {
    let methods: Vec<_> = methods.iter().map(Method::as_str).collect();
    let allow = HeaderValue::from_str(&methods.join(", ")).ok();
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
pub(crate) struct Location(pub(crate) Option<HeaderValue>);

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

/// The decoded path of a request, with the prefixes that were taken off it.
pub(crate) fn full_path(uri: &Uri, extensions: &Extensions) -> String {
    let uri = extensions.get::<OriginalUri>().map_or(uri, |OriginalUri(original)| original);
    decode_replacing(&percent_decode_str(uri.path()).collect::<Vec<_>>())
}

/// The URL of a path on this host.
pub(crate) fn location(request: &Parts, path: &str) -> Location {
    let scheme = scheme(&request.extensions);
    Location(quoted(&url(scheme, &authority(request), path, request.uri.query())))
}

/// A URL as `urlsplit` and back leaves it.
pub(crate) fn split(url: &str) -> String {
    url.replace(['\t', '\r', '\n'], "")
}

/// A URL with a decoded path.
pub(crate) fn url(scheme: &str, authority: &str, path: &str, query: Option<&str>) -> String {
    let path = if has(Switch::RedirectsKeepHashes) {
        path.to_owned()
    } else {
        path.replace('?', "%3F").replace('#', "%23")
    };
    let path = path.replace('\\', "%5C");
    let query = query.filter(|query| !query.is_empty());
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{scheme}://{authority}{path}{query}")
}

/// A URL as Starlette writes it into a `Location`.
pub(crate) fn quoted(url: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&utf8_percent_encode(url, LOCATION).to_string()).ok()
}

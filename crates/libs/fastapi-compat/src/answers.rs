//! The answers of a router to requests that no operation answers: 404, 405, the redirect to the path
//! with or without a slash at its end, and a 500.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any};
use http::{HeaderValue, Method, StatusCode, Uri, header};

use crate::location::Location;
use crate::response::{HttpError, internal_server_error};

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

//! Answers as FastAPI writes them.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;

/// A JSON answer with status 200: compact, keys in declaration order.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &self.0)
    }
}

/// The answer of an operation with `status = 204`: nothing, of the type that would be expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        let json = HeaderValue::from_static("application/json");
        (StatusCode::NO_CONTENT, [(header::CONTENT_TYPE, json)]).into_response()
    }
}

/// An answer of any status with a JSON body.
pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    let mut buffer = Vec::with_capacity(256);
    match serde_json::to_writer(&mut buffer, body) {
        Ok(()) => (
            status,
            [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))],
            Bytes::from(buffer),
        )
            .into_response(),
        Err(error) => {
            tracing::error!(%error, "an answer could not be serialised");
            internal_server_error()
        }
    }
}

/// In the extensions of [`internal_server_error`]: what Starlette does inside of its
/// `ServerErrorMiddleware` does not touch this answer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unhandled;

/// The answer of Starlette's `ServerErrorMiddleware` to an unhandled exception.
pub fn internal_server_error() -> Response {
    let text = "Internal Server Error";
    (StatusCode::INTERNAL_SERVER_ERROR, axum::Extension(Unhandled), text).into_response()
}

/// FastAPI's `HTTPException`: a status and `{"detail": …}`.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpError {
    status: StatusCode,
    detail: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl HttpError {
    /// An answer of this status, whose body is `{"detail": …}`.
    pub fn new(status: StatusCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { status, detail: detail.into(), header: None }
    }

    /// The same with a header; an earlier one is replaced.
    #[must_use]
    pub fn with_header(self, name: HeaderName, value: HeaderValue) -> Self {
        Self { header: Some((name, value)), ..self }
    }
}

impl IntoResponse for HttpError {
    fn into_response(self) -> Response {
        #[derive(Serialize)]
        struct Body<'a> {
            detail: &'a str,
        }
        let mut response = json(self.status, &Body { detail: &self.detail });
        response.headers_mut().extend(self.header);
        response
    }
}

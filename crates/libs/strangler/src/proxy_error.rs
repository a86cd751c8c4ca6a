//! Why a request is not forwarded, or its response is not, and what the client gets then.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{self, HeaderValue};

use crate::events::Event;

/// Why there is no response of the old service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProxyError {
    #[error("legacy cannot be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    #[error("legacy closed a kept connection")]
    Closed(#[source] hyper_util::client::legacy::Error),
    #[error("legacy, in this process, gave no response")]
    InProcess(#[source] tower::BoxError),
    #[error("legacy timed out")]
    Timeout,
    #[error("legacy's response cannot be forwarded: {0}")]
    Response(&'static str),
    #[error("too many requests in flight to legacy")]
    Overloaded,
    #[error("the client sent its body too slowly")]
    SlowClient,
    #[error("the request cannot be forwarded: {0}")]
    Request(&'static str),
    #[error("the request's Transfer-Encoding is not chunked alone")]
    TransferEncoding,
    #[error("CONNECT is for other proxies")]
    Connect,
}

impl ProxyError {
    /// Whether it is the client's, and says nothing about the old service.
    pub(crate) const fn is_of_client(&self) -> bool {
        matches!(self, Self::SlowClient | Self::Request(_) | Self::TransferEncoding | Self::Connect)
    }

    pub(crate) const fn event(&self) -> Option<Event> {
        match self {
            Self::SlowClient => Some(Event::SlowUpload),
            Self::Request(_) | Self::TransferEncoding | Self::Connect => Some(Event::Refused),
            Self::Overloaded => Some(Event::Overloaded),
            _ => None,
        }
    }
}

impl IntoResponse for ProxyError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Unreachable(_) | Self::Closed(_) | Self::InProcess(_) | Self::Response(_) => {
                StatusCode::BAD_GATEWAY
            }
            Self::Timeout => StatusCode::GATEWAY_TIMEOUT,
            Self::Overloaded => StatusCode::SERVICE_UNAVAILABLE,
            Self::SlowClient => StatusCode::REQUEST_TIMEOUT,
            Self::Request(_) => StatusCode::BAD_REQUEST,
            Self::TransferEncoding => StatusCode::NOT_IMPLEMENTED,
            Self::Connect => StatusCode::METHOD_NOT_ALLOWED,
        };
        let body = format!(r#"{{"detail":"{}"}}"#, status.canonical_reason().unwrap_or_default());
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/json")], body).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        // What is left of the client's body is not read.
        if matches!(self, Self::SlowClient | Self::TransferEncoding) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

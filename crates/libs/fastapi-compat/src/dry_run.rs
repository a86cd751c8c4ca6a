//! Requests that are only tried.

use axum::response::{IntoResponse, Response};
use http::StatusCode;

/// In the extensions of a request: read it, let the caller in and validate it, but do not act.
#[derive(Clone, Copy, Debug)]
pub struct DryRun;

/// In the extensions of the answer to a request that was only tried, or whose handler is not written
/// ([`HttpError::not_written`](crate::HttpError::not_written)): it would have been acted upon.
#[derive(Clone, Copy, Debug)]
pub struct WouldAct;

impl IntoResponse for WouldAct {
    fn into_response(self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

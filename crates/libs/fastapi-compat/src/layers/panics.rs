//! A panic costs one request.

use std::any::Any;

use axum::response::Response;
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};

use crate::response::internal_server_error;

/// tower-http's [`CatchPanicLayer`] with the answer of Starlette's `ServerErrorMiddleware` to an
/// unhandled exception: 500 and the text `Internal Server Error`. The message of the panic is logged.
///
/// It belongs outside of [`CorsLayer`](super::CorsLayer): Starlette adds no headers for other origins
/// to this answer.
pub fn catch_panic() -> CatchPanicLayer<PanicResponse> {
    CatchPanicLayer::custom(PanicResponse)
}

/// Makes the answer of [`catch_panic`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PanicResponse;

impl ResponseForPanic for PanicResponse {
    type ResponseBody = axum::body::Body;

    fn response_for_panic(&mut self, panic: Box<dyn Any + Send + 'static>) -> Response {
        let message = panic
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        tracing::error!(panic = message, "a request handler panicked");
        internal_server_error()
    }
}

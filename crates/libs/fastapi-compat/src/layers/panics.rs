//! A panic costs one request.

use std::any::Any;

use axum::response::Response;
use tower_http::catch_panic::{CatchPanicLayer, ResponseForPanic};

use crate::response::internal_server_error;

/// tower-http's [`CatchPanicLayer`] with the answer of Starlette's `ServerErrorMiddleware` to an
/// unhandled exception: 500 and the text `Internal Server Error`. The panic hook has reported the panic
/// itself ([`std::panic::set_hook`]).
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

    fn response_for_panic(&mut self, _: Box<dyn Any + Send + 'static>) -> Response {
        internal_server_error()
    }
}

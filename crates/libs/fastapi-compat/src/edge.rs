//! What uvicorn and Starlette do around an application, before and after its routes.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures_util::FutureExt;
use http::{StatusCode, header};

use crate::body::BodyLimit;
use crate::cors::Cors;
use crate::protocol::{TrustedProxies, invalid_request, is_known};
use crate::response::internal_server_error;

/// The outermost part of a service, as one middleware:
/// `router.layer(from_fn_with_state(Arc::new(edge), Edge::handle))`.
#[derive(Debug)]
pub struct Edge {
    cors: Cors,
    proxies: TrustedProxies,
    body_limit: BodyLimit,
}

impl Edge {
    /// `origins` are those whose pages may call the service, as browsers send them: scheme, host and
    /// port, no slash at the end. `proxies` are those whose `X-Forwarded-Proto` is believed.
    pub fn new(
        origins: impl IntoIterator<Item = String>,
        proxies: TrustedProxies,
        body_limit: BodyLimit,
    ) -> Self {
        Self { cors: Cors::new(origins), proxies, body_limit }
    }

    /// The middleware, for `axum::middleware::from_fn_with_state`.
    pub async fn handle(State(edge): State<Arc<Self>>, request: Request, next: Next) -> Response {
        edge.around(request, next).await
    }

    /// Answers what no route sees, calls the routes, and completes their answer; a panic costs one
    /// request.
    pub async fn around(&self, mut request: Request, next: Next) -> Response {
        if !is_known(request.method()) {
            return invalid_request();
        }
        if let Some(response) = self.cors.preflight(&request) {
            return response;
        }
        self.proxies.mark(&mut request);
        request.extensions_mut().insert(self.body_limit);
        let origin = request.headers().get(header::ORIGIN).cloned();
        let response = AssertUnwindSafe(next.run(request)).catch_unwind().await;
        let mut response = response.unwrap_or_else(|_| internal_server_error());
        // Starlette's outermost layer answers 500s, outside the one for cross-origin requests.
        if response.status() != StatusCode::INTERNAL_SERVER_ERROR {
            self.cors.add_headers(origin, response.headers_mut());
        }
        response
    }
}

//! Logs: one line for each request, for people in a terminal and as JSON elsewhere.

use std::io::IsTerminal;
use std::time::Instant;

use axum::extract::Request;
use axum::response::Response;
use fastapi_compat::Operation;
use tracing_subscriber::EnvFilter;

/// Starts logging; `RUST_LOG` says how much.
pub fn start() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    if std::io::stderr().is_terminal() {
        builder.compact().init();
    } else {
        builder.json().flatten_event(true).init();
    }
}

/// Logs what was asked and how it was answered: the operation, never the URL, in which e-mail
/// addresses may stand.
pub async fn log_request(
    request: Request,
    answer: impl AsyncFnOnce(Request) -> Response,
) -> Response {
    if !tracing::enabled!(tracing::Level::INFO) {
        return answer(request).await;
    }
    let start = Instant::now();
    let method = request.method().clone();
    let response = answer(request).await;
    let operation = response.extensions().get::<Operation>().map_or("-", |op| &op.id);
    let status = response.status().as_u16();
    let milliseconds = start.elapsed().as_secs_f64() * 1000.0;
    tracing::info!(%method, operation, status, milliseconds, "request");
    response
}

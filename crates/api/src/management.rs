//! What operators request, on a port of its own: health and metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use celery_compat::Status;
use domain::{Storage, chain};
use http::{Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use tokio::net::TcpStream;
use tracing_appender::non_blocking::ErrorCounter;

use crate::config::Settings;
use crate::serve::Draining;
use crate::{App, telemetry};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Timeout of a health check.
const HEALTHCHECK_TIMEOUT: Duration = Duration::from_secs(3);

#[derive(Clone)]
struct Management {
    storage: Arc<dyn Storage>,
    draining: Draining,
    registry: Arc<Registry>,
    is_migrated: Arc<AtomicBool>,
    /// `None` for the service.
    worker: Option<Arc<Status>>,
}

/// The routes of the management port.
pub fn router(app: &App, draining: Draining, dropped_lines: Option<ErrorCounter>) -> axum::Router {
    let registry = telemetry::registry(app, dropped_lines);
    routes(Arc::clone(&app.storage), draining, registry, None)
}

/// The routes of a worker's management port.
pub fn worker_router(
    storage: Arc<dyn Storage>,
    status: Arc<Status>,
    draining: Draining,
    dropped_lines: Option<ErrorCounter>,
) -> axum::Router {
    let registry =
        telemetry::worker_registry(Arc::clone(&storage), Arc::clone(&status), dropped_lines);
    routes(storage, draining, registry, Some(status))
}

fn routes(
    storage: Arc<dyn Storage>,
    draining: Draining,
    registry: Registry,
    worker: Option<Arc<Status>>,
) -> axum::Router {
    let registry = Arc::new(registry);
    let management =
        Management { storage, draining, registry, is_migrated: Arc::default(), worker };
    axum::Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(management)
}

/// Whether this process can serve: not while it drains, nor before it has reached a database whose schema
/// is new enough. A database that fails later makes no process a worse target than another, so they all
/// stay ready and answer for themselves: a gateway without endpoints could not. A worker is ready while it
/// receives messages.
async fn readyz(State(management): State<Management>) -> Response {
    if management.draining.has_begun() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    if management.worker.as_ref().is_some_and(|worker| !worker.is_connected()) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the broker does not answer\n").into_response();
    }
    // Checked until none is pending: applied migrations stay applied.
    let storage = &management.storage;
    let pending = if management.is_migrated.load(Ordering::Relaxed) {
        storage.ping().await.map(|()| 0)
    } else {
        storage.pending_migrations().await
    };
    match pending {
        Ok(0) => {
            management.is_migrated.store(true, Ordering::Relaxed);
            "ok\n".into_response()
        }
        Ok(pending) => {
            let text = format!("the schema lacks {pending} migrations: run `molt migrate`\n");
            (StatusCode::SERVICE_UNAVAILABLE, text).into_response()
        }
        Err(error) if management.is_migrated.load(Ordering::Relaxed) => {
            tracing::warn!(error = %chain(&error), "database unavailable");
            "ok, but the database does not answer\n".into_response()
        }
        Err(error) => {
            tracing::warn!(error = %chain(&error), "not ready");
            (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n").into_response()
        }
    }
}

async fn metrics(State(management): State<Management>) -> Response {
    let mut text = String::new();
    if encode(&mut text, &management.registry).is_err() {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// Checks the health of a service with these settings on this machine: for containers without
/// any other program.
///
/// # Errors
/// When it does not answer within [`HEALTHCHECK_TIMEOUT`], or not with 200.
pub async fn healthcheck(settings: &Settings) -> Result<(), BoxError> {
    let (host, port, path) = if let Some((host, port)) = &settings.server.management {
        (host, *port, "/livez".to_owned())
    } else {
        let path = format!("{}/utils/health-check/", settings.api_v1_str);
        (&settings.server.host, settings.server.port, path)
    };
    // A service that listens on every address is reached by the loopback address.
    let host = match host.as_str() {
        "0.0.0.0" => "127.0.0.1",
        "::" => "::1",
        host => host,
    };
    let check = async {
        let stream = TokioIo::new(TcpStream::connect((host, port)).await?);
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await?;
        tokio::spawn(connection);
        let request = Request::get(path).header(header::HOST, host).body(Body::empty())?;
        match sender.send_request(request).await?.status() {
            StatusCode::OK => Ok(()),
            status => Err(format!("{host}:{port} answers {status}").into()),
        }
    };
    match tokio::time::timeout(HEALTHCHECK_TIMEOUT, check).await {
        Ok(answered) => answered,
        Err(_) => Err(format!("{host}:{port} does not answer").into()),
    }
}

//! What operators ask, on a port of its own: health, metrics, the strangler's page.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::{StatusCode, header};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use strangler::Strangler;

use crate::App;
use crate::serve::Draining;

#[derive(Clone)]
struct Management {
    app: App,
    draining: Draining,
    registry: Arc<Registry>,
}

/// The routes of the management port.
pub fn router(app: &App, strangler: Option<Strangler>, draining: Draining) -> axum::Router {
    let mut registry = Registry::default();
    let mut page = axum::Router::new();
    if let Some(strangler) = strangler {
        strangler.register(&mut registry);
        page = strangler.page(password(app));
    }
    let management = Management { app: app.clone(), draining, registry: Arc::new(registry) };
    axum::Router::new()
        .route("/livez", get(async || "ok\n"))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .with_state(management)
        .merge(page)
}

/// The one of the settings, or a new one that is printed.
fn password(app: &App) -> String {
    let given = app.settings.legacy.as_ref().and_then(|legacy| legacy.password.clone());
    given.unwrap_or_else(|| {
        let password = uuid::Uuid::new_v4().simple().to_string();
        println!("Its password, until STRANGLER_PASSWORD is set: {password}");
        password
    })
}

/// Whether requests should come here: not while the service drains, nor without its database.
async fn readyz(State(management): State<Management>) -> Response {
    if management.draining.has_begun() {
        return (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response();
    }
    match management.app.storage.ping().await {
        Ok(()) => "ok\n".into_response(),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "not ready");
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

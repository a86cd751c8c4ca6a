//! The service: routes, sign-in, settings and e-mail over axum.
//!
//! Start at [`routes`], one file per resource; [`app`] puts the layers around them.

pub mod config;
pub mod deps;
mod docs;
pub mod emails;
mod error;
pub mod routes;
pub mod security;
pub mod serve;
pub mod telemetry;

use std::ops::Deref;
use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use domain::{Storage, StorageError, User};
use fastapi_compat::{BodyLimit, Edge};
use http::StatusCode;

use crate::config::Settings;
use crate::emails::Mailer;
pub use crate::error::Error;
use crate::security::{Passwords, Tokens};

/// What an endpoint gives: its answer, or an error that is one.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that handlers share.
pub struct Services {
    pub settings: Settings,
    pub storage: Arc<dyn Storage>,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub mailer: Mailer,
}

impl Services {
    /// Creates the first superuser if no user has that e-mail.
    pub async fn create_first_superuser(&self) -> Result<()> {
        let email = &self.settings.first_superuser;
        if self.storage.user_by_email(email).await?.is_some() {
            return Ok(());
        }
        let hash = self.passwords.hash(self.settings.first_superuser_password.clone()).await?;
        let user = User { is_superuser: true, ..User::new(email.clone(), None, hash) };
        match self.storage.create_user(&user).await {
            // The other service was faster.
            Ok(()) | Err(StorageError::Conflict) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// The services, as a handler's argument.
#[derive(Clone)]
pub struct App(Arc<Services>);

impl App {
    pub fn new(services: Services) -> Self {
        Self(Arc::new(services))
    }
}

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

/// The whole service.
pub fn app(app: &App) -> axum::Router {
    let settings = &app.settings;
    let routes = routes::router(settings).merge(docs::router(settings)).with_state(app);
    let edge = Arc::new(Edge::new(
        settings.cors_origins.iter().cloned(),
        settings.forwarded_allow_ips.iter().cloned(),
        BodyLimit(settings.body_limit_bytes),
    ));
    let patience = settings.request_timeout;
    // One layer for everything: each costs a box and a copy of the request.
    routes.layer(from_fn(move |request: Request, next: Next| {
        let edge = Arc::clone(&edge);
        telemetry::log_request(request, async move |request| {
            match tokio::time::timeout(patience, edge.around(request, next)).await {
                Ok(response) => response,
                Err(_) => StatusCode::GATEWAY_TIMEOUT.into_response(),
            }
        })
    }))
}

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
pub mod telemetry;

use std::ops::Deref;
use std::sync::Arc;

use axum::middleware::{from_fn, from_fn_with_state};
use domain::{Storage, StorageError, User};
use fastapi_compat::{
    BodyLimit, Cors, TrustedProxies, internal_server_error, refuse_unknown_methods,
};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::timeout::TimeoutLayer;

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

/// The whole service. The layers, from the outside in:
pub fn app(app: &App) -> axum::Router {
    let settings = &app.settings;
    let mut router = routes::router(settings).merge(docs::router(settings)).with_state(app);
    // The largest body that is read.
    router = router.layer(axum::Extension(BodyLimit(settings.body_limit_bytes)));
    // Cross-origin headers on everything but 500s, as in Starlette.
    let cors = Cors::new(settings.cors_origins.iter().cloned());
    router = router.layer(from_fn_with_state(cors, Cors::handle));
    // A panic costs one request.
    router = router.layer(CatchPanicLayer::custom(|_| internal_server_error()));
    // No request takes for ever.
    let timeout = http::StatusCode::GATEWAY_TIMEOUT;
    router = router.layer(TimeoutLayer::with_status_code(timeout, settings.request_timeout));
    // Whether the client spoke HTTPS to the proxy before us.
    let proxies = TrustedProxies::new(settings.forwarded_allow_ips.iter().cloned());
    router = router.layer(from_fn_with_state(proxies, TrustedProxies::handle));
    // Methods that no HTTP parser of Python knows.
    router = router.layer(from_fn(refuse_unknown_methods));
    // One line in the log for each request.
    router.layer(from_fn(telemetry::log_request))
}

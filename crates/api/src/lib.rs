//! The service: routes, sign-in, settings and e-mail over axum.
//!
//! Start at [`routes`], one file per resource; [`app`] puts the layers around them.

pub mod config;
pub mod deps;
mod docs;
pub mod emails;
mod error;
pub mod limits;
pub mod management;
pub mod routes;
pub mod security;
pub mod serve;
pub mod telemetry;

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use domain::{Storage, StorageError, User};
use fastapi_compat::{BodyLimit, DryRun, Edge, WouldAct};
use http::StatusCode;
use http::header::{CONNECTION, HeaderValue};
use strangler::{Operations, Strangler};
use tokio::sync::Semaphore;

use crate::config::Settings;
use crate::emails::Mailer;
pub use crate::error::Error;
use crate::limits::Attempts;
use crate::security::{Passwords, Tokens};
use crate::telemetry::{Metrics, Watch};

/// What an endpoint gives: its answer, or an error that is one.
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that handlers share.
pub struct Services {
    pub settings: Settings,
    pub storage: Arc<dyn Storage>,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub mailer: Mailer,
    pub attempts: Attempts,
    pub metrics: Metrics,
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

/// The whole service; with a strangler it answers what the plan gives it and passes on the rest.
pub fn app(app: &App, strangler: Option<&Strangler>) -> axum::Router {
    let settings = &app.settings;
    let routes = all_routes(settings).with_state(app.clone());
    let edge = Edge::new(
        settings.cors_origins.iter().cloned(),
        settings.forwarded_allow_ips.clone(),
        BodyLimit(settings.body_limit_bytes),
    );
    let watch = Arc::new(Watch {
        metrics: app.metrics.clone(),
        passes_on: strangler.is_some(),
        hardened: settings.security_headers,
    });
    let bounds = Arc::new(Bounds {
        edge,
        patience: settings.request_timeout,
        places: Semaphore::new(settings.max_in_flight),
        metrics: app.metrics.clone(),
    });
    match strangler {
        // One layer for everything: each costs a box and a copy of the request.
        None => routes.layer(from_fn(move |request: Request, next: Next| {
            let (watch, bounds) = (Arc::clone(&watch), Arc::clone(&bounds));
            async move {
                watch.observe(request, async |request| bounds.within(request, next).await).await
            }
        })),
        Some(strangler) => routes
            .layer(from_fn(move |request: Request, next: Next| {
                let bounds = Arc::clone(&bounds);
                async move { bounds.within(request, next).await }
            }))
            .layer(strangler.layer())
            .layer(from_fn(move |request: Request, next: Next| {
                let watch = Arc::clone(&watch);
                async move { watch.observe(request, async |request| next.run(request).await).await }
            })),
    }
}

/// What no request may exceed.
struct Bounds {
    edge: Edge,
    patience: Duration,
    /// As many as requests may be answered at a time: beyond that, clients are asked to come again,
    /// which is quicker and needs no memory.
    places: Semaphore,
    metrics: Metrics,
}

impl Bounds {
    async fn within(&self, request: Request, next: Next) -> Response {
        let Ok(_place) = self.places.try_acquire() else {
            self.metrics.refused();
            return Error::Overloaded.into_response();
        };
        let answer = tokio::time::timeout(self.patience, self.edge.around(request, next)).await;
        answer.unwrap_or_else(|_| {
            // Whatever is left of the body will not be read.
            let close = [(CONNECTION, HeaderValue::from_static("close"))];
            (StatusCode::GATEWAY_TIMEOUT, close).into_response()
        })
    }
}

/// The operations, and the pages about them.
fn all_routes(settings: &Settings) -> fastapi_compat::Router<App> {
    routes::router(settings).merge(docs::router(settings))
}

/// The strangler of this service, if it has an old one.
///
/// # Errors
/// When the plan cannot be read or is refused.
pub fn strangler(
    settings: &Settings,
) -> std::result::Result<Option<Strangler>, strangler::StartError> {
    let Some(legacy) = &settings.legacy else { return Ok(None) };
    let trusted = settings.forwarded_allow_ips.clone();
    let operations = all_routes(settings);
    let operations = operations
        .operations()
        .map(|(id, method, path)| strangler::Operation::new(&id, method.as_str(), &path));
    let settings = strangler::Settings {
        plan: legacy.plan.clone(),
        timeout: legacy.timeout,
        max_in_flight: legacy.max_in_flight,
        trust: Arc::new(move |peer| trusted.trusts(peer)),
        dry_run: Some(strangler::DryRun {
            prepare: |request| _ = request.extensions_mut().insert(DryRun),
            would_act: |response| response.extensions().get::<WouldAct>().is_some(),
        }),
        ..strangler::Settings::new(legacy.url.clone())
    };
    Strangler::start(settings, Operations::new(operations)).map(Some)
}

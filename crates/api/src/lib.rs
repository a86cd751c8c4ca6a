//! The service: routes, sign-in, settings and e-mail over axum.
//!
//! Start at [`routes`], one file per resource; [`app`] puts the layers around them.

pub mod admission;
pub mod config;
pub mod deps;
mod docs;
pub mod emails;
mod error;
mod html;
pub mod limits;
pub mod management;
pub mod passwords;
pub mod routes;
pub mod serve;
pub mod start;
#[cfg(feature = "strangler")]
pub mod strangler;
pub mod tasks;
pub mod telemetry;
pub mod tokens;

use std::convert::Infallible;
use std::ops::Deref;
use std::sync::Arc;

#[cfg(feature = "strangler")]
use ::strangler::Strangler;
use axum::error_handling::HandleErrorLayer;
use axum::extract::Request;
use axum::response::Response;
use domain::{Storage, StorageError, User};
use fastapi_compat::layers::{
    BodyLimitLayer, CorsError, CorsLayer, CorsOptions, ProxyHeadersLayer, RunToCompletionLayer,
    StrictRequestsLayer, catch_panic,
};
use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{Method, StatusCode};
use secrecy::ExposeSecret;
use tokio_util::task::TaskTracker;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::{BoxError, Service, ServiceBuilder};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use crate::admission::MaxDelayLayer;
use crate::config::Settings;
use crate::emails::{Collect, Mailer};
pub use crate::error::Error;
use crate::limits::{Attempts, Client};
use crate::passwords::{HashPermit, Passwords};
use crate::telemetry::{Metrics, ObserveLayer};
use crate::tokens::Tokens;

/// What an endpoint gives: its answer, or an error that is one.
pub type Result<T> = std::result::Result<T, Error>;

/// What handlers share beside the storage and the mailer; nothing in it outlives the process.
pub struct Services {
    pub settings: Settings,
    pub tokens: Tokens,
    pub passwords: Passwords,
    pub attempts: Attempts,
    pub metrics: Metrics,
    /// Requests whose client has disconnected, until they are finished.
    pub background: TaskTracker,
    /// `None` if there is no old service.
    #[cfg(feature = "strangler")]
    pub strangler: Option<Strangler>,
}

/// The services, as a handler's argument. Whatever a handler changes it changes through `storage` and
/// `mailer`, so that its request can be rehearsed.
#[derive(Clone)]
pub struct App {
    services: Arc<Services>,
    pub storage: Arc<dyn Storage>,
    pub mailer: Mailer,
    is_rehearsal: bool,
}

impl App {
    pub fn new(services: Services, storage: Arc<dyn Storage>, mailer: Mailer) -> Self {
        Self { services: Arc::new(services), storage, mailer, is_rehearsal: false }
    }

    /// The same on a storage whose changes are undone, with a mailer that sends nothing: `mails` gets
    /// its e-mails.
    #[must_use]
    pub fn rehearsing(&self, storage: Arc<dyn Storage>, mails: Collect) -> Self {
        let (services, mailer) = (Arc::clone(&self.services), self.mailer.rehearsing(mails));
        Self { services, storage, mailer, is_rehearsal: true }
    }

    /// Permission to hash one request's passwords: counts an attempt by this client on this account,
    /// unless it is a rehearsal, and takes a permit of the queue of the password threads.
    ///
    /// # Errors
    /// When there were too many attempts, or the queue is too long.
    pub fn admit(&self, client: Client, account: &str) -> Result<HashPermit> {
        if !self.is_rehearsal {
            self.attempts.count(client, account)?;
        }
        self.passwords.admit()
    }

    /// The same for a superuser, who acts on many accounts.
    ///
    /// # Errors
    /// When there were too many attempts, or the queue is too long.
    pub fn admit_superuser(&self, client: Client) -> Result<HashPermit> {
        if !self.is_rehearsal {
            self.attempts.count_client(client)?;
        }
        self.passwords.admit()
    }

    /// Creates the first superuser if no user has that e-mail.
    pub async fn create_first_superuser(&self) -> Result<()> {
        let email = &self.settings.auth.first_superuser;
        if self.storage.user_by_email(email).await?.is_some() {
            return Ok(());
        }
        let password = self.settings.auth.first_superuser_password.expose_secret().to_owned();
        let permit = self.passwords.admit()?;
        let hash = self.passwords.hash(&permit, password).await?;
        let user = User { is_superuser: true, ..User::new(email.clone(), None, hash) };
        match self.storage.create_user(&user).await {
            // The other service was faster.
            Ok(()) | Err(StorageError::Conflict(_)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.services
    }
}

/// The whole service: one stack of layers, composed statically, the outermost first. It is always
/// ready.
///
/// The layers are around the router and not in it ([`axum::Router::layer`]): hyper may drop the future of a
/// request before it is polled, when the client sends and disconnects at once, and within the router
/// nothing has been called by then.
///
/// # Errors
/// When an allowed origin is invalid.
pub fn app(
    app: &App,
) -> std::result::Result<
    impl Service<Request, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static
    + use<>,
    CorsError,
> {
    let settings = &app.settings;
    let server = &settings.server;
    let refused = app.metrics.refused();
    let cors = CorsLayer::new(&CorsOptions {
        allow_origins: settings.cors_origins.clone(),
        allow_methods: vec!["*".to_owned()],
        allow_headers: vec!["*".to_owned()],
        allow_credentials: true,
        ..CorsOptions::default()
    })?;
    let body_limit = BodyLimitLayer::new(server.body_limit_bytes);
    let body_limit = body_limit.with_budget(server.body_budget_bytes);
    let delay = server.max_delay.map(|max| {
        let storage = Arc::clone(&app.storage);
        MaxDelayLayer::new(max, app.metrics.in_flight(), move || storage.connections().delay)
    });
    let observe = ObserveLayer::new(app.metrics.clone(), server.security_headers);
    #[cfg(feature = "strangler")]
    let observe = observe.forwarding(app.strangler.is_some());
    let layers = ServiceBuilder::new()
        // A write that was received is finished, whether or not its client waits.
        .layer(RunToCompletionLayer::tracked_by(app.background.clone()))
        .option_layer(server.security_headers.then(security_headers))
        .layer(observe);
    // What goes to the old service has limits of its own.
    #[cfg(feature = "strangler")]
    let layers = layers.option_layer(app.strangler.as_ref().map(Strangler::layer));
    let layers = layers
        // Above the limits requests are refused with Retry-After, which is quicker and needs no memory.
        .layer(HandleErrorLayer::new(async move |method: Method, _: BoxError| {
            refused.inc();
            // A body was not read. Other connections are kept: new ones would cost more than an answer.
            Error::Overloaded { close: !method.is_safe() }
        }))
        .load_shed()
        .option_layer(delay)
        .layer(GlobalConcurrencyLimitLayer::new(server.max_in_flight))
        .layer(SetResponseHeaderLayer::if_not_present(CONNECTION, after_timeout))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, server.request_timeout))
        .layer(StrictRequestsLayer)
        .layer(ProxyHeadersLayer::new(server.forwarded_allow_ips.clone()))
        .layer(body_limit)
        .layer(SetSensitiveRequestHeadersLayer::new([AUTHORIZATION, COOKIE]))
        .layer(catch_panic())
        .layer(cors);
    Ok(layers.service(all_routes(settings).with_state(app.clone())))
}

/// The rest of the body is not read after a timeout, so the connection is closed.
fn after_timeout(answer: &Response) -> Option<HeaderValue> {
    (answer.status() == StatusCode::GATEWAY_TIMEOUT).then(|| HeaderValue::from_static("close"))
}

type SetHeader = SetResponseHeaderLayer<HeaderValue>;

/// Headers beyond the contract: browsers shall not guess types, frame pages, name the
/// page that they came from, or come back without TLS.
fn security_headers() -> (SetHeader, SetHeader, SetHeader, SetHeader) {
    let set =
        |name, value| SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value));
    (
        set(X_CONTENT_TYPE_OPTIONS, "nosniff"),
        set(X_FRAME_OPTIONS, "DENY"),
        set(REFERRER_POLICY, "no-referrer"),
        set(STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
    )
}

/// The operations, and the pages about them.
fn all_routes(settings: &Settings) -> fastapi_compat::Router<App> {
    routes::router(settings).merge(docs::router(settings))
}

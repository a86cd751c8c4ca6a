//! The Rust service as a part of this process.

use std::sync::Arc;

use api::config::Settings;
use api::emails::{Mailer, Outbox};
use api::limits::Attempts;
use api::passwords::{Passwords, QueueLimits};
use api::telemetry::Metrics;
use api::tokens::Tokens;
use api::{App, Services};
use domain::Storage;
use tokio_util::task::TaskTracker;

use crate::BoxError;

/// The service on a storage, and its e-mails that wait.
///
/// # Errors
/// When the settings do not allow it.
pub fn service(
    settings: Settings,
    storage: Arc<dyn Storage>,
) -> Result<(App, Option<Outbox>), BoxError> {
    let (mailer, outbox) = Mailer::start(&settings)?;
    let auth = &settings.auth;
    let background = TaskTracker::new();
    let services = Services {
        tokens: Tokens::new(
            &auth.secret_key,
            &auth.previous_secret_keys,
            auth.access_token_lifetime,
            auth.reset_token_lifetime,
        ),
        passwords: Passwords::new(auth.password_threads, QueueLimits::default())?,
        attempts: Attempts::new(auth.sign_in_limits),
        metrics: Metrics::default(),
        background: background.clone(),
        strangler: api::strangler::start(&settings, &storage, background)?,
        settings,
    };
    Ok((App::new(services, storage, mailer), outbox))
}

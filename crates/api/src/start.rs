//! Starts the service with its settings: the database, the first superuser, and what handlers share.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use domain::{Migrated, Storage, StorageError};
use storage::{Database, DatabaseUrl};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;
use tracing_appender::non_blocking::ErrorCounter;

use crate::config::Settings;
use crate::emails::{Mailer, Outbox};
use crate::limits::Attempts;
use crate::passwords::{Passwords, QueueLimits};
use crate::serve::Draining;
use crate::telemetry::Metrics;
use crate::tokens::Tokens;
use crate::{App, Services, management};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Starts the service, without a socket.
///
/// # Errors
/// When the database, its schema, the mail server's settings or the plan cannot be used.
pub async fn start(settings: Settings) -> Result<(App, Option<Outbox>), BoxError> {
    for name in settings.server.forwarded_allow_ips.names() {
        tracing::warn!("FORWARDED_ALLOW_IPS: '{name}' is neither an address nor a network");
    }
    let storage = storage(&settings).await?;
    let (app, outbox) = service(settings, storage)?;
    app.create_first_superuser().await?;
    Ok((app, outbox))
}

/// The service on a storage, and its e-mails that wait. The storage is not asked anything yet.
///
/// # Errors
/// When the mail server's settings or the plan cannot be used, or a thread cannot be started.
pub fn service(
    settings: Settings,
    storage: Arc<dyn Storage>,
) -> Result<(App, Option<Outbox>), BoxError> {
    let (mailer, outbox) = Mailer::start(&settings)?;
    let auth = &settings.auth;
    let limits = QueueLimits {
        max_wait: auth.password_queue,
        // The rest is for everything else.
        max_requests: (settings.server.max_in_flight / 4).max(1),
    };
    let background = TaskTracker::new();
    let services = Services {
        tokens: Tokens::new(
            &auth.secret_key,
            &auth.previous_secret_keys,
            auth.access_token_lifetime,
            auth.reset_token_lifetime,
        ),
        passwords: Passwords::new(auth.password_threads, limits)?,
        attempts: Attempts::new(auth.sign_in_limits),
        metrics: Metrics::default(),
        background: background.clone(),
        #[cfg(feature = "strangler")]
        strangler: crate::strangler::start(&settings, &storage, background)?,
        settings,
    };
    Ok((App::new(services, storage, mailer), outbox))
}

/// The storage, with a schema that this program can use.
///
/// # Errors
/// When the database or its schema cannot be used.
pub async fn storage(settings: &Settings) -> Result<Arc<dyn Storage>, BoxError> {
    for name in settings.insecure_defaults() {
        tracing::warn!("{name} has its default value; that is for local use only");
    }
    let database = connect(settings).await?;
    let storage = database.clone().into_storage();
    if settings.database.migrate_on_start {
        let migrated = database.migrate().await?;
        if !migrated.newer.is_empty() {
            tracing::warn!("{}", summary(&settings.database.url, &migrated));
        }
    } else {
        wait_for_schema(settings, &*storage).await?;
    }
    Ok(storage)
}

/// Answers on the management port, if the settings have one, until the runtime ends.
///
/// # Errors
/// When its address cannot be listened on.
pub async fn manage(
    app: &App,
    draining: &Draining,
    dropped_lines: ErrorCounter,
) -> Result<(), BoxError> {
    let Some(address) = &app.settings.server.management else { return Ok(()) };
    let router = management::router(app, draining.clone(), Some(dropped_lines));
    #[cfg(feature = "strangler")]
    let router = |address| router.merge(crate::strangler::pages(app, address));
    #[cfg(not(feature = "strangler"))]
    let router = |_| router;
    serve_management(address, router).await
}

/// Answers with what is made for the address, until the runtime ends: also while the service drains.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn serve_management(
    (host, port): &(String, u16),
    router: impl FnOnce(SocketAddr) -> axum::Router,
) -> Result<(), BoxError> {
    let listener = TcpListener::bind((host.as_str(), *port))
        .await
        .map_err(|error| format!("MANAGEMENT_PORT: cannot listen on {host}:{port}: {error}"))?;
    let address = listener.local_addr()?;
    println!("Management: http://{address}/metrics, /livez and /readyz");
    let router = router(address).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(error = %domain::chain(&error), "the management port is closed");
        }
    });
    Ok(())
}

/// Connects, and waits for a database that is not there yet.
///
/// # Errors
/// When it cannot be used.
pub async fn connect(settings: &Settings) -> Result<Database, BoxError> {
    let database = Database::connect(
        &settings.database.url,
        settings.database.replica.as_ref(),
        settings.database.pool,
    )?;
    let storage = database.clone().into_storage();
    wait(&settings.database.url, async || match storage.ping().await {
        Err(StorageError::Unavailable(error)) => Ok(Some(domain::chain(&*error).to_string())),
        result => result.map(|()| None),
    })
    .await?;
    Ok(database)
}

/// What a run of the migrations found and did.
pub fn summary(url: &DatabaseUrl, migrated: &Migrated) -> String {
    match (migrated.applied.len(), migrated.newer.as_slice()) {
        (_, [.., newest]) => format!(
            "{url} is newer than this program, at version {newest}, which it does not know; it is \
             left as it is"
        ),
        (0, []) => format!("{url} is up to date"),
        (applied, []) => format!("{url} is up to date, {applied} migrations were applied"),
    }
}

/// Waits until another process has brought the schema up to date.
async fn wait_for_schema(settings: &Settings, storage: &dyn Storage) -> Result<(), BoxError> {
    wait(&settings.database.url, async || match storage.pending_migrations().await {
        Ok(0) => Ok(None),
        Ok(pending) => Ok(Some(format!("it lacks {pending} migrations, run `molt migrate`"))),
        Err(error) => Err(error),
    })
    .await
}

/// Repeats a check with growing pauses until it succeeds, for about five minutes.
async fn wait(
    url: &DatabaseUrl,
    lacks: impl AsyncFn() -> Result<Option<String>, StorageError>,
) -> Result<(), BoxError> {
    // A server may still be starting; a file will not change by itself.
    let attempts = if url.postgres().is_some() { 60 } else { 1 };
    let mut pause = Duration::from_millis(100);
    for attempt in 1.. {
        match lacks().await {
            Ok(None) => break,
            Ok(Some(reason)) if attempt < attempts => {
                eprintln!("molt: waiting for {url}: {reason}");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(5));
            }
            Ok(Some(reason)) => return Err(format!("{url} cannot be used: {reason}").into()),
            Err(error) => {
                return Err(format!("{url} cannot be used: {}", domain::chain(&error)).into());
            }
        }
    }
    Ok(())
}

//! The command `molt`.

use std::process::ExitCode;
use std::time::Duration;

use api::config::{Environment, Settings, SettingsArgs};
use api::emails::Mailer;
use api::limits::Attempts;
use api::security::{Passwords, Tokens};
use api::serve::{Draining, Patience};
use api::telemetry::Metrics;
use api::{App, Services, management, routes, serve, telemetry};
use clap::{Parser, Subcommand};
use domain::{Migrated, Storage, StorageError, User, UserChanges};
use fastapi_compat::EmailStr;
use listenfd::ListenFd;
use storage::{Database, DatabaseUrl};
use tokio::net::TcpListener;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The Rust twin of a FastAPI service: users, items, sign-in and e-mail.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  molt                                              serve on SQLite, in ./molt.db
  molt --database-url postgresql://u:p@host/db      serve on PostgreSQL
  molt migrate                                      bring the schema up to date
  molt create-superuser --email me@example.com --password …
  molt openapi > openapi.json                       print the OpenAPI document"
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[derive(Subcommand)]
enum Command {
    /// Answer requests (the default)
    Serve,
    /// Bring the schema of the database up to date
    Migrate,
    /// Create a superuser, or make an existing user one
    CreateSuperuser {
        #[arg(long)]
        email: String,
        /// Not needed for an existing user
        #[arg(long)]
        password: Option<String>,
    },
    /// Print the OpenAPI document
    Openapi,
    /// Ask the service on this machine whether it is alive; containers do
    Healthcheck,
}

#[tokio::main]
async fn main() -> ExitCode {
    // A missing .env is fine, a broken one is not.
    if let Err(error) = dotenvy::dotenv()
        && !error.not_found()
    {
        eprintln!("molt: .env cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    let cli = Cli::parse();
    match run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("molt: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  because: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: Cli) -> Result<(), BoxError> {
    let settings = Settings::new(&cli.settings)?;
    match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(settings).await,
        Command::Migrate => {
            let database = connect(&settings).await?;
            let migrated = database.migrate().await?;
            println!("{}", summary(&settings.database_url, &migrated));
            Ok(())
        }
        Command::CreateSuperuser { email, password } => {
            create_superuser(&settings, &email, password).await
        }
        Command::Healthcheck => management::healthcheck(&settings).await,
        Command::Openapi => {
            println!("{:#}", routes::document(&settings)?);
            Ok(())
        }
    }
}

/// Connects, and waits for a database that is not there yet.
async fn connect(settings: &Settings) -> Result<Database, BoxError> {
    let database = Database::connect(
        &settings.database_url,
        settings.database_replica.as_ref(),
        settings.database_pool,
    )?;
    let storage = database.clone().into_storage();
    wait(&settings.database_url, async || match storage.ping().await {
        Err(StorageError::Unavailable(error)) => Ok(Some(error.to_string())),
        result => result.map(|()| None),
    })
    .await?;
    Ok(database)
}

/// What a run of the migrations found and did.
fn summary(url: &DatabaseUrl, migrated: &Migrated) -> String {
    match (migrated.applied.len(), migrated.newer.as_slice()) {
        (_, [.., newest]) => format!(
            "{url} is newer than this program, at version {newest}, which it does not know; it is \
             left as it is"
        ),
        (0, []) => format!("{url} is up to date"),
        (applied, []) => format!("{url} is up to date, {applied} migrations were applied"),
    }
}

/// Waits for whoever else brings the schema up to date.
async fn wait_for_schema(settings: &Settings, storage: &dyn Storage) -> Result<(), BoxError> {
    wait(&settings.database_url, async || match storage.pending_migrations().await {
        Ok(0) => Ok(None),
        Ok(pending) => Ok(Some(format!("it lacks {pending} migrations, run `molt migrate`"))),
        Err(error) => Err(error),
    })
    .await
}

/// Asks until there is nothing more to wait for, ever more seldom, for about five minutes.
async fn wait(
    url: &DatabaseUrl,
    lacks: impl AsyncFn() -> Result<Option<String>, StorageError>,
) -> Result<(), BoxError> {
    // A server may still be starting; a file will not change by itself.
    let attempts = if matches!(url, DatabaseUrl::Postgres(_)) { 60 } else { 1 };
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
            Err(error) => return Err(format!("{url} cannot be used: {}", chain(&error)).into()),
        }
    }
    Ok(())
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

async fn create_superuser(
    settings: &Settings,
    email: &str,
    password: Option<String>,
) -> Result<(), BoxError> {
    let email = EmailStr::parse(email)
        .map_err(|reason| format!("'{email}' is not an e-mail address: {reason}"))?
        .into_string();
    let storage = connect(settings).await?.into_storage();
    if let Some(user) = storage.user_by_email(&email).await? {
        let changes = UserChanges { is_superuser: Some(true), ..UserChanges::default() };
        storage.update_user(user.id, &changes).await?;
        println!("{email} is a superuser now");
        return Ok(());
    }
    let password = password.ok_or("a new superuser needs --password")?;
    if !(8..=128).contains(&password.chars().count()) {
        return Err("a password has 8 to 128 characters".into());
    }
    let hash = Passwords::new(1)?.hash(password).await?;
    storage
        .create_user(&User { is_superuser: true, ..User::new(email.clone(), None, hash) })
        .await?;
    println!("{email} was created");
    Ok(())
}

async fn serve(settings: Settings) -> Result<(), BoxError> {
    let exporter = telemetry::start()?;
    for name in settings.insecure_defaults() {
        tracing::warn!("{name} has its default value; that is for local use only");
    }
    let database = connect(&settings).await?;
    let storage = database.clone().into_storage();
    if settings.migrate_on_start {
        let migrated = database.migrate().await?;
        if !migrated.newer.is_empty() {
            tracing::warn!("{}", summary(&settings.database_url, &migrated));
        }
    } else {
        wait_for_schema(&settings, &*storage).await?;
    }
    let (mailer, outbox) = Mailer::start(&settings)?;
    let app = App::new(Services {
        storage,
        tokens: Tokens::new(
            &settings.secret_key,
            &settings.previous_secret_keys,
            settings.access_token_lifetime,
            settings.reset_token_lifetime,
        ),
        passwords: Passwords::new(settings.password_threads)?,
        mailer,
        attempts: Attempts::new(settings.sign_in_limits),
        metrics: Metrics::default(),
        settings,
    });
    app.create_first_superuser().await?;

    let listener = listen(&app.settings.host, app.settings.port).await?;
    greet(&app, &listener)?;
    let draining = Draining::default();
    let strangler = api::strangler(&app.settings)?;
    let router = api::app(&app, strangler.as_ref());
    let patience = Patience { drain: app.settings.drain, finish: app.settings.request_timeout };
    if let Some((host, port)) = &app.settings.management {
        let listener = TcpListener::bind((host.as_str(), *port))
            .await
            .map_err(|error| format!("MANAGEMENT_PORT: cannot listen on {host}:{port}: {error}"))?;
        let address = listener.local_addr()?;
        println!("Management: http://{address}/metrics, /livez and /readyz");
        if let Some(legacy) = &app.settings.legacy {
            println!("The strangler before {}: http://{address}/_molt", legacy.url);
        }
        let router = management::router(&app, strangler, draining.clone());
        // It answers until the process ends, also while the service drains.
        tokio::spawn(axum::serve(listener, router).into_future());
    }
    drop(app);
    serve::serve(listener, router, draining, patience, shutdown_signal()).await;
    if let Some(outbox) = outbox
        && outbox.flush(LAST_EMAILS).await.is_err()
    {
        tracing::error!("the mail server is too slow: e-mails were not sent");
    }
    exporter.flush().await;
    Ok(())
}

/// How long e-mails that wait may take when the service ends.
const LAST_EMAILS: Duration = Duration::from_secs(10);

/// The socket that a supervisor passes on (systemd's socket activation), so that none is refused while
/// one process follows another; else a new one.
async fn listen(host: &str, port: u16) -> Result<TcpListener, BoxError> {
    if let Some(listener) = ListenFd::from_env().take_tcp_listener(0)? {
        listener.set_nonblocking(true)?;
        return Ok(TcpListener::from_std(listener)?);
    }
    let listener = TcpListener::bind((host, port)).await;
    Ok(listener.map_err(|error| format!("cannot listen on {host}:{port}: {error}"))?)
}

fn greet(app: &App, listener: &TcpListener) -> Result<(), BoxError> {
    let address = listener.local_addr()?;
    println!(
        "Molt listens on http://{address} and keeps its data in {}.",
        app.settings.database_url
    );
    println!("Documentation: http://{address}/docs");
    if app.settings.environment != Environment::Local {
        // What is printed ends up in a log, where nobody's address belongs.
        return Ok(());
    }
    let password = if app.settings.insecure_defaults().contains(&"FIRST_SUPERUSER_PASSWORD") {
        app.settings.first_superuser_password.as_str()
    } else {
        "the password in FIRST_SUPERUSER_PASSWORD"
    };
    println!("Sign in as {} with {password}.", app.settings.first_superuser);
    Ok(())
}

async fn shutdown_signal() {
    use tokio::signal::unix::{SignalKind, signal};

    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(error) => {
            tracing::error!(%error, "SIGTERM cannot be caught");
            _ = interrupt.await;
        }
    }
    tracing::info!("shutting down");
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}

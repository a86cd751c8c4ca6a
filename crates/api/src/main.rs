//! The command `molt`.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use api::config::{Environment, Settings, SettingsArgs, refuse_secret_flags};
use api::emails::Mailer;
use api::limits::Attempts;
use api::passwords::{Passwords, QueueLimits};
use api::serve::{Draining, Shutdown};
use api::telemetry::{Metrics, Telemetry};
use api::tokens::Tokens;
use api::{App, Services, management, routes, serve};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use domain::{Migrated, Storage, StorageError, User, UserChanges};
use fastapi_compat::EmailStr;
use listenfd::ListenFd;
use secrecy::{ExposeSecret, SecretString};
use storage::{Database, DatabaseUrl};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A service with users, sign-in and e-mail.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  molt                                              serve on a database of this machine
  DATABASE_URL=postgresql://u:p@host/db molt        serve on PostgreSQL
  molt migrate                                      bring the schema up to date
  molt create-superuser --email me@example.com      with the password in SUPERUSER_PASSWORD
  molt openapi > openapi.json                       print the OpenAPI document

Passwords and keys are read from the environment alone: the command line is shown by `ps`."
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
        #[arg(long, env = "SUPERUSER_PASSWORD", hide_env_values = true)]
        password: Option<SecretString>,
    },
    /// Print the OpenAPI document
    Openapi,
    /// Check the health of the service on this machine, for containers
    Healthcheck,
}

/// Reads the settings before the runtime starts: `.env` changes the environment of the process, which
/// is safe only while it has one thread.
fn main() -> ExitCode {
    // Of the working folder alone, as pydantic-settings reads it. A missing .env is fine, a broken one
    // is not.
    if let Err(error) = dotenvy::from_path(".env")
        && !error.not_found()
    {
        eprintln!("molt: .env cannot be read: {error}");
        return ExitCode::FAILURE;
    }
    let command = Cli::command();
    let matches = command.clone().get_matches();
    if let Err(error) = refuse_secret_flags(&command, &matches) {
        eprintln!("molt: {error}");
        return ExitCode::FAILURE;
    }
    let cli = Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let result = runtime.map_err(BoxError::from).and_then(|runtime| {
        let result = runtime.block_on(run(cli));
        // What still runs has had its time.
        runtime.shutdown_background();
        result
    });
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("molt: {}", domain::chain(&*error));
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
            println!("{}", summary(&settings.database.url, &migrated));
            Ok(())
        }
        Command::CreateSuperuser { email, password } => {
            create_superuser(&settings, &email, password).await
        }
        Command::Healthcheck => management::healthcheck(&settings).await,
        Command::Openapi => {
            println!("{}", routes::document(&settings)?.to_pretty_json()?);
            Ok(())
        }
    }
}

/// Connects, and waits for a database that is not there yet.
async fn connect(settings: &Settings) -> Result<Database, BoxError> {
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

async fn create_superuser(
    settings: &Settings,
    email: &str,
    password: Option<SecretString>,
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
    let password = password.ok_or("a new superuser needs a password, in SUPERUSER_PASSWORD")?;
    let password = password.expose_secret().to_owned();
    if !(8..=128).contains(&password.chars().count()) {
        return Err("a password has 8 to 128 characters".into());
    }
    let passwords = Passwords::new(1, QueueLimits::default())?;
    let hash = passwords.hash(&passwords.admit()?, password).await?;
    storage
        .create_user(&User { is_superuser: true, ..User::new(email.clone(), None, hash) })
        .await?;
    println!("{email} was created");
    Ok(())
}

async fn serve(settings: Settings) -> Result<(), BoxError> {
    let telemetry = Telemetry::start()?;
    for name in settings.insecure_defaults() {
        tracing::warn!("{name} has its default value; that is for local use only");
    }
    for name in settings.server.forwarded_allow_ips.names() {
        tracing::warn!("FORWARDED_ALLOW_IPS: '{name}' is neither an address nor a network");
    }
    let database = connect(&settings).await?;
    let storage = database.clone().into_storage();
    if settings.database.migrate_on_start {
        let migrated = database.migrate().await?;
        if !migrated.newer.is_empty() {
            tracing::warn!("{}", summary(&settings.database.url, &migrated));
        }
    } else {
        wait_for_schema(&settings, &*storage).await?;
    }
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
        strangler: api::strangler::start(&settings, &storage, background)?,
        settings,
    };
    let app = App::new(services, storage, mailer);
    app.create_first_superuser().await?;

    let server = &app.settings.server;
    let listener = listen(&server.host, server.port).await?;
    // Before the address is printed that it listens: a signal from then on is a shutdown.
    let mut signals = Signals::new()?;
    greet(&app, &listener)?;
    let draining = Draining::default();
    let router = api::app(&app)?;
    let max_connections = server.max_connections;
    let shutdown = Shutdown {
        drain: server.drain,
        timeout: server.request_timeout,
        background: app.background.clone(),
    };
    if let Some((host, port)) = &server.management {
        let listener = TcpListener::bind((host.as_str(), *port))
            .await
            .map_err(|error| format!("MANAGEMENT_PORT: cannot listen on {host}:{port}: {error}"))?;
        let address = listener.local_addr()?;
        println!("Management: http://{address}/metrics, /livez and /readyz");
        let lines = telemetry.dropped_lines();
        let router = management::router(&app, draining.clone(), Some(lines));
        #[cfg(feature = "strangler")]
        let router = router.merge(api::strangler::pages(&app, address));
        // It answers until the process ends, also while the service drains.
        tokio::spawn(async {
            let router = router.into_make_service_with_connect_info::<SocketAddr>();
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(error = %domain::chain(&error), "the management port is closed");
            }
        });
    }
    drop(app);
    let (first, second) = (Notify::new(), Notify::new());
    let ends = async {
        serve::serve(listener, router, max_connections, draining, shutdown, first.notified()).await;
        if let Some(outbox) = outbox
            && outbox.flush(LAST_EMAILS).await.is_err()
        {
            tracing::error!("the mail server is too slow: e-mails were not sent");
        }
    };
    let signalled = async {
        signals.next().await;
        tracing::info!("shutting down; a second signal ends the process at once");
        first.notify_one();
        signals.next().await;
        tracing::warn!("a second signal: requests are aborted");
        second.notify_one();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = ends => telemetry.flush().await,
        () = second.notified() => {}
        () = signalled => {}
    }
    Ok(())
}

/// Timeout for sending the queued e-mails at shutdown.
const LAST_EMAILS: Duration = Duration::from_secs(10);

/// The socket that a supervisor passes on (systemd's socket activation), so that no connection is refused
/// while one process follows another; else a new one.
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
        app.settings.database.url
    );
    println!("Documentation: http://{address}/docs");
    if app.settings.environment != Environment::Local {
        // What is printed ends up in a log, where no address belongs.
        return Ok(());
    }
    let password = if app.settings.insecure_defaults().contains(&"FIRST_SUPERUSER_PASSWORD") {
        app.settings.auth.first_superuser_password.expose_secret()
    } else {
        "the password in FIRST_SUPERUSER_PASSWORD"
    };
    println!("Sign in as {} with {password}.", app.settings.auth.first_superuser);
    Ok(())
}

/// SIGTERM and SIGINT.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}

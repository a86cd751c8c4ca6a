//! The command `molt`.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use api::config::{Environment, Settings, SettingsArgs, refuse_secret_flags};
use api::emails::SmtpSender;
use api::passwords::{Passwords, QueueLimits};
use api::serve::{Draining, Shutdown};
use api::start::{connect, manage, serve_management, start, storage, summary};
use api::tasks::Tasks;
use api::telemetry::Telemetry;
use api::{App, management, routes, serve};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use domain::{User, UserChanges};
use fastapi_compat::EmailStr;
use listenfd::ListenFd;
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A service with users, sign-in and e-mail.
#[derive(Parser)]
#[command(
    version,
    after_help = "Examples:
  molt                                              serve on a database of this machine
  DATABASE_URL=postgresql://u:p@host/db molt        serve on PostgreSQL
  molt worker                                       work on background tasks
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
    /// Work on background tasks from the queue of CELERY_BROKER_URL
    Worker,
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
        Command::Worker => worker(settings).await,
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

/// Works on background tasks until a signal.
async fn worker(settings: Settings) -> Result<(), BoxError> {
    let telemetry = Telemetry::start()?;
    let tasks = settings.tasks.as_ref().ok_or("a worker needs a broker: set CELERY_BROKER_URL")?;
    let storage = storage(&settings).await?;
    let mail = settings.smtp.as_ref().map(SmtpSender::new).transpose()?;
    let worker = Tasks { storage: Arc::clone(&storage), mail }.worker(tasks)?;
    let mut signals = Signals::new()?;
    let draining = Draining::default();
    if let Some(address) = &settings.server.management {
        let lines = telemetry.dropped_lines();
        let status = worker.status();
        let router = management::worker_router(storage, status, draining.clone(), Some(lines));
        serve_management(address, |_| router).await?;
    }
    println!("Molt works on tasks from {}, queue {}.", tasks.broker, tasks.options.queue);
    let stop = CancellationToken::new();
    let signalled = async {
        signals.next().await;
        tracing::info!("shutting down; a second signal ends the process at once");
        draining.begin();
        stop.cancel();
        signals.next().await;
        tracing::warn!("a second signal: tasks are aborted, their messages come again");
    };
    tokio::select! {
        () = worker.run(stop.clone()) => telemetry.flush().await,
        () = signalled => {}
    }
    Ok(())
}

async fn serve(settings: Settings) -> Result<(), BoxError> {
    let telemetry = Telemetry::start()?;
    let (app, outbox) = start(settings).await?;

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
    manage(&app, &draining, telemetry.dropped_lines()).await?;
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

//! The command line of `testbed`, which runs a command while two services run.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Parser, ValueEnum};

use crate::{Error, Postgres, Service, SmtpSink, bridged, has_legacy, legacy, root, rust};

/// Starts python-legacy and the Rust service, each on an empty database of its own, and runs a
/// command with REFERENCE_URL, CANDIDATE_URL and CONTRACT_LABEL set; without a folder python-legacy it
/// starts the Rust service twice.
#[derive(Parser)]
#[command(
    name = "testbed",
    version,
    after_help = "Example:
  testbed postgres -- contract run --ledger openapi/ledger.yaml
  testbed sqlite --itself -- contract self-test
  testbed both --itself -- contract run
  testbed sqlite --through -- contract run
  testbed sqlite --bridge plan.yaml -- contract run"
)]
struct Cli {
    database: Database,
    /// Start the Rust service twice, to compare it with itself
    #[arg(long)]
    itself: bool,
    /// Compare python-legacy with one behind the strangler
    #[arg(long, conflicts_with = "itself")]
    through: bool,
    /// Compare python-legacy with one that has the bridge in its process, with the plan in this file
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["itself", "through"])]
    bridge: Option<PathBuf>,
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Database {
    #[cfg(feature = "sqlite")]
    Sqlite,
    Postgres,
    /// The reference on SQLite, the candidate on PostgreSQL
    #[cfg(feature = "sqlite")]
    Both,
    /// No service, but the schema on each database that has migrations, as POSTGRES_URL and SQLITE_URL
    Schema,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let code = tokio::runtime::Runtime::new()
        .map_err(|source| Error::Start { what: "the runtime".into(), source })
        .and_then(|runtime| runtime.block_on(run(Cli::parse())));
    match code {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("testbed: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: Cli) -> Result<u8, Error> {
    let Some((program, arguments)) = cli.command.split_first() else { return Ok(0) };
    let mut command = Command::new(program);
    command.args(arguments);
    #[cfg(feature = "sqlite")]
    let folder = tempfile::tempdir()
        .map_err(|source| Error::Start { what: "a temporary folder".into(), source })?;
    // What is started here lives until the command has ended.
    match cli.database {
        #[cfg(feature = "sqlite")]
        Database::Sqlite => {
            let url = |name: &str| format!("sqlite:///{}", folder.path().join(name).display());
            let urls = [url("reference.db"), url("candidate.db")];
            let _services = Services::start(&cli, urls, &mut command).await?;
            wait(command.env("CONTRACT_LABEL", "sqlite"), program).await
        }
        Database::Postgres => {
            let postgres = Postgres::start().await?;
            let urls = [postgres.database().await?, postgres.database().await?];
            let _services = Services::start(&cli, urls, &mut command).await?;
            wait(command.env("CONTRACT_LABEL", "postgres"), program).await
        }
        #[cfg(feature = "sqlite")]
        Database::Both => {
            let postgres = Postgres::start().await?;
            let sqlite = format!("sqlite:///{}", folder.path().join("reference.db").display());
            let urls = [sqlite, postgres.database().await?];
            let _services = Services::start(&cli, urls, &mut command).await?;
            // Their rows have other types.
            command.env_remove("REFERENCE_DATABASE_URL").env_remove("CANDIDATE_DATABASE_URL");
            wait(command.env("CONTRACT_LABEL", "both"), program).await
        }
        Database::Schema => {
            let postgres = Postgres::start().await?;
            let (postgres_url, migrations) =
                (postgres.database().await?, root().join("migrations"));
            migrate::<sqlx::Postgres>(&postgres_url, &migrations.join("postgres")).await?;
            command.env("POSTGRES_URL", postgres_url);
            #[cfg(feature = "sqlite")]
            if migrations.join("sqlite").is_dir() {
                let sqlite = format!("sqlite://{}", folder.path().join("schema.db").display());
                let new = format!("{sqlite}?mode=rwc");
                migrate::<sqlx::Sqlite>(&new, &migrations.join("sqlite")).await?;
                command.env("SQLITE_URL", sqlite);
            }
            wait(&mut command, program).await
        }
    }
}

/// Both services, each with a mail server of its own.
struct Services {
    _running: [(Service, SmtpSink); 2],
    /// What the strangler stands before.
    _legacy: Option<Service>,
}

impl Services {
    /// Starts them and sets their URLs in the environment of the command.
    async fn start(
        cli: &Cli,
        [reference_url, candidate_url]: [String; 2],
        command: &mut Command,
    ) -> Result<Self, Error> {
        let (reference_mails, candidate_mails) =
            (SmtpSink::start().await?, SmtpSink::start().await?);
        let reference =
            start(!cli.itself && has_legacy(), &reference_url, &reference_mails).await?;
        let mut behind = None;
        let candidate = if cli.through {
            let legacy = behind.insert(start(true, &candidate_url, &candidate_mails).await?);
            let settings = [("LEGACY_URL", legacy.url.as_str()), ("MANAGEMENT_PORT", "0")];
            rust(&candidate_url, &settings).await?
        } else if let Some(plan) = &cli.bridge {
            let plan = std::path::absolute(plan)
                .map_err(|source| Error::Start { what: "the bridge".into(), source })?;
            let plan = plan.to_string_lossy().into_owned();
            let mut settings = candidate_mails.settings().to_vec();
            settings.push(("STRANGLER_PLAN", plan));
            let settings: Vec<_> =
                settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
            bridged(&candidate_url, &settings).await?
        } else {
            start(false, &candidate_url, &candidate_mails).await?
        };
        command
            .env("REFERENCE_URL", &reference.url)
            .env("CANDIDATE_URL", &candidate.url)
            .env("REFERENCE_DATABASE_URL", reference_url)
            .env("CANDIDATE_DATABASE_URL", candidate_url)
            .env("REFERENCE_MAILS", reference_mails.maildir())
            .env("CANDIDATE_MAILS", candidate_mails.maildir());
        Ok(Self {
            _running: [(reference, reference_mails), (candidate, candidate_mails)],
            _legacy: behind,
        })
    }
}

async fn start(is_legacy: bool, database_url: &str, mails: &SmtpSink) -> Result<Service, Error> {
    let settings = mails.settings();
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    if is_legacy {
        legacy(database_url, &settings).await
    } else {
        rust(database_url, &settings).await
    }
}

async fn migrate<DB: sqlx::Database>(url: &str, folder: &std::path::Path) -> Result<(), Error>
where
    DB::Connection: sqlx::migrate::Migrate,
{
    use sqlx::Connection;

    let mut connection = DB::Connection::connect(url).await?;
    let migrator = sqlx::migrate::Migrator::new(folder).await.map_err(sqlx::Error::from)?;
    migrator.run_direct(None, &mut connection, false).await.map_err(sqlx::Error::from)?;
    connection.close().await.map_err(Error::from)
}

/// Runs the command to its end and gives its exit code; Ctrl-C and SIGTERM end it, and then us.
async fn wait(command: &mut Command, program: &str) -> Result<u8, Error> {
    use tokio::signal::unix::{SignalKind, signal};

    let failed = |source| Error::Start { what: program.to_owned(), source };
    let mut child = tokio::process::Command::from(std::mem::replace(command, Command::new("")))
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        status = child.wait() => {
            let code = status.map_err(failed)?.code().unwrap_or(1);
            Ok(u8::try_from(code).unwrap_or(1))
        }
        _ = tokio::signal::ctrl_c() => Ok(130),
        _ = terminate.recv() => Ok(143),
    }
}

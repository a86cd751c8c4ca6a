//! The command `testbed`: runs a command with both services at hand.

use std::process::{Command, ExitCode};

use clap::{Parser, ValueEnum};
use testbed::{Error, Postgres, legacy, molt};

/// Starts python-legacy and the Rust service, each on an empty database of its own, and runs a
/// command with REFERENCE_URL, CANDIDATE_URL and CONTRACT_LABEL set.
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:
  testbed postgres -- contract run --ledger openapi/ledger.yaml"
)]
struct Cli {
    database: Database,
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Database {
    Sqlite,
    Postgres,
    /// An empty PostgreSQL only, as DATABASE_URL
    PostgresOnly,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Cli::parse()).await {
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
    // Whatever is started here lives until the command has ended.
    match cli.database {
        Database::Sqlite => {
            let services =
                (legacy("sqlite:///legacy.db", &[]).await?, molt("sqlite:///molt.db", &[]).await?);
            command.env("REFERENCE_URL", &services.0.url).env("CANDIDATE_URL", &services.1.url);
            wait(command.env("CONTRACT_LABEL", "sqlite"), program).await
        }
        Database::Postgres => {
            let postgres = Postgres::start().await?;
            let services = (
                legacy(&postgres.database().await?, &[]).await?,
                molt(&postgres.database().await?, &[]).await?,
            );
            command.env("REFERENCE_URL", &services.0.url).env("CANDIDATE_URL", &services.1.url);
            wait(command.env("CONTRACT_LABEL", "postgres"), program).await
        }
        Database::PostgresOnly => {
            let postgres = Postgres::start().await?;
            wait(command.env("DATABASE_URL", postgres.database().await?), program).await
        }
    }
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

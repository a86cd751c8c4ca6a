//! The command `mutant`: the Rust service with one defect in what its writes do, named in `MUTANT`. Only
//! `walk` starts it, before python-legacy: each defect shall be seen in rehearsals.

mod storage;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ::storage::Database;
use api::config::{Settings, SettingsArgs};
use api::serve::{Draining, Shutdown};
use api::{management, serve, start};
use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use trials::BoxError;

use crate::storage::{Defect, Mutant};

#[derive(Parser)]
struct Cli {
    /// What is wrong; nothing if it is not given
    #[arg(long, env)]
    mutant: Option<Defect>,
    #[command(flatten)]
    settings: SettingsArgs,
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(&Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mutant: {}", domain::chain(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run(cli: &Cli) -> Result<(), BoxError> {
    let settings = Settings::new(&cli.settings)?;
    let database = &settings.database;
    let database = Database::connect(&database.url, database.replica.as_ref(), database.pool)?;
    database.migrate().await?;
    let mut storage = database.into_storage();
    if let Some(defect) = cli.mutant {
        storage = Arc::new(Mutant { inner: storage, defect });
    }
    let (app, _outbox) = start::service(settings, storage)?;
    let server = &app.settings.server;
    let listener = TcpListener::bind((server.host.as_str(), server.port)).await?;
    let router = api::app(&app)?;
    let draining = Draining::default();
    if let Some((host, port)) = &server.management {
        let management = TcpListener::bind((host.as_str(), *port)).await?;
        let address = management.local_addr()?;
        println!("Management: http://{address}/metrics");
        let router = management::router(&app, draining.clone(), None);
        let router = router.merge(api::strangler::pages(&app, address));
        tokio::spawn(async { axum::serve(management, router).await });
    }
    println!("The mutant listens on http://{} .", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let shutdown = Shutdown {
        drain: Duration::ZERO,
        timeout: Duration::from_secs(5),
        background: app.background.clone(),
    };
    let ends = async { _ = terminate.recv().await };
    serve::serve(listener, router, server.max_connections, draining, shutdown, ends).await;
    Ok(())
}

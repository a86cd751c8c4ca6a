//! The command `walk`: a whole migration under load, to native, back and again, and then with faults.
//! Clients check every response, and that no acknowledged write is lost. Then the service gets defects in
//! its writes, one after the other, which rehearsals have to report.

mod cost;
mod faults;
mod migration;
mod mutants;
mod report;
mod stages;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use testbed::{Postgres, legacy};
use trials::BoxError;

use crate::cost::{cost, rehearsal_cost, stream_through};
use crate::faults::faults;
use crate::migration::Migration;
use crate::mutants::mutants;
use crate::report::{Mutant, Report};
use crate::stages::there_and_back;

/// Migrates python-legacy's operations to Rust and back under load, on PostgreSQL.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 no failure, no mismatch, nothing lost, every defect reported; 1 otherwise; 2 the migration could \
        not be run.

Example:
  walk --requests 100000 --clients 16"
)]
struct Cli {
    /// Requests that the clients send in all
    #[arg(long, default_value_t = 100_000)]
    requests: u64,
    /// Clients at a time
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// Size of the body that is streamed through, in MiB
    #[arg(long, default_value_t = 1024)]
    stream: u64,
    /// Timeout of python-legacy, in seconds; a slow machine needs more
    #[arg(long, default_value_t = 2)]
    timeout: u64,
    /// Path of the report
    #[arg(long, default_value = "target/walk/report.json")]
    report: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(report) => {
            report::show(&report);
            // A run that compared nothing shows nothing.
            let compared = report.compared > 0;
            let found = report.mutants.iter().all(Mutant::passed);
            if compared
                && found
                && report.failures == 0
                && report.mismatches == 0
                && report.lost_writes == 0
            {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("walk: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: &Cli) -> Result<Report, BoxError> {
    let folder = cli.report.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let plan = std::path::absolute(folder.join("plan.yaml"))?;
    std::fs::write(&plan, "default: legacy\n")?;
    let postgres = Postgres::start().await?;
    let database = postgres.database().await?;
    let legacy = legacy(&database, &[]).await?;
    let socket = TcpListener::bind("127.0.0.1:0")?;
    let base = format!("http://{}", socket.local_addr()?);
    let bar = ProgressBar::new(cli.requests);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:30} {pos} of {len} requests, {elapsed}  {msg}")
    {
        bar.set_style(style);
    }
    // An error means that one is installed already.
    _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut walk = Migration {
        socket,
        base,
        database,
        legacy_url: legacy.url.clone(),
        plan,
        molt: None,
        management: String::new(),
        timeout: cli.timeout,
        http,
        bar,
    };
    let (molt, management) = walk.start_molt().await?;
    (walk.molt, walk.management) = (Some(molt), management);
    let mut report = Report::default();
    there_and_back(cli.requests, cli.clients, &mut walk, &mut report).await?;
    faults(cli.requests, cli.clients, &mut walk, &legacy, &postgres, &mut report).await?;
    report.mutants = mutants(&walk, &postgres).await?;
    walk.bar.set_message("the cost of the strangler");
    report.proxy = cost(&walk).await?;
    walk.bar.set_message("the cost of rehearsals");
    report.rehearsing = rehearsal_cost(&walk).await?;
    walk.molt = None;
    stream_through(cli.stream, &mut walk, &mut report.proxy).await?;
    walk.bar.finish_and_clear();
    std::fs::write(&cli.report, serde_json::to_string_pretty(&report)? + "\n")?;
    println!("the report is in {}", cli.report.display());
    Ok(report)
}

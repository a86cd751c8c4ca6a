//! Builds both images and runs them on a real engine, with the limits of the manifests, and brings
//! compose.yaml up. No image registry is needed: base images are made from Debian's packages.
//!
//! It knows the images and the manifests and no Rust of the service, and speaks HTTP to what it starts.

mod compose;
mod docker;
mod engine;
mod http;
mod images;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::engine::Engine;
use crate::report::Report;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Build the images and run them with the limits of the manifests
#[derive(Parser)]
#[command(
    after_help = "An engine that `docker` reaches is used; else, as root, one is started with its
own data and socket (Debian: apt-get install docker.io debootstrap).

Examples:
  containers                 on images made from Debian's packages
  containers --official      on the official images, which have to be pulled
  containers --optional      succeed when there is no engine, and report what was not run"
)]
struct Cli {
    /// Build on the official images instead of local ones
    #[arg(long)]
    official: bool,
    /// Take the images molt:check and molt-legacy:check as they are
    #[arg(long)]
    no_build: bool,
    /// Succeed when no engine can be had; the report counts what was not run
    #[arg(long)]
    optional: bool,
    /// Where the report and the engine's data go
    #[arg(long, default_value = "target/containers")]
    output: PathBuf,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("containers: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether everything that had to be checked was, and held.
fn run(cli: &Cli) -> Result<bool, BoxError> {
    std::fs::create_dir_all(&cli.output)?;
    let mut report = Report::default();
    let engine = match Engine::find(&cli.output) {
        Ok(engine) => engine,
        Err(reason) => {
            eprintln!("containers: WARNING: nothing was run: {reason}");
            for name in images::CHECKS.iter().chain(&compose::CHECKS) {
                report.not_run(name, &reason);
            }
            report.write(&cli.output)?;
            return Ok(cli.optional);
        }
    };
    let bases = images::bases(&engine, cli.official)?;
    if !cli.no_build {
        images::build(&engine, &bases)?;
    }
    images::check(&engine, &bases, &mut report)?;
    compose::check(&engine, &bases, &mut report)?;
    report.write(&cli.output)?;
    print!("{report}");
    Ok(report.failed() == 0)
}

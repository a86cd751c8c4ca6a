//! Builds both images and runs them on a real engine, with the limits of the manifests, on networks that
//! fail, and brings compose.yaml up. No image registry is needed: base images are made from Debian's
//! packages.
//!
//! It knows the images and the manifests and no Rust of the service, and speaks HTTP to what it starts.

mod compose;
mod docker;
mod engine;
mod generated;
mod hosts;
mod http;
mod images;
mod memory;
mod postgres;
mod program;
mod report;
mod running;
mod service;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};

use crate::engine::Engine;
use crate::images::{Bases, LOCAL, OFFICIAL};
use crate::report::Report;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Build the images and run them with the limits of the manifests
#[derive(Parser)]
#[command(
    after_help = "An engine that `docker` reaches is used; else, as root, one is started with its
own data and socket (Debian: apt-get install docker.io debootstrap iproute2).

Examples:
  containers                 on images made from Debian's packages
  containers --official      on the official images, which have to be pulled
  containers --only packet   of the checks of several hosts those with this in their names
  containers --generated     the images of a service made from this one, and of a draft
  containers --program debug --short --optional --minutes 5
                             as continuous integration does it"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct Cli {
    /// Build on the official images instead of local ones
    #[arg(long)]
    official: bool,
    /// Which program is in the image of the service
    #[arg(long, value_enum, default_value_t)]
    program: Program,
    /// Succeed when there is no engine or no base image, and count what was not run
    #[arg(long)]
    optional: bool,
    /// Send fewer bodies
    #[arg(long)]
    short: bool,
    /// Start no check after so many minutes, and count it as not run
    #[arg(long)]
    minutes: Option<u64>,
    /// Make a service from this one, and a draft before python-legacy; build and check their images, and
    /// nothing else
    #[arg(long, conflicts_with = "only")]
    generated: bool,
    /// Of the checks of several hosts, run only those whose name contains this, or with `compose` those of
    /// compose.yaml, and no others
    #[arg(long)]
    only: Option<String>,
    /// Where the report and the engine's data go
    #[arg(long, default_value = "target/containers")]
    output: PathBuf,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Program {
    /// The one that the Dockerfile compiles
    #[default]
    Release,
    /// The one that `cargo build` has compiled, with its libraries
    Debug,
    /// Nothing is built: the images molt:check and molt-legacy:check are taken as they are
    Built,
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
    let file = if cli.generated { "generated.json" } else { "report.json" };
    let mut report = Report::new(&cli.output.join(file), cli.minutes.map(Duration::from_mins));
    if cli.generated {
        report.plan(generated::names());
    } else if cli.only.is_none() {
        report.plan(running::names(&service::MOLT));
        report.plan(running::names(&service::LEGACY));
        report.plan(postgres::CHECKS);
        report.plan(hosts::NAMES);
        report.plan(compose::CHECKS);
    }
    report.write()?;
    let bases = if cli.official { OFFICIAL } else { LOCAL };
    let engine = Engine::find(&cli.output).and_then(|engine| {
        let built = match cli.program {
            Program::Built => bases.make(&engine, &["postgres"]),
            _ if cli.generated => images::legacy_and_postgres(&engine, &bases)
                .and_then(|()| generated::build(&engine, &bases, &cli.output)),
            program => images::build(&engine, &bases, &cli.output, program == Program::Debug),
        };
        built.map(|()| engine).map_err(|error| error.to_string())
    });
    let outcome = match &engine {
        Ok(engine) => checks(cli, engine, &bases, &mut report),
        Err(reason) => {
            eprintln!("containers: WARNING: nothing was run: {reason}");
            Ok(cli.optional)
        }
    };
    report.finish();
    report.write()?;
    print!("{report}");
    Ok(outcome? && report.failed() == 0)
}

fn checks(
    cli: &Cli,
    engine: &Engine,
    bases: &Bases,
    report: &mut Report,
) -> Result<bool, BoxError> {
    report.figure("program", format!("{:?}", cli.program).to_lowercase());
    if cli.generated {
        generated::check(engine, bases, report)?;
        return Ok(true);
    }
    if cli.only.is_none() {
        running::check(engine, bases, report)?;
        postgres::check(engine, bases.postgres, cli.short, report);
    }
    hosts::check(engine, bases, cli, report)?;
    if cli.only.as_ref().is_none_or(|only| only == "compose") && !report.is_over() {
        compose::check(engine, bases, report)?;
    }
    Ok(true)
}

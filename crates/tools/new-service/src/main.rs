//! The command `new-service`: this repository without what is Molt's own, under another name.
//!
//! The usual generators (cargo-generate, copier) need a template that is no program any more: one that
//! does not compile, is not tested and cannot be run. Here the template is the service itself, which
//! every test of this repository runs; what a new service leaves out stands in `cuts/`, and each cut
//! must find what it cuts.

mod cuts;
mod names;
mod tree;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use clap::{Parser, ValueEnum};

use crate::names::Names;
use crate::tree::Tree;

type BoxError = Box<dyn std::error::Error>;

/// Makes a service of your own from this one
#[derive(Parser)]
#[command(after_help = "Examples:
  new-service parcels --into ../parcels
  new-service parcels --into ../parcels --without items,python-legacy,strangler,sqlite")]
struct Cli {
    /// What it is called: the program, the image, the database, the namespace
    name: String,
    /// An empty folder, or one that is not there yet
    #[arg(long)]
    into: PathBuf,
    /// What it shall not have
    #[arg(long, value_delimiter = ',')]
    without: Vec<Part>,
    /// This repository
    #[arg(long, default_value = ".")]
    from: PathBuf,
}

/// What a service can do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Part {
    /// The sample resource
    Items,
    /// The FastAPI twin, and all that compares with it
    PythonLegacy,
    /// Standing before an old service
    Strangler,
    /// The second database
    Sqlite,
}

impl Part {
    const ALL: [Self; 4] = [Self::Items, Self::PythonLegacy, Self::Strangler, Self::Sqlite];
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("new-service: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), BoxError> {
    let names = Names::new(&cli.name)?;
    let tree = Tree::of(&cli.from)?.cut(&cli.without)?.with_pages(&names, &cli.without)?;
    let tree = tree.renamed(&names);
    tree.write(&cli.into)?;
    // The lock file forgets what is not needed any more, git knows what is ignored.
    run_in(cli, "cargo", &["metadata", "--quiet", "--format-version", "1"])?;
    run_in(cli, "cargo", &["fmt", "--all"])?;
    run_in(cli, "git", &["init", "--quiet", "--initial-branch", "main"])?;
    println!(
        "{} is in {}. There:\n\n  make run      # start it\n  make test     # test it\n  \
         make resource NAME=orders FIELDS=\"number:string(1..40) note:string?\"",
        names.title,
        cli.into.display()
    );
    Ok(())
}

fn run_in(cli: &Cli, program: &str, arguments: &[&str]) -> Result<(), BoxError> {
    let output = Command::new(program).args(arguments).current_dir(&cli.into).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("{program} {}: {said}", arguments.join(" ")).into())
}

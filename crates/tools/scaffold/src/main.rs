//! The command `scaffold`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Parser, Subcommand};
use scaffold::tree::Tree;
use scaffold::{draft, resource};

type BoxError = Box<dyn std::error::Error>;

/// Writes code in the style of this repository.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Task,
    /// The top of the repository
    #[arg(long, global = true, default_value = ".")]
    root: PathBuf,
}

#[derive(Subcommand)]
enum Task {
    /// Write a whole resource: domain, storage, routes, migrations, tests, cases, Python twin
    #[command(after_help = format!("Types: {}; a ? after it for what may be null.

What is there already is left as it is; running it again changes nothing.

Example:
  scaffold resource orders 'number:string(1..40)' total:decimal 'note:string?'", resource::KINDS))]
    Resource(resource::Wish),
    /// Draft a crate before a service that is not ours, from its OpenAPI document
    #[command(after_help = "Examples:
  curl -s http://127.0.0.1:8000/openapi.json > theirs.json
  scaffold draft theirs.json --name notes-service
  scaffold draft theirs.json --name notes-service --operations read_note,create_note

Without --operations it lists what there is.")]
    Draft(draft::Wish),
}

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scaffold: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), BoxError> {
    let mut tree = Tree::open(&cli.root)?;
    let python = cli.root.join("python-legacy");
    if python.exists() && !python.join(RUFF).exists() {
        return Err("python-legacy's formatter is not there: run `make venv`".into());
    }
    let advice = match &cli.command {
        Task::Resource(wish) => {
            resource::write(&mut tree, wish)?;
            String::new()
        }
        Task::Draft(wish) => draft::write(&mut tree, wish)?,
    };
    let report = tree.commit()?;
    for (done, path) in &report {
        println!("{done:>14}  {path}");
    }
    if report.iter().all(|(done, _)| *done == "left as it is") {
        println!("Nothing is missing, nothing was changed.");
        return Ok(());
    }
    format(&cli.root)?;
    println!("{advice}");
    Ok(())
}

/// From python-legacy.
const RUFF: &str = "../target/venv/bin/ruff";

/// Layout is left to the formatters.
fn format(root: &Path) -> Result<(), BoxError> {
    let mut commands = vec![("cargo", vec!["fmt", "--all"], root.to_owned())];
    let python = root.join("python-legacy");
    if python.exists() {
        let sort = vec!["check", "--quiet", "--select", "I", "--fix", "."];
        commands.push((RUFF, sort, python.clone()));
        commands.push((RUFF, vec!["format", "--quiet", "."], python));
    }
    for (program, arguments, folder) in commands {
        let status = Command::new(program).args(arguments).current_dir(folder).status();
        match status {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("{program}: {status}").into()),
            Err(error) => return Err(format!("{program}: {error}").into()),
        }
    }
    Ok(())
}

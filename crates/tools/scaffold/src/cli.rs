//! The command line of `scaffold`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Args, Parser, Subcommand};
use toml_edit::DocumentMut;

use crate::cargo::cargo;
use crate::libraries::{Source, SourceError};
use crate::tree::{State, Tree};
use crate::{draft, drafts, inspect, resource, service, tables};

type BoxError = Box<dyn std::error::Error>;

/// Writes services, resources and drafts in the style of this repository
#[derive(Parser)]
#[command(
    name = "scaffold",
    version,
    after_help = "Examples:
  scaffold service parcels --into ../parcels
  scaffold service parcels --into ../parcels --without items,sqlite --libraries git=URL#v0.2.0
  scaffold resource orders 'number:string(1..40)' total:decimal 'note:string?'
  scaffold draft openapi.json --name notes-service
  scaffold draft --app app.main:app --directory ../notes --name notes-service
  scaffold inspect --app app.main:app --output notes.json
  scaffold tables --app app.main:app --into ../notes-tables
  scaffold libraries --to v0.3.0"
)]
struct Cli {
    #[command(subcommand)]
    command: Task,
    /// The top of the repository
    #[arg(long, global = true, default_value = ".")]
    root: PathBuf,
}

#[derive(Subcommand)]
enum Task {
    /// Make a service of your own from this one
    #[command(after_help = "Examples:
  scaffold service parcels --into ../parcels
  scaffold service parcels --into ../parcels --without items,python-legacy,strangler,sqlite
  scaffold service parcels --into ../parcels --libraries path=.
  scaffold service parcels --into ../parcels --libraries git=https://example.com/molt#v0.2.0")]
    Service(service::ServiceArgs),
    /// Write a whole resource: domain, storage, routes, migrations, tests, cases, Python counterpart
    #[command(after_help = format!("Types: {}; a ? after it for what may be null.

Options, each behind a colon: {}. A value with a colon stands in single quotes.

What is there already is left as it is; running it again changes nothing.

Examples:
  scaffold resource orders 'number:string(1..40):unique' total:decimal 'note:string?'
  scaffold resource jobs 'state:enum(open|done):default=open:index' 'token:string(32..64):secret'", resource::KINDS, resource::OPTIONS))]
    Resource(resource::ResourceArgs),
    /// Draft a crate before a FastAPI service, from the application's code or from its document
    #[command(
        override_usage = "scaffold draft --app <MODULE:NAME> --name <NAME> [OPTIONS]
       scaffold draft <DOCUMENT> --name <NAME> [OPTIONS]",
        after_help = "Examples:
  scaffold draft --app app.main:app --directory ../notes --name notes-service
  scaffold draft --app app.main:app --python ../notes/.venv/bin/python --env DATABASE_URL=sqlite:// \\
      --name notes-service
  curl -s http://127.0.0.1:8000/openapi.json > theirs.json
  scaffold draft theirs.json --name notes-service --list
  scaffold draft theirs.json --name notes-service
  scaffold draft theirs.json --name notes-service --operations read_note,create_note

With --app, the application is imported with its own Python (no lifespan is started, no request is sent),
and the draft has what no document shows: the order of routes, hidden defaults, strictness, middlewares,
tables, and the Python of each function beside the Rust that is to replace it. Run again, it writes anew
what was not changed since, and lists the rest.

An operation that no handler can answer as the old service does is left to it; the table at the end
says which, and why."
    )]
    Draft(draft::DraftArgs),
    /// Draft a crate of each OpenAPI document of a folder, compile all and run their tests
    #[command(after_help = "Example:
  scaffold drafts ../documents

Writes target/drafts/report.json: of each document the operations, how many of them are native, loose
and passed on, and whether the crate compiles without warnings and passes its document test.")]
    Drafts(drafts::DraftsArgs),
    /// Read from a FastAPI application, with its own Python, what its document does not show
    #[command(
        after_help = "It imports the application; it starts no lifespan and sends no request.

Examples:
  scaffold inspect --app app.main:app --directory ../notes --output notes.json
  scaffold inspect --app 'app.main:create_app()' --python ../notes/.venv/bin/python
  scaffold inspect --app app.main:app --metadata app.db:Base.metadata
  scaffold inspect --app app.main:app --env DATABASE_URL=sqlite://"
    )]
    Inspect(inspect::InspectArgs),
    /// Draft a crate for an application's tables: migrations, rows, ports, checked statements
    #[command(after_help = "Examples:
  scaffold tables --app app.main:app --directory ../notes --into ../notes-tables
  scaffold tables --inspection notes.json --into ../notes-tables --name notes-tables")]
    Tables(tables::TablesArgs),
    /// Show, or change, where this service has the libraries from, and update them
    #[command(after_help = "Examples:
  scaffold libraries
  scaffold libraries --to v0.3.0
  scaffold libraries --from path=../molt")]
    Libraries(LibrariesArgs),
}

#[derive(Args)]
struct LibrariesArgs {
    /// Another source: path=DIR, git=URL[#TAG-OR-REVISION] or registry
    #[arg(long, value_name = "SOURCE", conflicts_with = "to")]
    from: Option<Source>,
    /// Another tag or revision of the same repository
    #[arg(long, value_name = "TAG-OR-REVISION")]
    to: Option<String>,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("scaffold: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &Cli) -> Result<(), BoxError> {
    match &cli.command {
        Task::Service(args) => {
            println!("{}", service::write(&cli.root, args)?);
            Ok(())
        }
        Task::Resource(args) => in_tree(&cli.root, |tree| {
            resource::write(tree, args)?;
            Ok(String::new())
        }),
        Task::Draft(args) => draft(&cli.root, args),
        Task::Drafts(args) => Ok(drafts::run(&cli.root, args)?),
        Task::Inspect(args) => {
            println!("{}", inspect::run(args)?);
            Ok(())
        }
        Task::Tables(args) => {
            println!("{}", tables::run(args)?);
            Ok(())
        }
        Task::Libraries(args) => libraries(&cli.root, args),
    }
}

/// Drafts a crate and writes its overlay, for which the crate is compiled.
fn draft(root: &Path, args: &draft::DraftArgs) -> Result<(), BoxError> {
    if let Some(list) = draft::list(args)? {
        println!("{list}");
        return Ok(());
    }
    let mut written = None;
    in_tree(root, |tree| {
        let draft = draft::write(tree, args)?;
        let advice = draft.advice.clone();
        written = Some(draft);
        Ok(advice)
    })?;
    if let Some(written) = written {
        println!("{}", written.finish(root)?);
    }
    if !args.is_tested() {
        return Ok(());
    }
    println!("\nNow it is compiled, and takes over what only the old document says.");
    let mut test = cargo();
    test.args(["test", "--quiet", "--package", args.name(), "--test", "document"]);
    let status = test.current_dir(root).env("UPDATE_OVERLAY", "1").status();
    match status.map_err(|error| format!("cargo: {error}"))? {
        status if status.success() => Ok(()),
        _ => Err("the crate is there, but its document is not that of the old service".into()),
    }
}

/// Changes a tree of this shape, and lists the files that it has created, changed or left.
fn in_tree(
    root: &Path,
    write: impl FnOnce(&mut Tree) -> Result<String, BoxError>,
) -> Result<(), BoxError> {
    let mut tree = Tree::open(root)?;
    let advice = write(&mut tree)?;
    let python = tree.changes("python-legacy/").then(|| root.join("python-legacy"));
    if python.as_ref().is_some_and(|python| !python.join(RUFF).exists()) {
        return Err("python-legacy's formatter is not there: run `make venv`".into());
    }
    let report = tree.commit()?;
    for (state, path) in &report {
        println!("{state:>14}  {path}");
    }
    if report.iter().all(|(state, _)| *state == State::Kept) {
        println!("Nothing is missing, nothing was changed.");
        return Ok(());
    }
    format(root, python)?;
    println!("{advice}");
    Ok(())
}

/// From python-legacy.
const RUFF: &str = "../target/venv/bin/ruff";

/// Layout is left to the formatters.
fn format(root: &Path, python: Option<PathBuf>) -> Result<(), BoxError> {
    let mut commands = vec![("cargo", vec!["fmt"], root.to_owned())];
    if let Some(python) = python {
        let sort = vec!["check", "--quiet", "--select", "I", "--fix", "."];
        commands.push((RUFF, sort, python.clone()));
        commands.push((RUFF, vec!["format", "--quiet", "."], python));
    }
    commands
        .into_iter()
        .try_for_each(|(program, arguments, folder)| execute(program, &arguments, &folder))
}

/// Shows the source of the libraries, or writes another one and updates them.
fn libraries(root: &Path, args: &LibrariesArgs) -> Result<(), BoxError> {
    let open = |path: &'static str| -> Result<DocumentMut, SourceError> {
        let failed = |reason: String| SourceError::Manifest { path, reason };
        let text = std::fs::read_to_string(root.join(path));
        let text = text.map_err(|error| failed(error.to_string()))?;
        text.parse().map_err(|error: toml_edit::TomlError| failed(error.to_string()))
    };
    let (mut manifest, mut deny) = (open("Cargo.toml")?, open("deny.toml")?);
    let source = Source::of_service(&manifest)?;
    let source = match (&args.from, &args.to) {
        (Some(from), _) => from.clone(),
        (None, Some(to)) => source.at(to)?,
        (None, None) => {
            println!("{source}");
            return Ok(());
        }
    };
    let names = source.change(&mut manifest, &mut deny)?;
    for (path, text) in [("Cargo.toml", &manifest), ("deny.toml", &deny)] {
        std::fs::write(root.join(path), text.to_string())
            .map_err(|error| SourceError::Manifest { path, reason: error.to_string() })?;
    }
    execute("cargo", &[&["update", "--quiet"], names.as_slice()].concat(), root)?;
    println!("{source}: {}", names.join(", "));
    Ok(())
}

fn execute(program: &str, arguments: &[&str], folder: &Path) -> Result<(), BoxError> {
    match Command::new(program).args(arguments).current_dir(folder).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{program}: {status}").into()),
        Err(error) => Err(format!("{program}: {error}").into()),
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

//! A service of one's own: this repository without what is Molt's, under another name, depending on the
//! libraries.
//!
//! The usual generators (cargo-generate, copier) need a template that is no program any more: one that
//! does not compile, is not tested and cannot be run. Here the template is the service itself, which
//! every test of this repository runs.

mod features;
mod files;
mod items;
mod manifests;
mod modules;
mod names;
mod pages;
mod parts;
mod passages;

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::libraries::{Source, SourceError};
use features::Resolved;
use files::{Files, is_a};
use names::Names;
use parts::OWN;

pub use files::FilesError;
pub use parts::Part;

/// What a new service is to be.
#[derive(clap::Args, Debug)]
pub struct ServiceArgs {
    /// What it is called: the program, the image, the database, the namespace
    pub name: String,
    /// An empty folder, or one that is not there yet
    #[arg(long, value_name = "DIR")]
    pub into: PathBuf,
    /// What it shall not have, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "PARTS")]
    pub without: Vec<Part>,
    /// Where it has the libraries from: path=DIR, git=URL[#TAG-OR-REVISION] or registry [default:
    /// the repository that this one was cloned from, at its tag or revision]
    #[arg(long, value_name = "SOURCE")]
    pub libraries: Option<Source>,
}

/// Why a service cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    #[error("{0}")]
    Name(String),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error(transparent)]
    Files(#[from] FilesError),
    #[error("a template is broken: {0}")]
    Template(#[from] minijinja::Error),
    #[error("`{command}` failed:\n{output}")]
    Command { command: String, output: String },
}

/// Makes the service from the repository at `root`, and gives a summary of it.
///
/// # Errors
/// When the name or the folder cannot be taken, or the libraries cannot be had from their source.
pub fn write(root: &Path, args: &ServiceArgs) -> Result<String, ServiceError> {
    let names = Names::new(&args.name).map_err(ServiceError::Name)?;
    let (source, reason) = if let Some(source) = &args.libraries {
        (source.clone(), None)
    } else {
        let (source, reason) = Source::of_checkout(root)?;
        (source, Some(reason))
    };
    let files = make(Files::read(root)?, &names, &args.without, &source)?;
    files.write(&args.into)?;
    // The lock file forgets what is not needed any more, git knows what is ignored.
    run(&args.into, "cargo", &["metadata", "--quiet", "--format-version", "1"])?;
    run(&args.into, "cargo", &["fmt"])?;
    run(&args.into, "git", &["init", "--quiet", "--initial-branch", "main"])?;
    let because = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
    let moved = match &source {
        Source::Path(_) => {
            "\nThat is a folder of this machine. `make libraries FROM=git=URL#TAG` there changes it."
        }
        _ => "",
    };
    Ok(format!(
        "{} is in {}, with the libraries from {source}{because}.{moved}\n\nThere:\n\n  make run      \
         # start it\n  make test     # test it\n  make resource NAME=orders \
         FIELDS=\"number:string(1..40) note:string?\"",
        names.title,
        args.into.display()
    ))
}

/// The files of a service without some parts.
fn make(
    mut files: Files,
    names: &Names,
    without: &[Part],
    source: &Source,
) -> Result<Files, ServiceError> {
    let removed: Vec<&str> = without.iter().filter_map(|part| part.feature()).collect();
    let mentions = manifests::mentions(&files);
    let mut files_removed: Vec<&str> = OWN.to_vec();
    for part in Part::ALL.into_iter().filter(|part| without.contains(part)) {
        files_removed.extend(part.files());
    }
    // Two parts may have a file in common, or one the folder that another has a file in.
    let is_within = |path: &str, other: &str| {
        path.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
    };
    files_removed.sort_unstable();
    files_removed.dedup();
    for path in &files_removed {
        if !files_removed.iter().any(|other| is_within(path, other)) {
            files.remove(path)?;
        }
    }
    files.change_each(|path, text| {
        let text = passages::resolve(text, without)?;
        if !is_a(path, "rs") {
            return Ok(Some(text));
        }
        Ok(match features::resolve(&text, &removed)? {
            Resolved::Text(text) => Some(text),
            Resolved::Nothing => None,
        })
    })?;
    if without.contains(&Part::Items) {
        items::remove(&mut files)?;
    }
    manifests::prune(&mut files, &removed, &mentions)?;
    let mut files = files.renamed(names, |path| path == "LICENSE");
    pages::write(&mut files, names, without, source)?;
    manifests::complete(&mut files, source, &removed, !without.contains(&Part::Strangler))?;
    Ok(files)
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> Result<(), ServiceError> {
    let failed = |output: String| ServiceError::Command {
        command: format!("{program} {}", arguments.join(" ")),
        output,
    };
    let output = Command::new(program).args(arguments).current_dir(folder).output();
    let output = output.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use regex::Regex;

    use super::*;

    /// Every part comes off in every combination, and nothing of it or of Molt's name is left.
    #[test]
    fn all_combinations_are_made() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let names = Names::new("parcel-service").unwrap();
        let source: Source = "git=https://example.com/libraries#v1".parse().unwrap();
        let mut left = BTreeSet::new();
        for combination in 0..16 {
            let without: Vec<Part> = Part::ALL
                .into_iter()
                .enumerate()
                .filter_map(|(bit, part)| (combination & (1 << bit) != 0).then_some(part))
                .collect();
            let files = make(Files::read(&root).unwrap(), &names, &without, &source).unwrap();
            let words = without.iter().map(|part| match part {
                Part::Items => "items::",
                Part::PythonLegacy => "python-legacy",
                Part::Strangler => "strangler",
                Part::Sqlite => "sqlite",
            });
            let words: Vec<_> = words.chain(["molt", "[with ", "[end]"]).collect();
            for path in files.paths().filter(|path| *path != "LICENSE" && *path != "Cargo.lock") {
                let text = files.text(path).unwrap_or_default().to_ascii_lowercase();
                let text = text.replace("/_molt", "");
                for word in words.iter().filter(|word| !may_have(path, word)) {
                    let lines = text.lines().filter(|line| line.contains(word));
                    left.extend(lines.map(|line| format!("{path}: `{word}` in `{}`", line.trim())));
                }
                assert!(!path.starts_with("crates/libs"), "{path}");
                // With a hyphen in it, the name is no identifier. All parts, and none: the others are between.
                if is_a(path, "rs") && [0, 15].contains(&combination) {
                    let text = files.text(path).unwrap_or_default();
                    left.extend(syn::parse_file(text).err().map(|error| {
                        let start = error.span().start();
                        format!("{path}:{}:{}: {error}", start.line, start.column)
                    }));
                }
            }
            for target in named_targets(&files) {
                let is_there = |path: &String| path.ends_with(&target);
                assert!(files.paths().any(is_there), "{without:?}: no {target}");
            }
        }
        assert!(left.is_empty(), "what should be removed is there, or is no Rust: {left:#?}");
    }

    /// The files of the tests and programs that the commands of a service name.
    fn named_targets(files: &Files) -> BTreeSet<String> {
        let option = Regex::new(r"--(test|bin) ([a-z][a-z0-9-]*)").unwrap();
        let commands = ["Makefile", "crates/storage/prepare.sh", ".github/workflows/ci.yml"];
        let found =
            commands.iter().flat_map(|path| option.captures_iter(files.text(path).unwrap()));
        let targets: BTreeSet<String> = found
            .map(|found| match (&found[1], &found[2]) {
                ("test", "suite") => "/tests/suite/main.rs".to_owned(),
                ("test", name) => format!("/tests/{name}.rs"),
                (_, "parcel-service") => "crates/api/src/main.rs".to_owned(),
                (_, name) => format!("/src/bin/{name}.rs"),
            })
            .collect();
        assert!(targets.len() > 3, "{targets:?}");
        targets
    }

    /// A service names the source of its libraries, and its FastAPI counterpart may use SQLite.
    fn may_have(path: &str, word: &str) -> bool {
        let is_page = ["README.md", "CONTRIBUTING.md", "Makefile"].contains(&path);
        match word {
            "molt" => is_page,
            "sqlite" => is_page || path.starts_with("python-legacy/"),
            _ => false,
        }
    }
}

//! Both images, and those that they are built on or run beside.

use std::path::Path;

use crate::BoxError;
use crate::docker::output;
use crate::engine::Engine;
use crate::program;

/// The images that others are built on, or run beside.
pub(crate) struct Bases {
    pub rust: &'static str,
    pub python: &'static str,
    pub postgres: &'static str,
    pub mail: &'static str,
    /// Has Docker Compose 2, for a `docker` without it.
    pub compose: Option<&'static str>,
}

pub(crate) const LOCAL: Bases = Bases {
    rust: "molt-local/rust",
    python: "molt-local/python",
    postgres: "molt-local/postgres",
    mail: "molt-local/mail",
    compose: Some("molt-local/compose"),
};

pub(crate) const OFFICIAL: Bases = Bases {
    rust: "rust:1.95-slim-bookworm",
    python: "python:3.11-slim-bookworm",
    postgres: "postgres:17.6-bookworm",
    mail: "axllent/mailpit:v1.27",
    compose: None,
};

/// The names of both images while they are checked.
pub(crate) const MOLT: &str = "molt:check";
pub(crate) const LEGACY: &str = "molt-legacy:check";

impl Bases {
    /// Makes these from Debian's packages, unless they are the official ones, or there.
    ///
    /// # Errors
    /// When they cannot be made.
    pub(crate) fn make(&self, engine: &Engine, names: &[&str]) -> Result<(), BoxError> {
        if self.compose.is_none() {
            return Ok(());
        }
        let mut make = engine.command("sh");
        make.arg("crates/tools/containers/images/make.sh").args(names);
        output(&mut make).map(drop)
    }
}

/// Builds both images; with `debug`, the program that `cargo build` has compiled is the one of the image.
///
/// # Errors
/// When one cannot be built, with the end of the output.
pub(crate) fn build(
    engine: &Engine,
    bases: &Bases,
    folder: &Path,
    debug: bool,
) -> Result<(), BoxError> {
    // What is waited for most is the network and the disk.
    std::thread::scope(|scope| {
        let postgres = scope.spawn(|| bases.make(engine, &["postgres"]));
        legacy(engine, bases)?;
        molt(engine, bases, debug.then_some(folder))?;
        postgres.join().map_err(|_| "the image of PostgreSQL was not made")?
    })
}

fn legacy(engine: &Engine, bases: &Bases) -> Result<(), BoxError> {
    bases.make(engine, &["python"])?;
    eprintln!("containers: building {LEGACY}");
    let base = format!("PYTHON_IMAGE={}", bases.python);
    let file = "python-legacy/Dockerfile";
    engine.docker(&["build", "--tag", LEGACY, "--file", file, "--build-arg", &base, "."])?;
    Ok(())
}

/// With a folder for the context, the debug program.
fn molt(engine: &Engine, bases: &Bases, debug: Option<&Path>) -> Result<(), BoxError> {
    eprintln!("containers: building {MOLT}");
    if let Some(folder) = debug {
        let context = program::context(folder)?.display().to_string();
        engine.docker(&["build", "--tag", MOLT, &context])?;
    } else {
        bases.make(engine, &["rust"])?;
        let base = format!("RUST_IMAGE={}", bases.rust);
        let file = "crates/api/Dockerfile";
        engine.docker(&["build", "--tag", MOLT, "--file", file, "--build-arg", &base, "."])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs::read_to_string;

    use super::*;

    #[test]
    fn every_file_has_the_same_images() {
        for (file, image) in [
            ("compose.yaml", OFFICIAL.postgres),
            ("compose.yaml", OFFICIAL.mail),
            ("compose.yaml", OFFICIAL.rust),
            ("compose.yaml", OFFICIAL.python),
            ("crates/api/Dockerfile", OFFICIAL.rust),
            ("python-legacy/Dockerfile", OFFICIAL.python),
            ("crates/tools/testbed/src/postgres.rs", OFFICIAL.postgres),
            ("crates/tools/scaffold/templates/service/compose.yaml.j2", OFFICIAL.postgres),
        ] {
            let text = read_to_string(testbed::root().join(file)).unwrap();
            let (name, _) = image.split_once(':').unwrap();
            let versions: Vec<_> = text
                .split(&format!("{name}:"))
                .skip(1)
                .filter(|rest| rest.starts_with(|first: char| first == 'v' || first.is_numeric()))
                .collect();
            assert!(!versions.is_empty(), "{file} has no {name}");
            let (_, version) = image.split_once(':').unwrap();
            assert!(versions.iter().all(|rest| rest.starts_with(version)), "{file}: {versions:?}");
        }
    }
}

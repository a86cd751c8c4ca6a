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
    bases.make(engine, &["python", "postgres"])?;
    eprintln!("containers: building {LEGACY}");
    let base = format!("PYTHON_IMAGE={}", bases.python);
    let file = "python-legacy/Dockerfile";
    engine.docker(&["build", "--tag", LEGACY, "--file", file, "--build-arg", &base, "."])?;
    eprintln!("containers: building {MOLT}");
    if debug {
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

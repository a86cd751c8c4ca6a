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

/// The names of those of a service that was made from this one, and of a draft.
pub(crate) const GENERATED: &str = "parcels:check";
pub(crate) const DRAFT: &str = "before-legacy:check";

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

/// Builds that of python-legacy, and the base of databases.
///
/// # Errors
/// As [`build`].
pub(crate) fn legacy_and_postgres(engine: &Engine, bases: &Bases) -> Result<(), BoxError> {
    bases.make(engine, &["postgres"])?;
    legacy(engine, bases)
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
            ("crates/tools/contract/Dockerfile", OFFICIAL.rust),
            ("crates/tools/scaffold/templates/draft/Dockerfile.j2", OFFICIAL.rust),
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

    /// The major version of a line that names one of PostgreSQL, in a manifest or a Dockerfile.
    fn major(line: &str) -> Option<&str> {
        let line = line.trim_start_matches([' ', '-']);
        let value = line.strip_prefix("major: ").or_else(|| {
            let is_image = line.starts_with("image: ") || line.starts_with("imageName: ");
            line.rsplit_once("postgresql:").filter(|_| is_image).map(|(_, version)| version)
        });
        let value = value.or_else(|| Some(line.split_once(" postgresql-")?.1));
        value?.split(|next: char| !next.is_numeric()).next()
    }

    #[test]
    fn a_major_version_is_found() {
        assert_eq!(major("    major: 17 # of the catalog"), Some("17"));
        assert_eq!(major("  imageName: ghcr.io/cloudnative-pg/postgresql:16.4"), Some("16"));
        assert_eq!(major("RUN apt-get install --yes postgresql-15 \\"), Some("15"));
        assert_eq!(major("  parameters: postgresql: 3"), None);
    }

    #[test]
    fn manifests_and_local_images_have_the_same_postgresql() {
        let (_, version) = OFFICIAL.postgres.split_once(':').unwrap();
        let (expected, _) = version.split_once('.').unwrap();
        let mut folders = vec![testbed::root().join("k8s")];
        let mut files =
            vec![testbed::root().join("crates/tools/containers/images/postgres.Dockerfile")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        let mut found = Vec::new();
        for file in files {
            let text = read_to_string(&file).unwrap();
            for line in text.lines() {
                let Some(major) = major(line) else { continue };
                assert_eq!(major, expected, "{}: {line}", file.display());
                found.push(file.clone());
            }
        }
        for name in ["k8s/base/database.yaml", "images/postgres.Dockerfile"] {
            assert!(found.iter().any(|file| file.ends_with(name)), "{name} has no version");
        }
    }
}

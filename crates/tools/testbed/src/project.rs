//! The repository whose services are started: the one that the program or test belongs to.

use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;

use crate::Error;

/// The root of the repository: the folder with the workspace's `Cargo.toml`, at or above the package
/// whose test this is, else the working folder.
pub fn root() -> PathBuf {
    let working = std::env::current_dir().unwrap_or_default();
    let start = std::env::var_os("CARGO_MANIFEST_DIR").map_or(working, PathBuf::from);
    let found = start.ancestors().find(|folder| workspace(folder).is_some());
    found.unwrap_or(&start).to_owned()
}

/// The name of the service's program: `service` in the table `workspace.metadata.testbed` of the root's
/// `Cargo.toml`.
///
/// # Errors
/// When it is not there.
pub fn service_name() -> Result<String, Error> {
    let root = root();
    let name = workspace(&root).and_then(|manifest| {
        let testbed = manifest.get("workspace")?.get("metadata")?.get("testbed")?;
        Some(testbed.get("service")?.as_str()?.to_owned())
    });
    let path = root.join("Cargo.toml");
    name.ok_or_else(|| {
        Error::Missing(format!("{} names no workspace.metadata.testbed.service", path.display()))
    })
}

/// Whether the repository has the FastAPI service too.
pub fn has_legacy() -> bool {
    root().join("python-legacy").is_dir()
}

fn workspace(folder: &Path) -> Option<DocumentMut> {
    let text = std::fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    let manifest: DocumentMut = text.parse().ok()?;
    manifest.contains_key("workspace").then_some(manifest)
}

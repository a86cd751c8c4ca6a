//! The image of the service with the program that `cargo build` has compiled: the last stage of the
//! same Dockerfile, and the libraries that the program needs, as it is not static.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::BoxError;
use crate::docker::output;

const DOCKERFILE: &str = "crates/api/Dockerfile";
const ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Makes a build context in this folder.
///
/// # Errors
/// When the program is not built, or the Dockerfile has no last stage as is expected.
pub(crate) fn context(folder: &Path) -> Result<PathBuf, BoxError> {
    let context = folder.join("program");
    if context.exists() {
        std::fs::remove_dir_all(&context)?;
    }
    let text = std::fs::read_to_string(DOCKERFILE)?;
    let (_, stage) =
        text.split_once("\nFROM scratch\n").ok_or("its last stage is not on scratch")?;
    let stage = stage.replace("--from=build /", "");
    std::fs::create_dir_all(context.join("libraries"))?;
    std::fs::write(context.join("Dockerfile"), format!("FROM scratch\nCOPY libraries /\n{stage}"))?;
    let program = testbed::rust_binary()?;
    // Without the tables of lines: a tenth of the size.
    output(Command::new("strip").arg("-o").arg(context.join("molt")).arg(&program))?;
    copy(Path::new(ROOTS), &context.join(&ROOTS[1..]))?;
    let libraries = output(Command::new("ldd").arg(&program))?;
    for library in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
        copy(Path::new(library), &context.join("libraries").join(&library[1..]))?;
    }
    Ok(context)
}

/// Copies a file, links followed, into a folder that may not exist yet.
fn copy(from: &Path, to: &Path) -> Result<(), BoxError> {
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::copy(from, to)?;
    Ok(())
}

//! Small files that are read and replaced as a whole.

use std::io;
use std::path::Path;

/// The content of a file, if it exists.
pub(crate) fn read_if_any(path: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces a file atomically.
pub(crate) fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    // Of this process: another one may write too.
    new.push(format!(".{}.new", std::process::id()));
    std::fs::write(&new, text)?;
    std::fs::rename(&new, path)
}

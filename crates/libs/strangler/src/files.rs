//! Small files that are read and replaced as a whole.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The longest file that is read, in bytes.
const MAX: u64 = 1024 * 1024;

/// The content of a file, if it exists.
///
/// # Errors
/// When it cannot be read, is too long, or is something else than a file, such as a pipe, for which one
/// might wait.
pub(crate) fn read_if_any(path: &Path) -> io::Result<Option<String>> {
    let invalid = |reason: &str| Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => return invalid("it is not a file"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        _ => {}
    }
    let mut text = String::new();
    match File::open(path) {
        Ok(file) => file.take(MAX + 1).read_to_string(&mut text)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if text.len() as u64 > MAX { invalid("it is longer than 1 MiB") } else { Ok(Some(text)) }
}

/// Replaces a file atomically; where the path is a link, what it leads to. Permissions stay.
pub(crate) fn write_atomically(path: &Path, text: &str) -> io::Result<()> {
    let target = match std::fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.to_owned(),
        target => target?,
    };
    let mut new = target.as_os_str().to_owned();
    // Of this process: another one may write too.
    new.push(format!(".{}.new", std::process::id()));
    let written = std::fs::write(&new, text).and_then(|()| {
        if let Ok(before) = std::fs::metadata(&target) {
            std::fs::set_permissions(&new, before.permissions())?;
        }
        std::fs::rename(&new, &target)
    });
    if written.is_err() {
        // Nothing is left of it.
        _ = std::fs::remove_file(&new);
    }
    written
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_if_any(folder.path()).is_err(), "a folder");
        let path = folder.path().join("long");
        std::fs::write(&path, vec![b' '; 2 << 20]).unwrap();
        assert!(read_if_any(&path).is_err(), "too long");
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert!(read_if_any(&pipe).is_err(), "a pipe");
        assert_eq!(read_if_any(&folder.path().join("none")).unwrap(), None);
    }

    #[test]
    fn a_link_stays_one_and_permissions_stay() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "a").unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
        symlink("file", &link).unwrap();
        write_atomically(&link, "b").unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "b");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing is left");
    }
}

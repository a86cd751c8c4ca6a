//! The files of a repository, in memory: what is read, left out, renamed and written.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use toml_edit::DocumentMut;

use super::modules;
use super::names::Names;

/// Why the template cannot be read, or a service not be written.
#[derive(Debug, thiserror::Error)]
pub enum FilesError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{} is not Molt's repository: {missing} is missing", .root.display())]
    Other { root: PathBuf, missing: &'static str },
    #[error("{} is not empty: nothing was written", .0.display())]
    NotEmpty(PathBuf),
    #[error("{0} is named as a part of the template, but is not in it")]
    Missing(String),
    #[error("{path}: {reason}")]
    Format { path: String, reason: String },
    #[error(transparent)]
    Walk(#[from] ignore::Error),
}

struct File {
    bytes: Vec<u8>,
    is_executable: bool,
}

pub(super) struct Files(BTreeMap<String, File>);

impl Files {
    /// All files that git does not ignore.
    pub(super) fn read(root: &Path) -> Result<Self, FilesError> {
        for missing in ["crates/libs/fastapi-compat", "crates/api/src/main.rs", "migrations"] {
            if !root.join(missing).exists() {
                return Err(FilesError::Other { root: root.to_owned(), missing });
            }
        }
        let mut files = BTreeMap::new();
        let is_git = |name: &std::ffi::OsStr| name == ".git";
        let walk = WalkBuilder::new(root)
            .hidden(false)
            .require_git(false)
            .git_global(false)
            .parents(false)
            .filter_entry(move |entry| !is_git(entry.file_name()))
            .build();
        for entry in walk {
            let entry = entry?;
            if !entry.file_type().is_some_and(|kind| kind.is_file()) {
                continue;
            }
            let path = entry.path();
            let fail = |source| FilesError::File { path: path.to_owned(), source };
            let bytes = std::fs::read(path).map_err(fail)?;
            let is_executable = is_executable(path).map_err(fail)?;
            let name = path.strip_prefix(root).unwrap_or(path);
            files.insert(name.to_string_lossy().into_owned(), File { bytes, is_executable });
        }
        Ok(Self(files))
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &String> {
        self.0.keys()
    }

    /// The text of a file, if it is there and is text.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(&self.0.get(path)?.bytes).ok()
    }

    pub(super) fn set(&mut self, path: &str, text: String) {
        let file = self.0.entry(path.to_owned());
        let file = file.or_insert(File { bytes: Vec::new(), is_executable: false });
        file.bytes = text.into_bytes();
    }

    /// Changes the text of every file that is text; `change` gives nothing for a file that goes.
    pub(super) fn change_each(
        &mut self,
        change: impl Fn(&str, &str) -> Result<Option<String>, String>,
    ) -> Result<(), FilesError> {
        let mut removed = Vec::new();
        for (path, file) in &mut self.0 {
            let Ok(text) = std::str::from_utf8(&file.bytes) else { continue };
            let failed = |reason| FilesError::Format { path: path.clone(), reason };
            match change(path, text).map_err(failed)? {
                Some(changed) => file.bytes = changed.into_bytes(),
                None => removed.push(path.clone()),
            }
        }
        for path in removed {
            self.remove(&path)?;
        }
        Ok(())
    }

    pub(super) fn toml(&self, path: &str) -> Result<DocumentMut, FilesError> {
        let text = self.text(path).ok_or_else(|| FilesError::Missing(path.to_owned()))?;
        text.parse().map_err(|error: toml_edit::TomlError| FilesError::Format {
            path: path.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Leaves out a file, or a folder with all that is in it, what declares it as a module, and
    /// what names that (see [`modules`]).
    ///
    /// # Errors
    /// When it is not there, or Rust beside it cannot be parsed.
    pub(super) fn remove(&mut self, path: &str) -> Result<(), FilesError> {
        let is_in = |other: &str| {
            other.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let count = self.0.len();
        self.0.retain(|other, _| !is_in(other));
        if self.0.len() == count {
            return Err(FilesError::Missing(path.to_owned()));
        }
        self.undeclare(path)
    }

    /// Removes what declares a module and what names it.
    fn undeclare(&mut self, path: &str) -> Result<(), FilesError> {
        let Some((folder, name)) = path.trim_end_matches(".rs").rsplit_once('/') else {
            return Ok(());
        };
        let parents = [
            format!("{folder}/mod.rs"),
            format!("{folder}/lib.rs"),
            format!("{folder}/main.rs"),
            format!("{folder}.rs"),
        ];
        let is_root = folder.ends_with("/src");
        let folder = format!("{folder}/");
        for (path, file) in &mut self.0 {
            let is_parent = parents.contains(path);
            let is_beside = is_root && path.starts_with(&folder) && is_a(path, "rs");
            if !is_parent && !is_beside {
                continue;
            }
            let Ok(text) = std::str::from_utf8(&file.bytes) else { continue };
            let mut changed = Ok(text.to_owned());
            if is_parent {
                changed = changed.and_then(|text| modules::undeclare(&text, name));
            }
            if is_beside {
                changed = changed.and_then(|text| modules::unimport(&text, name));
            }
            let failed = |reason| FilesError::Format { path: path.clone(), reason };
            file.bytes = changed.map_err(failed)?.into_bytes();
        }
        Ok(())
    }

    /// Another name for each path and for what is in the file; files for which `is_kept` holds stay
    /// as they are.
    pub(super) fn renamed(self, names: &Names, is_kept: impl Fn(&str) -> bool) -> Self {
        let renamed = self.0.into_iter().map(|(path, mut file)| {
            if is_kept(&path) {
                return (path, file);
            }
            if let Ok(text) = std::str::from_utf8(&file.bytes) {
                file.bytes = names.put_into(text).into_bytes();
            }
            (names.put_into(&path), file)
        });
        Self(renamed.collect())
    }

    /// Gives files other names.
    pub(super) fn rename(&mut self, new: impl Fn(&str) -> String) {
        let all = std::mem::take(&mut self.0);
        self.0 = all.into_iter().map(|(path, file)| (new(&path), file)).collect();
    }

    /// Writes them all.
    ///
    /// # Errors
    /// When the folder has anything in it.
    pub(super) fn write(&self, into: &Path) -> Result<(), FilesError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| FilesError::File { path, source }
        };
        std::fs::create_dir_all(into).map_err(fail(into))?;
        if std::fs::read_dir(into).map_err(fail(into))?.next().is_some() {
            return Err(FilesError::NotEmpty(into.to_owned()));
        }
        for (name, file) in &self.0 {
            let path = into.join(name);
            if let Some(folder) = path.parent() {
                std::fs::create_dir_all(folder).map_err(fail(folder))?;
            }
            std::fs::write(&path, &file.bytes).map_err(fail(&path))?;
            if file.is_executable {
                make_executable(&path).map_err(fail(&path))?;
            }
        }
        Ok(())
    }
}

/// Whether a path has this extension.
pub(super) fn is_a(path: &str, extension: &str) -> bool {
    Path::new(path).extension().is_some_and(|found| found == extension)
}

fn is_executable(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;

    Ok(path.metadata()?.permissions().mode() & 0o111 != 0)
}

fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine"), "text").unwrap();
        let files = Files(BTreeMap::new());
        assert!(matches!(files.write(folder.path()), Err(FilesError::NotEmpty(_))));
    }

    #[test]
    fn a_module_goes_with_its_declaration() {
        let mut files = Files(BTreeMap::new());
        files.set("src/lib.rs", "mod a;\n#[cfg(unix)]\npub(crate) mod b;\nmod bb;\n".to_owned());
        files.set("src/b/mod.rs", "mod c;\nmod d;\n".to_owned());
        files.set("src/b/c.rs", String::new());
        files.remove("src/b/c.rs").unwrap();
        assert_eq!(files.text("src/b/mod.rs"), Some("mod d;\n"));
        files.remove("src/b").unwrap();
        assert_eq!(files.text("src/lib.rs"), Some("mod a;\nmod bb;\n"));
        assert!(matches!(files.remove("src/b"), Err(FilesError::Missing(_))));
    }
}

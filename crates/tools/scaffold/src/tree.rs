//! A tree of this shape, and what is to change in it. Nothing is written before all of it is known.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;

/// Why a tree cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum TreeError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{} is no tree of this kind: {missing} is missing; run this at its top", .root.display())]
    Other { root: PathBuf, missing: &'static str },
    #[error("{path}: {what} is not there any more: without it, nothing can be added to this file")]
    Anchor { path: String, what: String },
    #[error("{path} is not what it should be: {reason}")]
    Format { path: String, reason: String },
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Created,
    Changed,
    /// It is there already and is left as it is.
    Kept,
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Created => "created",
            Self::Changed => "changed",
            Self::Kept => "left as it is",
        })
    }
}

#[derive(Debug)]
pub struct Tree {
    root: PathBuf,
    /// Paths below the root, and what they will hold.
    staged: IndexMap<String, String>,
    /// Files that are there already and are left as they are.
    kept: Vec<String>,
}

impl Tree {
    pub fn open(root: &Path) -> Result<Self, TreeError> {
        for missing in ["Cargo.toml", "crates/domain/src/lib.rs", "crates/api/src/routes/mod.rs"] {
            if !root.join(missing).is_file() {
                return Err(TreeError::Other { root: root.to_owned(), missing });
            }
        }
        Ok(Self { root: root.to_owned(), staged: IndexMap::new(), kept: Vec::new() })
    }

    pub fn has(&self, path: &str) -> bool {
        self.staged.contains_key(path) || self.root.join(path).exists()
    }

    /// A path of the tree as one of the file system.
    pub fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    /// A file with another text, whatever it was.
    pub fn replace(&mut self, path: &str, text: String) {
        self.staged.insert(path.to_owned(), text);
    }

    pub fn read(&self, path: &str) -> Result<String, TreeError> {
        if let Some(text) = self.staged.get(path) {
            return Ok(text.clone());
        }
        let path = self.root.join(path);
        std::fs::read_to_string(&path).map_err(|source| TreeError::File { path, source })
    }

    /// The names in a folder, sorted.
    pub fn list(&self, folder: &str) -> Result<Vec<String>, TreeError> {
        let path = self.root.join(folder);
        let fail = |source| TreeError::File { path: path.clone(), source };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(fail)? {
            names.push(entry.map_err(fail)?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// A new file; one that is there already is a person's.
    pub fn create(&mut self, path: &str, text: String) {
        if self.has(path) {
            self.kept.push(path.to_owned());
        } else {
            self.staged.insert(path.to_owned(), text);
        }
    }

    /// Changes a file that is there; `edit` gives back what it was given if there is nothing to do.
    pub fn edit(
        &mut self,
        path: &str,
        edit: impl FnOnce(&str) -> Result<String, TreeError>,
    ) -> Result<(), TreeError> {
        let before = self.read(path)?;
        let after = edit(&before)?;
        if after != before {
            self.staged.insert(path.to_owned(), after);
        }
        Ok(())
    }

    /// Whether anything in a folder is to change.
    pub fn changes(&self, folder: &str) -> bool {
        self.staged.keys().any(|path| path.starts_with(folder))
    }

    /// Writes everything, and reports what became of each file. If a file cannot be written, those
    /// before it are as they were.
    pub fn commit(self) -> Result<Vec<(State, String)>, TreeError> {
        let mut report = Vec::new();
        let mut undo = Vec::new();
        for (name, text) in self.staged {
            let path = self.root.join(&name);
            let before = std::fs::read(&path).ok();
            let state = if before.is_some() { State::Changed } else { State::Created };
            if let Err(source) = put(&path, &text) {
                undo.push((path.clone(), before));
                take_back(undo);
                return Err(TreeError::File { path, source });
            }
            undo.push((path, before));
            report.push((state, name));
        }
        report.extend(self.kept.into_iter().map(|name| (State::Kept, name)));
        Ok(report)
    }
}

fn put(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(path, text)
}

/// What cannot be taken back either is left: the error that is reported is the first one.
fn take_back(files: Vec<(PathBuf, Option<Vec<u8>>)>) {
    for (path, before) in files.into_iter().rev() {
        let _ = match before {
            Some(before) => std::fs::write(&path, before),
            None => std::fs::remove_file(&path),
        };
    }
}

/// Puts `line` after the last line for which `is_anchor` holds, unless the text has it already.
pub fn after_last(
    path: &str,
    text: &str,
    line: &str,
    what: &str,
    is_anchor: impl Fn(&str) -> bool,
) -> Result<String, TreeError> {
    if text.lines().any(|other| other.trim() == line.trim()) {
        return Ok(text.to_owned());
    }
    let mut lines: Vec<&str> = text.lines().collect();
    let anchor = lines
        .iter()
        .rposition(|line| is_anchor(line))
        .ok_or_else(|| TreeError::Anchor { path: path.to_owned(), what: what.to_owned() })?;
    // Not into a passage that only some services have: see `service::passages`.
    let is_end = |line: &&str| line.trim_start_matches(['/', '#', ' ']) == "[end]";
    let after = anchor + 1 + usize::from(lines.get(anchor + 1).is_some_and(is_end));
    lines.insert(after, line);
    Ok(lines.join("\n") + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_whole_is_not_written_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("crates/domain/src")).unwrap();
        std::fs::create_dir_all(root.join("crates/api/src/routes")).unwrap();
        for path in ["Cargo.toml", "crates/domain/src/lib.rs", "crates/api/src/routes/mod.rs"] {
            std::fs::write(root.join(path), "before").unwrap();
        }
        let mut tree = Tree::open(root).unwrap();
        tree.replace("Cargo.toml", "after".into());
        tree.create("new", "text".into());
        tree.create("Cargo.toml/no-folder", "text".into());
        let error = tree.commit().unwrap_err().to_string();
        assert!(error.contains("no-folder"), "{error}");
        assert_eq!(std::fs::read_to_string(root.join("Cargo.toml")).unwrap(), "before");
        assert!(!root.join("new").exists());
    }
}

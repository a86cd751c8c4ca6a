//! The files of a repository, in memory: what is read, cut, renamed and written.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use regex::Regex;

use crate::cuts::{self, CutError};
use crate::names::Names;
use crate::{BoxError, Part};

/// What others wrote is still Molt's: these crates are copied under their own names.
const LIBRARIES: [&str; 7] = [
    "crates/tools/contract/",
    "crates/libs/comparison/",
    "crates/libs/fastapi-compat/",
    "crates/libs/fastapi-compat-derive/",
    "crates/tools/scaffold/",
    "crates/libs/strangler/",
    "LICENSE",
];

#[derive(Debug, thiserror::Error)]
pub(crate) enum TreeError {
    #[error("{path}: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("{0} is not Molt's repository: {1} is missing")]
    Other(PathBuf, &'static str),
    #[error("{0} is not empty: nothing was written")]
    NotEmpty(PathBuf),
    #[error(transparent)]
    Walk(#[from] ignore::Error),
}

struct File {
    bytes: Vec<u8>,
    is_executable: bool,
}

pub(crate) struct Tree(BTreeMap<String, File>);

impl Tree {
    /// All files that git does not ignore.
    pub(crate) fn of(root: &Path) -> Result<Self, TreeError> {
        for missing in ["crates/tools/new-service/cuts", "crates/api/src/main.rs", "migrations"] {
            if !root.join(missing).exists() {
                return Err(TreeError::Other(root.to_owned(), missing));
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
            let fail = |source| TreeError::File { path: path.to_owned(), source };
            let bytes = std::fs::read(path).map_err(fail)?;
            let is_executable = is_executable(path).map_err(fail)?;
            let name = path.strip_prefix(root).unwrap_or(path);
            files.insert(name.to_string_lossy().into_owned(), File { bytes, is_executable });
        }
        Ok(Self(files))
    }

    fn text(&self, path: &str) -> Option<String> {
        String::from_utf8(self.0.get(path)?.bytes.clone()).ok()
    }

    fn set(&mut self, path: &str, text: String) {
        let file = self.0.entry(path.to_owned());
        let file = file.or_insert(File { bytes: Vec::new(), is_executable: false });
        file.bytes = text.into_bytes();
    }

    /// Without the parts, and without what is Molt's own.
    pub(crate) fn cut(mut self, without: &[Part]) -> Result<Self, BoxError> {
        let all = cuts::all(without)?;
        let mut originals = BTreeMap::new();
        for (name, cuts) in &all {
            let name = *name;
            for path in cuts.edit.keys() {
                if !originals.contains_key(path) {
                    let path = path.clone();
                    let missing = || CutError::Missing { name, path: path.clone() };
                    originals.insert(path.clone(), self.text(&path).ok_or_else(missing)?);
                }
            }
        }
        let mut removed = Vec::new();
        for (name, cuts) in &all {
            for path in &cuts.remove {
                let count = self.0.len();
                self.0.retain(|other, _| !is_in(other, path));
                // Another cut may have taken the folder that it was in.
                if self.0.len() == count && !is_removed(&removed, path) {
                    return Err(CutError::Missing { name, path: path.clone() }.into());
                }
                removed.push(path.clone());
            }
            for (path, edits) in &cuts.edit {
                for edit in edits {
                    // Another cut may have taken the whole file.
                    let Some(text) = self.text(path) else { continue };
                    let (path, passage) = (path.clone(), edit.text());
                    let text = edit.make(&originals[&path], &text);
                    let failed = || CutError::Passage { name, path: path.clone(), text: passage };
                    let text = text.ok_or_else(failed)?;
                    self.set(&path, text);
                }
            }
        }
        for (name, cuts) in &all {
            for (from, to) in &cuts.rename {
                if let Some(file) = self.0.remove(from) {
                    self.0.insert(to.clone(), file);
                } else if !is_removed(&removed, from) {
                    return Err(CutError::Missing { name, path: from.clone() }.into());
                }
            }
        }
        if without.contains(&Part::Items) {
            self.forget_items()?;
        }
        Ok(self)
    }

    /// What was made from the code of items: checked statements, and their part of the document.
    fn forget_items(&mut self) -> Result<(), BoxError> {
        let of_items = Regex::new(r"\b(FROM|INTO|JOIN|UPDATE) item\b")?;
        let is_statement = |path: &str| path.contains("/.sqlx/");
        self.0.retain(|path, file| {
            !(is_statement(path) && of_items.is_match(&String::from_utf8_lossy(&file.bytes)))
        });
        let path = "openapi/openapi.json";
        let text = self.text(path).ok_or("openapi/openapi.json is missing")?;
        let mut document: serde_json::Value = serde_json::from_str(&text)?;
        let of_items = |name: &String| name.contains("/items/") || name.starts_with("Item");
        for map in ["/paths", "/components/schemas"] {
            if let Some(map) = document.pointer_mut(map).and_then(|map| map.as_object_mut()) {
                map.retain(|name, _| !of_items(name));
            }
        }
        self.set(path, serde_json::to_string_pretty(&document)? + "\n");
        Ok(())
    }

    /// With the pages that each service has of its own.
    pub(crate) fn with_pages(mut self, names: &Names, without: &[Part]) -> Result<Self, BoxError> {
        let mut pages = Environment::new();
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?;
        pages.set_syntax(syntax);
        pages.set_undefined_behavior(UndefinedBehavior::Strict);
        pages.set_auto_escape_callback(|_| AutoEscape::None);
        let has = |part| !without.contains(&part);
        let (items, python) = (has(Part::Items), has(Part::PythonLegacy));
        let sqlite = has(Part::Sqlite);
        let values = context! {
            name => names.kebab.as_str(),
            title => names.title.as_str(),
            items,
            python,
            strangler => has(Part::Strangler),
            sqlite,
        };
        for (path, text) in PAGES {
            let is_wanted = match *path {
                "crates/tools/testbed/requirements.txt" => !python,
                "crates/tools/testbed/src/scratch.rs" => !sqlite,
                "openapi/ledger.yaml" => python && !items,
                _ => true,
            };
            if is_wanted {
                self.set(path, pages.render_str(text, &values)?);
            }
        }
        Ok(self)
    }

    pub(crate) fn renamed(self, names: &Names) -> Self {
        let renamed = self.0.into_iter().map(|(path, mut file)| {
            if LIBRARIES.iter().any(|library| path.starts_with(library)) {
                return (path, file);
            }
            if let Ok(text) = std::str::from_utf8(&file.bytes) {
                file.bytes = names.put_into(text).into_bytes();
            }
            (names.put_into(&path), file)
        });
        Self(renamed.collect())
    }

    /// # Errors
    /// When the folder has anything in it.
    pub(crate) fn write(&self, into: &Path) -> Result<(), TreeError> {
        let fail = |path: &Path| {
            let path = path.to_owned();
            move |source| TreeError::File { path, source }
        };
        std::fs::create_dir_all(into).map_err(fail(into))?;
        if std::fs::read_dir(into).map_err(fail(into))?.next().is_some() {
            return Err(TreeError::NotEmpty(into.to_owned()));
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

/// Whether a path is the other, or below it.
fn is_in(path: &str, other: &str) -> bool {
    path.strip_prefix(other).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_removed(removed: &[String], path: &str) -> bool {
    removed.iter().any(|other| is_in(path, other))
}

fn is_executable(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;

    Ok(path.metadata()?.permissions().mode() & 0o111 != 0)
}

fn make_executable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
}

macro_rules! pages {
    ($($path:literal $file:literal)*) => {
        &[$(($path, include_str!(concat!("../template/", $file)))),*]
    };
}

/// Where each page goes, and what it is made from.
const PAGES: &[(&str, &str)] = pages!(
    "README.md" "README.md.j2"
    "CHANGELOG.md" "CHANGELOG.md.j2"
    "CONTRIBUTING.md" "CONTRIBUTING.md.j2"
    "Makefile" "Makefile.j2"
    "compose.yaml" "compose.yaml.j2"
    ".ci/run" "ci-run.j2"
    "k8s/README.md" "k8s.md.j2"
    "openapi/ledger.yaml" "ledger.yaml.j2"
    "crates/tools/testbed/requirements.txt" "requirements.txt.j2"
    "crates/tools/testbed/src/scratch.rs" "scratch.rs.j2"
);

#[cfg(test)]
mod tests {
    use super::*;

    /// Every cut finds its passage in every combination, and nothing of Molt's name is left.
    #[test]
    fn all_combinations_are_made() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        let names = Names::new("parcel-service").unwrap();
        for combination in 0..16 {
            let without: Vec<Part> = Part::ALL
                .into_iter()
                .enumerate()
                .filter_map(|(bit, part)| (combination & (1 << bit) != 0).then_some(part))
                .collect();
            let tree = Tree::of(&root).unwrap().cut(&without).unwrap();
            let tree = tree.with_pages(&names, &without).unwrap().renamed(&names);
            for (path, file) in &tree.0 {
                if LIBRARIES.iter().any(|library| path.starts_with(library)) {
                    continue;
                }
                let text = String::from_utf8_lossy(&file.bytes).to_ascii_lowercase();
                let left = text.replace("/_molt", "").contains("molt");
                assert!(!left, "{path} speaks of Molt, without {without:?}");
            }
        }
    }

    #[test]
    fn a_folder_with_something_in_it_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("mine"), "text").unwrap();
        let tree = Tree(BTreeMap::new());
        assert!(matches!(tree.write(folder.path()), Err(TreeError::NotEmpty(_))));
    }
}

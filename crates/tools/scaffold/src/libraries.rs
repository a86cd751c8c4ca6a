//! Where a service has Molt's libraries and tools from: a folder, a git repository or the registry.
//!
//! A service depends on them and never contains them, so that a correction is an update. Each stands
//! once in its workspace's `Cargo.toml`, all with the same source.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::str::FromStr;

use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

/// Each package, and the folder that it has in Molt's repository.
pub(crate) const LIBRARIES: [(&str, &str); 8] = [
    ("celery-compat", "crates/libs/celery-compat"),
    ("fastapi-compat", "crates/libs/fastapi-compat"),
    ("strangler", "crates/libs/strangler"),
    ("comparison", "crates/libs/comparison"),
    ("contract", "crates/tools/contract"),
    ("k8s-check", "crates/tools/k8s-check"),
    ("scaffold", "crates/tools/scaffold"),
    ("testbed", "crates/tools/testbed"),
];

/// The keys of a dependency that are its source.
const KEYS: [&str; 6] = ["path", "git", "tag", "rev", "branch", "version"];

/// Where the libraries are from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A checkout of Molt's repository.
    Path(PathBuf),
    /// A repository, at a tag or a revision, else at its default branch.
    Git { url: String, at: Option<Revision> },
    /// The registry, in this release.
    Registry,
}

/// A commit of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    Tag(String),
    Commit(String),
}

/// Why the libraries cannot be had from there.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("`{0}` is none of path=DIR, git=URL, git=URL#TAG-OR-REVISION and registry")]
    Form(String),
    #[error("{} is no checkout of Molt's repository: {missing} is missing", .folder.display())]
    Folder { folder: PathBuf, missing: &'static str },
    #[error("the libraries of this service are not in a git repository: name the whole source")]
    NoRepository,
    #[error("Cargo.toml has no dependency on fastapi-compat in [workspace.dependencies]")]
    None,
    #[error("{path}: {reason}")]
    Manifest { path: &'static str, reason: String },
}

impl FromStr for Revision {
    type Err = std::convert::Infallible;

    /// What has at least seven hexadecimal digits and nothing else is a commit; all else is a tag.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_commit =
            (7..=40).contains(&text.len()) && text.chars().all(|c| c.is_ascii_hexdigit());
        Ok(if is_commit { Self::Commit(text.to_owned()) } else { Self::Tag(text.to_owned()) })
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(name) | Self::Commit(name) => f.write_str(name),
        }
    }
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        match text.split_once('=') {
            Some(("path", folder)) if !folder.is_empty() => Self::checkout(Path::new(folder)),
            Some(("git", url)) if !url.is_empty() => {
                let (url, at) = match url.rsplit_once('#') {
                    Some((url, at)) if !at.is_empty() => (url, at.parse().ok()),
                    Some((url, _)) => (url, None),
                    None => (url, None),
                };
                Ok(Self::Git { url: git_url(url, Path::new(".")), at })
            }
            None if text == "registry" => Ok(Self::Registry),
            _ => Err(SourceError::Form(text.to_owned())),
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(folder) => write!(f, "path={}", folder.display()),
            Self::Git { url, at: Some(at) } => write!(f, "git={url}#{at}"),
            Self::Git { url, at: None } => write!(f, "git={url}"),
            Self::Registry => f.write_str("registry"),
        }
    }
}

impl Source {
    /// A folder with Molt's repository, as an absolute path.
    ///
    /// # Errors
    /// When it is not one.
    pub fn checkout(folder: &Path) -> Result<Self, SourceError> {
        let missing = |missing| SourceError::Folder { folder: folder.to_owned(), missing };
        let found = folder.canonicalize().map_err(|_| missing("the folder"))?;
        match LIBRARIES.iter().find(|(_, library)| !found.join(library).is_dir()) {
            Some((_, library)) => Err(missing(library)),
            None => Ok(Self::Path(found)),
        }
    }

    /// The source of a service that is made from the checkout at `root`: the repository that it was
    /// cloned from, at the checkout's tag or commit; the checkout itself where it has no remote
    /// `origin`, or commits that are not in it. The second value is the reason, for people.
    ///
    /// # Errors
    /// When the folder is no checkout.
    pub fn of_checkout(root: &Path) -> Result<(Self, String), SourceError> {
        let git = |arguments: &[&str]| {
            let output = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
            (output.status.success() && !text.is_empty()).then_some(text)
        };
        let Some(url) = git(&["remote", "get-url", "origin"]) else {
            return Ok((Self::checkout(root)?, "this checkout has no remote `origin`".into()));
        };
        let is_published = git(&["branch", "--remotes", "--contains", "HEAD"]).is_some();
        let commit = git(&["rev-parse", "HEAD"]).filter(|_| is_published);
        let Some(commit) = commit else {
            return Ok((Self::checkout(root)?, "`origin` does not have this commit".into()));
        };
        let tag = git(&["describe", "--tags", "--exact-match"]).map(Revision::Tag);
        let at = Some(tag.unwrap_or(Revision::Commit(commit)));
        let reason = match git(&["status", "--porcelain", "crates/libs", "crates/tools"]) {
            Some(_) => "the remote `origin`; changes that are not committed are not in it",
            None => "the remote `origin`",
        };
        Ok((Self::Git { url: git_url(&url, root), at }, reason.into()))
    }

    /// The source of the service whose workspace's manifest this is.
    ///
    /// # Errors
    /// When it does not depend on the libraries.
    pub fn of_service(manifest: &DocumentMut) -> Result<Self, SourceError> {
        let entry = &manifest["workspace"]["dependencies"]["fastapi-compat"];
        let text = |key: &str| entry.get(key).and_then(Item::as_str).map(str::to_owned);
        if let Some(folder) = text("path") {
            let library = Path::new(LIBRARIES[0].1);
            let up = library.components().count();
            let root = Path::new(&folder).ancestors().nth(up).map(Path::to_owned);
            return Ok(Self::Path(root.unwrap_or_default()));
        }
        if let Some(url) = text("git") {
            let at = text("tag").map(Revision::Tag).or(text("rev").map(Revision::Commit));
            return Ok(Self::Git { url, at });
        }
        if entry.is_str() || text("version").is_some() {
            return Ok(Self::Registry);
        }
        Err(SourceError::None)
    }

    /// The same repository at another tag or commit.
    ///
    /// # Errors
    /// When it is no repository.
    pub fn at(self, at: &str) -> Result<Self, SourceError> {
        match self {
            Self::Git { url, .. } => Ok(Self::Git { url, at: at.parse().ok() }),
            _ => Err(SourceError::NoRepository),
        }
    }

    /// Writes the dependency on a library into `[workspace.dependencies]`; its features stay.
    pub(crate) fn write(&self, dependencies: &mut Table, (name, folder): (&str, &str)) {
        let mut entry = InlineTable::new();
        match self {
            Self::Path(root) => {
                entry.insert("path", root.join(folder).to_string_lossy().as_ref().into());
            }
            Self::Git { url, at } => {
                entry.insert("git", url.as_str().into());
                match at {
                    Some(Revision::Tag(tag)) => _ = entry.insert("tag", tag.as_str().into()),
                    Some(Revision::Commit(commit)) => {
                        _ = entry.insert("rev", commit.as_str().into());
                    }
                    None => {}
                }
            }
            Self::Registry => _ = entry.insert("version", env!("CARGO_PKG_VERSION").into()),
        }
        if let Some(old) = dependencies.get(name).and_then(Item::as_table_like) {
            for (key, value) in old.iter().filter(|(key, _)| !KEYS.contains(key)) {
                if let Some(value) = value.as_value() {
                    entry.insert(key, value.clone());
                }
            }
        }
        entry.fmt();
        dependencies.insert(name, Item::Value(Value::InlineTable(entry)));
    }

    /// The repository that `cargo deny` must allow.
    pub(crate) fn url(&self) -> Option<&str> {
        match self {
            Self::Git { url, .. } => Some(url),
            _ => None,
        }
    }

    /// Writes the source into the manifest and `deny.toml` of a service, and gives back the names of
    /// the packages that are from there.
    ///
    /// # Errors
    /// When one of them is not what it should be.
    pub fn change(
        &self,
        manifest: &mut DocumentMut,
        deny: &mut DocumentMut,
    ) -> Result<Vec<&'static str>, SourceError> {
        let dependencies = manifest["workspace"]["dependencies"].as_table_mut();
        let dependencies = dependencies.ok_or(SourceError::None)?;
        let mut names = Vec::new();
        for (name, folder) in LIBRARIES {
            if dependencies.contains_key(name) {
                self.write(dependencies, (name, folder));
                names.push(name);
            }
        }
        allow(deny, self.url());
        Ok(names)
    }
}

/// Lets `cargo deny` accept this repository, and no other that Molt's libraries were from before.
pub(crate) fn allow(deny: &mut DocumentMut, url: Option<&str>) {
    if let Some(sources) = deny["sources"].as_table_mut() {
        sources.remove("allow-git");
        if let Some(url) = url {
            let urls: toml_edit::Array = [url].into_iter().collect();
            sources.insert("allow-git", urls.into());
        }
    }
}

/// The URL that cargo takes, for one that git takes: a path, or `git@host:owner/repository`.
fn git_url(url: &str, from: &Path) -> String {
    if url.contains("://") {
        return url.to_owned();
    }
    if let Some((host, path)) = url.split_once(':')
        && !host.contains('/')
    {
        return format!("ssh://{host}/{}", path.trim_start_matches('/'));
    }
    let path = from.join(url);
    format!("file://{}", path.canonicalize().unwrap_or(path).display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_read_and_written() {
        for (text, written) in [
            ("git=https://example.com/molt#v0.2.0", r#"tag = "v0.2.0" }"#),
            ("git=https://example.com/molt#0d743b3", r#"rev = "0d743b3" }"#),
            ("git=https://example.com/molt", r#"git = "https://example.com/molt" }"#),
            ("registry", "version = "),
        ] {
            let source: Source = text.parse().unwrap();
            assert_eq!(source.to_string(), text);
            let mut manifest: DocumentMut =
                "[workspace.dependencies]\nfastapi-compat = { path = \"a\", features = [\"b\"] }\n"
                    .parse()
                    .unwrap();
            let mut deny: DocumentMut = "[sources]\nunknown-git = \"deny\"\n".parse().unwrap();
            assert_eq!(source.change(&mut manifest, &mut deny).unwrap(), ["fastapi-compat"]);
            let manifest_text = manifest.to_string();
            let bare = manifest_text.replace(", features = [\"b\"]", "");
            assert!(bare.contains(written), "{manifest_text}");
            assert_ne!(bare, manifest_text, "features stay");
            assert_eq!(Source::of_service(&manifest).unwrap(), source);
            assert_eq!(deny.to_string().contains("example.com"), text.starts_with("git="));
        }
        for text in ["", "git=", "path=", "path=/nowhere", "crates.io"] {
            assert!(text.parse::<Source>().is_err(), "{text}");
        }
    }

    #[test]
    fn urls_are_those_that_cargo_takes() {
        for (url, expected) in [
            ("https://example.com/a.git", "https://example.com/a.git"),
            ("git@example.com:owner/a.git", "ssh://git@example.com/owner/a.git"),
            ("/srv/a.git", "file:///srv/a.git"),
        ] {
            assert_eq!(git_url(url, Path::new("/nowhere")), expected);
        }
    }

    /// A checkout is depended on where it was cloned from, if its commit is there.
    #[test]
    fn a_service_has_the_libraries_from_the_origin_of_the_checkout() {
        let folder = tempfile::tempdir().unwrap();
        let (origin, clone) = (folder.path().join("origin"), folder.path().join("clone"));
        for (_, library) in LIBRARIES {
            std::fs::create_dir_all(origin.join(library)).unwrap();
            std::fs::write(origin.join(library).join("Cargo.toml"), "").unwrap();
        }
        let git = |at: &Path, arguments: &[&str]| {
            let user = ["-c", "user.name=test", "-c", "user.email=test@example.com"];
            let output = Command::new("git").arg("-C").arg(at).args(user).args(arguments).output();
            let output = output.unwrap();
            assert!(output.status.success(), "{arguments:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        git(&origin, &["init", "--quiet"]);
        git(&origin, &["add", "--all"]);
        git(&origin, &["commit", "--quiet", "--no-gpg-sign", "--message", "first"]);
        let (source, reason) = Source::of_checkout(&origin).unwrap();
        assert_eq!(source, Source::checkout(&origin).unwrap());
        assert!(reason.contains("no remote"), "{reason}");

        git(folder.path(), &["clone", "--quiet", "origin", "clone"]);
        let url = format!("file://{}", origin.canonicalize().unwrap().display());
        let at = |revision: Revision| Source::Git { url: url.clone(), at: Some(revision) };
        let commit = git(&origin, &["rev-parse", "HEAD"]);
        assert_eq!(Source::of_checkout(&clone).unwrap().0, at(Revision::Commit(commit)));
        git(&clone, &["tag", "v1.0.0"]);
        assert_eq!(Source::of_checkout(&clone).unwrap().0, at(Revision::Tag("v1.0.0".into())));

        git(&clone, &["commit", "--quiet", "--no-gpg-sign", "--allow-empty", "--message", "new"]);
        let (source, reason) = Source::of_checkout(&clone).unwrap();
        assert_eq!(source, Source::checkout(&clone).unwrap(), "{reason}");
    }

    #[test]
    fn another_tag_of_the_same_repository() {
        let source: Source = "git=https://example.com/a#v1".parse().unwrap();
        assert_eq!(source.at("v2").unwrap().to_string(), "git=https://example.com/a#v2");
        assert!(Source::Registry.at("v2").is_err());
    }
}

//! Changes that a team has accepted.

use std::path::{Path, PathBuf};

use comparison::openapi::decode;

use super::change::Change;
use super::rules::rules;

/// Why something cannot be ignored.
#[derive(Debug, thiserror::Error)]
pub enum IgnoreError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    /// A line of a file is wrong.
    #[error("{}:{line}: {source}", path.display())]
    Line { path: PathBuf, line: usize, source: Box<Self> },
    /// It would be everything.
    #[error(
        "nothing is said of what is to be ignored: write RULE, RULE@PATH or @PATH, or `*` for all"
    )]
    Empty,
    /// There is no such rule.
    #[error(
        "no rule is called `{0}`: the rules are listed in the documentation of `contract openapi`"
    )]
    NoRule(String),
}

/// Accepted changes: by the id of a rule, and where they are.
#[derive(Clone, Debug, Default)]
pub struct Ignore(Vec<(String, Option<String>)>);

impl Ignore {
    /// Adds `RULE`, `RULE@PATH` or `@PATH`; `*` in either stands for anything.
    ///
    /// # Errors
    /// When neither is given, or no rule has that id.
    pub fn add(&mut self, text: &str) -> Result<(), IgnoreError> {
        let (rule, path) = match text.trim().split_once('@') {
            Some((rule, path)) => (rule.trim(), Some(path.trim()).filter(|path| !path.is_empty())),
            None => (text.trim(), None),
        };
        let rule = match (rule, path) {
            ("", None) => return Err(IgnoreError::Empty),
            ("", Some(_)) => "*",
            (rule, _) if rules().any(|known| like(rule, known.id)) => rule,
            (rule, _) => return Err(IgnoreError::NoRule(rule.to_owned())),
        };
        self.0.push((rule.to_owned(), path.map(str::to_owned)));
        Ok(())
    }

    /// Adds the lines of a file; those that begin with `#`, and what follows ` #`, are comments.
    ///
    /// # Errors
    /// When the file cannot be read, or a line is wrong.
    pub fn add_file(&mut self, path: &Path) -> Result<(), IgnoreError> {
        let read = |source| IgnoreError::Read { path: path.to_owned(), source };
        let text = decode(std::fs::read(path).map_err(read)?)
            .map_err(|error| read(std::io::Error::other(error)))?;
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            let line = line.split_once(" #").map_or(line, |(line, _)| line);
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |source| {
                let (path, source) = (path.to_owned(), Box::new(source));
                IgnoreError::Line { path, line: index + 1, source }
            };
            self.add(line).map_err(wrong)?;
        }
        Ok(())
    }

    /// Whether the change is accepted: its path, its component or all operations that it reaches are
    /// at the path.
    pub fn covers(&self, change: &Change) -> bool {
        self.0.iter().any(|(rule, path)| {
            let at = |path: &String| {
                let here = |text: &str| like(path, text) || like(&format!("{path} *"), text);
                let reached = &change.operations;
                here(&change.path)
                    || change.component.as_deref().is_some_and(here)
                    || (!reached.is_empty() && reached.iter().all(|operation| here(operation)))
            };
            like(rule, change.rule) && path.as_ref().is_none_or(at)
        })
    }
}

/// Whether a text is like a pattern in which `*` stands for anything.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::{Ignore, like};

    #[test]
    fn what_says_nothing_is_refused() {
        let add = |text: &str| Ignore::default().add(text).map_err(|error| error.to_string());
        for text in ["operation-added", "*", "property-*@Item.*", "@GET /internal/*", " @* "] {
            assert_eq!(add(text), Ok(()), "{text:?}");
        }
        for text in ["", " ", "@", " @ "] {
            assert!(add(text).unwrap_err().starts_with("nothing is said"), "{text:?}");
        }
        assert!(add("operation-remved@x").unwrap_err().contains("`operation-remved`"));
    }

    #[test]
    fn a_file_has_comments_and_a_line_that_is_wrong_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let add = |text: &str| {
            std::fs::write(file.path(), text).unwrap();
            let mut ignore = Ignore::default();
            ignore.add_file(file.path()).map(|()| ignore.0).map_err(|error| error.to_string())
        };
        let one = ("operation-added".to_owned(), Some("GET /a".to_owned()));
        let text = "\u{feff}operation-added@GET /a # asked for\n\n# a comment\n";
        assert_eq!(add(text), Ok(vec![one]));
        assert!(add("operation-added\nrubbish\n").unwrap_err().contains(":2: no rule"));
    }

    #[test]
    fn a_star_stands_for_anything() {
        assert!(like("GET /items/*", "GET /items/{id} query q"));
        assert!(like("*.title", "Item.title") && like("a*b*c", "a12b3c") && like("*", ""));
        assert!(!like("a*b", "ac") && !like("a", "ab") && !like("a*b*b", "ab"));
    }
}

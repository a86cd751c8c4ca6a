//! What a new service leaves out: whole files, and passages of files that stay.

use indexmap::IndexMap;
use serde::Deserialize;

use crate::Part;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cuts {
    /// Files, and folders with all that is in them.
    #[serde(default)]
    pub(crate) remove: Vec<String>,
    /// Files that are called after what goes.
    #[serde(default)]
    pub(crate) rename: IndexMap<String, String>,
    #[serde(default)]
    pub(crate) edit: IndexMap<String, Vec<Edit>>,
}

/// A passage that goes, or is replaced.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edit {
    /// A text that stands in the file once; with `through`, where the passage begins.
    from: String,
    /// Where it ends: the first such text after the beginning.
    through: Option<String>,
    #[serde(default)]
    to: String,
}

/// Why a cut cannot be made: the tree has changed, and the cuts have not.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CutError {
    #[error("cuts/{name}.yaml: {reason}")]
    Syntax { name: &'static str, reason: String },
    #[error("cuts/{name}.yaml: {path} is not in the tree")]
    Missing { name: &'static str, path: String },
    #[error("cuts/{name}.yaml: {path} has not, or not once:\n{text}")]
    Passage { name: &'static str, path: String, text: String },
}

impl Cuts {
    pub(crate) fn of(name: &'static str, text: &str) -> Result<Self, CutError> {
        serde_saphyr::from_str(text)
            .map_err(|error| CutError::Syntax { name, reason: error.to_string() })
    }
}

/// All cuts of a service without `parts`, in the order in which they are made.
pub(crate) fn all(parts: &[Part]) -> Result<Vec<(&'static str, Cuts)>, CutError> {
    let mut texts = vec![("always", include_str!("../cuts/always.yaml"))];
    for part in Part::ALL {
        if parts.contains(&part) {
            texts.push(match part {
                Part::Items => ("items", include_str!("../cuts/items.yaml")),
                Part::PythonLegacy => ("python-legacy", include_str!("../cuts/python-legacy.yaml")),
                Part::Strangler => ("strangler", include_str!("../cuts/strangler.yaml")),
                Part::Sqlite => ("sqlite", include_str!("../cuts/sqlite.yaml")),
            });
        }
    }
    texts.into_iter().map(|(name, text)| Ok((name, Cuts::of(name, text)?))).collect()
}

impl Edit {
    /// The text after the cut; `original` is the file before any cut, where the passage must be even
    /// if another cut has taken it away.
    pub(crate) fn make(&self, original: &str, text: &str) -> Option<String> {
        self.range(original)?;
        let Some(range) = self.range(text) else { return Some(text.to_owned()) };
        Some(format!("{}{}{}", &text[..range.start], self.to, &text[range.end..]))
    }

    fn range(&self, text: &str) -> Option<std::ops::Range<usize>> {
        let mut found = text.match_indices(&self.from);
        let start = found.next()?.0;
        if found.next().is_some() {
            return None;
        }
        let mut end = start + self.from.len();
        if let Some(through) = &self.through {
            end += text[end..].find(through.as_str())? + through.len();
        }
        Some(start..end)
    }

    pub(crate) fn text(&self) -> String {
        match &self.through {
            None => self.from.clone(),
            Some(through) => format!("{} … {through}", self.from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(from: &str, through: Option<&str>, to: &str) -> Edit {
        Edit { from: from.into(), through: through.map(Into::into), to: to.into() }
    }

    #[test]
    fn a_passage_goes() {
        let text = "one two three two";
        assert_eq!(edit("one ", None, "").make(text, text).unwrap(), "two three two");
        assert_eq!(edit("one", Some("three"), "1").make(text, text).unwrap(), "1 two");
        assert!(edit("two", None, "").make(text, text).is_none(), "it is there twice");
        assert!(edit("four", None, "").make(text, text).is_none());
        let other = "nothing";
        assert_eq!(edit("one", None, "").make(text, other).unwrap(), other);
    }
}

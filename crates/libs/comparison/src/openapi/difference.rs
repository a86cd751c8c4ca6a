//! A difference between two documents.

use std::fmt;

use serde_json::Value;

use super::overlay::{Step, path};

/// A key that is not the same in both documents.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The object that has the key, in the newer document.
    pub(super) target: Vec<Step>,
    pub(super) key: String,
    pub(super) ours: Option<Value>,
    pub(super) theirs: Option<Value>,
    /// Whether the key only explains, and decides over no request.
    pub(super) is_annotation: bool,
    /// Whether it is at a location that is known to be described otherwise.
    pub(super) is_loose: bool,
}

impl Difference {
    /// Whether a client would send or read something else by it.
    pub fn changes_contract(&self) -> bool {
        !self.is_annotation && !self.is_loose
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| match value {
            Some(value) => value.to_string().chars().take(300).collect(),
            None => "nothing".to_owned(),
        };
        let (ours, theirs) = (shown(&self.ours), shown(&self.theirs));
        write!(f, "{}: {}: {ours} instead of {theirs}", path(&self.target), self.key)
    }
}

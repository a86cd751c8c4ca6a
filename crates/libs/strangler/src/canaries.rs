//! The state of canaries, kept beside the plan's file: a restart does not try failed ones again, and
//! processes with one file share it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{read_if_any, write_atomically};
use crate::plan::Mode;

/// By operationId.
pub(crate) type Canaries = BTreeMap<String, Canary>;

/// What is kept of an operation's canary.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Canary {
    /// The mode in which that was: another one is another try.
    pub(crate) mode: Mode,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) failed: Option<String>,
    /// The step of an automatic one, from 0.
    #[serde(default)]
    pub(crate) step: usize,
}

pub(crate) fn path(plan: &Path) -> PathBuf {
    let mut path = plan.as_os_str().to_owned();
    path.push(".canaries");
    path.into()
}

/// The text beside a plan's file; empty if there is none.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn read(plan: &Path) -> io::Result<String> {
    Ok(read_if_any(&path(plan))?.unwrap_or_default())
}

/// The canaries in a text.
///
/// # Errors
/// When it holds something else.
pub(crate) fn parse(text: &str) -> Result<Canaries, serde_json::Error> {
    if text.is_empty() { Ok(Canaries::new()) } else { serde_json::from_str(text) }
}

/// Replaces them. Returns the text.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write(plan: &Path, canaries: &Canaries) -> io::Result<String> {
    let text = serde_json::to_string_pretty(canaries)? + "\n";
    write_atomically(&path(plan), &text)?;
    Ok(text)
}

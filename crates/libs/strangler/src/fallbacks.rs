//! Failed canaries, kept beside the plan's file, so that a restart does not try them again.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::plan::Mode;

/// Failed canaries by operationId.
pub(crate) type Fallbacks = BTreeMap<String, Fallback>;

/// A canary that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fallback {
    /// The mode in which it failed: another one is another try.
    pub(crate) mode: Mode,
    pub(crate) reason: String,
}

fn path(plan: &Path) -> PathBuf {
    let mut path = plan.as_os_str().to_owned();
    path.push(".fallbacks");
    path.into()
}

/// The failed canaries beside a plan's file; none if there is no such file.
///
/// # Errors
/// When it cannot be read, or holds something else.
pub(crate) fn read(plan: &Path) -> io::Result<Fallbacks> {
    match std::fs::read(path(plan)) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Fallbacks::new()),
        Err(error) => Err(error),
    }
}

/// Replaces them.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn write(plan: &Path, fallbacks: &Fallbacks) -> io::Result<()> {
    let text = serde_json::to_string_pretty(fallbacks)? + "\n";
    crate::write_atomically(&path(plan), &text)
}

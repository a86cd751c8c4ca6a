//! Running a draft again: what a person has not changed is written anew, the rest is left.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::DraftError;
use super::python::refreshed;

/// What is written for programs alone, whatever it was.
const DATA: [&str; 2] = ["openapi.json", "draft.json"];
/// The document test writes it.
const OVERLAY: &str = "overlay.json";
/// What a database may have applied already.
const MIGRATIONS: &str = "tables/migrations/";
const SEAL: &str = ".draft";

/// The files as a draft has left them: a checksum for each.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Seal(std::collections::BTreeMap<String, String>);

/// What becomes of a file that is there.
pub(super) enum Again {
    /// It is as the last draft has left it.
    Write,
    /// A person has changed it; the comments with Python are refreshed.
    Refresh(String),
    Leave,
}

impl Seal {
    /// That of a crate; nothing if it is no draft.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(folder.join(SEAL)).ok()?).ok()
    }

    /// Notes the files that a draft has written as they are now; those that a person has changed keep
    /// the checksum of the draft before.
    pub(super) fn write<'f>(
        folder: &Path,
        files: impl Iterator<Item = &'f str>,
    ) -> Result<(), DraftError> {
        let mut seal = Self::read(folder).unwrap_or_default();
        for file in files {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path)
                .map_err(|source| DraftError::Read { path: path.clone(), source })?;
            seal.0.insert(file.to_owned(), checksum(&text));
        }
        let path = folder.join(SEAL);
        let text = serde_json::to_string_pretty(&seal).unwrap_or_default() + "\n";
        std::fs::write(&path, text).map_err(|source| DraftError::Read { path, source })
    }

    pub(super) fn again(&self, file: &str, now: &str, draft: &str) -> Again {
        if DATA.contains(&file) {
            return Again::Write;
        }
        if file == OVERLAY || file.starts_with(MIGRATIONS) {
            return Again::Leave;
        }
        if self.0.get(file).is_some_and(|known| *known == checksum(now)) {
            return Again::Write;
        }
        let text = refreshed(now, draft);
        if text == now { Again::Leave } else { Again::Refresh(text) }
    }
}

/// FNV-1a: it tells whether a file is as it was, not who changed it.
fn checksum(text: &str) -> String {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", text.as_bytes().iter().fold(0xcbf2_9ce4_8422_2325, step))
}

/// The path of a draft's crate below the top of the repository.
pub(super) fn folder(name: &str) -> PathBuf {
    Path::new("crates").join(name)
}

//! A database for one test.

use tempfile::TempDir;

use crate::Error;

/// An empty SQLite database, deleted when this value is dropped.
#[derive(Debug)]
pub struct Scratch {
    /// Its URL.
    pub url: String,
    _folder: TempDir,
}

impl Scratch {
    #[expect(clippy::unused_async, reason = "another database has to be started")]
    pub async fn new() -> Result<Self, Error> {
        let folder = tempfile::tempdir()
            .map_err(|source| Error::Start { what: "a temporary folder".into(), source })?;
        Ok(Self {
            url: format!("sqlite:///{}/scratch.db", folder.path().display()),
            _folder: folder,
        })
    }
}

//! A database for one test.

use crate::Error;
#[cfg(not(feature = "sqlite"))]
use crate::Postgres;

/// An empty database, deleted when this value is dropped: SQLite, or PostgreSQL without the feature
/// `sqlite`.
#[derive(Debug)]
pub struct Scratch {
    /// Its URL.
    pub url: String,
    #[cfg(feature = "sqlite")]
    _folder: tempfile::TempDir,
    #[cfg(not(feature = "sqlite"))]
    _server: Postgres,
}

impl Scratch {
    #[cfg(feature = "sqlite")]
    #[expect(clippy::unused_async, reason = "another database has to be started")]
    pub async fn new() -> Result<Self, Error> {
        let folder = tempfile::tempdir()
            .map_err(|source| Error::Start { what: "a temporary folder".into(), source })?;
        Ok(Self {
            url: format!("sqlite:///{}/scratch.db", folder.path().display()),
            _folder: folder,
        })
    }

    #[cfg(not(feature = "sqlite"))]
    pub async fn new() -> Result<Self, Error> {
        let server = Postgres::start().await?;
        Ok(Self { url: server.database().await?, _server: server })
    }
}

//! The only crate that names the backends: [`Database::connect`] chooses by the scheme of the URL.

mod url;

use std::sync::Arc;
use std::time::Duration;

use ::url::Url;
use domain::{Migrated, MigrationError, Storage, StorageError};
use storage_postgres::Postgres;
#[cfg(feature = "sqlite")]
use storage_sqlite::Sqlite;

pub use crate::url::{DatabaseUrl, DatabaseUrlError};

/// The limits of the connections to a database.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// The largest number of connections.
    pub size: u32,
    /// The longest wait for one of them, or for the right to write where only one may have it.
    pub wait: Duration,
    /// The longest time that a server spends on a statement; a file has no such limit.
    pub statement_timeout: Duration,
}

/// A database that has been chosen; nothing is connected before the first statement.
#[derive(Clone, Debug)]
pub enum Database {
    Postgres(Postgres),
    #[cfg(feature = "sqlite")]
    Sqlite(Sqlite),
}

impl Database {
    /// Lists are read from the replica of PostgreSQL, if there is one.
    pub fn connect(
        url: &DatabaseUrl,
        replica: Option<&Url>,
        pool: Pool,
    ) -> Result<Self, StorageError> {
        match url {
            DatabaseUrl::Postgres(url) => {
                let replica = replica.map(Url::as_str);
                let Pool { size, wait, statement_timeout } = pool;
                Postgres::connect(url.as_str(), replica, size, wait, statement_timeout)
                    .map(Self::Postgres)
            }
            #[cfg(feature = "sqlite")]
            DatabaseUrl::Sqlite(path) => {
                Ok(Self::Sqlite(Sqlite::connect(path, pool.size, pool.wait)))
            }
        }
    }

    /// Brings the schema up to date. Tables that Alembic made are adopted if they do not differ from
    /// what the migrations make; a schema that is newer than this program is left as it is.
    pub async fn migrate(&self) -> Result<Migrated, MigrationError> {
        match self {
            Self::Postgres(postgres) => postgres.migrate().await,
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => sqlite.migrate().await,
        }
    }

    pub fn into_storage(self) -> Arc<dyn Storage> {
        match self {
            Self::Postgres(postgres) => Arc::new(postgres),
            #[cfg(feature = "sqlite")]
            Self::Sqlite(sqlite) => Arc::new(sqlite),
        }
    }
}

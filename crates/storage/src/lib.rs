//! The one place that names the backends: [`Database::connect`] chooses by the scheme of the URL.

mod url;

use std::sync::Arc;
use std::time::Duration;

use ::url::Url;
use domain::{Storage, StorageError};
use storage_postgres::Postgres;
#[cfg(feature = "sqlite")]
use storage_sqlite::Sqlite;

pub use crate::url::{DatabaseUrl, DatabaseUrlError};

/// How many connections there may be, and how long a request waits for one.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    pub size: u32,
    pub patience: Duration,
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
                Postgres::connect(url.as_str(), replica, pool.size, pool.patience)
                    .map(Self::Postgres)
            }
            #[cfg(feature = "sqlite")]
            DatabaseUrl::Sqlite(path) => {
                Ok(Self::Sqlite(Sqlite::connect(path, pool.size, pool.patience)))
            }
        }
    }

    /// Brings the schema up to date; a database that Alembic made is adopted.
    pub async fn migrate(&self) -> Result<(), StorageError> {
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

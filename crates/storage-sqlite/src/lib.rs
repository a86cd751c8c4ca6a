//! The resources in SQLite. Every statement is checked against a real database when the crate is
//! built with `SQLITE_URL`, and against `.sqlx` otherwise; `make sqlx` writes that.

mod callers;
mod errors;
mod items;
mod users;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{Connections, Storage, StorageError};
use sqlx::migrate::Migrator;
use sqlx::query_scalar;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

use crate::errors::storage_error;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// A pool of connections to one file.
#[derive(Clone, Debug)]
pub struct Sqlite {
    pool: SqlitePool,
}

impl Sqlite {
    /// Prepares a pool of at most `size` connections to the file at `path`, which is created if
    /// need be, or to a database in memory if the path is `:memory:`; waits for a free connection,
    /// and for the one writer, at most `patience`.
    pub fn connect(path: &str, size: u32, patience: Duration) -> Self {
        let options = SqliteConnectOptions::new()
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(patience);
        let pool = SqlitePoolOptions::new().acquire_timeout(patience).test_before_acquire(false);
        let pool = if path == ":memory:" {
            // Every connection would have a database of its own, which ends with it.
            pool.max_connections(1)
                .idle_timeout(None)
                .max_lifetime(None)
                .connect_lazy_with(options.in_memory(true))
        } else {
            let options = options
                .filename(path)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full);
            pool.max_connections(size).connect_lazy_with(options)
        };
        Self { pool }
    }

    pub async fn migrate(&self) -> Result<(), StorageError> {
        MIGRATIONS.run(&self.pool).await.map_err(|error| StorageError::Internal(error.into()))
    }
}

#[async_trait]
impl Storage for Sqlite {
    async fn ping(&self) -> Result<(), StorageError> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map_err(storage_error)?;
        Ok(())
    }

    async fn pending_migrations(&self) -> Result<usize, StorageError> {
        let has_any = "SELECT count(*) FROM sqlite_master WHERE name = '_sqlx_migrations'";
        let has_any: i64 =
            query_scalar(has_any).fetch_one(&self.pool).await.map_err(storage_error)?;
        let mut applied: Vec<i64> = Vec::new();
        if has_any > 0 {
            let statement = "SELECT version FROM _sqlx_migrations WHERE success";
            applied = query_scalar(statement).fetch_all(&self.pool).await.map_err(storage_error)?;
        }
        Ok(MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version)).count())
    }

    fn connections(&self) -> Connections {
        Connections {
            max: usize::try_from(self.pool.options().get_max_connections()).unwrap_or(usize::MAX),
            open: usize::try_from(self.pool.size()).unwrap_or(usize::MAX),
            idle: self.pool.num_idle(),
            waiting: 0,
        }
    }
}

/// A point in time as SQLAlchemy stores it; always as long, so that texts sort like times.
fn timestamp(time: Option<DateTime<Utc>>) -> Option<String> {
    time.map(|time| time.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

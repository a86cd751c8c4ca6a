//! The resources in SQLite. Every statement is checked against a real database when the crate is
//! built with `SQLITE_URL`, and against `.sqlx` otherwise; `make sqlx` writes that.

mod callers;
mod errors;
mod items;
mod migrate;
mod session;
mod users;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::{Connections, Migrated, MigrationError, Storage, StorageError, Transaction, Waits};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous};

use crate::session::Session;

/// A pool of connections to one file, or a transaction on one of them.
#[derive(Clone, Debug)]
pub struct Sqlite {
    session: Session,
    /// What `session` takes its connections from.
    pool: SqlitePool,
    waits: Arc<Waits>,
}

impl Sqlite {
    /// Prepares a pool of at most `size` connections to the file at `path`, which is created if
    /// need be, or to a database in memory if the path is `:memory:`; waits for a free connection,
    /// and for the one writer, at most `wait`.
    pub fn connect(path: &str, size: u32, wait: Duration) -> Self {
        let options = SqliteConnectOptions::new()
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(wait);
        let pool = session::pool_options().acquire_timeout(wait).test_before_acquire(false);
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
        let waits = Arc::new(Waits::default());
        Self { session: Session::Pool(pool.clone(), Arc::clone(&waits)), pool, waits }
    }

    /// Applies the migrations that the schema lacks, one process at a time (other programs take
    /// the same lock). Tables that are there already are adopted if they are what the migrations make.
    pub async fn migrate(&self) -> Result<Migrated, MigrationError> {
        migrate::run(&self.pool).await
    }
}

#[async_trait]
impl Storage for Sqlite {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StorageError> {
        let session = self.session.begin().await?;
        Ok(Box::new(Self { session, pool: self.pool.clone(), waits: Arc::clone(&self.waits) }))
    }

    async fn rehearse(&self) -> Result<Arc<dyn Storage>, StorageError> {
        // It is no writer, whom others wait for, until it writes.
        let session = self.session.deferred().await?;
        Ok(Arc::new(Self { session, pool: self.pool.clone(), waits: Arc::clone(&self.waits) }))
    }

    async fn ping(&self) -> Result<(), StorageError> {
        self.session.execute("ping", sqlx::query("SELECT 1")).await
    }

    async fn pending_migrations(&self) -> Result<usize, StorageError> {
        migrate::pending(&self.session).await
    }

    fn connections(&self) -> Connections {
        Connections {
            max: usize::try_from(self.pool.options().get_max_connections()).unwrap_or(usize::MAX),
            open: usize::try_from(self.pool.size()).unwrap_or(usize::MAX),
            idle: self.pool.num_idle(),
            waiting: self.waits.waiting(),
            delay: self.waits.delay(),
        }
    }
}

#[async_trait]
impl Transaction for Sqlite {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.session.commit().await
    }
}

/// A point in time as SQLAlchemy stores it; always as long, so that texts sort like times.
fn timestamp(time: Option<DateTime<Utc>>) -> Option<String> {
    time.map(|time| time.format("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

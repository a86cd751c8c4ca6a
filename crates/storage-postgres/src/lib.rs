//! The resources in PostgreSQL. Every statement is checked against a real database when the crate
//! is built with `POSTGRES_URL`, and against `.sqlx` otherwise; `make sqlx` writes that.

mod errors;
mod items;
mod pool;
mod users;

use std::time::Duration;

use async_trait::async_trait;
use domain::{Connections, Storage, StorageError};
use sqlx::ConnectOptions;
use sqlx::migrate::Migrator;
use sqlx::postgres::PgConnectOptions;

use crate::errors::storage_error;
use crate::pool::Pool;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// A database, through a pool of connections.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: Pool,
    /// Where lists are read first, if they may be a moment old.
    replica: Option<Pool>,
}

impl Postgres {
    /// Prepares a pool of at most `size` connections, each opened when it is first needed; waits
    /// for a free one at most `patience`. Lists come from the replica, if there is one and it
    /// answers.
    pub fn connect(
        url: &str,
        replica: Option<&str>,
        size: u32,
        patience: Duration,
    ) -> Result<Self, StorageError> {
        let pool = |url: &str| {
            let options: PgConnectOptions = url.parse().map_err(storage_error)?;
            // Nobody reads the time that each statement took.
            Ok(Pool::new(options.disable_statement_logging(), size, patience))
        };
        Ok(Self { pool: pool(url)?, replica: replica.map(pool).transpose()? })
    }

    pub async fn migrate(&self) -> Result<(), StorageError> {
        self.pool.migrate(&MIGRATIONS).await
    }
}

#[async_trait]
impl Storage for Postgres {
    async fn ping(&self) -> Result<(), StorageError> {
        self.pool.execute(sqlx::query("SELECT 1")).await
    }

    async fn pending_migrations(&self) -> Result<usize, StorageError> {
        let applied = self.pool.migrations().await?;
        Ok(MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version)).count())
    }

    fn connections(&self) -> Connections {
        self.pool.connections()
    }
}

/// What a replica said; nothing if it is away, which is no reason to fail.
fn of_replica<T>(said: Result<T, StorageError>) -> Option<Result<T, StorageError>> {
    match said {
        Err(StorageError::Unavailable(error)) => {
            tracing::warn!(error = &*error as &dyn std::error::Error, "the replica is away");
            None
        }
        said => Some(said),
    }
}

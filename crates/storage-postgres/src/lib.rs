//! Users and items in PostgreSQL. Every statement is checked against a real database when the crate
//! is built with `POSTGRES_URL`, and against `.sqlx` otherwise; `make sqlx` writes that.

mod errors;
mod items;
mod users;

use std::time::Duration;

use async_trait::async_trait;
use domain::{Storage, StorageError};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::errors::storage_error;

/// A pool of connections.
#[derive(Clone, Debug)]
pub struct Postgres {
    pool: PgPool,
}

impl Postgres {
    /// Prepares a pool of at most `size` connections, each opened when it is first needed; waits
    /// for a free one at most `patience`.
    pub fn connect(url: &str, size: u32, patience: Duration) -> Result<Self, StorageError> {
        let options: PgConnectOptions = url.parse().map_err(storage_error)?;
        let pool = PgPoolOptions::new()
            .max_connections(size)
            .acquire_timeout(patience)
            // A broken connection shows itself at its next statement, which costs nothing before.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    pub async fn migrate(&self) -> Result<(), StorageError> {
        sqlx::migrate!("../../migrations/postgres")
            .run(&self.pool)
            .await
            .map_err(|error| StorageError::Internal(error.into()))
    }
}

#[async_trait]
impl Storage for Postgres {
    async fn ping(&self) -> Result<(), StorageError> {
        sqlx::query("SELECT 1").execute(&self.pool).await.map_err(storage_error)?;
        Ok(())
    }
}

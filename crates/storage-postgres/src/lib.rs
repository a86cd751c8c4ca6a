//! The resources in PostgreSQL. Every statement is checked against a real database when the crate
//! is built with `POSTGRES_URL`, and against `.sqlx` otherwise; `make sqlx` writes that.

mod errors;
mod items;
mod migrate;
mod pool;
mod session;
mod users;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use domain::{Connections, Migrated, MigrationError, Storage, StorageError, Transaction};
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;

use crate::errors::storage_error;
use crate::pool::Pool;
use crate::session::Session;

/// How long a rehearsal waits for a lock: less than `deadlock_timeout` (1 s), so that of two that wait
/// for each other it gives way.
const REHEARSAL_LOCK: Duration = Duration::from_millis(100);

/// A database, through a pool of connections, or a transaction on one of them.
#[derive(Clone, Debug)]
pub struct Postgres {
    session: Session,
    /// What `session` takes its connections from.
    pool: Pool,
    /// Where lists are read first, if they may be a moment old.
    replica: Option<Session>,
}

impl Postgres {
    /// Prepares a pool of at most `size` connections, each opened when it is first needed; waits
    /// for a free one at most `wait`. A statement that takes longer than `statement_timeout` fails.
    /// Lists come from the replica, if there is one and it answers.
    pub fn connect(
        url: &str,
        replica: Option<&str>,
        size: u32,
        wait: Duration,
        statement_timeout: Duration,
    ) -> Result<Self, StorageError> {
        let pool = |url: &str| {
            let options: PgConnectOptions =
                url.parse().map_err(|error| storage_error("connect", error))?;
            // The time that each statement takes is in traces.
            Ok(Pool::new(options.disable_statement_logging(), size, wait, statement_timeout))
        };
        let replica = replica.map(pool).transpose()?.map(Session::Pool);
        let pool = pool(url)?;
        Ok(Self { session: Session::Pool(pool.clone()), pool, replica })
    }

    /// Applies the migrations that the schema lacks, one process at a time (other programs take
    /// the same lock). Tables that are there already are adopted if they are what the migrations make.
    pub async fn migrate(&self) -> Result<Migrated, MigrationError> {
        let mut connection =
            self.pool.connect().await.map_err(|error| storage_error("migrate", error))?;
        migrate::run(&mut connection).await
    }

    /// The same in a transaction, of which a replica does not show what it does.
    fn within(&self, transaction: Session) -> Self {
        Self { session: transaction, pool: self.pool.clone(), replica: None }
    }
}

#[async_trait]
impl Storage for Postgres {
    async fn begin(&self) -> Result<Box<dyn Transaction>, StorageError> {
        Ok(Box::new(self.within(self.session.begin().await?)))
    }

    async fn rehearse(&self) -> Result<Arc<dyn Storage>, StorageError> {
        let session = self.session.begin().await?;
        session.limit_locks(REHEARSAL_LOCK).await?;
        Ok(Arc::new(self.within(session)))
    }

    async fn ping(&self) -> Result<(), StorageError> {
        self.session.execute("ping", || sqlx::query("SELECT 1")).await
    }

    async fn pending_migrations(&self) -> Result<usize, StorageError> {
        migrate::pending(&self.session).await
    }

    fn connections(&self) -> Connections {
        self.pool.connections()
    }
}

#[async_trait]
impl Transaction for Postgres {
    async fn commit(self: Box<Self>) -> Result<(), StorageError> {
        self.session.commit().await
    }
}

/// The result of a replica; nothing if it is unavailable, which is no reason to fail.
fn of_replica<T>(result: Result<T, StorageError>) -> Option<Result<T, StorageError>> {
    match result {
        Err(StorageError::Unavailable(error)) => {
            tracing::warn!(error = %domain::chain(&*error), "replica unavailable");
            None
        }
        result => Some(result),
    }
}

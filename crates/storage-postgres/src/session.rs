//! Where statements run: each on a connection of its own, or all in one transaction.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::{StatementError, StorageError};
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::{Map, Query};
use sqlx::{AssertSqlSafe, Error, Postgres, raw_sql};
use tokio::sync::{Mutex, MutexGuard};
use tracing::instrument;

use crate::pool::{Lease, Pool};

#[derive(Clone, Debug)]
pub(crate) enum Session {
    Pool(Pool),
    Transaction(Arc<Part>),
}

/// A transaction, or a part of one: a savepoint.
#[derive(Debug)]
pub(crate) struct Part {
    whole: Arc<Whole>,
    /// How many parts it is inside of.
    depth: usize,
    committed: AtomicBool,
}

/// The connection on which a transaction runs, with all its parts. When it is dropped before the
/// commit, its [`Lease`] rolls back.
#[derive(Debug)]
struct Whole {
    lease: Mutex<Lease>,
    /// Whether a statement failed: what was done cannot be committed.
    failed: AtomicBool,
    /// The outermost part that was dropped without a commit, to be rolled back before the next
    /// statement; else [`NONE`].
    dropped: AtomicUsize,
}

const NONE: usize = usize::MAX;

/// A connection for one statement.
enum Held<'a> {
    Lent(Lease),
    Shared(MutexGuard<'a, Lease>),
}

impl Deref for Held<'_> {
    type Target = Lease;

    fn deref(&self) -> &Lease {
        match self {
            Self::Lent(lease) => lease,
            Self::Shared(lease) => lease,
        }
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Lease {
        match self {
            Self::Lent(lease) => lease,
            Self::Shared(lease) => lease,
        }
    }
}

/// Every statement has a name for logs, and is made by a function, as it may have to be run again.
impl Session {
    async fn hold(&self, name: &'static str) -> Result<Held<'_>, StorageError> {
        match self {
            Self::Pool(pool) => pool.lend(name).await.map(Held::Lent),
            Self::Transaction(part) => part.whole.hold().await.map(Held::Shared),
        }
    }

    fn note<T>(&self, result: Result<T, StorageError>) -> Result<T, StorageError> {
        if let (Self::Transaction(part), Err(_)) = (self, &result) {
            part.whole.failed.store(true, Ordering::Release);
        }
        result
    }

    #[instrument(level = "debug", name = "postgresql", skip_all, fields(otel.kind = "client", statement = name))]
    pub(crate) async fn fetch_optional<'q, T, F>(
        &self,
        name: &'static str,
        statement: impl Fn() -> Map<'q, Postgres, F, PgArguments> + Send,
    ) -> Result<Option<T>, StorageError>
    where
        T: Send + Unpin,
        F: FnMut(PgRow) -> Result<T, Error> + Send,
    {
        let mut held = self.hold(name).await?;
        loop {
            let result = statement().fetch_optional(held.connection()).await;
            if let Some(result) = held.complete(name, result).await {
                return self.note(result);
            }
        }
    }

    #[instrument(level = "debug", name = "postgresql", skip_all, fields(otel.kind = "client", statement = name))]
    pub(crate) async fn fetch_all<'q, T, F>(
        &self,
        name: &'static str,
        statement: impl Fn() -> Map<'q, Postgres, F, PgArguments> + Send,
    ) -> Result<Vec<T>, StorageError>
    where
        T: Send + Unpin,
        F: FnMut(PgRow) -> Result<T, Error> + Send,
    {
        let mut held = self.hold(name).await?;
        loop {
            let result = statement().fetch_all(held.connection()).await;
            if let Some(result) = held.complete(name, result).await {
                return self.note(result);
            }
        }
    }

    #[instrument(level = "debug", name = "postgresql", skip_all, fields(otel.kind = "client", statement = name))]
    pub(crate) async fn execute<'q>(
        &self,
        name: &'static str,
        statement: impl Fn() -> Query<'q, Postgres, PgArguments> + Send,
    ) -> Result<(), StorageError> {
        let mut held = self.hold(name).await?;
        loop {
            let result = statement().execute(held.connection()).await;
            if let Some(result) = held.complete(name, result).await {
                return self.note(result).map(drop);
            }
        }
    }

    /// Starts a transaction on a connection of the pool, or a part of this one.
    pub(crate) async fn begin(&self) -> Result<Self, StorageError> {
        let part = match self {
            Self::Pool(pool) => {
                let mut lease = pool.lend("begin").await?;
                lease.in_transaction(true);
                run(&mut lease, "begin", "BEGIN".to_owned()).await?;
                let (lease, failed) = (Mutex::new(lease), AtomicBool::new(false));
                let whole = Whole { lease, failed, dropped: AtomicUsize::new(NONE) };
                Part { whole: Arc::new(whole), depth: 0, committed: AtomicBool::new(false) }
            }
            Self::Transaction(outer) => {
                let depth = outer.depth + 1;
                let mut lease = outer.whole.hold().await?;
                outer.whole.check()?;
                run(&mut lease, "begin", format!("SAVEPOINT part_{depth}")).await?;
                let whole = Arc::clone(&outer.whole);
                Part { whole, depth, committed: AtomicBool::new(false) }
            }
        };
        Ok(Self::Transaction(Arc::new(part)))
    }

    /// Lets the statements of the transaction wait for a lock only so long.
    pub(crate) async fn limit_locks(&self, timeout: Duration) -> Result<(), StorageError> {
        let Self::Transaction(part) = self else { return Ok(()) };
        let mut lease = part.whole.hold().await?;
        let limit = format!("SET LOCAL lock_timeout = {}", timeout.as_millis());
        self.note(run(&mut lease, "lock_timeout", limit).await)
    }

    /// Makes the transaction take effect; without one everything already has.
    pub(crate) async fn commit(&self) -> Result<(), StorageError> {
        let Self::Transaction(part) = self else { return Ok(()) };
        let Part { whole, depth, committed } = &**part;
        let mut lease = whole.hold().await?;
        whole.check()?;
        if *depth == 0 {
            self.note(run(&mut lease, "commit", "COMMIT".to_owned()).await)?;
            lease.in_transaction(false);
        } else {
            let release = format!("RELEASE SAVEPOINT part_{depth}");
            self.note(run(&mut lease, "commit", release).await)?;
        }
        committed.store(true, Ordering::Release);
        Ok(())
    }
}

impl Whole {
    async fn hold(&self) -> Result<MutexGuard<'_, Lease>, StorageError> {
        let mut lease = self.lease.lock().await;
        let dropped = self.dropped.swap(NONE, Ordering::AcqRel);
        if dropped != NONE {
            let rollback = format!("ROLLBACK TO SAVEPOINT part_{dropped}");
            if let Err(error) = run(&mut lease, "rollback", rollback).await {
                self.failed.store(true, Ordering::Release);
                return Err(error);
            }
            self.failed.store(false, Ordering::Release);
        }
        Ok(lease)
    }

    /// PostgreSQL turns a commit after an error into a rollback without an error.
    fn check(&self) -> Result<(), StorageError> {
        if self.failed.load(Ordering::Acquire) {
            let error = StatementError::new("commit", None, "an earlier statement failed");
            return Err(StorageError::Internal(error.into()));
        }
        Ok(())
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // The whole is rolled back by its lease.
        if self.depth > 0 && !self.committed.load(Ordering::Acquire) {
            self.whole.dropped.fetch_min(self.depth, Ordering::AcqRel);
        }
    }
}

/// A statement that controls a transaction; it is never run again.
async fn run(lease: &mut Lease, name: &'static str, sql: String) -> Result<(), StorageError> {
    let result = raw_sql(AssertSqlSafe(sql)).execute(lease.connection()).await;
    lease.complete(name, result).await.transpose().map(drop)
}

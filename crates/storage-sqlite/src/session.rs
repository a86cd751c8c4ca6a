//! Where statements run: each on a connection of its own, or all in one transaction.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use domain::{StatementError, StorageError, Waits};
use futures_util::TryStreamExt;
use futures_util::stream::BoxStream;
use sqlx::pool::PoolConnection;
use sqlx::query::{Map, Query};
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqlitePoolOptions, SqliteQueryResult, SqliteRow};
use sqlx::{
    AssertSqlSafe, Connection, Either, Error, Sqlite, SqliteConnection, SqliteTransaction, raw_sql,
};
use tokio::sync::{Mutex, MutexGuard};

use crate::errors::storage_error;

#[derive(Clone, Debug)]
pub(crate) enum Session {
    Pool(SqlitePool, Arc<Waits>),
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

/// A transaction with all its parts.
#[derive(Debug)]
struct Whole {
    /// Nothing after the commit.
    transaction: Mutex<Option<SqliteTransaction<'static>>>,
    /// Whether a statement failed: what was done is not committed, as with PostgreSQL.
    failed: AtomicBool,
    /// The outermost part that was dropped without a commit, to be rolled back before the next
    /// statement; else [`NONE`].
    dropped: AtomicUsize,
}

const NONE: usize = usize::MAX;

/// A pool that keeps no connection on which a transaction could not be rolled back: after a full
/// disk SQLite has ended it by itself, and sqlx would count it as open for ever.
pub(crate) fn pool_options() -> SqlitePoolOptions {
    SqlitePoolOptions::new().after_release(|connection, _| {
        Box::pin(async move {
            if connection.is_in_transaction() {
                // A rollback may be under way; the answer comes after it.
                connection.ping().await?;
            }
            Ok(!connection.is_in_transaction())
        })
    })
}

/// A connection for one statement.
enum Held<'a> {
    Lent(PoolConnection<Sqlite>),
    Shared(MutexGuard<'a, Option<SqliteTransaction<'static>>>),
}

impl Held<'_> {
    fn connection(&mut self) -> Result<&mut SqliteConnection, Error> {
        match self {
            Self::Lent(connection) => Ok(connection),
            Self::Shared(transaction) => transaction.as_deref_mut().ok_or(Error::PoolClosed),
        }
    }
}

/// Every statement has a name, for logs.
impl Session {
    async fn hold(&self, name: &'static str) -> Result<Held<'_>, StorageError> {
        match self {
            Self::Pool(pool, waits) => {
                let waiting = waits.begin();
                let connection = pool.acquire().await;
                waiting.end();
                connection.map(Held::Lent).map_err(|error| storage_error(name, error))
            }
            Self::Transaction(part) => part.whole.hold().await.map(Held::Shared),
        }
    }

    fn note<T>(&self, name: &'static str, result: Result<T, Error>) -> Result<T, StorageError> {
        if let (Self::Transaction(part), Err(_)) = (self, &result) {
            part.whole.failed.store(true, Ordering::Release);
        }
        result.map_err(|error| storage_error(name, error))
    }

    /// The last row, if there is one.
    pub(crate) async fn fetch_optional<T, F>(
        &self,
        name: &'static str,
        statement: Map<'_, Sqlite, F, SqliteArguments>,
    ) -> Result<Option<T>, StorageError>
    where
        T: Send + Unpin,
        F: FnMut(SqliteRow) -> Result<T, Error> + Send,
    {
        Ok(self.fetch_all(name, statement).await?.pop())
    }

    #[expect(deprecated, reason = "the only stream that reports whether a statement was completed")]
    pub(crate) async fn fetch_all<T, F>(
        &self,
        name: &'static str,
        statement: Map<'_, Sqlite, F, SqliteArguments>,
    ) -> Result<Vec<T>, StorageError>
    where
        T: Send + Unpin,
        F: FnMut(SqliteRow) -> Result<T, Error> + Send,
    {
        let mut held = self.hold(name).await?;
        let result = match held.connection() {
            Ok(connection) => complete(statement.fetch_many(connection)).await,
            Err(error) => Err(error),
        };
        self.note(name, result)
    }

    #[expect(deprecated, reason = "the only stream that reports whether a statement was completed")]
    pub(crate) async fn execute(
        &self,
        name: &'static str,
        statement: Query<'_, Sqlite, SqliteArguments>,
    ) -> Result<(), StorageError> {
        let mut held = self.hold(name).await?;
        let result = match held.connection() {
            Ok(connection) => complete(statement.fetch_many(connection)).await,
            Err(error) => Err(error),
        };
        self.note(name, result).map(drop)
    }

    /// Starts a transaction, as the one that writes, or a part of this one.
    pub(crate) async fn begin(&self) -> Result<Self, StorageError> {
        let outer = match self {
            Self::Pool(pool, waits) => return Self::start(pool, waits, "BEGIN IMMEDIATE").await,
            Self::Transaction(outer) => outer,
        };
        let depth = outer.depth + 1;
        let mut held = self.hold("begin").await?;
        outer.whole.check()?;
        let begun = run(&mut held, format!("SAVEPOINT part_{depth}")).await;
        self.note("begin", begun)?;
        let (whole, committed) = (Arc::clone(&outer.whole), AtomicBool::new(false));
        Ok(Self::Transaction(Arc::new(Part { whole, depth, committed })))
    }

    /// Reads of one moment, and perhaps writes; ends when it is dropped.
    pub(crate) async fn deferred(&self) -> Result<Self, StorageError> {
        match self {
            Self::Pool(pool, waits) => Self::start(pool, waits, "BEGIN").await,
            // No other process can write.
            Self::Transaction(_) => Ok(self.clone()),
        }
    }

    async fn start(
        pool: &SqlitePool,
        waits: &Waits,
        statement: &'static str,
    ) -> Result<Self, StorageError> {
        // For the lock of the one writer too.
        let waiting = waits.begin();
        let transaction = pool.begin_with(statement).await;
        waiting.end();
        let transaction = transaction.map_err(|error| storage_error("begin", error))?;
        let whole = Whole {
            transaction: Mutex::new(Some(transaction)),
            failed: AtomicBool::new(false),
            dropped: AtomicUsize::new(NONE),
        };
        let (whole, committed) = (Arc::new(whole), AtomicBool::new(false));
        Ok(Self::Transaction(Arc::new(Part { whole, depth: 0, committed })))
    }

    /// Makes the transaction take effect; without one everything already has.
    pub(crate) async fn commit(&self) -> Result<(), StorageError> {
        let Self::Transaction(part) = self else { return Ok(()) };
        let mut transaction = part.whole.hold().await?;
        part.whole.check()?;
        let done = if part.depth > 0 {
            let release = format!("RELEASE SAVEPOINT part_{}", part.depth);
            run(&mut Held::Shared(transaction), release).await
        } else if let Some(whole) = transaction.take() {
            whole.commit().await
        } else {
            Err(Error::PoolClosed)
        };
        self.note("commit", done)?;
        part.committed.store(true, Ordering::Release);
        Ok(())
    }
}

impl Whole {
    async fn hold(
        &self,
    ) -> Result<MutexGuard<'_, Option<SqliteTransaction<'static>>>, StorageError> {
        let mut transaction = self.transaction.lock().await;
        let dropped = self.dropped.swap(NONE, Ordering::AcqRel);
        if let Some(connection) = transaction.as_deref_mut().filter(|_| dropped != NONE) {
            let rollback = AssertSqlSafe(format!("ROLLBACK TO SAVEPOINT part_{dropped}"));
            let done = raw_sql(rollback).execute(connection).await;
            self.failed.store(done.is_err(), Ordering::Release);
            done.map_err(|error| storage_error("rollback", error))?;
        }
        Ok(transaction)
    }

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
        // The whole is rolled back by sqlx.
        if self.depth > 0 && !self.committed.load(Ordering::Acquire) {
            self.whole.dropped.fetch_min(self.depth, Ordering::AcqRel);
        }
    }
}

/// A statement that controls a transaction.
async fn run(held: &mut Held<'_>, sql: String) -> Result<(), Error> {
    raw_sql(AssertSqlSafe(sql)).execute(held.connection()?).await.map(drop)
}

/// All rows of a statement that came to its end. The stream of a connection whose thread has died
/// just stops, as if there were no more rows.
async fn complete<T>(
    mut stream: BoxStream<'_, Result<Either<SqliteQueryResult, T>, Error>>,
) -> Result<Vec<T>, Error> {
    let (mut rows, mut is_complete) = (Vec::new(), false);
    while let Some(step) = stream.try_next().await? {
        match step {
            Either::Left(_) => is_complete = true,
            Either::Right(row) => rows.push(row),
        }
    }
    if is_complete { Ok(rows) } else { Err(Error::WorkerCrashed) }
}

#[cfg(test)]
mod tests {
    use sqlx::query;

    use super::*;

    #[tokio::test]
    async fn a_transaction_that_sqlite_has_ended_leaves_no_connection_behind() {
        let folder = tempfile::tempdir().unwrap();
        let options = sqlx::sqlite::SqliteConnectOptions::new();
        let options = options.filename(folder.path().join("test.db")).create_if_missing(true);
        let pool = pool_options().max_connections(1).connect_with(options).await.unwrap();
        let session = Session::Pool(pool, Arc::default());
        let ended = session.begin().await.unwrap();
        ended.execute("rollback", query("ROLLBACK")).await.unwrap();
        assert!(ended.commit().await.is_err(), "there is none");
        drop(ended);
        for _ in 0..2 {
            session.begin().await.unwrap().commit().await.unwrap();
        }
        drop(session.begin().await.unwrap());
        session.begin().await.unwrap().commit().await.unwrap();
    }

    /// sqlx's thread for a connection dies when a row has more columns than when the statement was
    /// prepared.
    #[tokio::test]
    async fn a_thread_that_dies_is_an_error_and_no_empty_result() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db").display().to_string();
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
        let options = options.create_if_missing(true);
        let pool = SqlitePool::connect_with(options.clone()).await.unwrap();
        let mut other = SqliteConnection::connect_with(&options).await.unwrap();
        raw_sql("CREATE TABLE t (a); INSERT INTO t VALUES (1)").execute(&mut other).await.unwrap();
        let session = Session::Pool(pool, Arc::default());
        let all = || query("SELECT t.* FROM t").map(|_: SqliteRow| ());
        assert_eq!(session.fetch_all("all", all()).await.unwrap().len(), 1);

        raw_sql("ALTER TABLE t ADD COLUMN b").execute(&mut other).await.unwrap();
        let died = session.fetch_all("all", all()).await;
        assert!(matches!(died, Err(StorageError::Unavailable(_))), "{died:?}");
        assert_eq!(session.fetch_all("all", all()).await.unwrap().len(), 1, "a new connection");
    }
}

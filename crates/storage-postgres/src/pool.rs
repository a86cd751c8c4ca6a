//! Connections, lent for one statement or one transaction each.
//!
//! sqlx's own pool exchanges messages with the server after every use, which doubles the round trips
//! of a service whose requests are one statement. This one keeps a connection whose statement is
//! complete as it is. A connection whose statement was given up stays lent until the server is done
//! with it: there are never more of them than the pool is large.

use std::sync::Arc;
use std::time::Duration;

use deadpool::managed::{self, Metrics, Object, PoolError, QueueMode, RecycleError, RecycleResult};
use domain::{Connections, StatementError, StorageError, Waits};
use sqlx::postgres::PgConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection as _, Error, PgConnection, Row, query, raw_sql,
};

use crate::errors::{Remedy, remedy, spares_connection, storage_error};

/// The age at which a connection is replaced, so that leaks of the server and the effects of a
/// failover end.
const LIFETIME: Duration = Duration::from_mins(30);

/// How long the server may take to end a statement that was cancelled or ran out of time.
const GRACE: Duration = Duration::from_secs(5);

/// The maximum number of attempts for a statement, and the pause before the next: once, twice, …
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(5);

#[derive(Clone, Debug)]
pub(crate) struct Pool {
    inner: managed::Pool<Connector>,
    waits: Arc<Waits>,
}

#[derive(Debug)]
pub(crate) struct Connector {
    options: PgConnectOptions,
    statement_timeout: Duration,
}

#[derive(Debug)]
pub(crate) struct Connection {
    inner: PgConnection,
    /// The id of the server's process.
    process: i32,
    /// Whether the server may still have something to send.
    busy: bool,
    /// Whether it must not be used again.
    broken: bool,
    /// Whether it was lent for a transaction that is not over.
    in_transaction: bool,
}

impl managed::Manager for Connector {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        let mut inner = self.options.connect().await?;
        // Not by the options of the connection, which PgBouncer refuses.
        let setup = format!(
            "SELECT pg_backend_pid(), set_config('statement_timeout', '{}', false)",
            self.statement_timeout.as_millis()
        );
        let row = raw_sql(AssertSqlSafe(setup)).fetch_one(&mut inner).await?;
        let process = row.try_get(0)?;
        Ok(Connection { inner, process, busy: false, broken: false, in_transaction: false })
    }

    async fn recycle(
        &self,
        connection: &mut Connection,
        metrics: &Metrics,
    ) -> RecycleResult<Error> {
        let Connection { busy, broken, in_transaction, .. } = *connection;
        if busy || broken || in_transaction || metrics.age() >= LIFETIME {
            return Err(RecycleError::message("broken or old"));
        }
        Ok(())
    }
}

impl Pool {
    /// At most `size` connections, each opened when it is first needed; waits for a free one, and
    /// for the server to accept a new one, at most `wait`. The server ends a statement that takes
    /// longer than `statement_timeout`.
    pub(crate) fn new(
        options: PgConnectOptions,
        size: u32,
        wait: Duration,
        statement_timeout: Duration,
    ) -> Self {
        let builder = managed::Pool::builder(Connector { options, statement_timeout })
            .max_size(usize::try_from(size).unwrap_or(usize::MAX))
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(wait))
            .create_timeout(Some(wait))
            .runtime(deadpool::Runtime::Tokio1);
        #[expect(clippy::expect_used, reason = "fails only for timeouts without a runtime")]
        let inner = builder.build().expect("the runtime is given");
        Self { inner, waits: Arc::default() }
    }

    pub(crate) fn connections(&self) -> Connections {
        let status = self.inner.status();
        Connections {
            max: status.max_size,
            open: status.size,
            idle: status.available,
            waiting: status.waiting,
            delay: self.waits.delay(),
        }
    }

    /// A connection outside the pool, without a limit on its statements.
    pub(crate) async fn connect(&self) -> Result<PgConnection, Error> {
        self.inner.manager().options.connect().await
    }

    /// A connection for the statement of this name.
    pub(crate) async fn lend(&self, statement: &'static str) -> Result<Lease, StorageError> {
        let waiting = self.waits.begin();
        let connection = self.inner.get().await;
        waiting.end();
        let connection = connection.map_err(|error| match error {
            PoolError::Backend(error) => storage_error(statement, error),
            error => StorageError::Unavailable(StatementError::new(statement, None, error).into()),
        })?;
        Ok(Lease { connection: Some(connection), attempts: 0 })
    }
}

/// A connection that is lent. When it is dropped it returns to the pool, at once or as soon as the
/// server is done with what was given up.
#[derive(Debug)]
pub(crate) struct Lease {
    /// Always there until the lease is dropped.
    connection: Option<Object<Connector>>,
    /// How often its statement was run.
    attempts: u32,
}

impl Lease {
    fn lent(&mut self) -> &mut Connection {
        #[expect(clippy::expect_used, reason = "taken only by `drop`")]
        self.connection.as_mut().expect("it is not dropped yet")
    }

    /// The connection, for one statement, whose result [`complete`](Self::complete) is to be given.
    pub(crate) fn connection(&mut self) -> &mut PgConnection {
        let lent = self.lent();
        lent.busy = true;
        &mut lent.inner
    }

    /// Inside a transaction nothing is run again, and what is not committed is rolled back.
    pub(crate) fn in_transaction(&mut self, whether: bool) {
        self.lent().in_transaction = whether;
    }

    /// Takes the result of a statement, and gives it back; or nothing, if the statement has had no
    /// effect and is to be run once more.
    pub(crate) async fn complete<T>(
        &mut self,
        statement: &'static str,
        result: Result<T, Error>,
    ) -> Option<Result<T, StorageError>> {
        self.attempts += 1;
        let attempts = self.attempts;
        let lent = self.lent();
        lent.busy = false;
        let error = match result {
            Ok(value) => return Some(Ok(value)),
            Err(error) => error,
        };
        lent.broken |= !spares_connection(&error);
        match remedy(&error) {
            Remedy::Repeat if !lent.in_transaction && attempts < ATTEMPTS => {
                tokio::time::sleep(PAUSE * attempts).await;
            }
            // The other statements of this connection may be stale too.
            Remedy::PrepareAgain if !lent.in_transaction && attempts < ATTEMPTS => {
                if lent.inner.clear_cached_statements().await.is_err() {
                    return Some(Err(storage_error(statement, error)));
                }
            }
            _ => return Some(Err(storage_error(statement, error))),
        }
        tracing::debug!(statement, %error, "statement is run again");
        None
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(connection) = self.connection.take() else { return };
        if connection.broken {
            drop(Object::take(connection));
        } else if connection.busy || connection.in_transaction {
            // Without a runtime the process is about to end.
            if let Ok(runtime) = tokio::runtime::Handle::try_current() {
                runtime.spawn(recover(connection));
            }
        }
    }
}

/// Ends the statement or the transaction that was given up, then returns the connection to the pool;
/// closes it if the server does not answer in time.
async fn recover(mut connection: Object<Connector>) {
    if connection.busy {
        cancel(&connection).await;
    }
    let limit = Object::pool(&connection).map(|pool| pool.manager().statement_timeout);
    let limit = limit.unwrap_or_default() + GRACE;
    let lent = &mut *connection;
    let recovered = tokio::time::timeout(limit, async {
        // What is still to come is read, up to the answer to this.
        while let Err(error) = lent.inner.ping().await {
            if error.as_database_error().is_none_or(|_| !spares_connection(&error)) {
                return Err(error);
            }
        }
        if lent.in_transaction {
            raw_sql("ROLLBACK").execute(&mut lent.inner).await?;
        }
        Ok(())
    });
    match recovered.await {
        Ok(Ok(())) => (lent.busy, lent.in_transaction) = (false, false),
        Ok(Err(_)) | Err(_) => drop(Object::take(connection)),
    }
}

/// Cancels the statement of a connection by another of the pool, if one is free; without, it ends
/// by the `statement_timeout`.
async fn cancel(connection: &Object<Connector>) {
    let Some(pool) = Object::pool(connection) else { return };
    let mut at_once = pool.timeouts();
    at_once.wait = Some(Duration::ZERO);
    let Ok(free) = pool.timeout_get(&at_once).await else { return };
    let mut free = Lease { connection: Some(free), attempts: 0 };
    let cancelled = query("SELECT pg_cancel_backend($1)")
        .bind(connection.process)
        .execute(free.connection())
        .await;
    // Whatever came of it, there is nothing to do.
    _ = free.complete("cancel", cancelled).await;
}

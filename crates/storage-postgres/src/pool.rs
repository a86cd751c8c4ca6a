//! Connections for one statement each.
//!
//! sqlx's own pool asks the server for a sign of life after every use, which doubles the round trips
//! of a service whose requests are one statement. This one keeps a connection only if its statement
//! has come to its end; one that broke, or whose request was given up, is closed.

use std::time::Duration;

use deadpool::managed::{self, Metrics, PoolError, QueueMode, RecycleError, RecycleResult};
use domain::{Connections, StorageError};
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgArguments, PgConnectOptions, PgRow};
use sqlx::query::{Map, Query, QueryScalar};
use sqlx::{ConnectOptions, Error, PgConnection, Postgres, query_scalar};
use tracing::instrument;

use crate::errors::storage_error;

/// A connection is replaced when it is so old, so that a server's leaks and a failover are not for
/// ever.
const LIFETIME: Duration = Duration::from_mins(30);

/// What PostgreSQL says when a table is not there: appendix A, `undefined_table`.
const NO_TABLE: &str = "42P01";

#[derive(Clone, Debug)]
pub(crate) struct Pool(managed::Pool<Connector>);

#[derive(Debug)]
struct Connector(PgConnectOptions);

#[derive(Debug)]
struct Connection {
    inner: PgConnection,
    /// Whether it waits for nothing more from the server.
    settled: bool,
}

impl managed::Manager for Connector {
    type Type = Connection;
    type Error = Error;

    async fn create(&self) -> Result<Connection, Error> {
        Ok(Connection { inner: self.0.connect().await?, settled: true })
    }

    async fn recycle(
        &self,
        connection: &mut Connection,
        metrics: &Metrics,
    ) -> RecycleResult<Error> {
        if connection.settled && metrics.age() < LIFETIME {
            Ok(())
        } else {
            Err(RecycleError::message("broken, given up or old"))
        }
    }
}

impl Pool {
    /// At most `size` connections, each opened when it is first needed; waits for a free one, and
    /// for the server to accept a new one, at most `patience`.
    pub(crate) fn new(options: PgConnectOptions, size: u32, patience: Duration) -> Self {
        let builder = managed::Pool::builder(Connector(options))
            .max_size(usize::try_from(size).unwrap_or(usize::MAX))
            .queue_mode(QueueMode::Lifo)
            .wait_timeout(Some(patience))
            .create_timeout(Some(patience))
            .runtime(deadpool::Runtime::Tokio1);
        #[expect(clippy::expect_used, reason = "fails only for timeouts without a runtime")]
        Self(builder.build().expect("the runtime is given"))
    }

    pub(crate) fn connections(&self) -> Connections {
        let status = self.0.status();
        Connections {
            max: status.max_size,
            open: status.size,
            idle: status.available,
            waiting: status.waiting,
        }
    }

    #[instrument(level = "debug", name = "postgresql", skip_all, fields(otel.kind = "client"))]
    pub(crate) async fn fetch_optional<T: Send + Unpin>(
        &self,
        statement: Map<'_, Postgres, impl FnMut(PgRow) -> Result<T, Error> + Send, PgArguments>,
    ) -> Result<Option<T>, StorageError> {
        let mut connection = self.acquire().await?;
        let result = statement.fetch_optional(&mut connection.inner).await;
        connection.settle(result)
    }

    #[instrument(level = "debug", name = "postgresql", skip_all, fields(otel.kind = "client"))]
    pub(crate) async fn fetch_count(
        &self,
        statement: QueryScalar<'_, Postgres, i64, PgArguments>,
    ) -> Result<i64, StorageError> {
        let mut connection = self.acquire().await?;
        let result = statement.fetch_one(&mut connection.inner).await;
        connection.settle(result)
    }

    #[instrument(level = "debug", name = "postgresql", skip_all, fields(otel.kind = "client"))]
    pub(crate) async fn fetch_all<T: Send + Unpin>(
        &self,
        statement: Map<'_, Postgres, impl FnMut(PgRow) -> Result<T, Error> + Send, PgArguments>,
    ) -> Result<Vec<T>, StorageError> {
        let mut connection = self.acquire().await?;
        let result = statement.fetch_all(&mut connection.inner).await;
        connection.settle(result)
    }

    #[instrument(level = "debug", name = "postgresql", skip_all, fields(otel.kind = "client"))]
    pub(crate) async fn execute(
        &self,
        statement: Query<'_, Postgres, PgArguments>,
    ) -> Result<(), StorageError> {
        let mut connection = self.acquire().await?;
        let result = statement.execute(&mut connection.inner).await;
        connection.settle(result).map(drop)
    }

    /// The versions of the migrations that were run; none if there never was one.
    pub(crate) async fn migrations(&self) -> Result<Vec<i64>, StorageError> {
        let mut connection = self.acquire().await?;
        let applied = query_scalar("SELECT version FROM _sqlx_migrations WHERE success")
            .fetch_all(&mut connection.inner)
            .await;
        let applied = match applied {
            Err(Error::Database(error)) if error.code().is_some_and(|code| code == NO_TABLE) => {
                Ok(Vec::new())
            }
            applied => applied,
        };
        connection.settle(applied)
    }

    pub(crate) async fn migrate(&self, migrator: &Migrator) -> Result<(), StorageError> {
        let mut connection = self.acquire().await?;
        migrator
            .run(&mut connection.inner)
            .await
            .map_err(|error| StorageError::Internal(error.into()))?;
        connection.settled = true;
        Ok(())
    }

    /// A connection of which nobody knows whether it is still good, until it has settled.
    async fn acquire(&self) -> Result<managed::Object<Connector>, StorageError> {
        let mut connection = self.0.get().await.map_err(|error| match error {
            PoolError::Backend(error) => storage_error(error),
            error => StorageError::Unavailable(error.into()),
        })?;
        connection.settled = false;
        Ok(connection)
    }
}

impl Connection {
    /// The statement is over: the connection is good for another one unless it broke.
    fn settle<T>(&mut self, result: Result<T, Error>) -> Result<T, StorageError> {
        self.settled = matches!(
            result,
            Ok(_) | Err(Error::Database(_) | Error::RowNotFound | Error::ColumnDecode { .. })
        );
        result.map_err(storage_error)
    }
}

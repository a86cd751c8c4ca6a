//! A connection to Redis that is made when it is needed, and again when it is lost.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, FromRedisValue, Pipeline};
use tokio::sync::Mutex;
use url::Url;

use crate::error::Error;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Clones of the connection share one socket.
pub(crate) struct Link {
    client: Client,
    connection: Mutex<Option<MultiplexedConnection>>,
}

impl Link {
    pub(crate) fn new(url: &Url) -> Result<Self, Error> {
        let client = Client::open(url.clone())
            .map_err(|source| Error::Redis { action: "reading the URL", source })?;
        Ok(Self { client, connection: Mutex::new(None) })
    }

    async fn connection(&self) -> Result<MultiplexedConnection, Error> {
        let mut connection = self.connection.lock().await;
        if let Some(connection) = &*connection {
            return Ok(connection.clone());
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let new = self.client.get_multiplexed_async_connection_with_config(&config).await;
        let new = new.map_err(|source| Error::Redis { action: "connecting", source })?;
        Ok(connection.insert(new).clone())
    }

    async fn checked<T>(
        &self,
        action: &'static str,
        result: redis::RedisResult<T>,
    ) -> Result<T, Error> {
        if let Err(error) = &result
            && (error.is_io_error() || error.is_connection_dropped() || error.is_timeout())
        {
            *self.connection.lock().await = None;
        }
        result.map_err(|source| Error::Redis { action, source })
    }

    /// Runs one command.
    pub(crate) async fn command<T: FromRedisValue>(
        &self,
        action: &'static str,
        command: &Cmd,
    ) -> Result<T, Error> {
        let mut connection = self.connection().await?;
        self.checked(action, command.query_async(&mut connection).await).await
    }

    /// Runs several commands, all or none if they are `atomic`.
    pub(crate) async fn pipeline<T: FromRedisValue>(
        &self,
        action: &'static str,
        pipeline: &Pipeline,
    ) -> Result<T, Error> {
        let mut connection = self.connection().await?;
        self.checked(action, pipeline.query_async(&mut connection).await).await
    }
}

//! Every wait for a broker has an end.

use std::future::Future;
use std::time::Duration;

use crate::error::Error;

/// How long a broker may take to do one thing.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What a broker does in time, or that it did not.
pub(crate) async fn timed<T>(
    action: &'static str,
    future: impl Future<Output = T>,
) -> Result<T, Error> {
    tokio::time::timeout(TIMEOUT, future)
        .await
        .map_err(|_| Error::Timeout { action, after: TIMEOUT })
}

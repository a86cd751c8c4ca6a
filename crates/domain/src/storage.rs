//! The port through which everything is stored.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::errors::StorageError;
use crate::items::Items;
use crate::users::Users;

/// Where everything is stored: one backend implements the port of every resource.
#[async_trait::async_trait]
pub trait Storage: Users + Items {
    /// Starts a transaction, for a use case of several statements. Inside a transaction it starts a
    /// part of it (a savepoint).
    ///
    /// ```
    /// # use domain::{Storage, StorageError, User, UserChanges};
    /// /// Deactivates both users, or neither.
    /// async fn deactivate(storage: &dyn Storage, users: [User; 2]) -> Result<(), StorageError> {
    ///     let transaction = storage.begin().await?;
    ///     let changes = UserChanges { is_active: Some(false), ..UserChanges::default() };
    ///     for user in users {
    ///         transaction.update_user(user.id, &changes).await?;
    ///     }
    ///     transaction.commit().await
    /// }
    /// ```
    async fn begin(&self) -> Result<Box<dyn Transaction>, StorageError>;

    /// A storage for a rehearsal: everything that is done through it, in one transaction, is undone when
    /// it is dropped. Where it is in the way of others it gives way: it soon
    /// [is unavailable](StorageError::Unavailable) instead of waiting for their locks.
    async fn rehearse(&self) -> Result<Arc<dyn Storage>, StorageError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StorageError>;

    /// How many migrations the schema still lacks.
    async fn pending_migrations(&self) -> Result<usize, StorageError>;

    fn connections(&self) -> Connections;
}

/// Statements that take effect together: a [`Storage`] whose methods run one after the other on one
/// connection. Nothing has been done if it is dropped without [`commit`](Self::commit), so a
/// function that is given one as its storage can be run and undone.
///
/// Until then it holds a connection of the pool, and perhaps the only right to write: wait for nothing
/// else meanwhile, and use the storage itself no more. After an error of a statement PostgreSQL
/// refuses all that follow; start again from the beginning, as after [`StorageError::Unavailable`]
/// (a statement of a transaction is never repeated by itself).
#[async_trait::async_trait]
pub trait Transaction: Storage {
    /// Makes everything take effect, in the enclosing transaction if there is one.
    async fn commit(self: Box<Self>) -> Result<(), StorageError>;
}

/// The connections to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// The size of the pool.
    pub max: usize,
    pub open: usize,
    pub idle: usize,
    /// Statements that wait for one.
    pub waiting: usize,
    /// How long the last one that was lent was waited for; zero if nothing waits.
    pub delay: Duration,
}

/// Measures how long connections are waited for.
#[derive(Debug, Default)]
pub struct Waits {
    waiting: AtomicUsize,
    /// In microseconds.
    last: AtomicU64,
}

/// One who waits for a connection, until it is dropped.
#[derive(Debug)]
pub struct Waiting<'a> {
    waits: &'a Waits,
    since: Instant,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.waits.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Waiting<'_> {
    /// It has one, or it is refused.
    pub fn end(self) {
        let micros = u64::try_from(self.since.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waits.last.store(micros, Ordering::Relaxed);
    }
}

impl Waits {
    /// Begins to wait for a connection.
    pub fn begin(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting { waits: self, since: Instant::now() }
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How long the last one has waited; zero if none waits.
    pub fn delay(&self) -> Duration {
        let micros = if self.waiting() > 0 { self.last.load(Ordering::Relaxed) } else { 0 };
        Duration::from_micros(micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_delay_while_something_waits() {
        let waits = Waits::default();
        let served = waits.begin();
        std::thread::sleep(Duration::from_millis(2));
        served.end();
        assert_eq!((waits.waiting(), waits.delay()), (0, Duration::ZERO));
        let waiting = waits.begin();
        assert_eq!(waits.waiting(), 1);
        assert!(waits.delay() >= Duration::from_millis(2));
        drop(waiting);
        assert_eq!(waits.waiting(), 0, "one that was given up waits no more");
    }
}

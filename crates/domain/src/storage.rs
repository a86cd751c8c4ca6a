//! The port through which everything is stored.

use std::sync::Arc;

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
    /// Statements that wait for one, where that is known.
    pub waiting: usize,
}

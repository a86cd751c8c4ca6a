use crate::items::Items;
use crate::users::Users;

/// Where everything is stored: one backend implements the port of every resource.
#[async_trait::async_trait]
pub trait Storage: Users + Items {
    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StorageError>;

    /// How many migrations the schema still lacks.
    async fn pending_migrations(&self) -> Result<usize, StorageError>;

    fn connections(&self) -> Connections;
}

/// The connections to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// How many there may be.
    pub max: usize,
    pub open: usize,
    pub idle: usize,
    /// Statements that wait for one, where that is known.
    pub waiting: usize,
}

/// A part of a list; both numbers are at least 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub skip: i64,
    pub limit: i64,
}

type Source = Box<dyn std::error::Error + Send + Sync>;

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another row has this unique value.
    #[error("the value is taken")]
    Conflict,
    /// The row that this one belongs to is gone.
    #[error("the owner is gone")]
    OwnerGone,
    /// The database cannot be reached, or has no time for us.
    #[error("the database is away")]
    Unavailable(#[source] Source),
    #[error("the database failed")]
    Internal(#[source] Source),
}

use std::error::Error;
use std::fmt;

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

/// A part of a list; both numbers are at least 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    pub skip: i64,
    pub limit: i64,
}

type Source = Box<dyn Error + Send + Sync>;

/// Why something could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another row has this unique value.
    #[error("{0} is not unique")]
    Conflict(Constraint),
    /// The row that this one refers to does not exist.
    #[error("{0} refers to no row")]
    MissingReference(Constraint),
    /// The database cannot be reached, or cannot do it at this moment; trying again may succeed.
    #[error("database unavailable")]
    Unavailable(#[source] Source),
    #[error("database error")]
    Internal(#[source] Source),
}

/// The column for whose sake a row was refused: `Constraint::new("user", "email")`. Of several
/// columns, their names are joined by `_`; what the database does not say is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Constraint {
    pub table: String,
    pub column: String,
}

impl Constraint {
    pub fn new(table: impl Into<String>, column: impl Into<String>) -> Self {
        Self { table: table.into(), column: column.into() }
    }

    /// Whether it is about this column.
    pub fn is(&self, table: &str, column: &str) -> bool {
        self.table == table && self.column == column
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.table, self.column)
    }
}

/// A statement that failed: which, with the database's code for the reason, and its message as the
/// source. No values, neither here nor in `Debug`.
pub struct StatementError {
    statement: &'static str,
    code: Option<String>,
    source: Source,
}

impl StatementError {
    /// Takes the statement's name and, if it came that far, the database's code: such as
    /// SQLSTATE.
    pub fn new(statement: &'static str, code: Option<String>, source: impl Into<Source>) -> Self {
        Self { statement, code, source: source.into() }
    }
}

impl Error for StatementError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.source)
    }
}

impl fmt::Display for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "statement {}", self.statement)?;
        self.code.iter().try_for_each(|code| write!(f, ", code {code}"))
    }
}

impl fmt::Debug for StatementError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatementError({self}: {})", self.source)
    }
}

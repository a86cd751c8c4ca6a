//! Why a statement failed, in terms that no backend owns.

use std::error::Error;
use std::fmt;

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

/// The column whose constraint refused a row: `Constraint::new("user", "email")`. Of several
/// columns, their names are joined by `_`; what the database does not report is empty.
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

/// An error with all of its causes, separated by colons: for the one line that reports it.
pub fn chain(error: &dyn Error) -> impl fmt::Display {
    fmt::from_fn(move |f| {
        write!(f, "{error}")?;
        let causes = std::iter::successors(error.source(), |cause| (**cause).source());
        // Some errors write their cause themselves.
        let mut before = error.to_string();
        for cause in causes {
            let text = cause.to_string();
            if !before.ends_with(&text) {
                write!(f, ": {text}")?;
            }
            before = text;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<io::Error>,
    }

    #[test]
    fn a_chain_has_every_cause_once() {
        let io = || Some(io::Error::other("the disk is full"));
        let error = Link { text: "cannot write", source: io() };
        assert_eq!(chain(&error).to_string(), "cannot write: the disk is full");
        let error = Link { text: "cannot write: the disk is full", source: io() };
        assert_eq!(chain(&error).to_string(), "cannot write: the disk is full");
        assert_eq!(chain(&Link { text: "alone", source: None }).to_string(), "alone");
    }
}

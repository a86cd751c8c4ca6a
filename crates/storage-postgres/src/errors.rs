use domain::{Constraint, StatementError, StorageError};
use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};

/// Rolled back for the sake of others, so that it can be run again: serialization failure and
/// deadlock.
const ROLLED_BACK: [&str; 2] = ["40001", "40P01"];

/// Not run, as its preparation no longer fits: `cached plan must not change result type`, and a
/// prepared statement that the server does not know (any more).
const STALE: [&str; 2] = ["0A000", "26000"];

/// The SQLSTATEs, or their classes, of what another attempt may not meet: connection errors (08), a
/// server that has become a standby (25006), statements rolled back for others (40), resources (53),
/// objects in use and locks (55006, 55P03), an operator's intervention such as a shutdown or a
/// timeout (57), and a failing system (58). PostgreSQL, appendix A.
const UNAVAILABLE: [&str; 8] = ["08", "25006", "40", "53", "55006", "55P03", "57", "58"];

/// After these a connection is closed, although the server has answered: it is about to end, has
/// become a standby, or has forgotten what was prepared.
const LAST: [&str; 5] = ["08", "0A000", "25006", "26000", "57P"];

/// What is to be done after an error of a statement that is not part of a transaction.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    None,
    /// The same once more.
    Repeat,
    /// The same once more, prepared anew.
    PrepareAgain,
}

fn code(error: &Error) -> Option<String> {
    error.as_database_error()?.code().map(Into::into)
}

fn is_one_of(error: &Error, codes: &[&str]) -> bool {
    code(error).is_some_and(|code| codes.iter().any(|class| code.starts_with(class)))
}

pub(crate) fn remedy(error: &Error) -> Remedy {
    if is_one_of(error, &ROLLED_BACK) {
        Remedy::Repeat
    } else if is_one_of(error, &STALE) {
        Remedy::PrepareAgain
    } else {
        Remedy::None
    }
}

/// Whether the connection is good for another statement.
pub(crate) fn spares_connection(error: &Error) -> bool {
    match error {
        Error::Database(_) => !is_one_of(error, &LAST),
        Error::RowNotFound | Error::ColumnDecode { .. } => true,
        _ => false,
    }
}

pub(crate) fn storage_error(statement: &'static str, error: Error) -> StorageError {
    let wrapped = |error: Error| StatementError::new(statement, code(&error), error).into();
    match &error {
        Error::Database(database) => match database.kind() {
            ErrorKind::UniqueViolation => StorageError::Conflict(constraint(&**database)),
            ErrorKind::ForeignKeyViolation => {
                StorageError::MissingReference(constraint(&**database))
            }
            _ if is_one_of(&error, &UNAVAILABLE) || is_one_of(&error, &STALE) => {
                StorageError::Unavailable(wrapped(error))
            }
            _ => StorageError::Internal(wrapped(error)),
        },
        Error::Io(_)
        | Error::Tls(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::Protocol(_)
        | Error::WorkerCrashed => StorageError::Unavailable(wrapped(error)),
        _ => StorageError::Internal(wrapped(error)),
    }
}

/// PostgreSQL gives the names of the table and of the constraint or index, which has the column's
/// in it by convention.
fn constraint(error: &dyn DatabaseError) -> Constraint {
    let (table, name) = (error.table().unwrap_or_default(), error.constraint().unwrap_or_default());
    Constraint::new(table, column(table, name))
}

/// `email` of `ix_user_email`, `user_email_key` and `user_email_fkey`; a name of another kind is
/// given whole.
fn column<'a>(table: &str, name: &'a str) -> &'a str {
    let bare = name.strip_prefix("ix_").or(name.strip_prefix("uq_")).unwrap_or(name);
    let of_table = bare.strip_prefix(table).and_then(|rest| rest.strip_prefix('_'));
    let Some(column) = of_table else { return name };
    column.strip_suffix("_key").or(column.strip_suffix("_fkey")).unwrap_or(column)
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::error::Error as StdError;
    use std::fmt;

    use super::*;

    /// An error as the server sends it.
    #[derive(Debug)]
    struct Sent(&'static str);

    impl fmt::Display for Sent {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "the message of {}", self.0)
        }
    }

    impl StdError for Sent {}

    impl DatabaseError for Sent {
        fn message(&self) -> &'static str {
            "the message"
        }

        fn code(&self) -> Option<Cow<'_, str>> {
            Some(self.0.into())
        }

        fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
            self
        }

        fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
            self
        }

        fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
            self
        }

        fn constraint(&self) -> Option<&str> {
            Some("ix_user_email")
        }

        fn table(&self) -> Option<&str> {
            Some("user")
        }

        fn kind(&self) -> ErrorKind {
            match self.0 {
                "23505" => ErrorKind::UniqueViolation,
                "23503" => ErrorKind::ForeignKeyViolation,
                _ => ErrorKind::Other,
            }
        }
    }

    #[test]
    fn each_sqlstate_has_its_remedy_and_its_answer() {
        let mapped = |code| match storage_error("test", Error::Database(Box::new(Sent(code)))) {
            StorageError::Unavailable(_) => "unavailable",
            StorageError::Internal(_) => "internal",
            StorageError::Conflict(_) => "conflict",
            StorageError::MissingReference(_) => "reference",
        };
        for (code, answer, then, spared) in [
            ("08006", "unavailable", Remedy::None, false), // connection failure
            ("0A000", "unavailable", Remedy::PrepareAgain, false), // stale plan
            ("22001", "internal", Remedy::None, true),     // too long a value
            ("23502", "internal", Remedy::None, true),     // null where none may be
            ("23503", "reference", Remedy::None, true),    // foreign key
            ("23505", "conflict", Remedy::None, true),     // unique
            ("25006", "unavailable", Remedy::None, false), // the server is a standby now
            ("25P02", "internal", Remedy::None, true),     // aborted transaction
            ("26000", "unavailable", Remedy::PrepareAgain, false), // unknown prepared statement
            ("40001", "unavailable", Remedy::Repeat, true), // serialization failure
            ("40003", "unavailable", Remedy::None, true),  // unknown completion
            ("40P01", "unavailable", Remedy::Repeat, true), // deadlock
            ("42703", "internal", Remedy::None, true),     // no such column
            ("42P01", "internal", Remedy::None, true),     // no such table
            ("53300", "unavailable", Remedy::None, true),  // too many connections
            ("53100", "unavailable", Remedy::None, true),  // disk full
            ("55000", "internal", Remedy::None, true),     // wrong state
            ("55006", "unavailable", Remedy::None, true),  // object in use
            ("55P03", "unavailable", Remedy::None, true),  // lock not available
            ("57014", "unavailable", Remedy::None, true),  // statement timeout
            ("57P01", "unavailable", Remedy::None, false), // shutdown
            ("57P03", "unavailable", Remedy::None, false), // starting up
            ("58030", "unavailable", Remedy::None, true),  // I/O error
            ("XX000", "internal", Remedy::None, true),     // internal error
        ] {
            let error = Error::Database(Box::new(Sent(code)));
            assert_eq!(remedy(&error), then, "{code}");
            assert_eq!(spares_connection(&error), spared, "{code}");
            assert_eq!(mapped(code), answer, "{code}");
        }
        let broken = Error::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(!spares_connection(&broken));
        assert!(matches!(storage_error("test", broken), StorageError::Unavailable(_)));
    }

    #[test]
    fn the_chain_names_statement_code_and_message() {
        let error = storage_error("user_by_email", Error::Database(Box::new(Sent("40P01"))));
        let mut chain = vec![error.to_string()];
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push(cause.to_string());
            source = cause.source();
        }
        let chain = chain.join(": ");
        for part in ["database unavailable", "user_by_email", "40P01", "the message of 40P01"] {
            assert!(chain.contains(part), "{chain}");
        }
    }

    #[test]
    fn constraints_are_known_by_their_column() {
        for (table, name, expected) in [
            ("user", "ix_user_email", "email"),
            ("user", "user_email_key", "email"),
            ("user", "uq_user_email", "email"),
            ("order", "order_owner_id_fkey", "owner_id"),
            ("user", "user_pkey", "pkey"),
            ("user", "one_of_another_name", "one_of_another_name"),
        ] {
            assert_eq!(column(table, name), expected);
        }
        let Err(StorageError::Conflict(constraint)) =
            Err::<(), _>(storage_error("test", Error::Database(Box::new(Sent("23505")))))
        else {
            unreachable!()
        };
        assert!(constraint.is("user", "email"));
    }
}

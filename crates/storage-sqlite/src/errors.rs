use domain::{Constraint, StatementError, StorageError};
use sqlx::Error;
use sqlx::error::{DatabaseError, ErrorKind};

/// Busy by another process, locked by another connection of this one.
const BUSY: [i32; 2] = [5, 6];

/// Busy, locked, I/O error, full, cannot open and a schema that changed meanwhile:
/// <https://sqlite.org/rescode.html>.
const UNAVAILABLE: [i32; 6] = [5, 6, 10, 13, 14, 17];

pub(crate) fn storage_error(statement: &'static str, error: Error) -> StorageError {
    let code = error.as_database_error().and_then(DatabaseError::code).map(String::from);
    let unavailable = code.as_deref().is_some_and(|code| is_one_of(&UNAVAILABLE, code));
    let wrapped = |error: Error| StatementError::new(statement, code, error).into();
    match &error {
        Error::Database(database) => match database.kind() {
            ErrorKind::UniqueViolation => StorageError::Conflict(constraint(database.message())),
            // SQLite does not report which one.
            ErrorKind::ForeignKeyViolation => StorageError::MissingReference(Constraint::default()),
            _ if unavailable => StorageError::Unavailable(wrapped(error)),
            _ => StorageError::Internal(wrapped(error)),
        },
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
            StorageError::Unavailable(wrapped(error))
        }
        _ => StorageError::Internal(wrapped(error)),
    }
}

/// Whether another connection is in the way, which ends.
pub(crate) fn is_busy(error: &Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| is_one_of(&BUSY, &code))
}

/// The primary code is in the lowest byte of the extended one.
fn is_one_of(codes: &[i32], code: &str) -> bool {
    code.parse::<i32>().is_ok_and(|code| codes.contains(&(code & 0xFF)))
}

/// `user.email` of `UNIQUE constraint failed: user.email`.
fn constraint(message: &str) -> Constraint {
    let columns = message.rsplit(": ").next().unwrap_or_default();
    let mut columns = columns.split(", ").filter_map(|column| column.split_once('.'));
    let Some((table, first)) = columns.next() else { return Constraint::default() };
    let column = columns.fold(first.to_owned(), |all, (_, column)| all + "_" + column);
    Constraint::new(table, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constraints_are_known_by_their_columns() {
        let message = "UNIQUE constraint failed: user.email";
        assert!(constraint(message).is("user", "email"));
        let message = "UNIQUE constraint failed: order.number, order.owner_id";
        assert!(constraint(message).is("order", "number_owner_id"));
        assert_eq!(constraint("something else"), Constraint::default());
    }

    #[test]
    fn codes_are_known_by_their_lowest_byte() {
        for (code, unavailable) in [("5", true), ("517", true), ("17", true), ("1", false)] {
            assert_eq!(is_one_of(&UNAVAILABLE, code), unavailable, "{code}");
        }
    }
}

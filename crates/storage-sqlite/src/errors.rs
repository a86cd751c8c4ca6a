use domain::StorageError;
use sqlx::Error;
use sqlx::error::ErrorKind;

/// Busy, locked, I/O error, full and cannot open: <https://sqlite.org/rescode.html>.
const UNAVAILABLE: [i32; 5] = [5, 6, 10, 13, 14];

pub(crate) fn storage_error(error: Error) -> StorageError {
    match &error {
        Error::Database(database) => match (database.kind(), database.code()) {
            (ErrorKind::UniqueViolation, _) => StorageError::Conflict,
            (ErrorKind::ForeignKeyViolation, _) => StorageError::OwnerGone,
            (_, Some(code)) if is_unavailable(&code) => StorageError::Unavailable(error.into()),
            _ => StorageError::Internal(error.into()),
        },
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
            StorageError::Unavailable(error.into())
        }
        _ => StorageError::Internal(error.into()),
    }
}

/// The primary code is in the lowest byte of the extended one.
fn is_unavailable(code: &str) -> bool {
    code.parse::<i32>().is_ok_and(|code| UNAVAILABLE.contains(&(code & 0xFF)))
}

use domain::StorageError;
use sqlx::Error;
use sqlx::error::ErrorKind;

/// Connection errors (class 08), resources (53), an operator's intervention such as a shutdown (57)
/// and a failing system (58): PostgreSQL, appendix A.
const UNAVAILABLE: [&str; 4] = ["08", "53", "57", "58"];

pub(crate) fn storage_error(error: Error) -> StorageError {
    match &error {
        Error::Database(database) => match (database.kind(), database.code()) {
            (ErrorKind::UniqueViolation, _) => StorageError::Conflict,
            (ErrorKind::ForeignKeyViolation, _) => StorageError::OwnerGone,
            (_, Some(code)) if UNAVAILABLE.iter().any(|class| code.starts_with(class)) => {
                StorageError::Unavailable(error.into())
            }
            _ => StorageError::Internal(error.into()),
        },
        Error::Io(_)
        | Error::Tls(_)
        | Error::PoolTimedOut
        | Error::PoolClosed
        | Error::Protocol(_)
        | Error::WorkerCrashed => StorageError::Unavailable(error.into()),
        _ => StorageError::Internal(error.into()),
    }
}

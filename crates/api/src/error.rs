use std::time::Duration;

use axum::response::{IntoResponse, Response};
use domain::{Denied, StorageError, chain};
use fastapi_compat::HttpError;
use http::StatusCode;
use http::header::{CONNECTION, HeaderValue, RETRY_AFTER};

/// Everything an endpoint can answer instead of success; the text is the contract's `detail`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("Could not validate credentials")]
    InvalidCredentials,
    #[error("Incorrect email or password")]
    IncorrectEmailOrPassword,
    #[error("Incorrect password")]
    IncorrectPassword,
    #[error("New password cannot be the same as the current one")]
    SamePassword,
    #[error("Inactive user")]
    InactiveUser,
    #[error("Invalid token")]
    InvalidResetToken,
    #[error("The user doesn't have enough privileges")]
    NotSuperuser,
    #[error("Super users are not allowed to delete themselves")]
    SuperuserDeletesSelf,
    #[error("User not found")]
    UserNotFound,
    #[error("The user with this id does not exist in the system")]
    NoUserWithId,
    #[error("The user with this username does not exist in the system.")]
    NoUserWithName,
    #[error("User with this email already exists")]
    EmailTaken,
    #[error("The user with this email already exists in the system.")]
    UserExists,
    #[error("The user with this email already exists in the system")]
    SignupExists,
    // [with items]
    #[error("Item not found")]
    ItemNotFound,
    // [end]
    #[error("Not enough permissions")]
    NotOwner,
    /// By default there is a limit in production only.
    #[error("Too Many Requests")]
    TooManyAttempts { retry_after: Duration },
    /// More requests than can be answered in time; `close` if the connection cannot be used again.
    #[error("Service Unavailable")]
    Overloaded { close: bool },
    /// Too many passwords wait to be hashed.
    #[error("Service Unavailable")]
    HashingBusy { retry_after: Duration },
    #[error("Service Unavailable")]
    Unavailable(#[source] StorageError),
    #[error("Internal Server Error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// An error whose details are logged, not sent.
    pub fn internal(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(error.into())
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::IncorrectEmailOrPassword
            | Self::IncorrectPassword
            | Self::SamePassword
            | Self::InactiveUser
            | Self::InvalidResetToken
            | Self::UserExists
            | Self::SignupExists => StatusCode::BAD_REQUEST,
            Self::InvalidCredentials
            | Self::NotSuperuser
            | Self::SuperuserDeletesSelf
            | Self::NotOwner => StatusCode::FORBIDDEN,
            Self::UserNotFound | Self::NoUserWithId | Self::NoUserWithName => StatusCode::NOT_FOUND,
            // [with items]
            Self::ItemNotFound => StatusCode::NOT_FOUND,
            // [end]
            Self::EmailTaken => StatusCode::CONFLICT,
            Self::TooManyAttempts { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Overloaded { .. } | Self::HashingBusy { .. } | Self::Unavailable(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl From<StorageError> for Error {
    fn from(error: StorageError) -> Self {
        match error {
            StorageError::Conflict(ref of) if of.is("user", "email") => Self::EmailTaken,
            StorageError::MissingReference(ref of) if of.column == "owner_id" => Self::UserNotFound,
            StorageError::Unavailable(_) => Self::Unavailable(error),
            // A constraint that no endpoint expects is an error of the service.
            error => Self::Internal(error.into()),
        }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::UnknownCaller => Self::UserNotFound,
            Denied::InactiveCaller => Self::InactiveUser,
            Denied::NotAllowed => Self::NotOwner,
        }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        match &self {
            Self::Unavailable(source) => {
                tracing::warn!(error = %chain(source), "database unavailable");
            }
            Self::Internal(source) => {
                tracing::error!(error = %chain(&**source), "internal error");
                return fastapi_compat::internal_server_error();
            }
            _ => {}
        }
        let answer = HttpError::new(self.status(), self.to_string());
        match self {
            Self::TooManyAttempts { retry_after } | Self::HashingBusy { retry_after } => {
                answer.with_header(RETRY_AFTER, (retry_after.as_secs() + 1).into()).into_response()
            }
            Self::Overloaded { close } => {
                let close = close.then(|| [(CONNECTION, HeaderValue::from_static("close"))]);
                (close, answer.with_header(RETRY_AFTER, 1.into())).into_response()
            }
            Self::Unavailable(_) => answer.with_header(RETRY_AFTER, 1.into()).into_response(),
            _ => answer.into_response(),
        }
    }
}

/// Each endpoint has an error of its own for a value that is not unique.
pub(crate) trait OnConflict<T> {
    fn on_conflict(self, error: Error) -> Result<T, Error>;
}

impl<T> OnConflict<T> for Result<T, StorageError> {
    fn on_conflict(self, conflict: Error) -> Result<T, Error> {
        self.map_err(|error| match error {
            StorageError::Conflict(_) => conflict,
            error => error.into(),
        })
    }
}

//! Why a document is malformed.

/// The first part of a document that is not as the specification has it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{location}: {message}")]
pub struct FormError {
    /// A JSON pointer to the part (`#/paths/~1x/get`), or the reference that cannot be followed.
    pub location: String,
    /// What is wrong with it, to be read after the location.
    pub message: String,
}

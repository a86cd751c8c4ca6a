//! Errors of the program.

/// Any error, to be shown on standard error.
pub(super) type BoxError = Box<dyn std::error::Error>;

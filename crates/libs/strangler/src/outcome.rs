//! How requests end.

use http::StatusCode;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// A status below 400.
    Success,
    /// 4xx.
    Refusal,
    /// 5xx, or no response in time.
    Error,
    /// The client left before there was a response.
    Cancelled,
}

impl Outcome {
    pub(crate) fn is_failure(self) -> bool {
        matches!(self, Self::Error | Self::Cancelled)
    }
}

impl From<StatusCode> for Outcome {
    fn from(status: StatusCode) -> Self {
        match status.as_u16() {
            500.. => Self::Error,
            400.. => Self::Refusal,
            _ => Self::Success,
        }
    }
}

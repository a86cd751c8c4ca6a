//! The time, at one place.

use chrono::{DateTime, Utc};

#[expect(clippy::disallowed_methods, reason = "this is the function to use instead")]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

use chrono::{DateTime, SubsecRound, Utc};

/// The present, in microseconds: what Python and PostgreSQL keep.
#[expect(clippy::disallowed_methods, reason = "the one function that reads the clock")]
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

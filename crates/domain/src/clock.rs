use chrono::{DateTime, SubsecRound, Utc};

/// The present, in microseconds: what Python and PostgreSQL keep.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

//! Points in time as pydantic writes them: with six decimals or none.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

/// For `#[serde(serialize_with = …)]` on an `Option<DateTime<Utc>>`.
///
/// chrono alone drops the last three decimals when they are zeros.
pub fn serialize_datetime<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(format).serialize(serializer)
}

fn format(time: DateTime<Utc>) -> String {
    let whole = time.timestamp_subsec_micros() == 0;
    let decimals = if whole { SecondsFormat::Secs } else { SecondsFormat::Micros };
    time.to_rfc3339_opts(decimals, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_six_decimals_or_none() {
        for text in
            ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.120000Z", "2026-01-02T03:04:05.000001Z"]
        {
            assert_eq!(format(text.parse().unwrap()), text);
        }
    }
}

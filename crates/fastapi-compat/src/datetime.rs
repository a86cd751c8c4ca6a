//! Points in time as pydantic writes them: with six decimals or none.

use std::fmt;

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::Serializer;

/// For `#[serde(serialize_with = …)]` on an `Option<DateTime<Utc>>`.
///
/// chrono alone drops the last three decimals when they are zeros, and interprets its format anew
/// for every point in time.
pub fn serialize_datetime<S: Serializer>(
    time: &Option<DateTime<Utc>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&Written(*time)),
        None => serializer.serialize_none(),
    }
}

struct Written(DateTime<Utc>);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (self.0.date_naive(), self.0.time());
        let (year, month, day) = (date.year(), date.month(), date.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match self.0.timestamp_subsec_micros() {
            0 => f.write_str("Z"),
            micros => write!(f, ".{micros:06}Z"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_six_decimals_or_none() {
        for text in
            ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05.120000Z", "2026-01-02T03:04:05.000001Z"]
        {
            assert_eq!(Written(text.parse().unwrap()).to_string(), text);
        }
    }
}

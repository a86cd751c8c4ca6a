//! Points in time as pydantic writes them: with six decimals or none.

use chrono::{DateTime, Datelike, Timelike, Utc};
use serde::Serializer;
use serde::ser::Error as _;

use crate::marked;

/// For `#[serde(serialize_with = …)]` on a `DateTime<Utc>` or an `Option` of it.
///
/// chrono alone drops the last three decimals when they are zeros, and interprets its format anew
/// for every point in time.
///
/// # Errors
/// For a year that Python does not have: it knows 1 to 9999.
pub fn serialize_datetime<T: Copy + Into<Option<DateTime<Utc>>>, S: Serializer>(
    time: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let Some(time) = (*time).into() else { return serializer.serialize_none() };
    let text = write(time).ok_or_else(|| S::Error::custom("a year beyond 1 to 9999"))?;
    // As `marked::mark`, without the formatting machinery: a list has a hundred of them.
    serializer.serialize_newtype_struct(marked::TIME, text.as_str())
}

fn write(time: DateTime<Utc>) -> Option<Text> {
    let year = u32::try_from(time.year()).ok().filter(|year| (1..=9999).contains(year))?;
    let mut bytes = *b"0000-00-00T00:00:00.000000Z";
    let mut put = |end: usize, mut value: u32| {
        for digit in bytes[..end].iter_mut().rev().take_while(|byte| byte.is_ascii_digit()) {
            *digit = b'0' + u8::try_from(value % 10).unwrap_or_default();
            value /= 10;
        }
    };
    put(4, year);
    put(7, time.month());
    put(10, time.day());
    put(13, time.hour());
    put(16, time.minute());
    put(19, time.second());
    let micros = time.timestamp_subsec_micros();
    put(26, micros);
    let mut length = bytes.len();
    if micros == 0 {
        bytes[19] = b'Z';
        length = 20;
    }
    Some(Text { bytes, length })
}

/// A text of at most 27 ASCII characters; a list has a hundred of them, so none is allocated.
struct Text {
    bytes: [u8; 27],
    length: usize,
}

impl Text {
    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
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
            assert_eq!(write(text.parse().unwrap()).unwrap().as_str(), text);
        }
    }

    #[test]
    fn any_time_of_pythons_years_is_written_as_chrono_would() {
        for step in 0..19_990_u32 {
            let seconds = -62_135_596_800 + i64::from(step) * 15_778_801;
            let time = DateTime::from_timestamp(seconds, 1000 * (step * 49 + 1)).unwrap();
            let expected = time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
            assert_eq!(write(time).unwrap().as_str(), expected);
        }
        assert!(write(DateTime::from_timestamp(253_402_300_800, 0).unwrap()).is_none());
    }
}

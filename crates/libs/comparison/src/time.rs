//! Points in time, in the formats in which services write them.

use std::sync::LazyLock;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use regex::Regex;

/// A point in time and how it is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Moment {
    /// Milliseconds since 1970, taken for UTC if there is no zone.
    pub millis: i64,
    /// Everything but the digits: separators, the offset, the length of the fraction.
    form: String,
    /// How many digits the fraction of the second has.
    fraction: usize,
    /// Whether the fraction ends with a digit that is not 0, as where zeros are left out.
    is_trimmed: bool,
}

impl Moment {
    /// Whether the other is written in the same way.
    pub(crate) fn has_form_of(&self, other: &Self) -> bool {
        // Where zeros are left out, one or two may be missing; three are another precision.
        let trimmed = |moment: &Self| moment.is_trimmed && moment.fraction >= 4;
        let is_trimmed = trimmed(self) && trimmed(other);
        self.form == other.form
            && (self.fraction == other.fraction
                || (is_trimmed && self.fraction.abs_diff(other.fraction) <= 2))
    }

    /// Whether it is exact enough for two different events never to share it.
    pub(crate) const fn is_exact(&self) -> bool {
        self.fraction >= 4
    }
}

static ISO: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, which a test compiles")]
    Regex::new(
        r"(?-u)^(\d{4})-(\d\d)-(\d\d)([T ])(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:?\d\d)?$",
    )
    .expect("the pattern is valid")
});

/// Reads an ISO 8601 time, an HTTP date, or seconds, milli-, micro- or
/// nanoseconds since 1970; none if it is no time
/// that exists.
pub(crate) fn parse(text: &str) -> Option<Moment> {
    if let Some(found) = ISO.captures(text) {
        let number = |index: usize| found.get(index)?.as_str().parse::<u32>().ok();
        let year = found.get(1)?.as_str().parse().ok()?;
        let date = NaiveDate::from_ymd_opt(year, number(2)?, number(3)?)?;
        let digits = found.get(8).map_or("", |digits| digits.as_str());
        let millis: String = digits.chars().chain("000".chars()).take(3).collect();
        let time =
            date.and_hms_milli_opt(number(5)?, number(6)?, number(7)?, millis.parse().ok()?)?;
        let zone = found.get(9).map_or("", |zone| zone.as_str());
        let form = format!("{}{zone}", &found[4]);
        return Some(Moment {
            millis: time.and_utc().timestamp_millis() - offset(zone)?,
            form,
            fraction: digits.len(),
            is_trimmed: !digits.is_empty() && !digits.ends_with('0'),
        });
    }
    let plain = |millis: i64, form: &str, fraction: usize| Moment {
        millis,
        form: form.to_owned(),
        fraction,
        is_trimmed: false,
    };
    if text.ends_with("GMT") {
        let time = NaiveDateTime::parse_from_str(text, "%a, %d %b %Y %H:%M:%S GMT").ok()?;
        return Some(plain(time.and_utc().timestamp_millis(), "GMT", 0));
    }
    let number: i64 = text.parse().ok()?;
    match text.len() {
        10 => Some(plain(number.checked_mul(1000)?, "seconds", 0)),
        13 => Some(plain(number, "milliseconds", 3)),
        16 => Some(plain(number / 1_000, "microseconds", 6)),
        19 => Some(plain(number / 1_000_000, "nanoseconds", 9)),
        _ => None,
    }
}

/// A zone in milliseconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() {
        return Some(0);
    }
    let (hours, minutes): (i64, i64) =
        (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?);
    let offset = (hours * 60 + minutes) * 60_000;
    (hours < 24 && minutes < 60).then_some(if zone.starts_with('-') { -offset } else { offset })
}

/// Now, in milliseconds since 1970.
pub(crate) fn now() -> i64 {
    DateTime::<chrono::Utc>::from(std::time::SystemTime::now()).timestamp_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_do_not_exist_are_none() {
        for text in ["9999-99-99T99:99:99Z", "2026-02-30 00:00:00", "2026-01-01T00:00:00+99:00"] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert!(parse("Thu, 26 Nov 2026 20:00:00 GMT").is_some());
        assert_eq!(
            parse("2026-01-01T02:00:00+02:00").unwrap().millis,
            parse("2026-01-01T00:00:00Z").unwrap().millis
        );
    }

    #[test]
    fn the_form_counts() {
        let same = |a: &str, b: &str| parse(a).unwrap().has_form_of(&parse(b).unwrap());
        assert!(same("2026-01-02T03:04:05.1234Z", "2026-01-02T03:04:05.123456Z"), "zeros left out");
        assert!(!same("2026-01-02T03:04:05.123Z", "2026-01-02T03:04:05.123456Z"));
        assert!(!same("2026-01-02T03:04:05.120Z", "2026-01-02T03:04:05.123456Z"));
        assert!(!same("2026-01-02T03:04:05Z", "2026-01-02T03:04:05+00:00"));
        assert!(!same("2026-01-02T03:04:05Z", "2026-01-02 03:04:05Z"));
    }
}

//! Texts for a schema: of its format, of its pattern, or words.

use serde_json::Value;

use super::{MAX_LENGTH, Position, Samples};
use crate::generate::pattern::matching;

/// How many years later a moment is at most.
const MAX_YEARS: usize = 500;
/// How many years later a moment is that should be still to come: leap years among leap years.
const TO_COME: usize = 12;
/// Texts in several scripts and cases, some with what a search or an encoding could take for its own.
const WORDS: [&str; 8] =
    ["text", "Beta", "alpha", "Émile", "zeta_x", "Alpha 100%", "beta", "O'Brien"];

impl Samples<'_> {
    /// A text that the schema allows; one that need not be small is different from all before.
    pub(super) fn text(&mut self, schema: &Value, position: Position) -> String {
        let Position { number, field, is_small, is_to_come, .. } = position;
        let later = |moment: String, years: usize| {
            let (year, rest) = moment.split_at(4);
            let more = if is_to_come { TO_COME } else { 0 };
            format!("{}{rest}", year.parse().unwrap_or(0) + years + more)
        };
        let pick = |texts: &[&str]| texts[number % texts.len()].to_owned();
        match schema["format"].as_str() {
            Some("email") => {
                self.serial += 1;
                return format!("generated{}@example.com", self.serial);
            }
            Some("uuid") => return format!("00000000-0000-4000-8000-{number:012}"),
            Some("date-time") => {
                return later(pick(MOMENTS[field % MOMENTS.len()]), self.years % MAX_YEARS);
            }
            Some("date") => return later(pick(&DATES[field % DATES.len()]), 0),
            Some("time") => return pick(&TIMES[field % TIMES.len()]),
            Some("duration") => return pick(&["P1D", "PT1H30M", "P3DT0.5S"]),
            Some("uri" | "url") => return format!("http://example.com/{number}"),
            Some("ipv4") => return format!("192.0.2.{}", 1 + number % 200),
            Some("ipv6") => return format!("2001:db8::{:x}", 1 + number % 200),
            Some("byte") => return "dGV4dA==".to_owned(),
            Some("json-string") => return "{}".to_owned(),
            _ => {}
        }
        let limit = |key: &str| usize::try_from(schema[key].as_u64()?).ok();
        let max = limit("maxLength").unwrap_or(usize::MAX).min(MAX_LENGTH);
        let min = limit("minLength").unwrap_or(0).min(MAX_LENGTH);
        if !is_small {
            self.serial += 1;
        }
        if let Some(pattern) = schema["pattern"].as_str() {
            let choice = if is_small { number } else { self.serial };
            if let Some(text) = matching(pattern, min, max, choice) {
                return text;
            }
        }
        let word = WORDS[number % WORDS.len()];
        let mut text = if is_small { word.to_owned() } else { format!("{word} {}", self.serial) };
        if text.chars().count() > max {
            // What makes it different stands at its end.
            let surplus = text.chars().count() - max;
            text = text.chars().skip(surplus).collect();
            if text.starts_with(' ') {
                text.replace_range(0..1, "t");
            }
        }
        let missing = min.saturating_sub(text.chars().count());
        text.extend("text".chars().cycle().take(missing));
        text
    }
}

/// Moments by row, for the first field of a form, for the second and so on: each a little later.
const MOMENTS: [&[&str; 4]; 3] = [
    &[
        "2026-01-02T03:04:05Z",
        "2026-03-29T02:30:00+02:00",
        "2025-12-31T23:59:59.123456+05:30",
        "2027-06-15T12:00:00.500-08:00",
    ],
    &[
        "2026-01-02T04:34:45.500Z",
        "2026-03-29T03:30:00+02:00",
        "2026-01-01T00:45:00.123456+05:30",
        "2027-06-15T22:10:40.250-08:00",
    ],
    &[
        "2026-01-02T05:00:00Z",
        "2026-03-29T04:15:00+02:00",
        "2026-01-01T01:30:00+05:30",
        "2027-06-15T23:59:59-08:00",
    ],
];
const DATES: [[&str; 4]; 3] = [
    ["2026-01-02", "2026-12-31", "2028-02-29", "2026-06-30"],
    ["2026-01-05", "2027-01-01", "2028-03-01", "2026-07-31"],
    ["2026-01-31", "2027-01-04", "2028-03-31", "2026-08-01"],
];
const TIMES: [[&str; 3]; 3] = [
    ["03:04:05", "22:59:59.123456", "00:00:00"],
    ["04:30:45", "23:30:00", "00:00:01"],
    ["05:00:00", "23:59:59.123456", "12:00:00"],
];

//! By how much two values may differ.

use std::time::Duration;

use serde_json::Value;

use crate::time;

/// By how much two values of a [`Difference`](crate::Difference) may differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Tolerance {
    /// Two numbers may be so far apart.
    Number(f64),
    /// Two points in time, written in the same form and zone, may be so far apart.
    Time(Duration),
}

impl Tolerance {
    /// Whether two values, as a difference shows them, are within the tolerance; false for what is
    /// not a number or a time.
    pub fn allows(self, reference: &str, candidate: &str) -> bool {
        match self {
            Self::Number(tolerance) => {
                let number = |text: &str| -> Option<f64> {
                    unquoted(text).trim().parse().ok().filter(|number: &f64| number.is_finite())
                };
                // Of one type: a number does not become a text.
                let is_text = |text: &str| text.starts_with('"');
                match (number(reference), number(candidate)) {
                    (Some(a), Some(b)) if is_text(reference) == is_text(candidate) => {
                        // What is written with two decimals is no exact binary fraction.
                        (a - b).abs() <= tolerance + (a.abs() + b.abs()) * f64::EPSILON
                    }
                    _ => false,
                }
            }
            Self::Time(tolerance) => {
                let (a, b) = (unquoted(reference), unquoted(candidate));
                match (time::parse(&a), time::parse(&b)) {
                    (Some(a), Some(b)) => {
                        let apart = u128::from((a.millis - b.millis).unsigned_abs());
                        a.has_form_of(&b) && apart <= tolerance.as_millis()
                    }
                    _ => false,
                }
            }
        }
    }
}

/// The text of a JSON string; other texts as they are.
fn unquoted(text: &str) -> String {
    match serde_json::from_str(text) {
        Ok(Value::String(text)) => text,
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_so_far_apart_and_no_further() {
        let tolerance = Tolerance::Number(0.01);
        for (a, b, expected) in [
            ("1.5", "1.51", true),
            ("1.5", "1.52", false),
            ("1", "1.0", true),
            ("-0.005", "0.005", true),
            ("\"1.5\"", "\"1.51\"", true),
            ("1.5", "\"1.5\"", false),
            ("null", "0", false),
            ("(absent)", "0", false),
            ("NaN", "NaN", false),
        ] {
            assert_eq!(tolerance.allows(a, b), expected, "{a} and {b}");
        }
    }

    #[test]
    fn times_may_be_so_far_apart_in_the_same_form() {
        let tolerance = Tolerance::Time(Duration::from_secs(2));
        for (a, b, expected) in [
            ("\"2026-01-02T03:04:05Z\"", "\"2026-01-02T03:04:07Z\"", true),
            ("\"2026-01-02T03:04:05Z\"", "\"2026-01-02T03:04:08Z\"", false),
            ("\"2026-01-02T03:04:05Z\"", "\"2026-01-02T03:04:05+00:00\"", false),
            ("Thu, 26 Nov 2026 20:00:00 GMT", "Thu, 26 Nov 2026 20:00:02 GMT", true),
            ("1767323045", "1767323046", true),
            ("\"today\"", "\"today\"", false),
        ] {
            assert_eq!(tolerance.allows(a, b), expected, "{a} and {b}");
        }
    }
}

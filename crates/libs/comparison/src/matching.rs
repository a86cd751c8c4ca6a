//! Values that a service generates: which of the candidate stands for which of the reference.

use std::collections::HashMap;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use regex::Regex;
use serde_json::{Map, Value};

/// How far apart the expiry of two tokens may be, in seconds: they are not made at the same instant.
const TOKEN_TOLERANCE: i64 = 10;

/// Which generated value of the candidate stands for which of the reference.
///
/// Values that have a format of their own (UUIDs, timestamps, JWTs) are found in the answers; others
/// have to be [captured](Pairs::capture).
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    forward: HashMap<String, String>,
    backward: HashMap<String, String>,
    /// Pairs without a format to recognise them by: numbers, names, keys.
    captured: HashMap<String, String>,
}

impl Pairs {
    /// Makes one value stand for the other, wherever it is a word of its own, from now on.
    ///
    /// Has no effect on equal values and on those that are recognised by their format.
    pub fn capture(&mut self, reference: &str, candidate: &str) {
        if reference != candidate && !GENERATED.is_match(reference) {
            self.captured.insert(reference.to_owned(), candidate.to_owned());
        }
    }

    fn matches(&mut self, reference: &str, candidate: &str) -> bool {
        let known = self.forward.get(reference).map(String::as_str);
        let known_back = self.backward.get(candidate).map(String::as_str);
        if known.is_none() && known_back.is_none() {
            self.forward.insert(reference.to_owned(), candidate.to_owned());
            self.backward.insert(candidate.to_owned(), reference.to_owned());
            return true;
        }
        known == Some(candidate) && known_back == Some(reference)
    }
}

/// JWTs, UUIDs and timestamps, in the formats in which services write them.
static GENERATED: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, which a test compiles")]
    Regex::new(
        r"(?x)
        eyJ[\w-]+\.[\w-]+\.[\w-]+
        | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}
        | \d{4}-\d\d-\d\d[T\ ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?",
    )
    .expect("the pattern is valid")
});

/// Everything that can be captured, and what is recognised by its format.
static WORD: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, which a test compiles")]
    Regex::new(&format!(r"(?x) {} | [\w-]+", GENERATED.as_str().replace("(?x)", "")))
        .expect("the pattern is valid")
});

/// Whether two texts are equal but for generated values that match.
pub(crate) fn same_text(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    if reference == candidate {
        return true;
    }
    let pattern = if pairs.captured.is_empty() { &GENERATED } else { &WORD };
    let literals = |text| pattern.split(text).collect::<Vec<_>>();
    if literals(reference) != literals(candidate) {
        return false;
    }
    let values = |text| pattern.find_iter(text).map(|found| found.as_str()).collect::<Vec<_>>();
    values(reference).into_iter().zip(values(candidate)).all(|(a, b)| {
        if GENERATED.find(a).is_some_and(|found| found.len() == a.len()) {
            same_generated(a, b, pairs)
        } else {
            a == b || pairs.captured.get(a).is_some_and(|known| known == b)
        }
    })
}

fn same_generated(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    if reference.starts_with("eyJ") {
        return same_token(reference, candidate, pairs);
    }
    // The format must be the same: digits may differ, nothing else.
    let format = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_hexdigit() { '0' } else { c }).collect()
    };
    format(reference) == format(candidate) && pairs.matches(reference, candidate)
}

/// Two tokens are the same if their headers are, and their claims but for the instant.
fn same_token(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    let parts = |token: &str| {
        let mut parts = token.split('.');
        let header = parts.next()?.to_owned();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        let claims: Map<String, Value> = serde_json::from_slice(&claims).ok()?;
        Some((header, claims, parts.next()?.len()))
    };
    let (Some((header, claims, signature)), Some((other_header, other_claims, other_signature))) =
        (parts(reference), parts(candidate))
    else {
        return false;
    };
    header == other_header
        && signature == other_signature
        && claims.keys().eq(other_claims.keys())
        && claims.values().zip(other_claims.values()).all(|(a, b)| match (a, b) {
            (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
                (Some(a), Some(b)) => (a - b).abs() <= TOKEN_TOLERANCE,
                _ => false,
            },
            (Value::String(a), Value::String(b)) => same_text(a, b, pairs),
            (a, b) => a == b,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "00000000-0000-4000-8000-00000000000a";
    const B: &str = "00000000-0000-4000-8000-00000000000b";
    const C: &str = "00000000-0000-4000-8000-00000000000c";

    #[test]
    fn ids_are_matched_and_not_ignored() {
        let mut pairs = Pairs::default();
        assert!(same_text(&format!("[{A}]"), &format!("[{B}]"), &mut pairs));
        assert!(same_text(&format!("{{{A}}}"), &format!("{{{B}}}"), &mut pairs));
        assert!(!same_text(A, C, &mut pairs), "A stands for B already");
        assert!(!same_text(C, B, &mut pairs), "B stands for A already");
    }

    #[test]
    fn the_form_of_a_time_counts() {
        let mut pairs = Pairs::default();
        let same = |a, b, pairs: &mut Pairs| same_text(a, b, pairs);
        assert!(same("2026-01-02T03:04:05.000001Z", "2026-01-02T03:04:06.123456Z", &mut pairs));
        assert!(!same("2026-01-02T03:04:07.123Z", "2026-01-02T03:04:07.123456Z", &mut pairs));
        assert!(!same("2026-01-02T03:04:08Z", "2026-01-02T03:04:08+00:00", &mut pairs));
    }
}

//! What makes two answers the same.
//!
//! Status, every header but those of the connection itself, and every byte of the body must be
//! equal. Values that each service makes up (ids, tokens, points in time) are matched: the one that
//! stands for another must do so wherever it occurs, in both directions. Nothing is ignored.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Headers that belong to the connection or the moment, not to the answer.
const UNCOMPARED_HEADERS: [&str; 5] =
    ["connection", "date", "keep-alive", "server", "transfer-encoding"];

/// How far apart the expiry of two tokens may be, in seconds: they are not made at the same instant.
const TOKEN_TOLERANCE: i64 = 10;

/// An answer as it came.
#[derive(Clone, Debug, Serialize)]
pub struct Answer {
    pub status: u16,
    pub headers: BTreeMap<String, Vec<String>>,
    #[serde(serialize_with = "as_text")]
    pub body: Vec<u8>,
}

fn as_text<S: serde::Serializer>(body: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(body))
}

/// One thing in which two answers differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// `status`, `header <name>`, `body.<path>` or `body, byte <offset>`.
    pub place: String,
    pub reference: String,
    pub candidate: String,
}

/// Which made-up value of the candidate stands for which of the reference.
#[derive(Debug, Default)]
pub struct Pairs {
    forward: HashMap<String, String>,
    backward: HashMap<String, String>,
}

impl Pairs {
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

/// Compares two answers; `unordered` compares bodies as JSON values.
pub fn compare(
    reference: &Answer,
    candidate: &Answer,
    unordered: bool,
    pairs: &mut Pairs,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut differ = |place: String, reference: String, candidate: String| {
        differences.push(Difference { place, reference, candidate });
    };
    if reference.status != candidate.status {
        differ("status".into(), reference.status.to_string(), candidate.status.to_string());
    }
    let names: std::collections::BTreeSet<_> =
        reference.headers.keys().chain(candidate.headers.keys()).collect();
    for name in names {
        let skip =
            UNCOMPARED_HEADERS.contains(&name.as_str()) || (unordered && name == "content-length");
        let value = |answer: &Answer| answer.headers.get(name).map(|values| values.join(" | "));
        match (value(reference), value(candidate)) {
            _ if skip => {}
            (Some(a), Some(b)) if same_text(&a, &b, pairs) => {}
            (a, b) => {
                let absent = || "(absent)".to_owned();
                let (a, b) = (a.unwrap_or_else(absent), b.unwrap_or_else(absent));
                differ(format!("header {name}"), a, b);
            }
        }
    }
    if !same_body(&reference.body, &candidate.body, unordered, pairs) {
        differences.extend(crate::diff::bodies(&reference.body, &candidate.body, pairs));
    }
    differences
}

fn same_body(reference: &[u8], candidate: &[u8], unordered: bool, pairs: &mut Pairs) -> bool {
    if unordered {
        let parse = |body| serde_json::from_slice::<Value>(body).ok();
        return parse(reference).is_some_and(|value| parse(candidate) == Some(value));
    }
    reference == candidate
        || match (std::str::from_utf8(reference), std::str::from_utf8(candidate)) {
            (Ok(reference), Ok(candidate)) => same_text(reference, candidate, pairs),
            _ => false,
        }
}

/// Tokens, ids and points in time, in the forms in which services write them.
static MADE_UP: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, which a test compiles")]
    Regex::new(
        r"(?x)
        eyJ[\w-]+\.[\w-]+\.[\w-]+
        | [0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}
        | \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)",
    )
    .expect("the pattern is valid")
});

/// Whether two texts are equal but for made-up values that match.
pub(crate) fn same_text(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    if reference == candidate {
        return true;
    }
    let literals = |text| MADE_UP.split(text).collect::<Vec<_>>();
    if literals(reference) != literals(candidate) {
        return false;
    }
    let values = |text| MADE_UP.find_iter(text).map(|found| found.as_str()).collect::<Vec<_>>();
    values(reference).into_iter().zip(values(candidate)).all(|(a, b)| same_made_up(a, b, pairs))
}

fn same_made_up(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    if reference.starts_with("eyJ") {
        return same_token(reference, candidate, pairs);
    }
    // The form must be the same: digits may differ, nothing else.
    let form = |text: &str| -> String {
        text.chars().map(|c| if c.is_ascii_hexdigit() { '0' } else { c }).collect()
    };
    form(reference) == form(candidate) && pairs.matches(reference, candidate)
}

/// Two tokens are the same if their headers are, and their claims but for the instant.
fn same_token(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    let parts = |token: &str| {
        let mut parts = token.split('.');
        let header = parts.next()?.to_owned();
        let claims = BASE64_URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        let claims: serde_json::Map<String, Value> = serde_json::from_slice(&claims).ok()?;
        Some((header, claims))
    };
    let (Some((header, claims)), Some((other_header, other_claims))) =
        (parts(reference), parts(candidate))
    else {
        return false;
    };
    header == other_header
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

    #[test]
    fn everything_else_must_be_equal() {
        let answer = |body: &str| Answer {
            status: 200,
            headers: BTreeMap::from([("vary".to_owned(), vec!["Origin".to_owned()])]),
            body: body.as_bytes().to_vec(),
        };
        let mut pairs = Pairs::default();
        let same =
            |a: &Answer, b: &Answer, pairs: &mut Pairs| compare(a, b, false, pairs).is_empty();
        assert!(same(&answer(r#"{"a":1}"#), &answer(r#"{"a":1}"#), &mut pairs));
        assert!(!same(&answer(r#"{"a":1}"#), &answer(r#"{"a":1.0}"#), &mut pairs));
        assert!(!same(&answer(r#"{"a":1,"b":2}"#), &answer(r#"{"b":2,"a":1}"#), &mut pairs));
        let other = Answer { headers: BTreeMap::new(), ..answer("") };
        assert_eq!(compare(&answer(""), &other, false, &mut pairs)[0].place, "header vary");
    }
}

//! What makes two answers the same.
//!
//! Status, every header but those of the connection itself, and every byte of the body must be
//! equal. Values that each service makes up (UUIDs, tokens, points in time, and whatever a case
//! captures) are matched: the one that stands for another must do so wherever it occurs, in both
//! directions. Nothing is ignored.

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
#[derive(Clone, Debug, Default)]
pub struct Pairs {
    forward: HashMap<String, String>,
    backward: HashMap<String, String>,
    /// Pairs that have no form by which they could be known: numbers, names, keys.
    captured: HashMap<String, String>,
}

impl Pairs {
    /// From now on the one value stands for the other, wherever it is a word of its own.
    pub fn capture(&mut self, reference: &str, candidate: &str) {
        if reference != candidate && !MADE_UP.is_match(reference) {
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
    let same_body = same_body(&reference.body, &candidate.body, unordered, pairs);
    // Bodies that are the same but for values that match may have lengths of their own.
    let uncompared_length =
        unordered || (same_body && tells_its_length(reference) && tells_its_length(candidate));
    let names: std::collections::BTreeSet<_> =
        reference.headers.keys().chain(candidate.headers.keys()).collect();
    for name in names {
        let skip = UNCOMPARED_HEADERS.contains(&name.as_str())
            || (uncompared_length && name == "content-length");
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
    if !same_body {
        differences.extend(crate::diff::bodies(&reference.body, &candidate.body, pairs));
    }
    differences
}

/// Whether `Content-Length` is the length of the body, which it need not be for HEAD.
fn tells_its_length(answer: &Answer) -> bool {
    let said = answer.headers.get("content-length").and_then(|values| values.first());
    said.is_some_and(|length| length.parse() == Ok(answer.body.len()))
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
        | \d{4}-\d\d-\d\d[T\ ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?",
    )
    .expect("the pattern is valid")
});

/// Everything that can be captured, beside what can be known by its form.
static WORD: LazyLock<Regex> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the pattern is a constant, which a test compiles")]
    Regex::new(&format!(r"(?x) {} | [\w-]+", MADE_UP.as_str().replace("(?x)", "")))
        .expect("the pattern is valid")
});

/// Whether two texts are equal but for made-up values that match.
pub(crate) fn same_text(reference: &str, candidate: &str, pairs: &mut Pairs) -> bool {
    if reference == candidate {
        return true;
    }
    let pattern = if pairs.captured.is_empty() { &MADE_UP } else { &WORD };
    let literals = |text| pattern.split(text).collect::<Vec<_>>();
    if literals(reference) != literals(candidate) {
        return false;
    }
    let values = |text| pattern.find_iter(text).map(|found| found.as_str()).collect::<Vec<_>>();
    values(reference).into_iter().zip(values(candidate)).all(|(a, b)| {
        if MADE_UP.find(a).is_some_and(|found| found.len() == a.len()) {
            same_made_up(a, b, pairs)
        } else {
            a == b || pairs.captured.get(a).is_some_and(|known| known == b)
        }
    })
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
    fn what_a_case_captures_is_matched() {
        let answer = |body: &str| Answer {
            status: 200,
            headers: BTreeMap::from([("content-length".into(), vec![body.len().to_string()])]),
            body: body.as_bytes().to_vec(),
        };
        let mut pairs = Pairs::default();
        pairs.capture("9", "10");
        let mut same = |a, b| compare(&answer(a), &answer(b), false, &mut pairs).is_empty();
        assert!(same(r#"{"id":9,"count":1}"#, r#"{"id":10,"count":1}"#));
        assert!(!same(r#"{"id":9,"count":1}"#, r#"{"id":10,"count":2}"#));
        assert!(!same(r#"{"id":9}"#, r#"{"id":11}"#), "9 stands for 10");
        assert!(!same(r#"{"id":9}"#, r#"{"id": 10}"#), "the rest counts as ever");
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

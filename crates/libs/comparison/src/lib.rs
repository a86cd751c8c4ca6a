#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

#[doc(hidden)]
#[path = "fuzzing.rs"]
pub mod __fuzzing;
mod answer;
mod json;
mod matching;
pub mod openapi;
mod order;
mod time;
mod tolerance;

use std::collections::BTreeSet;

use serde_json::Value;

pub use crate::answer::{Answer, Difference};
pub use crate::matching::Pairs;
use crate::matching::{same_cookie, same_text};
pub use crate::order::compare_in_any_order;
pub use crate::tolerance::Tolerance;

/// Headers that belong to the connection or the moment, not to the answer.
const UNCOMPARED_HEADERS: [&str; 5] =
    ["connection", "date", "keep-alive", "server", "transfer-encoding"];

/// Compares two answers and returns their differences, none if they are the same.
///
/// `unordered` compares the bodies as JSON values, regardless of white space and the order of keys;
/// bodies that are not JSON then differ. `pairs` holds the generated values matched so far and takes
/// the new ones: pass the same value for a whole run, or an empty one to compare in isolation.
pub fn compare(
    reference: &Answer,
    candidate: &Answer,
    unordered: bool,
    pairs: &mut Pairs,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    let mut differ = |path: String, reference: String, candidate: String| {
        differences.push(Difference { path, reference, candidate });
    };
    if reference.status != candidate.status {
        differ("status".into(), reference.status.to_string(), candidate.status.to_string());
    }
    let same_body = same_body(&reference.body, &candidate.body, unordered, pairs);
    // Bodies that are the same but for values that match may have lengths of their own.
    let uncompared_length = unordered
        || (same_body && declares_its_length(reference) && declares_its_length(candidate));
    let names: BTreeSet<_> = reference.headers.keys().chain(candidate.headers.keys()).collect();
    for name in names {
        let skip = UNCOMPARED_HEADERS.contains(&name.as_str())
            || (uncompared_length && name == "content-length");
        let values = |answer: &Answer| answer.headers.get(name).cloned();
        match (values(reference), values(candidate)) {
            _ if skip => {}
            (Some(a), Some(b))
                if a.len() == b.len()
                    && a.iter().zip(&b).all(|(a, b)| {
                        same_text(a, b, pairs) || name == "set-cookie" && same_cookie(a, b, pairs)
                    }) => {}
            (a, b) => {
                let show = |values: Option<Vec<String>>| match values {
                    Some(values) if values.len() > 1 => {
                        format!("{} ({} lines)", values.join(" | "), values.len())
                    }
                    Some(values) => values.join(" | "),
                    None => "(absent)".to_owned(),
                };
                differ(format!("header {name}"), show(a), show(b));
            }
        }
    }
    if !same_body {
        differences.extend(json::bodies(&reference.body, &candidate.body, pairs));
    }
    differences
}

/// Whether `Content-Length` is the length of the body, which it need not be for HEAD.
fn declares_its_length(answer: &Answer) -> bool {
    let length = answer.headers.get("content-length").and_then(|values| values.first());
    length.is_some_and(|length| length.parse() == Ok(answer.body.len()))
}

fn same_body(reference: &[u8], candidate: &[u8], unordered: bool, pairs: &mut Pairs) -> bool {
    if unordered {
        let parse = |body| serde_json::from_slice::<Value>(body).ok();
        let (Some(reference), Some(candidate)) = (parse(reference), parse(candidate)) else {
            return false;
        };
        return same_text(&sorted(reference), &sorted(candidate), pairs);
    }
    match (std::str::from_utf8(reference), std::str::from_utf8(candidate)) {
        (Ok(reference), Ok(candidate)) => same_text(reference, candidate, pairs),
        _ => reference == candidate,
    }
}

/// A JSON value as a text in which keys have an order.
fn sorted(mut value: Value) -> String {
    value.sort_all_objects();
    value.to_string()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn answer(body: &str, header: &str, value: String) -> Answer {
        Answer {
            status: 200,
            headers: BTreeMap::from([(header.to_owned(), vec![value])]),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn captured_values_are_matched() {
        let answer = |body: &str| answer(body, "content-length", body.len().to_string());
        let mut pairs = Pairs::default();
        pairs.capture("id", "9", "10");
        let mut same = |a, b| compare(&answer(a), &answer(b), false, &mut pairs).is_empty();
        assert!(same(r#"{"id":9,"count":1}"#, r#"{"id":10,"count":1}"#));
        assert!(!same(r#"{"id":9,"count":1}"#, r#"{"id":10,"count":2}"#));
        assert!(!same(r#"{"id":9}"#, r#"{"id":11}"#), "9 stands for 10");
        assert!(!same(r#"{"id":9}"#, r#"{"id": 10}"#), "white space is compared as ever");
    }

    #[test]
    fn two_lines_of_a_header_are_not_one() {
        let lines = |values: &[&str]| Answer {
            headers: BTreeMap::from([(
                "x-a".to_owned(),
                values.iter().map(|value| (*value).to_owned()).collect(),
            )]),
            ..answer("", "vary", String::new())
        };
        let mut pairs = Pairs::default();
        assert!(compare(&lines(&["1", "2"]), &lines(&["1", "2"]), false, &mut pairs).is_empty());
        assert!(!compare(&lines(&["1", "2"]), &lines(&["1 | 2"]), false, &mut pairs).is_empty());
    }

    /// Both services have the same rows; the result does not depend on what is read first.
    #[test]
    fn a_wrong_row_is_found_whichever_comes_first() {
        let (a, b) =
            ("aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002");
        let users = format!(r#"[{{"id":"{a}"}},{{"id":"{b}"}}]"#);
        let order = |owner: &str| format!(r#"{{"owner":"{owner}"}}"#);
        let exchanges = [(users.clone(), users), (order(a), order(b)), (order(b), order(a))];
        for first in 0..exchanges.len() {
            let mut pairs = Pairs::default();
            let mut different = 0;
            for index in 0..exchanges.len() {
                let (old, new) = &exchanges[(first + index) % exchanges.len()];
                let body = |text: &str| answer(text, "vary", String::new());
                different +=
                    usize::from(!compare(&body(old), &body(new), false, &mut pairs).is_empty());
            }
            assert!(different > 0, "beginning with {first}");
        }
    }

    #[test]
    fn everything_else_must_be_equal() {
        let answer = |body: &str| answer(body, "vary", "Origin".into());
        let mut pairs = Pairs::default();
        let same =
            |a: &Answer, b: &Answer, pairs: &mut Pairs| compare(a, b, false, pairs).is_empty();
        assert!(same(&answer(r#"{"a":1}"#), &answer(r#"{"a":1}"#), &mut pairs));
        assert!(!same(&answer(r#"{"a":1}"#), &answer(r#"{"a":1.0}"#), &mut pairs));
        assert!(!same(&answer(r#"{"a":1,"b":2}"#), &answer(r#"{"b":2,"a":1}"#), &mut pairs));
        let other = Answer { headers: BTreeMap::new(), ..answer("") };
        assert_eq!(compare(&answer(""), &other, false, &mut pairs)[0].path, "header vary");
    }

    #[test]
    fn unordered_bodies_are_compared_as_values() {
        let answer = |body: &str| answer(body, "content-length", body.len().to_string());
        let same = |a, b| compare(&answer(a), &answer(b), true, &mut Pairs::default()).is_empty();
        assert!(same(r#"{"a":1,"b":2}"#, r#"{ "b": 2, "a": 1 }"#));
        assert!(!same(r#"{"a":1}"#, r#"{"a":2}"#));
        assert!(!same("no JSON", "no JSON"));
        let (a, b) =
            ("aaaaaaaa-0000-4000-8000-000000000001", "bbbbbbbb-0000-4000-8000-000000000002");
        let body = |id: &str| format!(r#"{{"id":"{id}"}}"#);
        assert!(same(&body(a), &body(b)), "ids are matched");
    }
}

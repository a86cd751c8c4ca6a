//! Lists whose order says nothing.

use serde_json::Value;

use crate::answer::{Answer, Difference};
use crate::json::values;
use crate::matching::Pairs;

/// Compares two answers, ignoring the order of the lists at the paths for which `is_unordered` returns
/// true. Paths are those of differences: `body.items`, `body[0].tags`.
///
/// Each item of the reference's list must have one of the candidate's that is the same but for
/// generated values that match. Where a list had another order, the bodies are compared as JSON with
/// their keys in order, without white space; else byte by byte as [`compare`](crate::compare) does.
pub fn compare_in_any_order(
    reference: &Answer,
    candidate: &Answer,
    is_unordered: &dyn Fn(&str) -> bool,
    pairs: &mut Pairs,
) -> Vec<Difference> {
    let parse = |answer: &Answer| serde_json::from_slice::<Value>(&answer.body).ok();
    let (Some(a), Some(b)) = (parse(reference), parse(candidate)) else {
        return crate::compare(reference, candidate, false, pairs);
    };
    let ordered = in_order_of("body", &a, &b, is_unordered, &mut pairs.clone());
    if ordered == b {
        return crate::compare(reference, candidate, false, pairs);
    }
    crate::compare(&with_body(reference, &a), &with_body(candidate, &ordered), false, pairs)
}

/// The answer with a body, and its length where it declared that of its own.
fn with_body(answer: &Answer, body: &Value) -> Answer {
    let mut answer = answer.clone();
    let declares = crate::declares_its_length(&answer);
    answer.body = body.to_string().into_bytes();
    if declares {
        let length = answer.body.len().to_string();
        answer.headers.insert("content-length".to_owned(), vec![length]);
    }
    answer
}

/// The candidate's value with the items of its lists in the order of the reference's.
fn in_order_of(
    path: &str,
    reference: &Value,
    candidate: &Value,
    is_unordered: &dyn Fn(&str) -> bool,
    pairs: &mut Pairs,
) -> Value {
    match (reference, candidate) {
        (Value::Object(a), Value::Object(b)) => {
            let field = |(key, value): (&String, &Value)| {
                let value = match a.get(key) {
                    Some(a) => in_order_of(&format!("{path}.{key}"), a, value, is_unordered, pairs),
                    None => value.clone(),
                };
                (key.clone(), value)
            };
            Value::Object(b.iter().map(field).collect())
        }
        (Value::Array(a), Value::Array(b)) if is_unordered(path) => {
            let mut left: Vec<&Value> = b.iter().collect();
            let mut ordered: Vec<Option<Value>> = Vec::new();
            for (index, a) in a.iter().enumerate() {
                let path = format!("{path}[{index}]");
                let found = left.iter().enumerate().find_map(|(at, b)| {
                    let mut tried = pairs.clone();
                    let b = in_order_of(&path, a, b, is_unordered, &mut tried);
                    let mut differences = Vec::new();
                    values(&path, a, &b, &mut tried, &mut differences);
                    differences.is_empty().then_some((at, b, tried))
                });
                ordered.push(found.map(|(at, item, tried)| {
                    left.remove(at);
                    *pairs = tried;
                    item
                }));
            }
            // What has no counterpart takes the positions that are left.
            let mut left = left.into_iter().cloned();
            let mut items: Vec<Value> =
                ordered.into_iter().filter_map(|item| item.or_else(|| left.next())).collect();
            items.extend(left);
            Value::Array(items)
        }
        (Value::Array(a), Value::Array(b)) => {
            let item = |(index, b): (usize, &Value)| match a.get(index) {
                Some(a) => in_order_of(&format!("{path}[{index}]"), a, b, is_unordered, pairs),
                None => b.clone(),
            };
            Value::Array(b.iter().enumerate().map(item).collect())
        }
        (_, b) => b.clone(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn answer(body: &str) -> Answer {
        let length = ("content-length".to_owned(), vec![body.len().to_string()]);
        Answer { status: 200, headers: BTreeMap::from([length]), body: body.as_bytes().to_vec() }
    }

    fn paths(reference: &str, candidate: &str, lists: &[&str]) -> Vec<String> {
        let is_unordered = |path: &str| lists.contains(&path);
        let (a, b) = (answer(reference), answer(candidate));
        let differences = compare_in_any_order(&a, &b, &is_unordered, &mut Pairs::default());
        differences.into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn only_the_lists_named_may_have_another_order() {
        let (a, b) = (r#"{"a":[1,2],"b":[3,4]}"#, r#"{"a":[2,1],"b":[4,3]}"#);
        assert_eq!(paths(a, b, &["body.a", "body.b"]), [""; 0]);
        assert_eq!(paths(a, b, &["body.a"]), ["body.b[0]", "body.b[1]"]);
        assert_eq!(paths(a, b, &[]).len(), 4);
    }

    #[test]
    fn every_item_must_be_there_as_often() {
        assert_eq!(paths("[1,1,2]", "[2,1,1]", &["body"]), [""; 0]);
        assert_eq!(paths("[1,1,2]", "[2,2,1]", &["body"]), ["body[1]"]);
        assert_eq!(paths("[1,2]", "[2,1,3]", &["body"]), ["header content-length", "body"]);
        assert_eq!(paths("[[1,2],[3]]", "[[3],[2,1]]", &["body", "body[0]"]), [""; 0]);
    }

    #[test]
    fn generated_values_are_matched_whatever_their_order() {
        let id = |n: usize| format!("00000000-0000-4000-8000-{n:012}");
        let body = |rows: &[(usize, &str)]| {
            let rows: Vec<_> = rows
                .iter()
                .map(|(n, name)| format!(r#"{{"id":"{}","name":"{name}"}}"#, id(*n)))
                .collect();
            format!("[{}]", rows.join(","))
        };
        let is_unordered = |path: &str| path == "body";
        let mut pairs = Pairs::default();
        let mut same = |a: &str, b: &str| {
            compare_in_any_order(&answer(a), &answer(b), &is_unordered, &mut pairs).is_empty()
        };
        assert!(same(&body(&[(1, "a"), (2, "b")]), &body(&[(12, "b"), (11, "a")])));
        assert!(same(&body(&[(2, "b"), (1, "a")]), &body(&[(12, "b"), (11, "a")])));
        assert!(!same(&body(&[(2, "b"), (1, "a")]), &body(&[(11, "b"), (12, "a")])), "swapped ids");
    }
}

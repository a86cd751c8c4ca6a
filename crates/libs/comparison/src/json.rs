//! The paths at which two JSON bodies differ.

use serde_json::{Map, Value};

use crate::answer::Difference;
use crate::matching::{Pairs, same_text};

/// How many characters of a value a difference shows.
const SHOWN: usize = 120;

/// The differences between two bodies that are not the same; if one of them is not JSON, the bytes
/// around the first that differs.
pub(crate) fn bodies(reference: &[u8], candidate: &[u8], pairs: &mut Pairs) -> Vec<Difference> {
    let parse = |body| serde_json::from_slice::<Value>(body).ok();
    let mut differences = Vec::new();
    if let (Some(reference), Some(candidate)) = (parse(reference), parse(candidate)) {
        values("body", &reference, &candidate, pairs, &mut differences);
    }
    if differences.is_empty() {
        differences.push(bytes(reference, candidate));
    }
    differences
}

fn differ(path: &str, reference: String, candidate: String, differences: &mut Vec<Difference>) {
    differences.push(Difference { path: path.to_owned(), reference, candidate });
}

pub(crate) fn values(
    path: &str,
    reference: &Value,
    candidate: &Value,
    pairs: &mut Pairs,
    differences: &mut Vec<Difference>,
) {
    match (reference, candidate) {
        (Value::Object(a), Value::Object(b)) => objects(path, a, b, pairs, differences),
        (Value::Array(a), Value::Array(b)) => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                values(&format!("{path}[{index}]"), a, b, pairs, differences);
            }
            if a.len() != b.len() {
                let items = |list: &[Value]| format!("{} items", list.len());
                differ(path, items(a), items(b), differences);
            }
        }
        (Value::String(a), Value::String(b)) if same_text(a, b, pairs) => {}
        (a, b) if a == b => {}
        (Value::Number(a), Value::Number(b))
            if same_text(&a.to_string(), &b.to_string(), pairs) => {}
        (a, b) => differ(path, shown(a), shown(b), differences),
    }
}

fn objects(
    path: &str,
    reference: &Map<String, Value>,
    candidate: &Map<String, Value>,
    pairs: &mut Pairs,
    differences: &mut Vec<Difference>,
) {
    let absent = || "(absent)".to_owned();
    for (key, a) in reference {
        let path = format!("{path}.{key}");
        match candidate.get(key) {
            Some(b) => values(&path, a, b, pairs, differences),
            None => differ(&path, shown(a), absent(), differences),
        }
    }
    for (key, b) in candidate.iter().filter(|(key, _)| !reference.contains_key(*key)) {
        differ(&format!("{path}.{key}"), absent(), shown(b), differences);
    }
    if reference.len() == candidate.len()
        && !reference.keys().eq(candidate.keys())
        && reference.keys().all(|key| candidate.contains_key(key))
    {
        let keys = |object: &Map<String, Value>| {
            object.keys().map(String::as_str).collect::<Vec<_>>().join(", ")
        };
        differ(&format!("{path} (order of keys)"), keys(reference), keys(candidate), differences);
    }
}

fn shown(value: &Value) -> String {
    shortened(&value.to_string())
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}… ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}

/// The surroundings of the first byte that differs.
fn bytes(reference: &[u8], candidate: &[u8]) -> Difference {
    let same = reference.iter().zip(candidate).take_while(|(a, b)| a == b).count();
    let start = same.saturating_sub(20);
    let around = |body: &[u8]| {
        if body.is_empty() {
            return "(empty)".to_owned();
        }
        let end = body.len().min(same + SHOWN);
        shortened(&body[start.min(end)..end].escape_ascii().to_string())
    };
    Difference {
        path: format!("body, byte {same}"),
        reference: around(reference),
        candidate: around(candidate),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(reference: &str, candidate: &str) -> Vec<String> {
        let mut pairs = Pairs::default();
        let differences = bodies(reference.as_bytes(), candidate.as_bytes(), &mut pairs);
        differences.into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn a_difference_has_a_path() {
        assert_eq!(paths(r#"{"a":[1,{"b":2}]}"#, r#"{"a":[1,{"b":3}]}"#), ["body.a[1].b"]);
        assert_eq!(paths(r#"{"a":1}"#, r#"{"a":1.0}"#), ["body.a"]);
        assert_eq!(paths(r#"{"a":null}"#, "{}"), ["body.a"]);
        assert_eq!(paths("[1,2]", "[1]"), ["body"]);
        assert_eq!(paths(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#), ["body (order of keys)"]);
    }

    /// Looking for each key in a list of the other's takes longer than any test may.
    #[test]
    fn many_keys_in_another_order_are_compared_at_once() {
        let object = |order: &mut dyn Iterator<Item = u32>| {
            let fields: Vec<_> = order.map(|key| format!("\"{key:040}\":0")).collect();
            format!("{{{}}}", fields.join(","))
        };
        let (a, b) = (object(&mut (0..200_000)), object(&mut (0..200_000).rev()));
        assert_eq!(paths(&a, &b), ["body (order of keys)"]);
    }

    #[test]
    fn the_same_value_in_other_bytes_is_shown_where_it_begins() {
        assert_eq!(paths(r#"{"a":"é"}"#, r#"{"a":"\u00e9"}"#), ["body, byte 6"]);
        assert_eq!(paths(r#"{"a":1}"#, r#"{"a": 1}"#), ["body, byte 5"]);
        assert_eq!(paths("not found", "{}"), ["body, byte 0"]);
    }
}

//! Whole numbers beyond 64 bits, which JSON allows and a parsed value rounds.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

/// Where the document has its large numbers: their digits by the pointer to each.
pub(super) const KEY: &str = "x-exact-numbers";
/// With fewer digits a number has 64 bits.
const MANY_DIGITS: usize = 19;

/// The large whole numbers of a text in JSON, by their pointers below `base`.
pub(super) fn large(text: &str, base: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let is_long = |run: &[u8]| run.len() >= MANY_DIGITS && run[0].is_ascii_digit();
    // Few documents have any, and those few are read a second time.
    if text.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()).any(is_long) {
        look(text, &mut base.to_owned(), &mut found);
    }
    found
}

fn look(text: &str, pointer: &mut String, found: &mut BTreeMap<String, Value>) {
    let length = pointer.len();
    let mut within = |key: &str, value: &RawValue| {
        pointer.push('/');
        pointer.push_str(key);
        look(value.get(), pointer, found);
        pointer.truncate(length);
    };
    let text = text.trim();
    match text.as_bytes().first() {
        Some(b'{') => {
            let fields: BTreeMap<String, &RawValue> =
                serde_json::from_str(text).unwrap_or_default();
            for (key, value) in fields {
                within(&key.replace('~', "~0").replace('/', "~1"), value);
            }
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            for (index, value) in items.into_iter().enumerate() {
                within(&index.to_string(), value);
            }
        }
        Some(b'-' | b'0'..=b'9') => {
            let is_whole = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
            if is_whole && text.parse::<i64>().is_err() && text.parse::<u64>().is_err() {
                found.insert(pointer.clone(), text.into());
            }
        }
        _ => {}
    }
}

/// The large numbers of a document, as its digits by the address of each.
pub(super) fn digits(document: &Value) -> BTreeMap<usize, &str> {
    let pairs = document[KEY].as_object().into_iter().flatten();
    let pairs = pairs.filter_map(|(pointer, digits)| {
        let value = document.pointer(pointer)?;
        Some((std::ptr::from_ref(value).addr(), digits.as_str()?))
    });
    pairs.collect()
}

//! What names of fields imply for their numbers and times.

use serde_json::Value;

use crate::generate::schema::{REFERS_TO, kind};
use crate::openapi::resolve;
use crate::valid::is_valid;

/// How much there is at first of what is taken bit by bit.
const PLENTY: usize = 500;
/// What something costs at first.
const UNEVEN: usize = 1999;

/// Whether a field is called as the end of what something is good for (`expires_at`, `valid_until`).
pub(super) fn is_to_come(name: &str) -> bool {
    let name = name.to_lowercase();
    name.contains("expir") || name.ends_with("until") || name.ends_with("valid_to")
}

/// Whether a field has the quantity that is taken of something.
pub(super) fn is_share(name: &str) -> bool {
    ["quantity", "qty", "units", "seats", "tickets", "guests", "persons", "party_size"]
        .contains(&name.to_lowercase().as_str())
}

/// The first number of a field with how much there is of something, or what it costs: enough of the
/// one, and of the other what does not come out even.
pub(super) fn usual(name: &str) -> Option<usize> {
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if has(&["stock", "inventory", "capacity", "on_hand"]) {
        return Some(PLENTY);
    }
    has(&["price", "cents", "cost"]).then_some(UNEVEN)
}

/// The smallest whole number that a schema allows and that is more than none; none if it is of no number.
pub(in crate::generate) fn least(document: &Value, schema: &Value) -> Option<Value> {
    let schema = resolve(document, schema);
    let choices = ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()).flatten();
    let of = choices.chain([schema]).find(|choice| kind(choice) == "integer")?;
    if of.get("enum").is_some() || schema.get(REFERS_TO).is_some() || of.get(REFERS_TO).is_some() {
        return None;
    }
    let least = of["minimum"].as_i64().or_else(|| of["exclusiveMinimum"].as_i64().map(|n| n + 1));
    let step = of["multipleOf"].as_i64().filter(|step| *step > 0).unwrap_or(1);
    let value = Value::from(least.unwrap_or(step).max(step));
    is_valid(document, of, &value).then_some(value)
}

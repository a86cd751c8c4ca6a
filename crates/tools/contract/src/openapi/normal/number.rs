//! Numbers and values as JSON Schema means them: `1` and `1.0` are one number, keys have no order.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Orders numbers by value, whole numbers exactly.
pub(in crate::openapi) fn order(a: &Number, b: &Number) -> Ordering {
    match (whole(a), whole(b)) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => float(a).total_cmp(&float(b)),
    }
}

/// The number as a whole one, if it is.
#[expect(clippy::cast_possible_truncation, reason = "within the range of exact whole numbers")]
pub(in crate::openapi) fn whole(number: &Number) -> Option<i128> {
    if let Some(number) = number.as_i64() {
        return Some(number.into());
    }
    if let Some(number) = number.as_u64() {
        return Some(number.into());
    }
    let float = number.as_f64()?;
    (float.fract() == 0.0 && float.abs() < 9.0e15).then_some(float as i128)
}

/// Whether it has no fraction, however large it is.
pub(super) fn is_whole(number: &Number) -> bool {
    whole(number).is_some() || float(number).fract() == 0.0
}

pub(in crate::openapi) fn float(number: &Number) -> f64 {
    number.as_f64().unwrap_or(f64::INFINITY)
}

/// The first whole number from a fraction up or down; none where numbers are not exact.
pub(super) fn beyond(fraction: &Number, up: bool) -> Option<Number> {
    let float = float(fraction);
    let next = if up { float.ceil() } else { float.floor() };
    number(whole(&Number::from_f64(next)?)?)
}

/// A number that is the whole one, as far as JSON's numbers go.
pub(super) fn number(whole: i128) -> Option<Number> {
    i64::try_from(whole).map(Number::from).or_else(|_| u64::try_from(whole).map(Number::from)).ok()
}

/// A text that is the same for equal values: keys sorted, `1.0` as `1`.
pub(in crate::openapi) fn canonical(value: &Value) -> String {
    let mut text = String::new();
    write(value, &mut text);
    text
}

fn write(value: &Value, text: &mut String) {
    match value {
        Value::Number(number) => match whole(number) {
            Some(whole) => text.push_str(&whole.to_string()),
            None => text.push_str(&float(number).to_string()),
        },
        Value::Array(items) => {
            text.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(key, _)| *key);
            text.push('{');
            for (index, (key, value)) in fields.into_iter().enumerate() {
                if index > 0 {
                    text.push(',');
                }
                text.push_str(&Value::from(key.as_str()).to_string());
                text.push(':');
                write(value, text);
            }
            text.push('}');
        }
        other => text.push_str(&other.to_string()),
    }
}

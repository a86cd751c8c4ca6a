//! Numbers for a schema: allowed ones, and those at and beyond its bounds.

use serde_json::{Value, json};

use crate::generate::schema::kind;
use crate::valid::is_valid;

/// The numbers to choose from, at least one.
pub(super) fn valid_numbers(schema: &Value, is_small: bool) -> Vec<Value> {
    let bound = |key: &str| schema[key].as_f64().map(json_number);
    let limits = [bound("minimum"), bound("maximum")].into_iter().flatten();
    let usual: &[Value] = match (kind(schema), is_small) {
        ("integer", true) => &[json!(2), json!(1), json!(3), json!(4)],
        ("integer", false) => &[json!(100), json!(5), json!(1), json!(7), json!(2), json!(0)],
        _ => &[12.5, 7.25, 99.99, 0.5, 2.675, 7.0, 1.005, 99.999, 0.125, 1234.565].map(json_number),
    };
    let mut numbers: Vec<Value> = usual.iter().cloned().chain(limits).collect();
    numbers.retain(|value| is_valid(&Value::Null, schema, value));
    if numbers.is_empty() {
        numbers.push(number(schema));
    }
    numbers
}

/// A number as JSON writes it, without a fraction if it has none.
pub(super) fn json_number(number: f64) -> Value {
    let is_exact = number.abs() < 9e15 && number.fract() == 0.0;
    if is_exact { whole(number).into() } else { number.into() }
}

/// A number that is allowed: the smallest, else the largest below 1, else 1.
pub(super) fn number(schema: &Value) -> Value {
    let bound = |key: &str| schema[key].as_f64();
    let is_whole = kind(schema) == "integer";
    // OpenAPI 3.0 has flags.
    let flag = |key: &str| schema[key] == true;
    let lower =
        bound("exclusiveMinimum").or_else(|| bound("minimum").filter(|_| flag("exclusiveMinimum")));
    let upper =
        bound("exclusiveMaximum").or_else(|| bound("maximum").filter(|_| flag("exclusiveMaximum")));
    let value = match (lower, bound("minimum"), upper.or_else(|| bound("maximum"))) {
        (Some(lower), _, Some(upper)) if !is_whole && lower + 1.0 >= upper => lower.midpoint(upper),
        (Some(lower), ..) => lower.floor() + 1.0,
        (None, Some(lower), _) => {
            if is_whole {
                lower.ceil()
            } else {
                lower
            }
        }
        (None, None, Some(max)) if upper.is_some() && max <= 1.0 => max.ceil() - 1.0,
        (None, None, Some(max)) if max < 1.0 => {
            if is_whole {
                max.floor()
            } else {
                max
            }
        }
        _ => 1.0,
    };
    let value = match bound("multipleOf") {
        Some(step) if step > 0.0 => (value / step).ceil() * step,
        _ => value,
    };
    json_number(value)
}

#[expect(clippy::cast_possible_truncation, reason = "saturates, as is right for a bound")]
fn whole(bound: f64) -> i64 {
    bound as i64
}

pub(super) fn numbers(schema: &Value) -> Vec<(String, Value)> {
    let mut samples: Vec<(String, Value)> = Vec::new();
    let is_whole = kind(schema) == "integer";
    for key in ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"] {
        let Some(bound) = schema[key].as_f64() else { continue };
        for distance in if is_whole { [-1.0, 0.0, 1.0] } else { [-0.01, 0.0, 0.01] } {
            samples.push((format!("at its {key}"), json_number(bound + distance)));
        }
    }
    let right = valid_numbers(schema, true).into_iter().chain(valid_numbers(schema, false));
    samples.extend(right.map(|value| ("a right number".to_owned(), value)));
    let large: [Value; 7] = [
        json!(2_147_483_647_i64),
        json!(2_147_483_648_i64),
        json!(9_007_199_254_740_993_i64),
        json!(i64::MAX),
        json!(-2_147_483_649_i64),
        json!(0.1 + 0.2),
        json!(1e-7),
    ];
    let beyond = json!(9_223_372_036_854_775_808_u64);
    samples.push(("beyond 64 bits".to_owned(), beyond));
    samples.extend(large.map(|value| ("large or precise".to_owned(), value)));
    let others = [
        json!(0),
        json!(-1),
        json!(1.0),
        json!(2.5),
        json!("3"),
        json!(" 3 "),
        json!("3.0"),
        json!("three"),
        json!(""),
    ];
    samples.extend(others.map(|value| ("a number or not".to_owned(), value)));
    samples
}

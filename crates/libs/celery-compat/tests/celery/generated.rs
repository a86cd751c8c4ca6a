//! Arguments that are made up, the same for each seed.

use fastrand::Rng;
use serde_json::{Map, Number, Value, json};

const TEXTS: [&str; 12] = [
    "",
    "a",
    "it's",
    "say \"hi\"",
    "two\nlines",
    "tab\tand\\slash",
    "caf\u{e9}",
    "\u{1f600} smile",
    "\u{2028}",
    "\u{7f}\u{1}",
    "with spaces in between",
    "\u{0}",
];

const FLOATS: [f64; 12] =
    [0.0, -0.0, 1.5, 1e15, 1e16, 1e-4, 1e-5, 1.5e-7, 1e22, 0.1, 123_456.789, 5e-324];

/// A value of JSON, nested up to `depth`.
pub(crate) fn value(rng: &mut Rng, depth: usize) -> Value {
    match rng.u8(0..if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(rng.bool()),
        2 => json!(rng.i64(..)),
        3 => json!(rng.i32(-1000..1000)),
        4 => Value::Number(Number::from_f64(FLOATS[rng.usize(..FLOATS.len())]).unwrap()),
        5 => text(rng),
        6 => (0..rng.usize(..5)).map(|_| value(rng, depth - 1)).collect(),
        _ => {
            let map: Map<_, _> = (0..rng.usize(..4))
                .map(|index| (format!("k{index}{}", rng.u8(..)), value(rng, depth - 1)))
                .collect();
            Value::Object(map)
        }
    }
}

fn text(rng: &mut Rng) -> Value {
    let text = TEXTS[rng.usize(..TEXTS.len())];
    // Some are longer than what is shown of arguments.
    let times = if rng.u8(..) < 8 { rng.usize(..400) } else { 1 };
    json!(text.repeat(times))
}

/// Positional arguments, at least one and at most three.
pub(crate) fn arguments(rng: &mut Rng) -> Vec<Value> {
    (0..rng.usize(1..=3)).map(|_| value(rng, 4)).collect()
}

//! Values as Python writes them: what is compared byte by byte, and what people read in Flower and in logs.

use std::fmt::Write;

use serde_json::{Map, Number, Value};

/// How long `argsrepr` and `kwargsrepr` are at most, in characters; what follows is cut.
pub(crate) const MAX_REPR: usize = 1024;

/// How deep containers are shown.
const MAX_REPR_DEPTH: usize = 3;

/// JSON as `json.dumps` writes it: a space after commas and colons, everything beyond ASCII escaped.
pub(crate) fn json(value: &Value) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

fn write_json(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(&number_repr(number)),
        Value::String(text) => write_json_string(text, out),
        Value::Array(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_json(value, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (index, (key, value)) in map.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                write_json_string(key, out);
                out.push_str(": ");
                write_json(value, out);
            }
            out.push('}');
        }
    }
}

fn write_json_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            ' '..='~' => out.push(c),
            _ => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    // Writing to a string cannot fail.
                    _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

fn number_repr(number: &Number) -> String {
    match number.as_f64() {
        Some(float) if number.is_f64() => float_repr(float),
        _ => number.to_string(),
    }
}

/// The shortest digits that are this number, with an exponent below 1e-4 and from 1e16 on.
pub(crate) fn float_repr(float: f64) -> String {
    // Of two that are equally short serde_json takes the one that Python takes; the standard library does
    // not.
    let text = Number::from_f64(float).map_or_else(String::new, |number| number.to_string());
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |text| ("-", text));
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let leading = all.len() - digits.len();
    let digits = digits.trim_end_matches('0');
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // Where the point stands, counted from the first digit.
    let point = exponent + length(whole.len()) - length(leading);
    if digits.is_empty() {
        return format!("{sign}0.0");
    }
    if !(-3..=16).contains(&point) {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let direction = if point < 1 { '-' } else { '+' };
        return format!("{sign}{first}{dot}{rest}e{direction}{:02}", (point - 1).abs());
    }
    let zeros = |count: i32| "0".repeat(usize::try_from(count).unwrap_or(0));
    match usize::try_from(point).unwrap_or(0) {
        0 => format!("{sign}0.{}{digits}", zeros(-point)),
        before if before < digits.len() => {
            format!("{sign}{}.{}", &digits[..before], &digits[before..])
        }
        _ => format!("{sign}{digits}{}.0", zeros(point - length(digits.len()))),
    }
}

fn length(of: usize) -> i32 {
    i32::try_from(of).unwrap_or(i32::MAX)
}

/// Positional arguments as Celery shows them in `argsrepr`.
pub(crate) fn args_repr(args: &[Value]) -> String {
    let mut repr = Repr::default();
    repr.sequence(args, "(", if args.len() == 1 { ",)" } else { ")" }, 0);
    repr.out
}

/// Keyword arguments as Celery shows them in `kwargsrepr`.
pub(crate) fn kwargs_repr(kwargs: &Map<String, Value>) -> String {
    let mut repr = Repr::default();
    repr.mapping(kwargs, 0);
    repr.out
}

/// Writes tokens until there are more than [`MAX_REPR`] characters, then only closing brackets.
#[derive(Default)]
struct Repr {
    out: String,
    written: usize,
    is_full: bool,
}

impl Repr {
    fn left(&self) -> usize {
        MAX_REPR.saturating_sub(self.written)
    }

    /// Whether a token still fits; the first that does not leaves an ellipsis.
    fn fits(&mut self) -> bool {
        if self.is_full {
            return false;
        }
        if self.left() == 0 {
            self.out.push_str(", ...");
            self.is_full = true;
            return false;
        }
        true
    }

    fn token(&mut self, text: &str) {
        if self.fits() {
            self.out.push_str(text);
            self.written += text.chars().count();
        }
    }

    fn close(&mut self, bracket: &str) {
        self.out.push_str(bracket);
        self.written += bracket.len();
    }

    fn text(&mut self, text: &str) {
        if self.fits() {
            let shown = truncated(text, self.left()).replace('\'', "\\'");
            self.token(&format!("'{shown}'"));
        }
    }

    fn value(&mut self, value: &Value, depth: usize) {
        if !self.fits() {
            return;
        }
        match value {
            Value::Null => self.token(&truncated("None", self.left())),
            Value::Bool(true) => self.token(&truncated("True", self.left())),
            Value::Bool(false) => self.token(&truncated("False", self.left())),
            Value::Number(number) => {
                let shown = truncated(&number_repr(number), self.left());
                self.token(&shown);
            }
            Value::String(text) => self.text(text),
            Value::Array(_) if depth >= MAX_REPR_DEPTH => self.token("[...]"),
            Value::Object(_) if depth >= MAX_REPR_DEPTH => self.token("{...}"),
            Value::Array(values) => self.sequence(values, "[", "]", depth),
            Value::Object(map) => self.mapping(map, depth),
        }
    }

    fn sequence(&mut self, values: &[Value], open: &str, close: &str, depth: usize) {
        self.token(open);
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.token(", ");
            }
            self.value(value, depth + 1);
        }
        self.close(close);
    }

    fn mapping(&mut self, map: &Map<String, Value>, depth: usize) {
        self.token("{");
        for (index, (key, value)) in map.iter().enumerate() {
            if index > 0 {
                self.token(", ");
            }
            self.text(key);
            self.token(": ");
            self.value(value, depth + 1);
        }
        self.close("}");
    }
}

/// At most `max` characters, and what follows the last space among them left out; three dots say so.
fn truncated(text: &str, max: usize) -> String {
    if text.chars().count() < max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max).collect();
    let kept = kept.rsplit_once(' ').map_or(kept.as_str(), |(before, _)| before);
    format!("{kept}...")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn args(value: &Value) -> String {
        args_repr(value.as_array().unwrap())
    }

    #[test]
    fn json_is_written_as_python_writes_it() {
        let value = json!({"a": [1, 1.5, 1e22, null, true], "é\u{1f600}": "\u{7f}\n\"\\"});
        let text = r#"{"a": [1, 1.5, 1e+22, null, true], "\u00e9\ud83d\ude00": "\u007f\n\"\\"}"#;
        assert_eq!(json(&value), text);
    }

    #[test]
    fn floats_have_an_exponent_where_python_writes_one() {
        for (float, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e-7, "1.5e-07"),
            (1.0e100, "1e+100"),
            (1_210_775_175_297_885.2, "1210775175297885.2"),
            (-12.5, "-12.5"),
        ] {
            assert_eq!(float_repr(float), text);
        }
    }

    // The expected texts are those that Celery 5.7 puts on the wire.
    #[test]
    fn arguments_are_shown_as_celery_shows_them() {
        assert_eq!(args(&json!([])), "()");
        assert_eq!(args(&json!(["a"])), "('a',)");
        assert_eq!(args(&json!(["it's\n\u{e9}"])), "('it\\'s\n\u{e9}',)");
        assert_eq!(args(&json!([1.5, 1e22, true, null])), "(1.5, 1e+22, True, None)");
        assert_eq!(args(&json!([{"a": {"b": {"c": 1}}}])), "({'a': {'b': {...}}},)");
        assert_eq!(args(&json!([[[[[]]]]])), "([[[...]]],)");
        assert_eq!(args(&json!([[], {}])), "([], {})");
    }

    #[test]
    fn long_arguments_are_cut() {
        let long = args(&json!(["x".repeat(2000)]));
        assert_eq!((long.chars().count(), &long[1021..]), (1031, "xxxx...',)"));
        let long = args(&json!(["a b".repeat(600), "c"]));
        assert!(long.ends_with(" ba...', ...)"), "{long}");
        let long = args(&json!([vec![1; 600], "x"]));
        assert_eq!((long.chars().count(), &long[1019..]), (1032, "1, 1, , ...])"));
    }
}

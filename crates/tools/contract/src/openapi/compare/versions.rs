//! Documents of one service, written by different versions of FastAPI and pydantic: what they say
//! otherwise of the same values.

use serde_json::Value;

use crate::openapi::document::fields;
use crate::openapi::normal::{canonical, float};

/// Which upgrades of FastAPI and pydantic lie between the old document and the new one.
#[derive(Clone, Copy, Default)]
pub(super) struct Upgrade {
    /// From pydantic 1, which leaves out `null`, to pydantic 2, which writes it.
    pub pydantic: bool,
    /// From FastAPI 0.100 or 0.101, which leave out the bounds of path parameters.
    pub bounds_of_paths: bool,
    /// To a FastAPI whose pydantic names the keys of a dictionary.
    pub names_of_keys: bool,
}

impl Upgrade {
    pub(super) fn between(old: &Value, new: &Value) -> Self {
        let (before, after) = (Marks::of(old), Marks::of(new));
        let both_fastapi = before.is_fastapi && after.is_fastapi;
        let is_30 = |document: &Value| {
            document["openapi"].as_str().is_some_and(|version| version.starts_with("3.0"))
        };
        let pydantic = after.null
            && !before.null
            && !before.pydantic_2
            && if is_30(old) && !is_30(new) {
                before.is_fastapi || old["openapi"] == "3.0.2"
            } else {
                both_fastapi && before.pydantic_1 && !after.pydantic_1
            };
        // The description of FastAPI's own errors grew with the versions that need such a pydantic.
        let grown = both_fastapi && !before.input_of_errors && after.input_of_errors;
        Self {
            pydantic,
            bounds_of_paths: both_fastapi
                && before.null
                && !before.pydantic_1
                && !before.separate
                && after.separate,
            names_of_keys: !before.names_of_keys && (grown || pydantic),
        }
    }

    /// Whether two defaults are the same value.
    pub(super) fn same_default(self, old: &Value, new: &Value) -> bool {
        if canonical(old) == canonical(new) {
            return true;
        }
        match (old, new) {
            (Value::String(old), Value::String(new)) => {
                utc(old) == utc(new)
                    || seconds(old).is_some_and(|length| Some(length) == seconds(new))
            }
            // pydantic 2 writes what is no JSON number as the text that it sends.
            (Value::Number(old), Value::String(new)) if self.pydantic => {
                let number = float(old);
                let is_it = |other: f64| number.total_cmp(&other).is_eq();
                new.parse().is_ok_and(is_it) || seconds(new).is_some_and(is_it)
            }
            (Value::Array(old), Value::Array(new)) => {
                old.len() == new.len()
                    && old.iter().zip(new).all(|(old, new)| self.same_default(old, new))
            }
            (Value::Object(old), Value::Object(new)) => {
                old.len() == new.len()
                    && old.iter().all(|(key, old)| {
                        new.get(key).is_some_and(|new| self.same_default(old, new))
                    })
            }
            _ => false,
        }
    }
}

/// The marks by which the versions that wrote a document are recognised.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent signs")]
struct Marks {
    is_fastapi: bool,
    /// Whether anything may be null, in whatever spelling.
    null: bool,
    /// Enumerations that pydantic 1 describes.
    pydantic_1: bool,
    /// Tuples or models that only pydantic 2 writes so.
    pydantic_2: bool,
    /// Models of their own for requests and responses, since FastAPI 0.102.
    separate: bool,
    names_of_keys: bool,
    input_of_errors: bool,
}

impl Marks {
    fn of(document: &Value) -> Self {
        let schemas = &document["components"]["schemas"];
        let separate = fields(schemas).any(|(name, _)| name.ends_with("-Input"));
        let mut marks = Self {
            is_fastapi: !schemas["HTTPValidationError"].is_null(),
            separate,
            pydantic_2: separate,
            input_of_errors: !schemas["ValidationError"]["properties"]["input"].is_null(),
            ..Self::default()
        };
        marks.look(document);
        marks
    }

    fn look(&mut self, value: &Value) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let is_list = value.is_array();
                    match key.as_str() {
                        "nullable" => self.null |= value == &Value::Bool(true),
                        "type" if is_list => self.null |= holds(value, &"null".into()),
                        "type" => self.null |= value == "null",
                        "enum" if is_list => self.null |= holds(value, &Value::Null),
                        "description" => self.pydantic_1 |= value == "An enumeration.",
                        "prefixItems" => self.pydantic_2 = true,
                        "propertyNames" => self.names_of_keys = true,
                        // Values, not schemas.
                        "example" | "examples" | "default" => continue,
                        _ => {}
                    }
                    self.look(value);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.look(item)),
            _ => {}
        }
    }
}

fn holds(list: &Value, value: &Value) -> bool {
    list.as_array().is_some_and(|list| list.contains(value))
}

/// A time as it is written with `Z`.
fn utc(text: &str) -> String {
    let is_time = text.len() > 10 && text.as_bytes()[10] == b'T' && text.as_bytes()[4] == b'-';
    match text.strip_suffix("+00:00").filter(|_| is_time) {
        Some(time) => format!("{time}Z"),
        None => text.to_owned(),
    }
}

/// The seconds of a duration without years and months: of `P1DT2H`, of `PT60S`.
fn seconds(text: &str) -> Option<f64> {
    let (is_negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let text = text.strip_prefix('P')?;
    let (days, times) = text.split_once('T').unwrap_or((text, ""));
    let mut total = 0.0;
    for (part, units) in [
        (days, &[('W', 604_800.0), ('D', 86_400.0)][..]),
        (times, &[('H', 3_600.0), ('M', 60.0), ('S', 1.0)]),
    ] {
        let mut rest = part;
        while let Some(end) = rest.find(|c: char| c.is_ascii_alphabetic()) {
            let unit = rest[end..].chars().next()?;
            let (_, length) = units.iter().find(|(name, _)| *name == unit)?;
            total += rest[..end].parse::<f64>().ok()? * length;
            rest = &rest[end + 1..];
        }
        if !rest.is_empty() {
            return None;
        }
    }
    Some(if is_negative { -total } else { total })
}

//! Writes values as JSON, a piece at a time and without recursion: an input that an error echoes may
//! be as large and as deep as a body.

use std::sync::Arc;

use indexmap::IndexMap;
use serde::Serialize;

use crate::float_repr::float_repr;
use crate::text::Text;
use crate::value::{BodyItems, BodyKeys, Value};

/// Longer texts are written in pieces of so many bytes.
const PIECE: usize = 16 * 1024;

/// How floats are written.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Floats {
    /// As Python's `json.dumps` does, in an error: `1e-07`.
    Python,
    /// As pydantic does, in an answer: `1e-7`.
    Pydantic,
}

/// A value that is being written.
#[derive(Debug)]
pub(crate) struct Echo {
    floats: Floats,
    /// The innermost last.
    open: Vec<Open>,
}

/// Something of which a part is still to be written.
#[derive(Debug)]
enum Open {
    Value(Value),
    /// A text from a byte on, and its quote.
    Text(Text, usize),
    Colon,
    List(BodyItems, bool),
    Object(BodyKeys, bool),
    OwnList(Arc<Vec<Value>>, usize),
    OwnObject(Arc<IndexMap<String, Value>>, usize),
}

impl Echo {
    pub(crate) fn new(value: Value, floats: Floats) -> Self {
        Self { floats, open: vec![Open::Value(value)] }
    }

    /// The whole text of a value.
    pub(crate) fn to_string(value: &Value, floats: Floats) -> String {
        let mut out = Vec::new();
        Self::new(value.clone(), floats).write(&mut out, usize::MAX);
        String::from_utf8(out).unwrap_or_default()
    }

    /// Appends to `out` until it has at least `limit` bytes; gives whether that was everything.
    pub(crate) fn write(&mut self, out: &mut Vec<u8>, limit: usize) -> bool {
        while let Some(open) = self.open.last_mut() {
            if out.len() >= limit {
                return false;
            }
            match open {
                Open::Value(value) => {
                    let value = std::mem::replace(value, Value::Null);
                    self.open.pop();
                    self.begin(&value, out);
                }
                Open::Text(text, from) => {
                    let rest = text.get(*from..).unwrap_or_default();
                    let piece = &rest[..rest.floor_char_boundary(PIECE)];
                    escape(piece, out);
                    *from += piece.len();
                    if piece.len() == rest.len() {
                        out.push(b'"');
                        self.open.pop();
                    }
                }
                Open::Colon => {
                    out.push(b':');
                    self.open.pop();
                }
                Open::List(items, first) => {
                    let item = items.next();
                    let separate = !std::mem::replace(first, false);
                    self.item(item.as_ref(), separate, out);
                }
                Open::OwnList(items, next) => {
                    let item = items.get(*next).cloned();
                    *next += 1;
                    let separate = *next > 1;
                    self.item(item.as_ref(), separate, out);
                }
                Open::Object(fields, first) => {
                    let field = fields.next();
                    let separate = !std::mem::replace(first, false);
                    self.field(field, separate, out);
                }
                Open::OwnObject(fields, next) => {
                    let field = fields.get_index(*next);
                    let field = field.map(|(name, value)| (name.as_str().into(), value.clone()));
                    *next += 1;
                    let separate = *next > 1;
                    self.field(field, separate, out);
                }
            }
        }
        true
    }

    /// Writes the next item of the innermost list, or its end.
    fn item(&mut self, item: Option<&Value>, separate: bool, out: &mut Vec<u8>) {
        let Some(item) = item else {
            self.open.pop();
            return out.push(b']');
        };
        if separate {
            out.push(b',');
        }
        self.begin(item, out);
    }

    /// Writes the next field of the innermost object, or its end.
    fn field(&mut self, field: Option<(Text, Value)>, separate: bool, out: &mut Vec<u8>) {
        let Some((name, value)) = field else {
            self.open.pop();
            return out.push(b'}');
        };
        if separate {
            out.push(b',');
        }
        if name.len() > PIECE {
            self.open.extend([Open::Value(value), Open::Colon]);
            self.text(&name, out);
        } else {
            self.text(&name, out);
            out.push(b':');
            self.begin(&value, out);
        }
    }

    fn text(&mut self, text: &Text, out: &mut Vec<u8>) {
        out.push(b'"');
        if text.len() > PIECE {
            self.open.push(Open::Text(text.clone(), 0));
        } else {
            escape(text, out);
            out.push(b'"');
        }
    }

    /// Writes a value; what may be long is opened.
    fn begin(&mut self, value: &Value, out: &mut Vec<u8>) {
        match value {
            Value::Null => out.extend(b"null"),
            Value::Bool(true) => out.extend(b"true"),
            Value::Bool(false) => out.extend(b"false"),
            Value::Int(value) => plain(value, out),
            Value::BigInt(digits) => out.extend(digits.as_bytes()),
            // FastAPI fails here with a 500; null is what JavaScript makes of them.
            Value::Float(value) if !value.is_finite() => out.extend(b"null"),
            Value::Float(value) => match self.floats {
                Floats::Python => out.extend(float_repr(*value).as_bytes()),
                Floats::Pydantic => plain(value, out),
            },
            Value::Str(text) | Value::Surrogates(text) => self.text(text, out),
            Value::File(file) => self.open.push(Open::Value(file.as_value())),
            Value::Array(items) => {
                out.push(b'[');
                self.open.push(match items.source() {
                    Ok(items) => Open::OwnList(Arc::clone(items), 0),
                    Err(node) => Open::List(BodyItems(node.items()), true),
                });
            }
            Value::Object(fields) => {
                out.push(b'{');
                self.open.push(match fields.source() {
                    Ok(fields) => Open::OwnObject(Arc::clone(fields), 0),
                    Err(node) => Open::Object(BodyKeys(node.keys()), true),
                });
            }
        }
    }
}

/// Writes what cannot fail: numbers and texts into memory.
pub(crate) fn plain(value: &(impl Serialize + ?Sized), out: &mut Vec<u8>) {
    if let Err(error) = serde_json::to_writer(out, value) {
        tracing::error!(%error, "a value could not be written");
    }
}

/// Writes a text without its quotes.
fn escape(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut rest = text.as_bytes();
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..=0x1F);
    while let Some(at) = rest.iter().position(special) {
        out.extend_from_slice(&rest[..at]);
        let short = |letter| [b'\\', letter];
        match rest[at] {
            byte @ (b'"' | b'\\') => out.extend(short(byte)),
            0x08 => out.extend(short(b'b')),
            0x0C => out.extend(short(b'f')),
            b'\n' => out.extend(short(b'n')),
            b'\r' => out.extend(short(b'r')),
            b'\t' => out.extend(short(b't')),
            byte => {
                out.extend(b"\\u00");
                out.extend([HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;
    use crate::json;

    fn value() -> impl Strategy<Value = serde_json::Value> {
        let scalar = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        scalar.prop_recursive(6, 64, 12, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..12).prop_map(Into::into),
                prop::collection::vec(("[a-c]{0,2}", inner), 0..12)
                    .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    fn echoed(body: &str, limit: usize) -> String {
        let value = json::decode(Bytes::copy_from_slice(body.as_bytes())).unwrap();
        let mut echo = Echo::new(value, Floats::Python);
        let mut out = Vec::new();
        loop {
            let more = out.len() + limit;
            if echo.write(&mut out, more) {
                return String::from_utf8(out).unwrap();
            }
        }
    }

    proptest! {
        #[test]
        fn what_was_read_is_written_again(value in value(), limit in 1..200_usize) {
            let text = value.to_string();
            prop_assert_eq!(echoed(&text, limit), text.as_str());
            prop_assert_eq!(echoed(&serde_json::to_string_pretty(&value).unwrap(), limit), text);
        }
    }

    #[test]
    fn a_key_counts_once_where_it_stood_first_with_its_last_value() {
        for (body, expected) in [
            (r#"{"a":1,"b":2,"a":3}"#, r#"{"a":3,"b":2}"#),
            (r#"{"a":1,"a":[1,{"x":1,"x":2}],"\u0061":{}}"#, r#"{"a":{}}"#),
            (r#"[{"a":1,"a":[1,{"x":1,"x":2}]},3]"#, r#"[{"a":[1,{"x":2}]},3]"#),
        ] {
            assert_eq!(echoed(body, 1), expected);
        }
        // More keys than are compared with each other.
        let fields = |from: usize| (from..20).map(|n| format!("\"{}\":{n}", n % 10));
        let body = format!("{{{}}}", fields(0).collect::<Vec<_>>().join(","));
        let expected = format!("{{{}}}", fields(10).collect::<Vec<_>>().join(","));
        assert_eq!(echoed(&body, 1), expected);
    }

    #[test]
    fn long_texts_are_written_in_pieces() {
        let text = "\"é\n".repeat(PIECE);
        let body = serde_json::json!({ &text: [&text] }).to_string();
        assert_eq!(echoed(&body, 1), body);
    }
}

//! Python's JSON decoder: what it accepts, its error texts and the positions it reports.
//!
//! Follows `json.loads` of CPython 3.11 as FastAPI calls it, on the bytes of a body. The parser has a
//! stack of its own, so that no depth of nesting overflows that of its thread.

mod encodings;

use std::sync::Arc;

use bytes::Bytes;

use self::encodings::decode_text;
use crate::document::{Document, Entry, FLAG, size};
use crate::value::Value;

/// Nesting beyond this overflows the stack of the Python service (measured with the pinned versions:
/// 960 levels are read, 961 are a 400).
pub(crate) const MAX_DEPTH: usize = 960;

/// CPython refuses to read longer integers (`sys.int_info.default_max_str_digits`).
pub(crate) const MAX_INT_DIGITS: usize = 4300;

/// Positions in a body have 31 bits.
const MAX_LENGTH: usize = FLAG as usize - 1;

/// Why a body is not JSON.
#[derive(Debug, PartialEq)]
pub(crate) enum JsonError {
    /// The text breaks the grammar at `position`, counted in characters.
    Syntax { message: &'static str, position: usize },
    /// The bytes are no text, or the text is beyond what Python reads.
    Unreadable,
}

/// Decodes a body.
///
/// # Errors
/// `Syntax` becomes a 422 in FastAPI, `Unreadable` a 400.
pub(crate) fn decode(body: Bytes) -> Result<Value, JsonError> {
    Ok(Value::of_entry(&decode_document(body)?, 0))
}

/// Decodes a body into the index of its values, of which the first is the whole.
pub(crate) fn decode_document(body: Bytes) -> Result<Arc<Document>, JsonError> {
    let (text, lone) = decode_text(body).ok_or(JsonError::Unreadable)?;
    if text.len() > MAX_LENGTH {
        return Err(JsonError::Unreadable);
    }
    let entries = Vec::with_capacity((text.len() / 12).clamp(4, 1024));
    let mut document = Document { text, entries, lone, redirects: Vec::new(), depth: 0 };
    parse(&mut document).map_err(|error| match error {
        // The parser counts bytes.
        JsonError::Syntax { message, position } => {
            let before = document.text.as_bytes().iter().take(position);
            let continues = before.filter(|&&byte| byte & 0xC0 == 0x80).count();
            // Three characters stand for one.
            let lone = document.lone.partition_point(|&at| (at as usize) < position);
            JsonError::Syntax { message, position: position - continues - 2 * lone }
        }
        JsonError::Unreadable => JsonError::Unreadable,
    })?;
    document.sort_redirects();
    Ok(Arc::new(document))
}

fn syntax(message: &'static str, position: usize) -> JsonError {
    JsonError::Syntax { message, position }
}

/// Reads the whole text into the index. Positions of errors are in bytes.
fn parse(document: &mut Document) -> Result<(), JsonError> {
    const NAME_EXPECTED: &str = "Expecting property name enclosed in double quotes";
    // The lists and objects that are open, by their entries.
    let mut open: Vec<u32> = Vec::new();
    let mut index = Scanner(&document.text).skip_whitespace(0);
    'value: loop {
        // A value is expected here.
        let scanner = Scanner(&document.text);
        match scanner.at(index) {
            Some(bracket @ (b'[' | b'{')) => {
                if open.len() == MAX_DEPTH {
                    return Err(JsonError::Unreadable);
                }
                let after = scanner.skip_whitespace(index + 1);
                let entry = size(document.entries.len());
                push(document, index, 0);
                document.depth = document.depth.max(open.len() + 1);
                let scanner = Scanner(&document.text);
                match (bracket, scanner.at(after)) {
                    (b'[', Some(b']')) | (b'{', Some(b'}')) => {
                        document.entries[entry as usize].extent = entry + 1;
                        index = after + 1;
                    }
                    (b'[', _) => {
                        open.push(entry);
                        index = after;
                        continue 'value;
                    }
                    _ => {
                        open.push(entry);
                        index = key(document, after).map_err(|error| {
                            error.unwrap_or_else(|| syntax(NAME_EXPECTED, after))
                        })?;
                        continue 'value;
                    }
                }
            }
            Some(b'"') => {
                let (end, extent) = scanner.string(index + 1)?;
                push(document, index, extent);
                index = end;
            }
            _ => {
                let end = scanner.word_or_number(index)?;
                push(document, index, 0);
                index = end;
            }
        }
        // A value ended here; with it what it closes.
        loop {
            let scanner = Scanner(&document.text);
            index = scanner.skip_whitespace(index);
            let Some(&container) = open.last() else {
                let end = document.text.len();
                return if index == end { Ok(()) } else { Err(syntax("Extra data", index)) };
            };
            let start = document.entries[container as usize].start as usize;
            let is_object = scanner.at(start) == Some(b'{');
            match scanner.at(index) {
                Some(b',') => {
                    index = scanner.skip_whitespace(index + 1);
                    if is_object {
                        index = key(document, index).map_err(|error| {
                            error.unwrap_or_else(|| syntax(NAME_EXPECTED, index))
                        })?;
                    }
                    continue 'value;
                }
                Some(b'}') if is_object => {
                    document.entries[container as usize].extent = size(document.entries.len());
                    document.merge_keys(container);
                }
                Some(b']') if !is_object => {
                    document.entries[container as usize].extent = size(document.entries.len());
                }
                _ => return Err(syntax("Expecting ',' delimiter", index)),
            }
            open.pop();
            index += 1;
        }
    }
}

fn push(document: &mut Document, start: usize, extent: u32) {
    let entries = &mut document.entries;
    if entries.len() == entries.capacity() {
        // Twice as many, but not more than there can be: two bytes make one.
        let rest = (document.text.len() - start) / 2 + 2;
        entries.reserve_exact(entries.len().max(16).min(rest));
    }
    entries.push(Entry { start: size(start), extent });
}

/// Reads a key and its colon, and gives where its value begins; no error if there is no key.
fn key(document: &mut Document, index: usize) -> Result<usize, Option<JsonError>> {
    let scanner = Scanner(&document.text);
    if scanner.at(index) != Some(b'"') {
        return Err(None);
    }
    let (end, extent) = scanner.string(index + 1).map_err(Some)?;
    let colon = scanner.skip_whitespace(end);
    if scanner.at(colon) != Some(b':') {
        return Err(Some(syntax("Expecting ':' delimiter", colon)));
    }
    let value = scanner.skip_whitespace(colon + 1);
    push(document, index, extent);
    Ok(value)
}

/// Reads tokens.
struct Scanner<'a>(&'a str);

impl Scanner<'_> {
    fn at(&self, index: usize) -> Option<u8> {
        self.0.as_bytes().get(index).copied()
    }

    fn skip_whitespace(&self, mut index: usize) -> usize {
        while matches!(self.at(index), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            index += 1;
        }
        index
    }

    /// Reads a string whose first character after the quote is at `start`: gives what is behind it,
    /// and its extent.
    fn string(&self, start: usize) -> Result<(usize, u32), JsonError> {
        let unterminated = || syntax("Unterminated string starting at", start - 1);
        let bytes = self.0.as_bytes();
        let mut escapes = 0;
        let mut index = start;
        loop {
            let plain = bytes.get(index..).and_then(|rest| {
                rest.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..=0x1F))
            });
            index += plain.ok_or_else(unterminated)?;
            match bytes[index] {
                b'"' => return Ok((index + 1, size(index - start) | escapes)),
                b'\\' => {
                    escapes = FLAG;
                    index = self.escape(index, unterminated)?;
                }
                _ => return Err(syntax("Invalid control character at", index)),
            }
        }
    }

    /// Checks the escape whose backslash is at `index`, and gives what is behind it.
    fn escape(
        &self,
        index: usize,
        unterminated: impl Fn() -> JsonError,
    ) -> Result<usize, JsonError> {
        match self.at(index + 1).ok_or_else(unterminated)? {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(index + 2),
            b'u' => {
                let digits = self.0.as_bytes().get(index + 2..index + 6);
                let valid = digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
                // As in CPython, the text must go on behind them.
                if valid && index + 6 < self.0.len() {
                    Ok(index + 6)
                } else {
                    Err(syntax("Invalid \\uXXXX escape", index + 1))
                }
            }
            _ => Err(syntax("Invalid \\escape", index)),
        }
    }

    /// Reads what is no string, list or object, and gives what is behind it.
    fn word_or_number(&self, start: usize) -> Result<usize, JsonError> {
        const WORDS: [&str; 6] = ["null", "true", "false", "NaN", "Infinity", "-Infinity"];
        let rest = self.0.as_bytes().get(start..).unwrap_or_default();
        if let Some(word) = WORDS.iter().find(|word| rest.starts_with(word.as_bytes())) {
            return Ok(start + word.len());
        }
        let is_digit = |index| self.at(index).is_some_and(|byte: u8| byte.is_ascii_digit());
        let skip_digits = |mut index| {
            while is_digit(index) {
                index += 1;
            }
            index
        };
        let digits = start + usize::from(self.at(start) == Some(b'-'));
        let mut end = match self.at(digits) {
            Some(b'0') => digits + 1,
            Some(b'1'..=b'9') => skip_digits(digits),
            _ => return Err(syntax("Expecting value", start)),
        };
        let integer_end = end;
        if self.at(end) == Some(b'.') && is_digit(end + 1) {
            end = skip_digits(end + 1);
        }
        if matches!(self.at(end), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(self.at(end + 1), Some(b'+' | b'-')));
            if is_digit(end + 1 + sign) {
                end = skip_digits(end + 1 + sign);
            }
        }
        if end == integer_end && end - digits > MAX_INT_DIGITS {
            return Err(JsonError::Unreadable);
        }
        Ok(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::LONE;

    fn error(text: &str) -> (&'static str, usize) {
        match decode(Bytes::copy_from_slice(text.as_bytes())) {
            Err(JsonError::Syntax { message, position }) => (message, position),
            other => panic!("{text} gave {other:?}"),
        }
    }

    #[test]
    fn errors_have_pythons_texts_and_positions() {
        let name = "Expecting property name enclosed in double quotes";
        for (text, expected) in [
            ("{", (name, 1)),
            ("{]", (name, 1)),
            ("{\"a\":1,}", (name, 7)),
            ("{\"a\"", ("Expecting ':' delimiter", 4)),
            ("{\"a\":", ("Expecting value", 5)),
            ("{\"a\":1", ("Expecting ',' delimiter", 6)),
            ("[1,]", ("Expecting value", 3)),
            ("[", ("Expecting value", 1)),
            ("nul", ("Expecting value", 0)),
            ("{\"a\":1}x", ("Extra data", 7)),
            ("\"abc", ("Unterminated string starting at", 0)),
            (r#""a\x""#, ("Invalid \\escape", 2)),
            (r#""a\u12""#, ("Invalid \\uXXXX escape", 3)),
            (r#""a\u12zz""#, ("Invalid \\uXXXX escape", 3)),
            ("\"a\tb\"", ("Invalid control character at", 2)),
            ("01", ("Extra data", 1)),
            ("1.", ("Extra data", 1)),
            ("-", ("Expecting value", 0)),
            ("{\"é\":}", ("Expecting value", 5)),
            ("", ("Expecting value", 0)),
        ] {
            assert_eq!(error(text), expected, "{text}");
        }
    }

    #[test]
    fn python_accepts_what_the_standard_does_not() {
        assert_eq!(decode(Bytes::from_static(b"\xEF\xBB\xBF1")), Ok(Value::Int(1)));
        assert_eq!(decode(Bytes::from_static(b"1\0")), Ok(Value::Int(1)));
        assert_eq!(decode(Bytes::from_static(b"-Infinity")), Ok(Value::Float(f64::NEG_INFINITY)));
        assert_eq!(decode(Bytes::from_static(br#""\ud800""#)), Ok(Value::Surrogates(LONE.into())));
        assert_eq!(decode(Bytes::from_static(br#""\ud83d\ude00""#)), Ok(Value::Str("😀".into())));
        assert_eq!(decode(Bytes::from_static(b"\xff")), Err(JsonError::Unreadable));
        assert_eq!(decode(vec![b'9'; 4301].into()), Err(JsonError::Unreadable));
        assert_eq!(decode(vec![b'['; 5000].into()), Err(JsonError::Unreadable));
    }
}

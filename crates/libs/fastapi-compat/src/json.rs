//! Python's JSON decoder: what it accepts, its error texts and the positions it reports.
//!
//! Follows `json.loads` of CPython 3.11 as FastAPI calls it, on the bytes of a body.

use indexmap::IndexMap;

use crate::value::Value;

/// Nesting beyond this overflows the stack of the Python service (measured with the pinned versions:
/// 960 levels are read, 961 are a 400).
pub(crate) const MAX_DEPTH: usize = 960;

/// CPython refuses to read longer integers (`sys.int_info.default_max_str_digits`).
pub(crate) const MAX_INT_DIGITS: usize = 4300;

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
pub(crate) fn decode(body: &[u8]) -> Result<Value, JsonError> {
    let text = decode_text(body).ok_or(JsonError::Unreadable)?;
    let mut parser = Parser { text: &text, depth: 0 };
    let start = parser.skip_whitespace(0);
    let (value, end) = parser.value(start)?;
    let end = parser.skip_whitespace(end);
    if end == text.len() { Ok(value) } else { Err(syntax("Extra data", end)) }
}

fn syntax(message: &'static str, position: usize) -> JsonError {
    JsonError::Syntax { message, position }
}

/// Decodes the bytes with the encoding that `json.detect_encoding` finds, surrogates allowed.
fn decode_text(body: &[u8]) -> Option<Vec<u32>> {
    match body {
        [0, 0, 0xFE, 0xFF, rest @ ..] => utf32(rest, u32::from_be_bytes),
        [0xFF, 0xFE, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, rest @ ..] => utf8(rest),
        [0, 0, _, _, ..] => utf32(body, u32::from_be_bytes),
        [0, _, _, _, ..] => utf16(body, u16::from_be_bytes),
        [_, 0, 0, 0, ..] => utf32(body, u32::from_le_bytes),
        [_, 0, _, _, ..] => utf16(body, u16::from_le_bytes),
        [0, _] => utf16(body, u16::from_be_bytes),
        [_, 0] => utf16(body, u16::from_le_bytes),
        _ => utf8(body),
    }
}

/// UTF-8 in which three-byte surrogates may stand (Python's `surrogatepass`).
fn utf8(mut bytes: &[u8]) -> Option<Vec<u32>> {
    let mut text = Vec::with_capacity(bytes.len());
    loop {
        match std::str::from_utf8(bytes) {
            Ok(valid) => {
                text.extend(valid.chars().map(u32::from));
                return Some(text);
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                text.extend(String::from_utf8_lossy(valid).chars().map(u32::from));
                let [0xED, second @ 0xA0..=0xBF, third @ 0x80..=0xBF, rest @ ..] = rest else {
                    return None;
                };
                text.push(0xD000 | (u32::from(second & 0x3F) << 6) | u32::from(third & 0x3F));
                bytes = rest;
            }
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Vec<u32>> {
    let (units, rest) = bytes.as_chunks::<2>();
    let decoded = char::decode_utf16(units.iter().map(|&bytes| unit(bytes)));
    rest.is_empty().then(|| {
        decoded.map(|c| c.map_or_else(|lone| lone.unpaired_surrogate().into(), u32::from)).collect()
    })
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<Vec<u32>> {
    let (units, rest) = bytes.as_chunks::<4>();
    let text: Vec<u32> = units.iter().map(|&bytes| unit(bytes)).collect();
    (rest.is_empty() && text.iter().all(|&c| c <= 0x0010_FFFF)).then_some(text)
}

struct Parser<'a> {
    text: &'a [u32],
    depth: usize,
}

type Parsed<T> = Result<(T, usize), JsonError>;

impl Parser<'_> {
    fn at(&self, index: usize) -> Option<u32> {
        self.text.get(index).copied()
    }

    fn is(&self, index: usize, c: char) -> bool {
        self.at(index) == Some(c.into())
    }

    fn digit(&self, index: usize) -> bool {
        self.at(index).is_some_and(|c| (0x30..=0x39).contains(&c))
    }

    fn skip_whitespace(&self, mut index: usize) -> usize {
        while matches!(self.at(index), Some(0x20 | 0x09 | 0x0A | 0x0D)) {
            index += 1;
        }
        index
    }

    fn starts_with(&self, index: usize, word: &str) -> bool {
        word.chars().enumerate().all(|(offset, c)| self.is(index + offset, c))
    }

    fn value(&mut self, index: usize) -> Parsed<Value> {
        const WORDS: [(&str, Value); 6] = [
            ("null", Value::Null),
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("NaN", Value::Float(f64::NAN)),
            ("Infinity", Value::Float(f64::INFINITY)),
            ("-Infinity", Value::Float(f64::NEG_INFINITY)),
        ];
        match self.at(index).and_then(char::from_u32) {
            Some('"') => self.string(index + 1),
            Some('{') => self.nested(|parser| parser.object(index + 1)),
            Some('[') => self.nested(|parser| parser.array(index + 1)),
            _ => match WORDS.iter().find(|(word, _)| self.starts_with(index, word)) {
                Some((word, value)) => Ok((value.clone(), index + word.len())),
                None => self.number(index),
            },
        }
    }

    fn nested(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<Value>) -> Parsed<Value> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(JsonError::Unreadable);
        }
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn object(&mut self, index: usize) -> Parsed<Value> {
        const NAME_EXPECTED: &str = "Expecting property name enclosed in double quotes";
        let mut fields = IndexMap::new();
        let mut index = self.skip_whitespace(index);
        if self.is(index, '}') {
            return Ok((Value::Object(fields), index + 1));
        }
        loop {
            if !self.is(index, '"') {
                return Err(syntax(NAME_EXPECTED, index));
            }
            let (name, end) = self.string(index + 1)?;
            index = self.skip_whitespace(end);
            if !self.is(index, ':') {
                return Err(syntax("Expecting ':' delimiter", index));
            }
            index = self.skip_whitespace(index + 1);
            let (value, end) = self.value(index)?;
            if let Value::Str(name) | Value::Surrogates(name) = name {
                fields.insert(name, value);
            }
            index = self.skip_whitespace(end);
            if self.is(index, '}') {
                return Ok((Value::Object(fields), index + 1));
            }
            if !self.is(index, ',') {
                return Err(syntax("Expecting ',' delimiter", index));
            }
            index = self.skip_whitespace(index + 1);
        }
    }

    fn array(&mut self, index: usize) -> Parsed<Value> {
        let mut items = Vec::new();
        let mut index = self.skip_whitespace(index);
        if self.is(index, ']') {
            return Ok((Value::Array(items), index + 1));
        }
        loop {
            let (value, end) = self.value(index)?;
            items.push(value);
            index = self.skip_whitespace(end);
            if self.is(index, ']') {
                return Ok((Value::Array(items), index + 1));
            }
            if !self.is(index, ',') {
                return Err(syntax("Expecting ',' delimiter", index));
            }
            index = self.skip_whitespace(index + 1);
        }
    }

    /// Reads a string whose first character after the quote is at `start`.
    fn string(&self, start: usize) -> Parsed<Value> {
        let unterminated = || syntax("Unterminated string starting at", start - 1);
        let mut text = String::new();
        let mut surrogates = false;
        let mut push = |code: u32| {
            text.push(char::from_u32(code).unwrap_or_else(|| {
                surrogates = true;
                char::REPLACEMENT_CHARACTER
            }));
        };
        let mut index = start;
        loop {
            match self.at(index).ok_or_else(unterminated)? {
                0x22 => break,
                0x5C => {
                    let (code, end) = self.escape(index, unterminated)?;
                    push(code);
                    index = end;
                }
                0..=0x1F => return Err(syntax("Invalid control character at", index)),
                code => {
                    push(code);
                    index += 1;
                }
            }
        }
        let value = if surrogates { Value::Surrogates(text) } else { Value::Str(text) };
        Ok((value, index + 1))
    }

    /// Reads the escape whose backslash is at `index`.
    fn escape(&self, index: usize, unterminated: impl Fn() -> JsonError) -> Parsed<u32> {
        let letter = self.at(index + 1).ok_or_else(unterminated)?;
        let code = match char::from_u32(letter) {
            Some('"') => 0x22,
            Some('\\') => 0x5C,
            Some('/') => 0x2F,
            Some('b') => 0x08,
            Some('f') => 0x0C,
            Some('n') => 0x0A,
            Some('r') => 0x0D,
            Some('t') => 0x09,
            Some('u') => return self.unicode_escape(index),
            _ => return Err(syntax("Invalid \\escape", index)),
        };
        Ok((code, index + 2))
    }

    fn unicode_escape(&self, index: usize) -> Parsed<u32> {
        let high = self.hex4(index + 2, index + 1)?;
        let end = index + 6;
        // A pair needs a character behind it, as in CPython.
        if (0xD800..0xDC00).contains(&high)
            && end + 6 < self.text.len()
            && self.is(end, '\\')
            && self.is(end + 1, 'u')
        {
            let low = self.hex4(end + 2, end + 1)?;
            if (0xDC00..0xE000).contains(&low) {
                return Ok((0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00), end + 6));
            }
        }
        Ok((high, end))
    }

    /// Four hexadecimal digits from `start` on, behind which the text must go on.
    fn hex4(&self, start: usize, error_position: usize) -> Result<u32, JsonError> {
        let invalid = || syntax("Invalid \\uXXXX escape", error_position);
        if start + 4 >= self.text.len() {
            return Err(invalid());
        }
        self.text[start..start + 4].iter().try_fold(0, |code, &c| {
            let digit = char::from_u32(c).and_then(|c| c.to_digit(16)).ok_or_else(invalid)?;
            Ok(code << 4 | digit)
        })
    }

    fn number(&self, start: usize) -> Parsed<Value> {
        let expecting_value = || syntax("Expecting value", start);
        let digits = start + usize::from(self.is(start, '-'));
        let skip_digits = |mut index| {
            while self.digit(index) {
                index += 1;
            }
            index
        };
        let mut end = match self.digit(digits) {
            false => return Err(expecting_value()),
            true if self.is(digits, '0') => digits + 1,
            true => skip_digits(digits),
        };
        let integer_end = end;
        if self.is(end, '.') && self.digit(end + 1) {
            end = skip_digits(end + 1);
        }
        if self.is(end, 'e') || self.is(end, 'E') {
            let sign = usize::from(self.is(end + 1, '+') || self.is(end + 1, '-'));
            if self.digit(end + 1 + sign) {
                end = skip_digits(end + 1 + sign);
            }
        }
        let text: String =
            self.text[start..end].iter().copied().filter_map(char::from_u32).collect();
        let value = if end > integer_end {
            Value::Float(text.parse().map_err(|_| expecting_value())?)
        } else if end - digits > MAX_INT_DIGITS {
            return Err(JsonError::Unreadable);
        } else if let Ok(value) = text.parse() {
            Value::Int(value)
        } else {
            Value::BigInt(text)
        };
        Ok((value, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> (&'static str, usize) {
        match decode(text.as_bytes()) {
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
        assert_eq!(decode(b"\xEF\xBB\xBF1"), Ok(Value::Int(1)));
        assert_eq!(decode(b"1\0"), Ok(Value::Int(1)));
        assert_eq!(decode(b"-Infinity"), Ok(Value::Float(f64::NEG_INFINITY)));
        assert_eq!(decode(br#""\ud800""#), Ok(Value::Surrogates("\u{FFFD}".into())));
        assert_eq!(decode(br#""\ud83d\ude00""#), Ok(Value::Str("😀".into())));
        assert_eq!(decode(b"\xff"), Err(JsonError::Unreadable));
        assert_eq!(decode(&[b'9'; 4301]), Err(JsonError::Unreadable));
        assert_eq!(decode(&[b'['; 5000]), Err(JsonError::Unreadable));
    }
}

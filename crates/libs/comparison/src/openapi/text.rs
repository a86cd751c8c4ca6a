//! Documents as the bytes of a file.

use std::error::Error;
use std::fmt;
use std::string::{FromUtf8Error, FromUtf16Error};

/// Why bytes are no text.
#[derive(Debug)]
#[non_exhaustive]
pub enum DecodeError {
    /// They are not UTF-8.
    Utf8(FromUtf8Error),
    /// They begin as UTF-16 and are none.
    Utf16(FromUtf16Error),
    /// They begin as UTF-16 and end within a unit of two bytes.
    HalfUnit,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Utf8(error) => error.fmt(f),
            Self::Utf16(error) => error.fmt(f),
            Self::HalfUnit => f.write_str("ends within a character of UTF-16"),
        }
    }
}

impl Error for DecodeError {}

/// The text of a file: UTF-8, or UTF-16 if its first bytes say so, as PowerShell's `>` writes it;
/// without a byte order mark.
///
/// # Errors
/// When the bytes are in neither encoding.
pub fn decode(bytes: Vec<u8>) -> Result<String, DecodeError> {
    let unit: fn([u8; 2]) -> u16 = match bytes.as_slice() {
        [0xff, 0xfe, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] => u16::from_be_bytes,
        _ => {
            let text = String::from_utf8(bytes).map_err(DecodeError::Utf8)?;
            let marked = text.strip_prefix('\u{feff}').map(str::to_owned);
            return Ok(marked.unwrap_or(text));
        }
    };
    let (pairs, []) = bytes[2..].as_chunks() else { return Err(DecodeError::HalfUnit) };
    let units: Vec<u16> = pairs.iter().copied().map(unit).collect();
    String::from_utf16(&units).map_err(DecodeError::Utf16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_bytes_name_the_encoding() {
        let text = "{\"ä\": \"雪😀\"}";
        let marked = format!("\u{feff}{text}");
        let units = || marked.encode_utf16();
        let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
        for bytes in [text.into(), marked.clone().into_bytes(), little.clone(), big] {
            assert_eq!(decode(bytes).unwrap(), text);
        }
        assert!(decode(little[..little.len() - 1].to_vec()).is_err());
        assert!(decode(b"\xc3(".to_vec()).is_err());
        assert_eq!(decode(Vec::new()).unwrap(), "");
    }
}

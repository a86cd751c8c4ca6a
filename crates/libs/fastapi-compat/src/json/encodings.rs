//! The encodings that `json.loads` reads: UTF-8, UTF-16 and UTF-32, with lone surrogates.

use bytes::Bytes;

use crate::document::{LONE, size};

/// A text, and where in it [`LONE`] stands for a lone surrogate.
pub(super) type Decoded = (String, Vec<u32>);

/// Decodes the bytes with the encoding that `json.detect_encoding` finds, surrogates allowed.
pub(super) fn decode_text(body: Bytes) -> Option<Decoded> {
    match *body {
        [0, 0, 0xFE, 0xFF, ref rest @ ..] => utf32(rest, u32::from_be_bytes),
        [0xFF, 0xFE, 0, 0, ref rest @ ..] => utf32(rest, u32::from_le_bytes),
        [0xFE, 0xFF, ref rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xFF, 0xFE, ref rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xEF, 0xBB, 0xBF, ..] => utf8(body.slice(3..)),
        [0, 0, _, _, ..] => utf32(&body, u32::from_be_bytes),
        [0, _, _, _, ..] => utf16(&body, u16::from_be_bytes),
        [_, 0, 0, 0, ..] => utf32(&body, u32::from_le_bytes),
        [_, 0, _, _, ..] => utf16(&body, u16::from_le_bytes),
        [0, _] => utf16(&body, u16::from_be_bytes),
        [_, 0] => utf16(&body, u16::from_le_bytes),
        _ => utf8(body),
    }
}

/// UTF-8 in which three-byte surrogates may stand (Python's `surrogatepass`).
fn utf8(body: Bytes) -> Option<Decoded> {
    let body = match String::from_utf8(body.into()) {
        Ok(text) => return Some((text, Vec::new())),
        Err(error) => error.into_bytes(),
    };
    let (mut text, mut lone) = (String::with_capacity(body.len()), Vec::new());
    let mut bytes = &body[..];
    loop {
        match std::str::from_utf8(bytes) {
            Ok(valid) => {
                text.push_str(valid);
                return Some((text, lone));
            }
            Err(error) => {
                let (valid, rest) = bytes.split_at(error.valid_up_to());
                text.push_str(std::str::from_utf8(valid).ok()?);
                let [0xED, 0xA0..=0xBF, 0x80..=0xBF, rest @ ..] = rest else {
                    return None;
                };
                lone.push(size(text.len()));
                text.push_str(LONE);
                bytes = rest;
            }
        }
    }
}

/// Collects characters, or what can only be a surrogate.
fn collect(codes: impl Iterator<Item = u32>, capacity: usize) -> Option<Decoded> {
    let (mut text, mut lone) = (String::with_capacity(capacity), Vec::new());
    for code in codes {
        match char::from_u32(code) {
            Some(c) => text.push(c),
            None if code <= 0x0010_FFFF => {
                lone.push(size(text.len()));
                text.push_str(LONE);
            }
            None => return None,
        }
    }
    Some((text, lone))
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Decoded> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let decoded = char::decode_utf16(units.iter().map(|&bytes| unit(bytes)));
    let codes = decoded.map(|c| c.map_or_else(|lone| lone.unpaired_surrogate().into(), u32::from));
    collect(codes, units.len())
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<Decoded> {
    let (units, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    collect(units.iter().map(|&bytes| unit(bytes)), units.len())
}

//! `Base64Bytes` and its kin: encoded in JSON, decoded for the handler.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::secret::ByteString;
use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, deserialize_by_rules};
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Exactness, Loc};
use crate::invalid::Invalid;
use crate::openapi::json_schema;
use crate::value::Value;

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Decodes as Python's `binascii.a2b_base64`, which skips what is no digit; `is_url` is whether `-` and `_`
/// are digits as well.
fn decode(text: &[u8], is_url: bool) -> Result<Vec<u8>, String> {
    let (mut bytes, mut left, mut position, mut pads) = (Vec::new(), 0_u8, 0_u8, 0_u8);
    for &byte in text {
        let digit = match byte {
            b'=' => {
                if position >= 2 {
                    pads += 1;
                    if position + pads >= 4 {
                        return Ok(bytes);
                    }
                }
                continue;
            }
            b'-' if is_url => 62,
            b'_' if is_url => 63,
            byte => match STANDARD.iter().position(|&digit| digit == byte) {
                Some(digit) => u8::try_from(digit).unwrap_or_default(),
                None => continue,
            },
        };
        pads = 0;
        match position {
            0 => left = digit,
            1 => {
                bytes.push(left << 2 | digit >> 4);
                left = digit & 15;
            }
            2 => {
                bytes.push(left << 4 | digit >> 2);
                left = digit & 3;
            }
            _ => bytes.push(left << 6 | digit),
        }
        position = (position + 1) % 4;
    }
    match position {
        0 => Ok(bytes),
        1 => Err(format!(
            "Invalid base64-encoded string: number of data characters ({}) cannot be 1 more than a \
             multiple of 4",
            bytes.len() / 3 * 4 + 1
        )),
        _ => Err("Incorrect padding".to_owned()),
    }
}

fn encode(bytes: &[u8], is_url: bool) -> String {
    let digits = if is_url { URL } else { STANDARD };
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4_usize {
            let digit = digits[(bits >> (18 - 6 * index)) as usize & 63];
            text.push(if index > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    if !is_url && has(Switch::Base64InLines) { in_lines(&text) } else { text }
}

/// Lines of 76 digits, each with its end, as Python's `encodebytes` writes them.
fn in_lines(text: &str) -> String {
    let mut lines = String::with_capacity(text.len() + text.len() / 76 + 1);
    for (index, digit) in text.chars().enumerate() {
        if index > 0 && index % 76 == 0 {
            lines.push('\n');
        }
        lines.push(digit);
    }
    if !text.is_empty() {
        lines.push('\n');
    }
    lines
}

/// A text of UTF-8, or why Python says that it is none.
fn utf8(bytes: Vec<u8>) -> Result<String, String> {
    String::from_utf8(bytes).map_err(|error| {
        let (bytes, error) = (error.as_bytes(), error.utf8_error());
        let start = error.valid_up_to();
        let end = error.error_len().map_or(bytes.len(), |length| start + length);
        let reason = match bytes.get(start) {
            _ if error.error_len().is_none() => "unexpected end of data",
            Some(0xC2..=0xF4) => "invalid continuation byte",
            _ => "invalid start byte",
        };
        let first = bytes.get(start).copied().unwrap_or_default();
        if end - start == 1 {
            format!("'utf-8' codec can't decode byte 0x{first:02x} in position {start}: {reason}")
        } else {
            format!("'utf-8' codec can't decode bytes in position {start}-{}: {reason}", end - 1)
        }
    })
}

fn decoded(
    text: &[u8],
    is_url: bool,
    input: &Value,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<Vec<u8>> {
    match decode(text, is_url) {
        Ok(bytes) => Some(bytes),
        Err(reason) => {
            let msg = format!("Base64 decoding error: '{reason}'");
            errors.add("base64_decode", at, msg, input, &[("error", reason.into())])
        }
    }
}

macro_rules! encoded {
    ($($(#[$doc:meta])* $name:ident($inner:ty) $label:literal $is_url:literal,
        |$input:ident, $at:ident, $errors:ident| $given:expr, $made:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub $inner);

        impl Decode for $name {
            const ACCEPTS: Accepts = Accepts::NONE;

            json_schema!();

            fn name(_: &Constraints) -> Cow<'static, str> {
                $label.into()
            }

            fn decode(
                $input: &Value,
                _: &Constraints,
                $at: &Loc<'_>,
                $errors: &mut Errors,
            ) -> Option<Self> {
                $errors.fits(Exactness::Lax);
                let given = $given?;
                let bytes = decoded(given.as_ref(), $is_url, $input, $at, $errors)?;
                let made: Result<$inner, String> = $made(bytes);
                match made {
                    Ok(made) => Some(Self(made)),
                    Err(reason) => Invalid::value(reason).add($at, $input, $errors),
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&encode(self.0.as_ref(), $is_url))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserialize_by_rules(deserializer)
            }
        }
    )*};
}

fn text(input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<String> {
    // A length that is always there: what holds a lone surrogate is no text then.
    let any = Constraints { min_length: Some(0), ..Constraints::NONE };
    if has(Switch::Base64TextsAreBytes) && !matches!(input, Value::Str(_) | Value::Surrogates(_)) {
        bytes(input, at, errors)?;
    }
    String::decode(input, &any, at, errors)
}

fn bytes(input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<Vec<u8>> {
    ByteString::decode(input, &Constraints::NONE, at, errors).map(|ByteString(bytes)| bytes)
}

encoded! {
    /// Bytes that are encoded in base 64.
    Base64Bytes(Vec<u8>) "function-after[decode(), bytes]" false,
        |input, at, errors| bytes(input, at, errors), Ok;
    /// A text that is encoded in base 64.
    Base64Str(String) "function-after[decode_str(), str]" false,
        |input, at, errors| text(input, at, errors), utf8;
    /// Bytes that are encoded in base 64 with the digits of URLs.
    Base64UrlBytes(Vec<u8>) "function-after[decode(), bytes]" true,
        |input, at, errors| bytes(input, at, errors), Ok;
    /// A text that is encoded in base 64 with the digits of URLs.
    Base64UrlStr(String) "function-after[decode_str(), str]" true,
        |input, at, errors| text(input, at, errors), utf8;
}

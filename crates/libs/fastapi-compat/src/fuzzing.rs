//! What the fuzz targets of `fuzz/` call: each parser that is written by hand, with what must hold
//! for any input. `tests/corpora.rs` calls the same with the inputs that are kept.

#![expect(clippy::panic, reason = "a target ends so")]

use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;

use crate::constraints::{Constraints, Number};
use crate::decode::Decode;
use crate::echo::{Echo, Floats};
use crate::email::EmailStr;
use crate::errors::{Errors, Loc};
use crate::types::{AnyUrl, Date, DateTime, Decimal, Duration, HttpUrl, Integer, Time};
use crate::value::Value;
use crate::{idna, json, multipart, params, python, urlencoded};

/// A fuzz target.
pub type Target = fn(&[u8]);

/// All targets, by their names.
pub const TARGETS: [(&str, Target); 9] = [
    ("json", json),
    ("multipart", multipart),
    ("form", form),
    ("cookies", cookies),
    ("email", email),
    ("idna", idna),
    ("decimal", decimal),
    ("scalars", scalars),
    ("python", python),
];

/// A body is read or refused; what was read is written as JSON that reads as the same, and what the
/// standard's parser reads is read the same.
pub fn json(bytes: &[u8]) {
    let read = json::decode(Bytes::copy_from_slice(bytes));
    let strict: Option<serde_json::Value> = serde_json::from_slice(bytes).ok();
    let Ok(value) = read else {
        // But for integers and depths that Python does not read.
        let long = bytes.len() > json::MAX_INT_DIGITS;
        assert!(strict.is_none() || long, "refused: {:?}", String::from_utf8_lossy(bytes));
        return;
    };
    let text = Echo::to_string(&value, Floats::Python);
    let again = json::decode(Bytes::from(text.clone().into_bytes()));
    let Ok(again) = again else { panic!("not read again: {text}") };
    assert_eq!(Echo::to_string(&again, Floats::Python), text, "written otherwise the second time");
    let has_negative_zero = bytes.windows(2).any(|pair| pair == b"-0");
    if let Some(strict) = strict.filter(|_| !has_negative_zero) {
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).ok(), Some(strict), "{text}");
    }
    // Every way of asking for the same.
    if let Value::Object(fields) = &value {
        assert_eq!(fields.len(), fields.iter().count());
        for (name, value) in fields.iter().take(50) {
            let got = fields.get(&name).map(|value| Echo::to_string(&value, Floats::Python));
            assert_eq!(got, Some(Echo::to_string(&value, Floats::Python)), "{name:?}");
        }
    }
    let mut errors = Errors::default();
    let at = Loc::root("body");
    let _: Option<Vec<i64>> = Decode::decode(&value, &Constraints::NONE, &at, &mut errors);
    let _: Option<indexmap::IndexMap<Integer, Value>> =
        Decode::decode(&value, &Constraints::NONE, &at, &mut errors);
    drop(axum::response::IntoResponse::into_response(errors));
}

/// The first line is the content type.
pub fn multipart(bytes: &[u8]) {
    let line = bytes.iter().position(|&byte| byte == b'\n').unwrap_or(0);
    let (content_type, body) = bytes.split_at(line);
    let body = body.get(1..).unwrap_or_default();
    let content_type = String::from_utf8_lossy(content_type);
    if let Ok(parts) = multipart::parse(body, &content_type) {
        let given: usize = parts.iter().map(|(name, _)| name.len()).sum();
        assert!(given <= 4 * bytes.len(), "more names than there are bytes");
    }
}

/// Each pair stands in the text once.
pub fn form(bytes: &[u8]) {
    let _ = urlencoded::check_limits(bytes);
    let pairs = urlencoded::pairs(bytes);
    assert!(pairs.len() <= bytes.split(|&byte| byte == b'&').count());
}

/// The bytes are the header, if they can be one.
pub fn cookies(bytes: &[u8]) {
    let Ok(value) = HeaderValue::from_bytes(bytes) else { return };
    let headers = HeaderMap::from_iter([(header::COOKIE, value)]);
    for (name, value) in params::cookies(&headers) {
        assert!(!name.contains(['=', ';']), "{name}");
        assert!(matches!(value, Value::Str(_)));
    }
}

/// What is accepted has an at-sign and is no longer than an address may be.
pub fn email(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(email) = EmailStr::parse(&text) {
        assert!(email.as_str().contains('@') && email.as_str().len() <= 254, "{email:?}");
        assert!(!email.as_str().contains(['\r', '\n']), "{email:?}");
    }
}

/// A label that has an ASCII form is the one that this form stands for.
pub fn idna(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = idna::to_unicode_label(&text);
    let _ = idna::check_bidi(&text, true);
    let Ok(mapped) = idna::uts46_remap(&text) else { return };
    for label in mapped.split('.') {
        if let Ok(ascii) = idna::to_ascii_label(label) {
            assert!(ascii.is_ascii() && ascii.len() <= 63, "{ascii}");
            let unicode = idna::to_unicode_label(&ascii);
            let same = unicode.as_deref() == Ok(label) || label.is_ascii();
            assert!(same, "{label} is {ascii}, and that {unicode:?}");
        }
    }
}

/// What is written reads as the same number, and constraints are checked without panic.
pub fn decimal(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(decimal) = text.parse::<Decimal>() {
        let written = decimal.to_string();
        assert_eq!(written.parse(), Ok(decimal), "{written}");
    }
    let number = |text| Some(Number { text, int: 3, float: 0.1 });
    let constraints = Constraints {
        multiple_of: number("0.1"),
        le: number("1e30"),
        max_digits: Some(20),
        decimal_places: Some(5),
        allow_inf_nan: Some(true),
        ..Constraints::NONE
    };
    for constraints in [constraints, Constraints { max_digits: None, ..constraints }] {
        decode::<Decimal>(&text, &constraints);
    }
}

/// Every other type that a text can become.
pub fn scalars(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let number = |text, int| Some(Number { text, int, float: 0.5 });
    let constraints =
        Constraints { multiple_of: number("0.5", 7), ge: number("-9", -9), ..Constraints::NONE };
    for constraints in [Constraints::NONE, constraints] {
        if let Some(integer) = decode::<Integer>(&text, &constraints) {
            assert_eq!(integer.to_string().parse(), Ok(integer));
        }
        decode::<i64>(&text, &constraints);
        decode::<u8>(&text, &constraints);
        decode::<f64>(&text, &constraints);
    }
    decode::<bool>(&text, &Constraints::NONE);
    decode::<uuid::Uuid>(&text, &Constraints::NONE);
    decode::<AnyUrl>(&text, &Constraints::NONE);
    decode::<HttpUrl>(&text, &Constraints::NONE);
    written(decode::<Date>(&text, &Constraints::NONE));
    written(decode::<DateTime>(&text, &Constraints::NONE));
    written(decode::<Time>(&text, &Constraints::NONE));
    written(decode::<Duration>(&text, &Constraints::NONE));
}

/// Python's quoting of what stands in messages.
pub fn python(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let quoted = python::repr(&text);
    assert!(quoted.len() >= 2 && !quoted.contains('\n'), "{quoted}");
    if let Ok(value) = json::decode(Bytes::copy_from_slice(bytes)) {
        let _ = python::str(&value);
    }
}

/// Decodes a text, and the number that it is, if it is one.
fn decode<T: Decode>(text: &str, constraints: &Constraints) -> Option<T> {
    let mut errors = Errors::default();
    let at = Loc::root("body");
    if let Ok(value) = json::decode(Bytes::copy_from_slice(text.as_bytes())) {
        let decoded = T::decode(&value, constraints, &at, &mut errors);
        assert_eq!(decoded.is_some(), errors.is_empty(), "a value or errors: {text}");
    }
    let mut errors = Errors::default();
    let decoded = T::decode(&text.into(), constraints, &at, &mut errors);
    assert_eq!(decoded.is_some(), errors.is_empty(), "a value or errors: {text}");
    drop(axum::response::IntoResponse::into_response(errors));
    decoded
}

/// What was accepted can be written.
fn written<T: serde::Serialize>(value: Option<T>) {
    if let Some(value) = value {
        assert!(serde_json::to_string(&value).is_ok());
    }
}

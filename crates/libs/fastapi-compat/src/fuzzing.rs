//! What the fuzz targets of `fuzz/` call: each parser that is written by hand, with what must hold
//! for any input. `tests/corpora.rs` calls the same with the inputs that are kept.

#![expect(clippy::expect_used, clippy::panic, reason = "a target ends so")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Component;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, header};
use bytes::Bytes;

use crate::characters::latin1;
use crate::constraints::{Constraints, Number};
use crate::decode::Decode;
use crate::dialect::Dialect;
use crate::echo::{Echo, Floats};
use crate::email::EmailStr;
use crate::errors::{Errors, Loc};
use crate::layers::TrustedProxies;
use crate::security::{Basic, Bearer};
use crate::template::Template;
use crate::types::{
    AmqpDsn, AnyUrl, AwareDatetime, Base64Bytes, Base64Str, Base64UrlBytes, Base64UrlStr, ByteSize,
    ByteString, ClickHouseDsn, CockroachDsn, Date, DateTime, Decimal, Duration, FileUrl, HttpUrl,
    Integer, IpAnyAddress, IpAnyInterface, IpAnyNetwork, JsonText, KafkaDsn, MongoDsn,
    NaiveDatetime, NatsDsn, PastDate, PostgresDsn, RedisDsn, SecretBytes, SecretStr, SnowflakeDsn,
    Time, Uuid4, Uuid7, WebsocketUrl,
};
use crate::value::Value;
use crate::{
    file, host, idna, json, multipart, params, python, security, static_files, urlencoded,
};

/// A fuzz target.
pub type Target = fn(&[u8]);

/// All targets, by their names.
pub const TARGETS: [(&str, Target); 12] = [
    ("json", json),
    ("multipart", multipart),
    ("form", form),
    ("cookies", cookies),
    ("email", email),
    ("idna", idna),
    ("decimal", decimal),
    ("scalars", scalars),
    ("python", python),
    ("types", types),
    ("fields", fields),
    ("templates", templates),
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

/// The longest e-mail address that is looked into, in bytes here.
const MAX_EMAIL: usize = 2048;

/// A label that has an ASCII form is the one that this form stands for.
pub fn idna(bytes: &[u8]) {
    // Longer e-mail addresses are refused before; decoding Punycode inserts into what it has.
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MAX_EMAIL)]);
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

/// The types that few services have, and all of those that texts become as the oldest releases read them.
pub fn types(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let oldest = Dialect::of("0.110.2", "2.7").expect("the oldest releases");
    for dialect in [Dialect::NEWEST, oldest] {
        let _entered = dialect.enter();
        written(decode::<IpAnyAddress>(&text, &Constraints::NONE));
        written(decode::<IpAnyInterface>(&text, &Constraints::NONE));
        written(decode::<IpAnyNetwork>(&text, &Constraints::NONE));
        written(decode::<PostgresDsn>(&text, &Constraints::NONE));
        written(decode::<AmqpDsn>(&text, &Constraints::NONE));
        written(decode::<ClickHouseDsn>(&text, &Constraints::NONE));
        written(decode::<CockroachDsn>(&text, &Constraints::NONE));
        written(decode::<KafkaDsn>(&text, &Constraints::NONE));
        written(decode::<MongoDsn>(&text, &Constraints::NONE));
        written(decode::<NatsDsn>(&text, &Constraints::NONE));
        written(decode::<RedisDsn>(&text, &Constraints::NONE));
        written(decode::<SnowflakeDsn>(&text, &Constraints::NONE));
        written(decode::<FileUrl>(&text, &Constraints::NONE));
        written(decode::<WebsocketUrl>(&text, &Constraints::NONE));
        written(decode::<Base64Bytes>(&text, &Constraints::NONE));
        written(decode::<Base64Str>(&text, &Constraints::NONE));
        written(decode::<Base64UrlBytes>(&text, &Constraints::NONE));
        written(decode::<Base64UrlStr>(&text, &Constraints::NONE));
        decode::<ByteSize>(&text, &Constraints::NONE);
        decode::<ByteString>(&text, &Constraints::NONE);
        decode::<JsonText<Value>>(&text, &Constraints::NONE);
        written(decode::<AwareDatetime>(&text, &Constraints::NONE));
        written(decode::<NaiveDatetime>(&text, &Constraints::NONE));
        written(decode::<PastDate>(&text, &Constraints::NONE));
        written(decode::<Uuid4>(&text, &Constraints::NONE));
        written(decode::<Uuid7>(&text, &Constraints::NONE));
        if let Some(secret) = decode::<SecretStr>(&text, &Constraints::NONE) {
            let other = if secret.reveal().is_empty() { "" } else { "another" };
            assert_eq!(format!("{secret:?}"), format!("{:?}", SecretStr::new(other)));
        }
        decode::<SecretBytes>(&text, &Constraints::NONE);
    }
    let _entered = oldest.enter();
    scalars(bytes);
    email(bytes);
    _ = Dialect::of(&text, "2.9");
}

/// What is read of the fields of a head, each of which is a line.
pub fn fields(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    // hyper takes no more; and checks of `HeaderMap` in debug builds take the square of their number.
    for line in bytes.split(|&byte| byte == b'\n').take(100) {
        let mut parts = line.splitn(2, |&byte| byte == b':');
        let name = HeaderName::from_bytes(parts.next().unwrap_or_default());
        let value = HeaderValue::from_bytes(parts.next().unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            _ = headers.try_append(name, value);
        }
    }

    let (mut parts, ()) = Request::new(()).into_parts();
    parts.headers = headers.clone();
    let authority = host::authority(&parts);
    assert!(
        authority.is_ascii() && !authority.contains(['/', '\\', '?', '#', '@', ' ']),
        "{authority}"
    );
    assert!(host::without_default_port(&authority).len() <= authority.len());

    let proxies = TrustedProxies::new(["127.0.0.1", "10.0.0.0/8", "fd00::/8", "proxy"]);
    let everyone = TrustedProxies::new(["*"]);
    let untrusted = IpAddr::V6(Ipv6Addr::LOCALHOST);
    let trusted = IpAddr::V4(Ipv4Addr::LOCALHOST);
    assert_eq!(proxies.client(untrusted, &headers), None);
    assert_eq!(proxies.accountable(untrusted, &headers), untrusted);
    for proxies in [&proxies, &everyone] {
        let client = proxies.client(trusted, &headers);
        assert!(client.is_none_or(|(host, _)| !host.is_empty()));
        _ = proxies.accountable(trusted, &headers);
    }

    if let Some((scheme, credentials)) = security::credentials(&headers) {
        assert!(!scheme.is_empty() && !credentials.is_empty());
    }
    _ = Bearer::from_headers(&headers);
    if let Ok(basic) = Basic::from_headers(&headers) {
        assert!(!basic.username.contains(':') && basic.username.is_ascii());
    }

    let text = |name| headers.get(name).map(|value| latin1(value.as_bytes()));
    let size = 1000;
    if let Some(Ok(ranges)) =
        text(header::RANGE).map(|range| file::ranges::parse_ranges(&range, size))
    {
        assert!(ranges.iter().all(|(start, end)| start < end && *end <= size), "{ranges:?}");
        assert!(ranges.is_sorted_by(|(_, end), (start, _)| end < start), "{ranges:?}");
    }
    _ = static_files::is_not_modified(&headers, "\"tag\"", "Thu, 26 Nov 2026 20:00:00 GMT");
    _ = text(header::IF_MODIFIED_SINCE).map(|since| static_files::parse_date(&since));
    if let Some(path) = text(header::LOCATION) {
        let path = static_files::normal(&path);
        let outside = |component| !matches!(component, Component::Normal(_) | Component::ParentDir);
        assert!(!path.components().any(outside), "{}", path.display());
    }
}

/// The first line is the template of a route, the rest a path. What matches has a value for each parameter.
pub fn templates(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (template, path) = text.split_once('\n').unwrap_or((&text, ""));
    let Ok(template) = Template::parse(template) else { return };
    assert!(template.segments().count() <= text.split('/').count());
    // Where each segment is one part, the index of routes has checked the segments.
    if !template.is_plain() && template.matches(path) {
        assert_eq!(template.values(path).len(), template.names().len());
        assert!(template.axum_path(path).is_ascii());
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

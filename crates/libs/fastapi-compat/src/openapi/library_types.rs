//! The schemas of this library's own types.

use utoipa::__dev::ComposeSchema;
use utoipa::openapi::schema::{AnyOfBuilder, KnownFormat, SchemaFormat, SchemaType};
use utoipa::openapi::{Object, RefOr, Schema, Type};
use utoipa::{Number, ToSchema};

use super::collection::{self, is_output};
use super::visit::{set, typed};
use crate::dialect::{Switch, has};
#[cfg(feature = "email")]
use crate::email::EmailStr;
#[cfg(feature = "rust_decimal")]
use crate::types::Numeric;
#[cfg(feature = "url")]
use crate::types::{
    AmqpDsn, ClickHouseDsn, CockroachDsn, KafkaDsn, MariaDBDsn, MongoDsn, MySQLDsn, NatsDsn,
    PostgresDsn, RedisDsn, SnowflakeDsn,
};
#[cfg(feature = "url")]
use crate::types::{AnyHttpUrl, AnyUrl, AnyWebsocketUrl, FileUrl, FtpUrl, HttpUrl, WebsocketUrl};
#[cfg(feature = "datetime")]
use crate::types::{
    AwareDatetime, Date, DateTime, Duration, FutureDate, FutureDatetime, NaiveDatetime, PastDate,
    PastDatetime, Time,
};
use crate::types::{
    Base64Bytes, Base64Str, Base64UrlBytes, Base64UrlStr, ByteSize, ByteString, Decimal, Integer,
    IpAnyAddress, IpAnyInterface, IpAnyNetwork, Ipv4Address, Ipv4Interface, Ipv4Network,
    Ipv6Address, Ipv6Interface, Ipv6Network, SecretBytes, SecretStr, Storable, UuidOfVersion,
};
use crate::value::UploadFile;

/// A text of a format.
pub(super) fn text(format: &str) -> Object {
    let mut text = typed(Type::String);
    text.format = Some(SchemaFormat::Custom(format.to_owned()));
    text
}

/// An URL, which is never empty.
#[cfg(feature = "url")]
fn url(max_length: Option<usize>) -> Object {
    let mut url = text("uri");
    (url.min_length, url.max_length) = (Some(1), max_length);
    url
}

/// A URL with several hosts.
#[cfg(feature = "url")]
fn multi_host_url() -> Object {
    let mut url = text("multi-host-uri");
    url.min_length = Some(1);
    url
}

fn file() -> Object {
    let mut file = typed(Type::String);
    if has(Switch::BinaryFormat) {
        file.format = Some(SchemaFormat::KnownFormat(KnownFormat::Binary));
        return file;
    }
    "application/octet-stream".clone_into(&mut file.content_media_type);
    file
}

/// Bytes in an encoding.
fn encoded(mut bytes: Object, format: &str) -> Object {
    bytes.format = Some(SchemaFormat::Custom(format.to_owned()));
    bytes
}

/// What is written into requests only.
fn secret(mut schema: RefOr<Schema>) -> RefOr<Schema> {
    set(&mut schema, "format", "password".into());
    set(&mut schema, "writeOnly", true.into());
    schema
}

/// Read from texts with a unit and integers, written as an integer.
fn byte_size() -> RefOr<Schema> {
    let mut number = typed(Type::Integer);
    number.minimum = Some(Number::Int(0));
    if is_output() {
        return number.into();
    }
    let mut text = typed(Type::String);
    text.pattern = Some(crate::types::BYTE_SIZE.to_owned());
    AnyOfBuilder::new().item(text).item(number).into()
}

/// Read from numbers and texts, written as a text.
fn decimal() -> RefOr<Schema> {
    let mut text = typed(Type::String);
    if has(Switch::DecimalPattern) {
        text.pattern = Some(decimal_pattern(None, None));
    }
    if is_output() {
        return text.into();
    }
    AnyOfBuilder::new().item(typed(Type::Number)).item(text).into()
}

/// What a text of a decimal looks like with so many digits and decimal places.
pub(super) fn decimal_pattern(digits: Option<u64>, places: Option<u64>) -> String {
    let rest = match (digits, places) {
        (Some(digits), Some(places)) => {
            let (whole, all) = (digits.saturating_sub(places), digits + 1);
            format!(
                r"(?:\d{{0,{whole}}}|(?=[\d.]{{1,{all}}}0*$)\d{{0,{whole}}}\.\d{{0,{places}}}0*$)"
            )
        }
        (Some(digits), None) => {
            let all = digits + 1;
            format!(r"(?:\d{{0,{digits}}}|(?=[\d.]{{1,{all}}}0*$)\d*\.\d*0*$)")
        }
        (None, Some(places)) => format!(r"\d*\.?\d{{0,{places}}}0*$"),
        (None, None) => r"\d*\.?\d*$".to_owned(),
    };
    format!(r"^(?!^[-+.]*$)[+-]?0*{rest}")
}

/// utoipa's traits for our own types, which stand where they are used.
macro_rules! schemas {
    ($([$($generics:tt)*] $type:ty => $schema:expr;)*) => {$(
        impl<$($generics)*> ComposeSchema for $type {
            fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
                collection::inlined::<Self>(|| $schema.into())
            }
        }

        impl<$($generics)*> ToSchema for $type {}
    )*};
}

schemas! {
    [] Integer => typed(Type::Integer);
    [] Decimal => decimal();
    [const N: usize] Storable<N> => typed(Type::String);
    [] UploadFile => file();
    [] crate::Value => typed(SchemaType::AnyValue);
    [] ByteSize => byte_size();
    [] ByteString => file();
    [] Base64Bytes => encoded(file(), "base64");
    [] Base64Str => text("base64");
    [] Base64UrlBytes => encoded(file(), "base64url");
    [] Base64UrlStr => text("base64url");
    [] SecretStr => secret(typed(Type::String).into());
    [] SecretBytes => secret(file().into());
    [] Ipv4Address => text("ipv4");
    [] Ipv6Address => text("ipv6");
    [] IpAnyAddress => text("ipvanyaddress");
    [] Ipv4Interface => text("ipv4interface");
    [] Ipv6Interface => text("ipv6interface");
    [] IpAnyInterface => text("ipvanyinterface");
    [] Ipv4Network => text("ipv4network");
    [] Ipv6Network => text("ipv6network");
    [] IpAnyNetwork => text("ipvanynetwork");
    [const VERSION: usize] UuidOfVersion<VERSION> => text(&format!("uuid{VERSION}"));
}

#[cfg(feature = "datetime")]
schemas! {
    [] Date => text("date");
    [] DateTime => text("date-time");
    [] Time => text("time");
    [] Duration => text("duration");
    [] AwareDatetime => text("date-time");
    [] NaiveDatetime => text("date-time");
    [] PastDatetime => text("date-time");
    [] FutureDatetime => text("date-time");
    [] PastDate => text("date");
    [] FutureDate => text("date");
}

#[cfg(feature = "email")]
schemas! {
    [] EmailStr => text("email");
}

#[cfg(feature = "rust_decimal")]
schemas! {
    [const PLACES: u32] Numeric<PLACES> => decimal();
}

#[cfg(feature = "url")]
schemas! {
    [] AnyUrl => url(None);
    [] HttpUrl => url(Some(2083));
    [] AnyHttpUrl => url(None);
    [] FileUrl => url(None);
    [] FtpUrl => url(None);
    [] WebsocketUrl => url(Some(2083));
    [] AnyWebsocketUrl => url(None);
    [] AmqpDsn => url(None);
    [] ClickHouseDsn => url(None);
    [] CockroachDsn => url(None);
    [] KafkaDsn => url(None);
    [] MariaDBDsn => url(None);
    [] MongoDsn => multi_host_url();
    [] MySQLDsn => url(None);
    [] NatsDsn => multi_host_url();
    [] PostgresDsn => multi_host_url();
    [] RedisDsn => url(None);
    [] SnowflakeDsn => url(None);
}

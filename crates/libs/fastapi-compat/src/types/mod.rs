//! The types that a request can carry, each with pydantic's lax rules, messages and written form.

mod any;
mod base64;
mod boolean;
mod byte_size;
mod collections;
mod decimal;
#[cfg(feature = "url")]
mod dsn;
mod file;
mod float;
mod integer;
#[cfg(feature = "json-text")]
mod json_text;
#[cfg(feature = "datetime")]
mod moments;
mod net;
#[cfg(feature = "rust_decimal")]
mod numeric;
mod secret;
mod sequences;
#[cfg(feature = "datetime")]
mod temporal;
mod text;
#[cfg(feature = "url")]
mod url;
mod uuid;

pub use base64::{Base64Bytes, Base64Str, Base64UrlBytes, Base64UrlStr};
pub use byte_size::ByteSize;
pub(crate) use byte_size::PATTERN as BYTE_SIZE;
pub(crate) use collections::too_long;
pub use decimal::Decimal;
#[cfg(feature = "url")]
pub use dsn::{
    AmqpDsn, ClickHouseDsn, CockroachDsn, KafkaDsn, MariaDBDsn, MongoDsn, MultiHostUrl, MySQLDsn,
    NatsDsn, PostgresDsn, RedisDsn, SnowflakeDsn,
};
pub use integer::Integer;
pub(crate) use integer::SIZE;
#[cfg(feature = "json-text")]
pub use json_text::JsonText;
#[cfg(feature = "datetime")]
pub use moments::{
    AwareDatetime, FutureDate, FutureDatetime, NaiveDatetime, PastDate, PastDatetime,
};
pub use net::{
    IpAnyAddress, IpAnyInterface, IpAnyNetwork, Ipv4Address, Ipv4Interface, Ipv4Network,
    Ipv6Address, Ipv6Interface, Ipv6Network,
};
#[cfg(feature = "rust_decimal")]
pub use numeric::Numeric;
pub use secret::{ByteString, SecretBytes, SecretStr};
pub use sequences::{Deque, FrozenSet, Sequence, VariadicTuple};
#[cfg(feature = "datetime")]
pub use temporal::{Date, DateTime, Duration, Time};
pub use text::Storable;
#[cfg(feature = "url")]
pub use url::{AnyHttpUrl, AnyUrl, AnyWebsocketUrl, FileUrl, FtpUrl, HttpUrl, WebsocketUrl};
pub use uuid::{Uuid1, Uuid3, Uuid4, Uuid5, Uuid6, Uuid7, Uuid8, UuidOfVersion};

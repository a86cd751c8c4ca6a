//! The types that a request can carry, each with pydantic's lax rules, messages and written form.

mod any;
mod boolean;
mod collections;
mod decimal;
mod file;
mod float;
mod integer;
#[cfg(feature = "rust_decimal")]
mod numeric;
#[cfg(feature = "datetime")]
mod temporal;
mod text;
#[cfg(feature = "url")]
mod url;
mod uuid;

pub use decimal::Decimal;
pub use file::UploadFile;
pub use integer::Integer;
pub(crate) use integer::SIZE;
#[cfg(feature = "rust_decimal")]
pub use numeric::Numeric;
#[cfg(feature = "datetime")]
pub use temporal::{Date, DateTime, Duration, Time};
pub use text::Storable;
#[cfg(feature = "url")]
pub use url::{AnyUrl, HttpUrl};

//! The types that a request can carry, each with pydantic's lax rules, messages and written form.

mod any;
mod boolean;
mod collections;
mod decimal;
mod file;
mod float;
mod integer;
mod numeric;
mod temporal;
mod text;
mod url;
mod uuid;

pub use decimal::Decimal;
pub use file::UploadFile;
pub use integer::Integer;
pub(crate) use integer::SIZE;
pub use numeric::Numeric;
pub use temporal::{Date, DateTime, Duration, Time};
pub use text::Storable;
pub use url::{AnyUrl, HttpUrl};

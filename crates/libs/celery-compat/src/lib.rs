#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

#[doc(hidden)]
#[path = "fuzzing.rs"]
pub mod __fuzzing;
mod broker;
mod clock;
mod definition;
mod error;
mod failure;
mod link;
mod message;
mod producer;
mod python;
mod results;
mod timed;
mod worker;

pub use self::broker::BrokerUrl;
pub use self::definition::{Definition, Retries};
pub use self::error::{Error, Malformed};
pub use self::failure::{Failure, TaskError};
pub use self::message::{Message, Properties, Signature};
pub use self::producer::{DEFAULT_QUEUE, Producer};
pub use self::results::Results;
pub use self::worker::{Call, Counts, Options, Status, Worker};

//! Trials by fire: the walk of a migration and bad days, under the load of clients that check every
//! answer and remember what they were promised. The commands `walk` and `chaos`.
//!
//! Speaks HTTP to what `testbed` starts and links none of it.

pub mod clients;
mod memory;
pub mod proxy;
mod tally;

pub use memory::{Memory, Promise};
pub use tally::{Stage, Tally};

pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The prefix of every path of the service.
pub const API: &str = "/api/v1";

//! Long end-to-end tests under load: a whole migration (`walk`) and fault injection (`chaos`), with
//! clients that check every response and record which writes were acknowledged.
//!
//! The border to `testbed`: trials are tests with commands of their own; what starts services,
//! simulates networks and measures processes is testbed's. Both speak HTTP to the services and link
//! none of them; but for the program `mutant`, which is the Rust service with a defect, and for the
//! scenario that measures how long a request holds a thread of the runtime.

mod acknowledged;
mod balancer;
pub mod bodies;
pub mod clients;
mod fault;
mod tally;

pub use acknowledged::{Acknowledged, Item};
pub use balancer::{Backend, Balancer};
pub use fault::{Crowd, Observed, Probe, under_load};
pub use tally::{Stage, Tally};

/// Any error; trials report it and end.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The prefix of every path of the service.
pub const API: &str = "/api/v1";

/// An HTTP client that waits so long for each answer.
///
/// # Errors
/// When there is none.
fn http(timeout: std::time::Duration) -> Result<reqwest::Client, reqwest::Error> {
    // An error means that one is installed already.
    _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().timeout(timeout).build()
}

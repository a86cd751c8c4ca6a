//! A tower service inside a Python process: it answers the operations that a plan gives it, and an ASGI
//! application all others.
//!
//! It is the Rust half. A service implements [`Host`] and offers a [`Bridge`] as an extension module;
//! the Python half (`crates/bridge/python`) calls it for each request of the ASGI server. The plan, its
//! modes and the comparisons are [`strangler`]'s: the Python application is its old service, reached
//! without a network ([`strangler::InProcess`]).
//!
//! Rust runs on a tokio runtime of its own and never holds the interpreter while it works. Results are
//! handed to asyncio by one thread (`completions.rs`), which is the only one that waits for the interpreter.

#![warn(missing_docs)]

mod application;
mod bridge;
mod completions;
mod exchange;
mod messages;
mod process;
mod request;

pub use crate::application::ApplicationCall;
pub use crate::bridge::Bridge;
pub use crate::exchange::Exchange;
pub use crate::process::{BoxError, Host, Started, StopFuture};
pub use crate::request::{Local, Scheme};

//! The service as its clients see it, over HTTP.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod bad_days;
mod client;
mod connections;
mod disconnects;
mod emails;
mod management;
mod memory;
mod observability;
mod overload;
mod parity;
mod protection;
mod settings;
mod strangler;

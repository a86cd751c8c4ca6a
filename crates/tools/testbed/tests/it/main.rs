//! The services as their users meet them: on their own, on bad days, and as twins.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod bad_days;
mod client;
mod emails;
mod management;
mod memory;
mod observability;
mod protection;
mod strangler;
mod twins;

//! The library and Python's Celery on one broker.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test ends where something is missing")]

mod combinations;
mod generated;
mod peer;
mod wire;
mod worker;

//! The program as a pipeline runs it: its options, against small real servers.

#![expect(clippy::unwrap_used, reason = "a test ends so")]

mod connection;
mod documents;
mod endings;
mod program;
mod recordings;
mod selection;
mod server;
mod sign_in;
mod steadiness;

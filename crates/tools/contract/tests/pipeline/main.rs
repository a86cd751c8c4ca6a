//! The program as a pipeline runs it: its options, against small real servers.

mod connection;
mod endings;
mod program;
mod recordings;
mod selection;
mod server;
mod sign_in;

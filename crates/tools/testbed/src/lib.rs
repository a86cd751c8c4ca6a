//! Starts the real things that tests and benchmarks need: PostgreSQL, python-legacy, the Rust
//! service, an SMTP sink. Each has its own temporary folder and a free port, and ends with the
//! value that stands for it, also when the test process is killed.
//!
//! Speaks HTTP and SQL to what it starts and links none of it. Which service that is stands in the
//! workspace's `Cargo.toml`:
//!
//! ```toml
//! [workspace.metadata.testbed]
//! service = "molt"
//! ```

pub mod cli;
mod postgres;
mod process;
mod project;
mod scratch;
mod services;
mod smtp;

pub use postgres::Postgres;
pub use process::{Blow, Running, Signal, free_port};
pub use project::{has_legacy, root, service_name};
pub use scratch::Scratch;
pub use services::{Service, legacy, python, rust, rust_binary, rust_on};
pub use smtp::SmtpSink;

/// Why something could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{what} cannot be started: {source}")]
    Start { what: String, source: std::io::Error },
    #[error("{what} did not get ready; its last words:\n{log}")]
    NotReady { what: String, log: String },
    #[error("{0}")]
    Missing(String),
    #[error("PostgreSQL: {0}")]
    Database(#[from] sqlx::Error),
}

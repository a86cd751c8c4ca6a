//! Starts what tests and benchmarks need: PostgreSQL, RabbitMQ, Redis, python-legacy, the Rust service, an
//! SMTP server. Each has its own temporary folder and a free port, and ends when its value is dropped,
//! also when the test process is killed. [`proxy`] simulates network faults, [`usage`] measures
//! processes, [`bodies`] has the worst that a service can be sent.
//!
//! Which service that is stands in the workspace's `Cargo.toml`:
//!
//! ```toml
//! [workspace.metadata.testbed]
//! service = "molt"
//! ```
//!
//! It speaks HTTP and SQL to what it starts and links none of it. The border to `trials`: testbed
//! starts and observes processes for any test; trials are long tests, with commands of their own, that
//! use it.

#[cfg(feature = "services")]
pub mod bodies;
#[cfg(feature = "services")]
pub mod cli;
pub mod proxy;

#[cfg(feature = "services")]
mod brokers;
#[cfg(feature = "services")]
mod container;
#[cfg(feature = "services")]
mod postgres;
#[cfg(feature = "services")]
mod process;
#[cfg(feature = "services")]
mod project;
#[cfg(feature = "services")]
mod report;
#[cfg(feature = "services")]
mod scratch;
#[cfg(feature = "services")]
mod services;
#[cfg(feature = "services")]
mod smtp;
#[cfg(feature = "services")]
pub mod usage;

#[cfg(feature = "services")]
pub use self::{
    brokers::{RabbitMq, Redis},
    postgres::Postgres,
    process::{Running, Signal, free_port},
    project::{has_legacy, root, service_name},
    scratch::Scratch,
    services::{
        Service, bridged, legacy, legacy_worker, python, rust, rust_binary, rust_on, rust_worker,
    },
    smtp::SmtpSink,
};

/// Why something could not be started.
#[cfg(feature = "services")]
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A program or file could not be used.
    #[error("{what} cannot be started: {source}")]
    Start { what: String, source: std::io::Error },
    /// A process ended, or was not ready in time.
    #[error("{what} did not become ready; the end of its log:\n{log}")]
    NotReady { what: String, log: String },
    /// Something has to be installed, built or set first.
    #[error("{0}")]
    Missing(String),
    /// The database refused a statement.
    #[error("PostgreSQL: {0}")]
    Database(#[from] sqlx::Error),
}

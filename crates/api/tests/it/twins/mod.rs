//! python-legacy and its Rust twin.

mod emails;
mod generated;
mod one_database;
mod schema;

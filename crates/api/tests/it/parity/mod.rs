//! python-legacy and its Rust port.

mod emails;
mod generated;
mod http;
mod one_database;
mod rehearsals;
mod schema;
mod tasks;

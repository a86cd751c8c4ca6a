//! python-legacy and its Rust port.

mod emails;
mod generated;
mod one_database;
mod rehearsals;
mod schema;

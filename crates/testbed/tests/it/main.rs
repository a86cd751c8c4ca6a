//! Both services as their users meet them: on one database, with a mail server, on bad days.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod bad_days;
mod client;
mod emails;
mod generated;
mod management;
mod observability;
mod one_database;
mod protection;
mod schema;

//! Both services as their users meet them: on one database, with a mail server, on bad days.

mod bad_days;
mod client;
mod emails;
mod one_database;
mod schema;

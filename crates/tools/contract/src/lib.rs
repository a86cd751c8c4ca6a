//! Sends the same requests to two services and compares every byte of the answers.
//!
//! Knows nothing but two base URLs and files of cases. Start at [`run::run`]; what counts as the same
//! is decided by the crate `comparison`, and nowhere else.

pub mod case;
pub mod cli;
pub mod conformance;
pub mod effects;
pub mod generate;
mod hex;
pub mod ledger;
pub mod openapi;
mod outcome;
pub mod replay;
pub mod report;
pub mod request;
pub mod run;
pub mod select;
pub mod self_test;
mod shrink;
mod terminal;
mod valid;

//! The same requests to two services, every byte of the answers compared.
//!
//! Knows nothing but two base URLs and files of cases. Start at [`run::run`]; what may differ is
//! said in [`compare`], and nowhere else.

pub mod case;
pub mod compare;
mod diff;
pub mod generate;
pub mod ledger;
pub mod openapi;
pub mod report;
pub mod run;

//! The same requests to two services, every byte of the answers compared.
//!
//! Knows nothing but two base URLs and files of cases. Start at [`run::run`]; what may differ is
//! said in [`compare`], and nowhere else. Without the feature `suite` there is only the comparison.

pub mod compare;
mod diff;

#[cfg(feature = "suite")]
pub mod case;
#[cfg(feature = "suite")]
pub mod cli;
#[cfg(feature = "suite")]
pub mod effects;
#[cfg(feature = "suite")]
pub mod generate;
#[cfg(feature = "suite")]
pub mod ledger;
#[cfg(feature = "suite")]
pub mod openapi;
#[cfg(feature = "suite")]
pub mod replay;
#[cfg(feature = "suite")]
pub mod report;
#[cfg(feature = "suite")]
pub mod run;
#[cfg(feature = "suite")]
pub mod self_test;
#[cfg(feature = "suite")]
mod shrink;
#[cfg(feature = "suite")]
mod terminal;

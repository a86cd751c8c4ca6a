//! Writes Rust in the style of this repository: whole services, whole slices for new resources, and the
//! first of it before a service of others.

#![expect(clippy::format_push_string, reason = "what is written stands as it is read")]

pub mod cargo;
pub mod cli;
pub mod draft;
pub mod drafts;
pub mod inspect;
pub mod inspection;
pub mod libraries;
pub mod resource;
pub mod service;
pub mod tables;
mod templates;
pub mod tree;
mod workspace;

pub(crate) use templates::templates;

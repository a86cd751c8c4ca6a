//! Checks `k8s/` without a cluster: renders the overlay of each stage, validates what comes out
//! against the schemas of all its kinds, has a policy checker look at it, and asserts what no schema
//! says: that names point at something, that everything is pinned and limited, and that the stages
//! differ only where they should.
//!
//! It knows the overlays and no Rust of the service; settings are checked by the service's program.

mod assertions;
pub mod cli;
mod cluster;
mod manifests;
mod monitoring;
mod schemas;
mod stages;
mod tools;

/// The stages of a migration, in their order: the overlays, of which not all need be there.
const STAGES: [&str; 4] = ["legacy", "shadow", "canary", "rust"];

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A check of one stage: what is wrong.
type Faults = Vec<String>;

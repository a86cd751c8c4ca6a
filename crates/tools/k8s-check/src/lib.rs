//! Checks `k8s/` without a cluster: renders the overlay of each stage, validates what comes out
//! against the schemas of all its kinds, runs a policy checker on it, asserts what no schema states (that
//! names point at something, that everything is pinned and limited, that the overlays differ only where
//! they should), and simulates the commands that lead from stage to stage.
//!
//! It knows the overlays and no Rust of the service; settings are checked by the service's program.

mod assertions;
pub mod cli;
mod cluster;
mod crds;
mod manifests;
mod monitoring;
mod schemas;
mod simulation;
mod stages;
mod steps;
mod tools;

/// The overlays in the order of a migration: its stages, and what is applied between them. Not all need
/// be there.
const OVERLAYS: [&str; 7] =
    ["legacy", "shadow-prepare", "shadow", "canary-prepare", "canary", "standby", "rust"];

/// The stages in which a migration may stay, in their order.
const STAGES: [&str; 4] = ["legacy", "shadow", "canary", "rust"];

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A check of one overlay: what is wrong.
type Errors = Vec<String>;

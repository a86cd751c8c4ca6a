//! What must hold for any input of the parsers that work on other crates' public API, for the fuzz targets
//! and for the short run in `cargo test` (crates/tools/trials/tests/fuzz.rs). The other targets are
//! functions of the crates that they test.

pub mod paths;
pub mod recordings;

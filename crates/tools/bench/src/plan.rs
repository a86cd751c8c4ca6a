//! How much is measured.

use std::time::Duration;

use crate::contenders::Contender;

/// The extent of a run.
pub(crate) struct Plan {
    pub rounds: usize,
    pub measured: Duration,
    pub warm_up: Duration,
    pub items: u64,
    /// All scenarios, SQLite too; otherwise those of the headline.
    pub scenarios_of_full: bool,
    pub sizes: Vec<u64>,
    pub connections: Vec<usize>,
    pub cold_starts: usize,
}

impl Plan {
    /// Whether a contender takes part outside the headline's scenarios: short plans leave out those
    /// that have no target.
    pub(crate) fn compares(&self, contender: Contender) -> bool {
        self.scenarios_of_full || !matches!(contender, Contender::Granian | Contender::Expert)
    }
}

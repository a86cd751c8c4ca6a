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
    /// Rows before a page, of the largest of these sizes.
    pub skips: Vec<u64>,
    pub connections: Vec<usize>,
    pub cold_starts: usize,
    /// The rates of the open loops, as percentages of the capacity.
    pub percents: Vec<u32>,
    /// How long each of them lasts.
    pub open: Duration,
    pub open_rounds: usize,
    /// Of an open loop.
    pub max_connections: usize,
    /// How long sign-ins flood a service.
    pub flood: Duration,
}

impl Plan {
    /// Whether a contender takes part outside the headline's scenarios: short plans leave out those
    /// that have no target.
    pub(crate) fn compares(&self, contender: Contender) -> bool {
        let without_target = [Contender::Traced, Contender::Granian, Contender::Expert];
        self.scenarios_of_full || !without_target.contains(&contender)
    }
}

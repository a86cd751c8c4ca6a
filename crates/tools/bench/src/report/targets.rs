//! The targets of the project, and whether a run met them.

use serde::Serialize;

use super::{ColdStart, Curve, Flood, Ratios, Report, Spread};
use crate::contenders::Contender::{self, Legacy, Limit};

/// A target of the project.
#[derive(Debug, Serialize)]
pub(crate) struct Target {
    pub figure: &'static str,
    pub goal: f64,
    /// Whether more is better.
    pub is_min: bool,
    /// None if the generator could not keep up.
    pub measured: Option<f64>,
    /// None if it was not measured.
    pub met: Option<bool>,
}

#[derive(Clone, Copy)]
enum Goal {
    Min(f64),
    Max(f64),
}

/// A figure of this run.
#[derive(Clone, Copy)]
enum Figure {
    /// The scenario was no part of the run.
    Absent,
    /// The generator could not keep up.
    Unknown,
    Is(f64),
}

impl From<Option<f64>> for Figure {
    fn from(measured: Option<f64>) -> Self {
        measured.map_or(Self::Unknown, Self::Is)
    }
}

impl Target {
    fn new(figure: &'static str, goal: Goal, measured: Option<f64>) -> Self {
        let (goal, is_min) = match goal {
            Goal::Min(goal) => (goal, true),
            Goal::Max(goal) => (goal, false),
        };
        let met = measured.map(|measured| if is_min { measured >= goal } else { measured <= goal });
        Self { figure, goal, is_min, measured, met }
    }
}

/// The rate at which a service has three times as much to do as it can.
const OVERLOAD: u32 = 300;

impl Report {
    /// Those of which this run has the scenario.
    pub(crate) fn targets(&self) -> Vec<Target> {
        use Goal::{Max, Min};

        let throughput = |name, other| self.ratio(name, other, |ratios| ratios.throughput);
        let cpu = |name| self.ratio(name, Legacy, |ratios| ratios.cpu);
        let p99 = |name| self.ratio(name, Legacy, |ratios| ratios.p99);
        let figures = [
            ("GET item: throughput against legacy", Min(55.0), throughput("get_item", Legacy)),
            ("GET item: CPU for each request", Max(1.0 / 65.0), cpu("get_item")),
            ("GET list of 100: throughput", Min(40.0), throughput("list_100", Legacy)),
            ("GET list of 100: CPU", Max(1.0 / 45.0), cpu("list_100")),
            ("POST item: throughput", Min(30.0), throughput("post_item", Legacy)),
            ("POST item: CPU", Max(1.0 / 75.0), cpu("post_item")),
            ("mixed load: throughput", Min(32.0), throughput("mixed", Legacy)),
            ("p99 at 70 % of what legacy can take", Max(1.0 / 40.0), p99("get_item_at_rate")),
            (
                "three times its capacity: answered, of its capacity",
                Min(0.9),
                self.overload(|curve| curve.goodput(OVERLOAD)),
            ),
            (
                "three times its capacity: p99 of what is accepted, against the idle p50",
                Max(10.0),
                self.overload(|curve| curve.p99_to_idle_p50(OVERLOAD)),
            ),
            (
                "fifty times the sign-ins that can be hashed: completed, of what can",
                Min(0.9),
                self.flood(Flood::completed),
            ),
            ("beside them: other requests refused or failed", Max(0.0), self.flood(Flood::lost)),
            (
                "beside them: p99 of the others, against without",
                Max(2.0),
                self.flood(Flood::slower),
            ),
            ("memory under load", Max(1.0 / 9.0), self.alone(|start| &start.loaded_pss_mib)),
            ("memory idle", Max(1.0 / 9.0), self.alone(|start| &start.idle_pss_mib)),
            ("start to first answer", Max(1.0 / 90.0), self.alone(|start| &start.seconds)),
            ("GET item: throughput against the limit", Min(0.9), throughput("get_item", Limit)),
            ("GET list of 100: the same", Min(0.95), throughput("list_100", Limit)),
            ("POST item: the same", Min(0.95), throughput("post_item", Limit)),
            ("PUT item: the same", Min(0.95), throughput("put_item", Limit)),
            ("mixed load: the same", Min(0.9), throughput("mixed", Limit)),
        ];
        figures
            .into_iter()
            .filter_map(|(figure, goal, measured)| match measured {
                Figure::Absent => None,
                Figure::Unknown => Some(Target::new(figure, goal, None)),
                Figure::Is(measured) => Some(Target::new(figure, goal, Some(measured))),
            })
            .collect()
    }

    /// The median of a ratio to another contender.
    fn ratio(&self, name: &str, other: Contender, of: fn(Ratios) -> Spread) -> Figure {
        match self.scenario(name) {
            Some(scenario) if scenario.rounds.contains_key(&other) => {
                scenario.against(other).map(|ratios| of(ratios).median).into()
            }
            _ => Figure::Absent,
        }
    }

    /// The Rust service's figure alone on the machine, divided by python-legacy's.
    fn alone(&self, of: fn(&ColdStart) -> &Vec<f64>) -> Figure {
        let median = |contender: &str| {
            let start = self.cold_starts.iter().find(|start| start.contender == contender)?;
            Some(Spread::of(of(start).iter().copied())?.median)
        };
        match (median("molt"), median("legacy")) {
            (Some(ours), Some(theirs)) => Figure::Is(ours / theirs),
            _ => Figure::Absent,
        }
    }

    fn overload(&self, of: fn(&Curve) -> Option<f64>) -> Figure {
        let curve = self.curves.iter().find(|curve| curve.of == Contender::Molt);
        curve.map_or(Figure::Absent, |curve| of(curve).into())
    }

    fn flood(&self, of: fn(&Flood) -> Option<f64>) -> Figure {
        let flood = self.floods.iter().find(|flood| flood.contender == "molt");
        flood.map_or(Figure::Absent, |flood| of(flood).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(goal: Goal, measured: Option<f64>) -> Option<bool> {
        Target::new("a figure", goal, measured).met
    }

    #[test]
    fn a_target_is_met_on_its_side_of_the_goal() {
        let min = Goal::Min(0.9);
        assert_eq!([met(min, Some(0.89)), met(min, Some(0.9))], [Some(false), Some(true)]);
        let max = Goal::Max(0.9);
        assert_eq!([met(max, Some(0.91)), met(max, Some(0.9))], [Some(false), Some(true)]);
    }

    #[test]
    fn what_was_not_measured_is_neither_met_nor_missed() {
        assert_eq!([met(Goal::Min(0.9), None), met(Goal::Max(0.9), None)], [None, None]);
    }
}

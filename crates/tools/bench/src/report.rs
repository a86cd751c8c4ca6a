//! What was measured, for people (Markdown, a chart) and machines (JSON).

mod chart;
mod markdown;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use crate::contenders::Contender;

/// One contender in one round.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Figures {
    pub per_second: f64,
    /// Of the server and its children, for 1,000 requests.
    pub cpu_ms_per_1000: f64,
    pub database_cpu_ms_per_1000: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// At the end of the round.
    pub pss_mib: f64,
    /// Of its core.
    pub generator_share: f64,
}

pub(crate) struct ScenarioReport {
    pub name: &'static str,
    pub title: &'static str,
    pub connections: usize,
    /// The requests each second, if they came at a fixed rate.
    pub rate: Option<f64>,
    pub rounds: BTreeMap<Contender, Vec<Figures>>,
}

/// The median of some values, with the smallest and the largest.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Spread {
    pub median: f64,
    pub min: f64,
    pub max: f64,
}

/// The Rust service's figures divided by another's, pair by pair.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Ratios {
    pub throughput: Spread,
    /// CPU time for each request.
    pub cpu: Spread,
    pub p99: Spread,
    pub memory: Spread,
}

#[derive(Default, Serialize)]
pub(crate) struct Flood {
    pub quiet_p99: Vec<f64>,
    pub flooded_p99: Vec<f64>,
    pub sign_ins_per_second: Vec<f64>,
}

#[derive(Serialize)]
pub(crate) struct Growth {
    pub what: &'static str,
    pub contender: &'static str,
    pub size: u64,
    /// None if requests failed.
    pub figures: Option<Figures>,
}

/// A contender alone on the machine.
#[derive(Default, Serialize)]
pub(crate) struct ColdStart {
    pub contender: &'static str,
    /// From the start of the process to its first answer.
    pub seconds: Vec<f64>,
    pub idle_pss_mib: Vec<f64>,
    /// After some seconds of GET item.
    pub loaded_pss_mib: Vec<f64>,
}

#[derive(Serialize)]
pub(crate) struct Setting {
    pub contender: &'static str,
    pub what: &'static str,
    pub command: String,
}

pub(crate) struct Report {
    pub machine: String,
    pub plan: String,
    pub settings: Vec<Setting>,
    pub scenarios: Vec<ScenarioReport>,
    pub sqlite: Vec<ScenarioReport>,
    pub strangler: Vec<ScenarioReport>,
    pub flood: BTreeMap<&'static str, Flood>,
    pub connections: Vec<Growth>,
    pub sizes: Vec<Growth>,
    pub cold_starts: Vec<ColdStart>,
    pub binary_mib: f64,
    pub python_mib: f64,
}

/// A target of the project, and whether this run met it.
#[derive(Serialize)]
pub(crate) struct Target {
    pub figure: &'static str,
    pub goal: f64,
    /// Whether more is better.
    pub at_least: bool,
    pub measured: f64,
    pub met: bool,
}

impl Spread {
    pub(crate) fn of(values: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut values: Vec<f64> = values.into_iter().filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (&min, &max) = (values.first()?, values.last()?);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some(Self { median: f64::midpoint(low, high), min, max })
    }
}

impl ScenarioReport {
    pub(crate) fn new(name: &'static str, title: &'static str, connections: usize) -> Self {
        Self { name, title, connections, rate: None, rounds: BTreeMap::new() }
    }

    pub(crate) fn add(&mut self, contender: Contender, figures: Figures) {
        self.rounds.entry(contender).or_default().push(figures);
    }

    pub(crate) fn median(&self, contender: Contender, of: impl Fn(&Figures) -> f64) -> Option<f64> {
        Spread::of(self.rounds.get(&contender)?.iter().map(of)).map(|spread| spread.median)
    }

    pub(crate) fn against(&self, other: Contender) -> Option<Ratios> {
        let (ours, theirs) = (self.rounds.get(&Contender::Molt)?, self.rounds.get(&other)?);
        let ratio = |of: fn(&Figures) -> f64| {
            Spread::of(ours.iter().zip(theirs).map(|(a, b)| of(a) / of(b)))
        };
        Some(Ratios {
            throughput: ratio(|figures| figures.per_second)?,
            cpu: ratio(|figures| figures.cpu_ms_per_1000)?,
            p99: ratio(|figures| figures.p99_ms)?,
            memory: ratio(|figures| figures.pss_mib)?,
        })
    }

    fn others(&self) -> impl Iterator<Item = Contender> {
        self.rounds.keys().copied().filter(|&contender| contender != Contender::Molt)
    }

    fn ratios(&self) -> Value {
        self.others().map(|other| (other.name(), json!(self.against(other)))).collect()
    }

    fn figures(&self) -> Value {
        self.rounds.iter().map(|(contender, rounds)| (contender.name(), json!(rounds))).collect()
    }
}

impl Report {
    fn scenario(&self, name: &str) -> Option<&ScenarioReport> {
        self.scenarios.iter().find(|scenario| scenario.name == name)
    }

    /// The targets of which this run has the figures.
    pub(crate) fn targets(&self) -> Vec<Target> {
        use Contender::{Legacy, Limit};

        let against = |name: &str, other, of: fn(Ratios) -> Spread| {
            Some(of(self.scenario(name)?.against(other)?).median)
        };
        let flood = self.flood.get("molt").and_then(|flood| {
            let ratios = flood.flooded_p99.iter().zip(&flood.quiet_p99).map(|(a, b)| a / b);
            Some(Spread::of(ratios)?.median)
        });
        let alone = |of: fn(&ColdStart) -> &Vec<f64>| {
            let median = |contender: &str| {
                let start = self.cold_starts.iter().find(|start| start.contender == contender)?;
                Some(Spread::of(of(start).iter().copied())?.median)
            };
            Some(median("molt")? / median("legacy")?)
        };
        [
            (
                "GET item: throughput against legacy",
                35.0,
                true,
                against("get_item", Legacy, |r| r.throughput),
            ),
            (
                "GET item: CPU for each request",
                1.0 / 40.0,
                false,
                against("get_item", Legacy, |r| r.cpu),
            ),
            (
                "GET list of 100: throughput",
                14.0,
                true,
                against("list_100", Legacy, |r| r.throughput),
            ),
            ("GET list of 100: CPU", 1.0 / 22.0, false, against("list_100", Legacy, |r| r.cpu)),
            ("POST item: throughput", 20.0, true, against("post_item", Legacy, |r| r.throughput)),
            ("POST item: CPU", 1.0 / 45.0, false, against("post_item", Legacy, |r| r.cpu)),
            ("mixed load: throughput", 20.0, true, against("mixed", Legacy, |r| r.throughput)),
            (
                "p99 at 70 % of what legacy can take",
                1.0 / 15.0,
                false,
                against("get_item_at_rate", Legacy, |r| r.p99),
            ),
            ("p99 of reads while sign-ins flood, against without", 2.0, false, flood),
            ("memory under load", 1.0 / 9.0, false, alone(|start| &start.loaded_pss_mib)),
            ("memory idle", 1.0 / 9.0, false, alone(|start| &start.idle_pss_mib)),
            ("start to first answer", 1.0 / 50.0, false, alone(|start| &start.seconds)),
            (
                "GET item: throughput against the limit",
                0.70,
                true,
                against("get_item", Limit, |r| r.throughput),
            ),
            (
                "GET list of 100: throughput against the limit",
                0.95,
                true,
                against("list_100", Limit, |r| r.throughput),
            ),
            (
                "POST item: throughput against the limit",
                0.95,
                true,
                against("post_item", Limit, |r| r.throughput),
            ),
        ]
        .into_iter()
        .filter_map(|(figure, goal, at_least, measured)| {
            let measured = measured?;
            let met = if at_least { measured >= goal } else { measured <= goal };
            Some(Target { figure, goal, at_least, measured, met })
        })
        .collect()
    }

    fn json(&self) -> Value {
        let ratios = |scenarios: &[ScenarioReport]| -> Value {
            scenarios.iter().map(|scenario| (scenario.name, scenario.ratios())).collect()
        };
        let figures = |scenarios: &[ScenarioReport]| -> Value {
            scenarios.iter().map(|scenario| (scenario.name, scenario.figures())).collect()
        };
        json!({
            "date": domain::now(),
            "machine": self.machine,
            "plan": self.plan,
            "settings": self.settings,
            "targets": self.targets(),
            "ratios": ratios(&self.scenarios),
            "figures": figures(&self.scenarios),
            "sqlite": { "ratios": ratios(&self.sqlite), "figures": figures(&self.sqlite) },
            "strangler": { "ratios": ratios(&self.strangler), "figures": figures(&self.strangler) },
            "flood": self.flood,
            "connections": self.connections,
            "sizes": self.sizes,
            "cold_starts": self.cold_starts,
            "binary_mib": self.binary_mib,
            "python_environment_mib": self.python_mib,
        })
    }

    pub(crate) fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("report.json"), format!("{:#}\n", self.json()))?;
        std::fs::write(folder.join("report.md"), self.markdown())?;
        std::fs::write(folder.join("chart.svg"), self.chart())
    }
}

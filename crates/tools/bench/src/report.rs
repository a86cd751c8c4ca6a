//! What was measured, for people (Markdown, a chart) and machines (JSON).

mod chart;
mod curves;
mod markdown;
mod overload;
mod targets;

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

pub(crate) use self::overload::{Beside, Curve, Flood, OpenFigures, OpenRound, Point};
use crate::contenders::Contender;

/// What [`Report::write`] writes.
pub(crate) const FILES: [&str; 5] =
    ["report.json", "report.md", "chart.svg", "open-loops.svg", "growth.svg"];

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
    /// Whether the generator sent the requests when they were due; rounds in which it did not count for
    /// nothing.
    pub kept_up: bool,
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

#[derive(Serialize)]
pub(crate) struct Growth {
    pub what: &'static str,
    #[serde(skip)]
    pub of: Contender,
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
    pub curves: Vec<Curve>,
    pub floods: Vec<Flood>,
    pub connections: Vec<Growth>,
    pub sizes: Vec<Growth>,
    pub pages: Vec<Growth>,
    /// What a reader of the figures has to know.
    pub notes: Vec<String>,
    pub cold_starts: Vec<ColdStart>,
    pub binary_mib: f64,
    pub python_mib: f64,
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
        let rounds = self.rounds.get(&contender)?.iter().filter(|figures| figures.kept_up);
        Spread::of(rounds.map(of)).map(|spread| spread.median)
    }

    pub(crate) fn against(&self, other: Contender) -> Option<Ratios> {
        let (ours, theirs) = (self.rounds.get(&Contender::Molt)?, self.rounds.get(&other)?);
        let ratio = |of: fn(&Figures) -> f64| {
            let pairs = ours.iter().zip(theirs).filter(|(a, b)| a.kept_up && b.kept_up);
            Spread::of(pairs.map(|(a, b)| of(a) / of(b)))
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
            "open_loops": self.curves,
            "floods": self.floods,
            "connections": self.connections,
            "sizes": self.sizes,
            "pages": self.pages,
            "notes": self.notes,
            "cold_starts": self.cold_starts,
            "binary_mib": self.binary_mib,
            "python_environment_mib": self.python_mib,
        })
    }

    pub(crate) fn write(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let json = format!("{:#}\n", self.json());
        let texts = [json, self.markdown(), self.chart(), self.open_loops(), self.growth()];
        for (name, text) in FILES.iter().zip(texts) {
            std::fs::write(folder.join(name), text)?;
        }
        Ok(())
    }
}

//! A snapshot of everything that is known.

use serde::Serialize;

use crate::cpu::{Cpu, CpuShare, CpuView};
use crate::plan::{Mode, Steps};
use crate::side::Figures;
use crate::statistics::View;
use crate::strangler::{Running, Strangler};

/// Everything that the page shows.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// The mode of operations that the plan does not list.
    pub default: Mode,
    /// Why the file of the plan cannot be read or written.
    pub error: Option<String>,
    /// The seconds since the start.
    pub seconds: f64,
    /// The operations of the new service.
    pub operations: Vec<OperationView>,
    /// Requests to operations that the new service does not have.
    pub others: Figures,
    /// Headers in which the services may differ by the settings.
    pub ignored_headers: Vec<String>,
    /// Where they may differ by the plan.
    pub may_differ: Vec<String>,
    /// Whether the e-mails of rehearsed writes are compared: the old service's pass here.
    pub emails_compared: bool,
    /// The old service's CPU, if `Settings::legacy_cpu` says where it is reported.
    pub cpu: Option<CpuView>,
    /// What comparisons take.
    pub memory: Memory,
}

/// The memory of copies that wait to be compared, in bytes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Memory {
    /// What may be taken.
    pub max: usize,
    /// What is taken now.
    pub used: usize,
    /// The most that ever was.
    pub peak: usize,
}

/// An operation with its mode and statistics.
#[derive(Debug, Serialize)]
pub struct OperationView {
    /// The operationId.
    pub id: String,
    /// The HTTP method.
    pub method: String,
    /// The path template.
    pub path: String,
    /// The mode of the plan.
    pub mode: Mode,
    /// The percentage of clients that the new service responds to now.
    pub percent: u8,
    /// Why its canary failed, if it did: legacy responds until the mode is set again.
    pub fallback: Option<String>,
    /// Of an automatic canary.
    pub step: Option<StepView>,
    /// Its share of the old service's CPU, if that is known.
    pub cpu: Option<CpuShare>,
    /// What was observed on both sides.
    #[serde(flatten)]
    pub statistics: View,
}

/// The step of an automatic canary, and what it needs to end.
#[derive(Clone, Debug, Serialize)]
pub struct StepView {
    /// Which one, from 1.
    pub number: usize,
    /// How many there are; in the last one the canary stays until it is set to `native`.
    pub of: usize,
    /// Responses of the new service.
    pub requests: u64,
    /// The fewest.
    pub min_requests: u64,
    /// Seconds since the step began.
    pub seconds: u64,
    /// The fewest.
    pub min_seconds: u64,
    /// Compared responses.
    pub compared: u64,
    /// The fewest; 0 for what is not compared.
    pub min_compared: u64,
}

impl Strangler {
    /// A snapshot of the plan and of all statistics.
    pub fn overview(&self) -> Overview {
        let state = self.read();
        let operations = self.0.operations.iter().zip(&state.operations).zip(&self.0.statistics);
        let shares = self.0.cpu.as_ref().map(Cpu::shares).unwrap_or_default();
        let shares = shares.into_iter().chain(std::iter::repeat(None));
        let steps = &state.plan.steps;
        let operations = operations.zip(shares);
        let operations =
            operations.map(|(((operation, running), statistics), cpu)| OperationView {
                cpu,
                id: operation.id.to_string(),
                method: operation.method.to_string(),
                path: operation.path.to_string(),
                mode: running.mode,
                percent: percent(running, steps),
                fallback: running.failed.clone(),
                step: (running.mode == Mode::Automatic).then(|| {
                    let (requests, compared) = statistics.step();
                    let is_compared =
                        operation.method.is_safe() && self.0.settings.canary_checks > 0;
                    StepView {
                        number: running.step + 1,
                        of: steps.percents.len(),
                        requests,
                        min_requests: steps.requests,
                        seconds: running.since.elapsed().as_secs(),
                        min_seconds: steps.seconds,
                        compared,
                        min_compared: if is_compared { steps.compared } else { 0 },
                    }
                }),
                statistics: statistics.view(),
            });
        let settings = &self.0.settings;
        let (used, peak) = self.0.shadow.budget.used();
        Overview {
            default: state.plan.default,
            error: state.error.clone(),
            seconds: self.0.start.elapsed().as_secs_f64(),
            operations: operations.collect(),
            others: self.0.others.view().legacy,
            ignored_headers: settings.ignored_headers.iter().map(ToString::to_string).collect(),
            may_differ: state.plan.may_differ.clone(),
            emails_compared: self.0.mails.is_some(),
            cpu: self.0.cpu.as_ref().map(Cpu::view),
            memory: Memory { max: settings.comparison_memory, used, peak },
        }
    }
}

/// The percentage of clients that the new service responds to.
fn percent(running: &Running, steps: &Steps) -> u8 {
    match running.mode {
        Mode::Native => 100,
        _ if running.failed.is_some() => 0,
        Mode::Canary(percent) => percent,
        Mode::Automatic => steps.percent(running.step),
        Mode::Legacy | Mode::Shadow => 0,
    }
}

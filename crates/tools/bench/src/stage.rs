//! The contenders on one database, and what is measured of them.

use std::cell::RefCell;
use std::time::Duration;

use indicatif::ProgressBar;
use testbed::usage::{cpu_seconds, pss_mib, tree};

use crate::Result;
use crate::contenders::{Contender, Running};
use crate::load::{self, Arrivals, Client, Request};
use crate::plan::Plan;
use crate::report::{Figures, Growth, ScenarioReport};
use crate::scenarios::{Scenario, Sessions};

/// A load generator that takes more of its core than this may itself limit the result.
const GENERATOR_SHARE: f64 = 0.6;

/// The contenders, all running on one database.
pub(crate) struct Stage<'a> {
    plan: &'a Plan,
    pub(crate) running: Vec<Running>,
    /// The database server, where it is one of our processes.
    pub(crate) postgres: Option<u32>,
    progress: ProgressBar,
    /// What a reader of the figures has to know.
    notes: RefCell<Vec<String>>,
}

impl<'a> Stage<'a> {
    /// Starts contenders on a database, pinned to a core.
    pub(crate) async fn open(
        plan: &'a Plan,
        contenders: &[Contender],
        url: &str,
        core: Option<usize>,
        progress: &ProgressBar,
    ) -> Result<Self> {
        let mut running = Vec::new();
        for &contender in contenders {
            progress.set_message(format!("starting {}", contender.name()));
            let legacy = running.iter().find(|it: &&Running| it.contender == Contender::Legacy);
            let legacy = legacy.map(|legacy| legacy.address.as_str());
            let started = contender.start(url, core, legacy).await?;
            running.push(started);
        }
        let notes = RefCell::default();
        Ok(Self { plan, running, postgres: None, progress: progress.clone(), notes })
    }

    /// Ends them all; gives what a reader of the figures has to know.
    pub(crate) fn close(self) -> Result<Vec<String>> {
        for running in &self.running {
            let dropped = running.dropped_lines()?;
            if dropped > 0 {
                let name = running.contender.name();
                self.note(format!("{name} lost {dropped} lines of its log, which was too slow"));
            }
        }
        Ok(self.notes.into_inner())
    }

    fn note(&self, note: String) {
        self.progress.println(&note);
        self.notes.borrow_mut().push(note);
    }

    /// Measures a scenario, round by round.
    pub(crate) fn scenario(&self, mut scenario: Scenario) -> Result<ScenarioReport> {
        let mut taking_part = Vec::new();
        let mut expected: Option<Vec<u8>> = None;
        let mut fields: Option<Vec<String>> = None;
        for running in &self.running {
            if !scenario.contenders.contains(&running.contender) {
                continue;
            }
            let first = Scenario::learn(&mut scenario.requests, &running.address)?;
            if ["get_item", "list_20", "list_100"].contains(&scenario.name)
                && *expected.get_or_insert_with(|| first.clone()) != first
            {
                return Err(format!(
                    "{}: {} gives a different response",
                    scenario.name,
                    running.contender.name()
                )
                .into());
            }
            // The limit writes no less than the service.
            if matches!(running.contender, Contender::Molt | Contender::Limit) {
                let sent = Client::connect(&running.address)?.fields(&scenario.requests[0])?;
                let first = fields.get_or_insert_with(|| sent.clone());
                if *first != sent {
                    return Err(format!(
                        "{}: {} has other header fields: {sent:?} and not {first:?}",
                        scenario.name,
                        running.contender.name()
                    )
                    .into());
                }
            }
            taking_part.push((running, scenario.requests.clone()));
        }
        let mut report = ScenarioReport::new(scenario.name, scenario.title, scenario.connections);
        for round in 1..=self.plan.rounds {
            for (running, requests) in &taking_part {
                let message = format!(
                    "{}, round {round} of {}: {}",
                    scenario.title,
                    self.plan.rounds,
                    running.contender.name()
                );
                self.progress.set_message(message);
                let connections = scenario.connections;
                let figures = self.measure(running, requests, connections, Arrivals::Closed)?;
                report.add(running.contender, figures);
            }
        }
        Ok(report)
    }

    /// GET item at the same rate for every contender.
    pub(crate) fn at_rate(&self, sessions: &Sessions, rate: f64) -> Result<ScenarioReport> {
        let title = "GET item at 70 % of what legacy can take";
        let mut report = ScenarioReport::new("get_item_at_rate", title, 64);
        report.rate = Some(rate);
        for round in 1..=self.plan.rounds {
            for running in self.running.iter().filter(|it| self.plan.compares(it.contender)) {
                let name = running.contender.name();
                self.progress.set_message(format!("{title}, round {round}: {name}"));
                let arrivals = Arrivals::PerSecond(rate);
                // Few requests each second: a percentile needs more of them.
                let duration = 2 * self.plan.measured;
                let reads = sessions.get_item();
                let figures = self.measure_for(duration, running, &reads, 64, arrivals)?;
                report.add(running.contender, figures);
            }
        }
        Ok(report)
    }

    /// GET item over more and more connections.
    pub(crate) fn connections(&self, sessions: &Sessions) -> Result<Vec<Growth>> {
        let mut growth: Vec<Growth> = Vec::new();
        let mut requests = sessions.get_item();
        for &connections in &self.plan.connections {
            for running in &self.running {
                let contender = running.contender.name();
                if growth.iter().any(|g| g.contender == contender && g.figures.is_none()) {
                    continue; // it may not have recovered
                }
                self.progress.set_message(format!("{connections} connections: {contender}"));
                Scenario::learn(&mut requests[..1], &running.address)?;
                let figures = self.measure(running, &requests, connections, Arrivals::Closed);
                let figures = match figures {
                    Ok(figures) => Some(figures),
                    Err(error) if running.contender == Contender::Molt => return Err(error),
                    Err(error) => {
                        self.note(format!("with {connections} connections {error}"));
                        None
                    }
                };
                let size = connections as u64;
                let of = running.contender;
                growth.push(Growth { what: "GET item", of, contender, size, figures });
            }
        }
        Ok(growth)
    }

    /// The same requests on a table of this size, or after so many rows of one.
    pub(crate) fn growth(
        &self,
        what: &'static str,
        size: u64,
        connections: usize,
        requests: &[Request],
    ) -> Vec<Growth> {
        let mut growth = Vec::new();
        for running in &self.running {
            let contender = running.contender.name();
            self.progress.set_message(format!("{what}, {size}: {contender}"));
            let figures = self.measure(running, requests, connections, Arrivals::Closed);
            let figures = figures.inspect_err(|error| {
                self.note(format!("{what}, {size}: {error}"));
            });
            let (of, figures) = (running.contender, figures.ok());
            growth.push(Growth { what, of, contender, size, figures });
        }
        growth
    }

    fn measure(
        &self,
        running: &Running,
        requests: &[Request],
        connections: usize,
        arrivals: Arrivals,
    ) -> Result<Figures> {
        self.measure_for(self.plan.measured, running, requests, connections, arrivals)
    }

    fn measure_for(
        &self,
        duration: Duration,
        running: &Running,
        requests: &[Request],
        connections: usize,
        arrivals: Arrivals,
    ) -> Result<Figures> {
        running.empty_log()?;
        let send =
            |duration| load::run(&running.address, requests, connections, arrivals, duration);
        refuse_errors(running, &send(self.plan.warm_up)?.errors)?;
        let (server, database) = (tree(running.pid), self.postgres.map(tree).unwrap_or_default());
        let cpu =
            || [cpu_seconds(&server), cpu_seconds(&database), cpu_seconds(&[std::process::id()])];
        let before = cpu();
        let outcome = send(duration)?;
        let after = cpu();
        refuse_errors(running, &outcome.errors)?;
        let memory = pss_mib(&server);
        let [server, database, generator] = [0, 1, 2].map(|n| after[n] - before[n]);
        #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 requests")]
        let per_1000 = |seconds: f64| seconds * 1_000_000.0 / outcome.requests.max(1) as f64;
        let generator_share = generator / outcome.elapsed.as_secs_f64();
        if generator_share > GENERATOR_SHARE && connections <= 64 {
            self.note(format!(
                "{}: the generator took {:.0} % of its core",
                running.contender.name(),
                100.0 * generator_share
            ));
        }
        Ok(Figures {
            per_second: outcome.per_second(),
            cpu_ms_per_1000: per_1000(server),
            database_cpu_ms_per_1000: per_1000(database),
            p50_ms: outcome.percentile(50.0),
            p99_ms: outcome.percentile(99.0),
            pss_mib: memory,
            generator_share,
            kept_up: outcome.kept_up,
        })
    }
}

/// Fails if there were errors: such a run does not count.
fn refuse_errors(running: &Running, errors: &[String]) -> Result<()> {
    match errors.first() {
        None => Ok(()),
        Some(first) => {
            let health = Request::new("GET", "/api/v1/utils/health-check/", None, None);
            let alive =
                Client::connect(&running.address).and_then(|mut c| c.send(&health).map(drop));
            let alive = if alive.is_ok() { "still answers" } else { "does not answer any more" };
            let (count, name) = (errors.len(), running.contender.name());
            Err(format!("{name}: {count} requests failed ({first}); it {alive}").into())
        }
    }
}

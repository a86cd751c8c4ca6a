//! The measurements, in the order in which they disturb each other least.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use testbed::{Postgres, root};

use crate::Result;
use crate::contenders::{Contender, Running};
use crate::data;
use crate::load::{self, Arrivals, Client, Request};
use crate::process::{cpu_seconds, pss_mib, tree};
use crate::report::{ColdStart, Figures, Flood, Growth, Report, ScenarioReport, Setting};
use crate::scenarios::{Scenario, Sessions, WHOLE_SERVICES, sign_in};

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
    /// Whether this one takes part beside the headline's scenarios: short plans do without those
    /// that no aim is about.
    fn compares(&self, contender: Contender) -> bool {
        self.scenarios_of_full || !matches!(contender, Contender::Granian | Contender::Expert)
    }
}

/// A generator that takes more of its core than this may be what limits the figure.
const GENERATOR_SHARE: f64 = 0.6;
/// Requests each second beside the flood of sign-ins.
const FLOOD_RATE: f64 = 100.0;
const FLOOD_CONNECTIONS: usize = 8;

/// The contenders, all running on one database.
struct Stage<'a> {
    plan: &'a Plan,
    running: Vec<Running>,
    /// The database server, where it is one of our processes.
    postgres: Option<u32>,
    progress: ProgressBar,
}

#[expect(clippy::too_many_lines, reason = "one table after the other")]
pub(crate) async fn run(plan: &Plan) -> Result<Report> {
    let cores = std::thread::available_parallelism()?.get();
    let core = pin_to_second_core(cores)?;
    let progress = ProgressBar::new_spinner()
        .with_style(ProgressStyle::with_template("{spinner} {elapsed_precise} {msg}")?);
    progress.enable_steady_tick(Duration::from_millis(200));

    let postgres = Postgres::start().await?;
    let url = prepare(&postgres.database().await?, plan.items, &progress).await?;
    let mut stage = Stage::open(plan, &Contender::ALL, &url, core, &progress).await?;
    stage.postgres = postgres.pid();
    let sessions = Sessions::open(&stage.running[0].address, plan.items)?;
    let mut scenarios = Vec::new();
    let mut flood = BTreeMap::new();
    for scenario in sessions.scenarios(!plan.scenarios_of_full) {
        let first = scenario.name == "get_item";
        let measured = stage.scenario(scenario)?;
        let legacy = measured.median(Contender::Legacy, |figures| figures.per_second);
        scenarios.push(measured);
        if first {
            scenarios.push(stage.at_rate(&sessions, 0.7 * legacy.unwrap_or_default())?);
            flood = stage.flood(&sessions)?;
        }
    }
    let connections = stage.connections(&sessions)?;
    drop(stage);

    let mut strangler = Vec::new();
    if plan.scenarios_of_full {
        let stage = Stage::open(plan, &Contender::STRANGLER, &url, core, &progress).await?;
        let sessions = Sessions::open(&stage.running[0].address, plan.items)?;
        for mut scenario in sessions.scenarios(true) {
            scenario.contenders = &Contender::STRANGLER;
            strangler.push(stage.scenario(scenario)?);
        }
    }

    // Nobody else runs now, so that nobody shares pages with others.
    let mut cold_starts = Vec::new();
    for contender in Contender::ALL {
        progress.set_message(format!("cold start of {}", contender.name()));
        let mut start = ColdStart { contender: contender.name(), ..ColdStart::default() };
        for _ in 0..plan.cold_starts {
            let running = contender.start(&url, core, None).await?;
            start.seconds.push(running.cold_start.as_secs_f64());
            start.idle_pss_mib.push(pss_mib(&tree(running.pid)));
            let closed = Arrivals::Closed;
            load::run(&running.address, &sessions.get_item(), 16, closed, plan.measured)?;
            start.loaded_pss_mib.push(pss_mib(&tree(running.pid)));
        }
        cold_starts.push(start);
    }

    let mut sizes = Vec::new();
    for &items in &plan.sizes {
        let url = prepare(&postgres.database().await?, items, &progress).await?;
        let both = [Contender::Molt, Contender::Legacy];
        let stage = Stage::open(plan, &both, &url, core, &progress).await?;
        let sessions = Sessions::open(&stage.running[0].address, items)?;
        sizes.extend(stage.growth("GET list of 100, one's own", items, &sessions.list(100))?);
        let everybody = sessions.list_of_everybody();
        sizes.extend(stage.growth("GET list of 100, everybody's", items, &everybody)?);
    }

    let mut sqlite = Vec::new();
    if plan.scenarios_of_full {
        let folder = tempfile::tempdir()?;
        let file = format!("sqlite:///{}", folder.path().join("bench.db").display());
        let url = prepare(&file, plan.items, &progress).await?;
        let both = [Contender::Molt, Contender::Legacy];
        let stage = Stage::open(plan, &both, &url, core, &progress).await?;
        let sessions = Sessions::open(&stage.running[0].address, plan.items)?;
        for scenario in sessions.scenarios(true) {
            sqlite.push(stage.scenario(scenario)?);
        }
    }
    progress.finish_and_clear();

    let mut settings = Vec::new();
    for contender in Contender::ALL {
        settings.push(Setting {
            contender: contender.name(),
            what: contender.description(),
            command: contender.settings()?,
        });
    }
    Ok(Report {
        machine: machine(cores, core),
        settings,
        plan: format!(
            "{} rounds of {:?} each after {:?} of warm-up, {} items of {} users",
            plan.rounds,
            plan.measured,
            plan.warm_up,
            plan.items,
            plan.items / data::ITEMS_PER_USER
        ),
        scenarios,
        sqlite,
        strangler,
        flood,
        connections,
        sizes,
        cold_starts,
        binary_mib: mib(fs::metadata(testbed::rust_binary()?)?.len()),
        python_mib: mib(folder_size(&root().join("target/venv"))),
    })
}

/// Starts everyone, says how to reach them, and waits for Ctrl-C.
pub(crate) async fn stay(plan: &Plan) -> Result<()> {
    let core = pin_to_second_core(std::thread::available_parallelism()?.get())?;
    let progress = ProgressBar::hidden();
    let postgres = Postgres::start().await?;
    let url = prepare(&postgres.database().await?, plan.items, &progress).await?;
    let stage = Stage::open(plan, &Contender::ALL, &url, core, &progress).await?;
    let sessions = Sessions::open(&stage.running[0].address, plan.items)?;
    println!("Everyone is up on {url}. For example:");
    for running in &stage.running {
        let (name, pid, address) = (running.contender.name(), running.pid, &running.address);
        let (path, token) = sessions.example();
        println!("\n# {name}, process {pid}");
        println!("wrk -t1 -c16 -d5 -H 'Authorization: Bearer {token}' 'http://{address}{path}'");
    }
    Ok(tokio::signal::ctrl_c().await?)
}

/// Servers run on the first core, PostgreSQL and we on the second.
fn pin_to_second_core(cores: usize) -> Result<Option<usize>> {
    if cores < 2 {
        eprintln!("bench: one core only: servers, database and generator share it");
        return Ok(None);
    }
    let mut second = rustix::thread::CpuSet::new();
    second.set(1);
    rustix::thread::sched_setaffinity(None, &second)?;
    Ok(Some(0))
}

/// Makes the schema and fills it.
async fn prepare(url: &str, items: u64, progress: &ProgressBar) -> Result<String> {
    progress.set_message(format!("loading {items} items"));
    drop(Contender::Molt.start(url, None, None).await?);
    data::load(url, items).await?;
    Ok(url.to_owned())
}

impl<'a> Stage<'a> {
    async fn open(
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
        Ok(Self { plan, running, postgres: None, progress: progress.clone() })
    }

    fn scenario(&self, mut scenario: Scenario) -> Result<ScenarioReport> {
        let mut taking_part = Vec::new();
        let mut expected: Option<Vec<u8>> = None;
        for running in &self.running {
            if !scenario.contenders.contains(&running.contender) {
                continue;
            }
            let first = Scenario::learn(&mut scenario.requests, &running.address)?;
            if ["get_item", "list_20", "list_100"].contains(&scenario.name)
                && *expected.get_or_insert_with(|| first.clone()) != first
            {
                return Err(format!(
                    "{}: {} answers otherwise",
                    scenario.name,
                    running.contender.name()
                )
                .into());
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

    /// GET item at the same rate for everyone.
    fn at_rate(&self, sessions: &Sessions, rate: f64) -> Result<ScenarioReport> {
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

    /// The p99 of reads without and with a flood of sign-ins beside them.
    fn flood(&self, sessions: &Sessions) -> Result<BTreeMap<&'static str, Flood>> {
        let reads = sessions.get_item();
        let sign_ins: Vec<_> = (1..=16).map(|user| sign_in(&data::email(user))).collect();
        let mut floods = BTreeMap::new();
        for running in self.running.iter().filter(|it| self.plan.compares(it.contender)) {
            if !WHOLE_SERVICES.contains(&running.contender) {
                continue;
            }
            let duration = self.plan.measured * 2;
            let mut flood = Flood::default();
            for _ in 0..self.plan.rounds.min(3) {
                self.progress
                    .set_message(format!("flood of sign-ins: {}", running.contender.name()));
                let arrivals = Arrivals::PerSecond(FLOOD_RATE);
                let quiet = load::run(&running.address, &reads, 32, arrivals, duration)?;
                let (flooded, flooding) = std::thread::scope(|scope| {
                    let flooding = scope.spawn(|| {
                        let closed = Arrivals::Closed;
                        load::run(&running.address, &sign_ins, FLOOD_CONNECTIONS, closed, duration)
                    });
                    (load::run(&running.address, &reads, 32, arrivals, duration), flooding.join())
                });
                let flooding = flooding.map_err(|_| "the flood panicked")??;
                let flooded = flooded?;
                for outcome in [&quiet, &flooded, &flooding] {
                    refuse_errors(running, &outcome.errors)?;
                }
                flood.quiet_p99.push(quiet.percentile(99.0));
                flood.flooded_p99.push(flooded.percentile(99.0));
                flood.sign_ins_per_second.push(flooding.per_second());
            }
            floods.insert(running.contender.name(), flood);
        }
        Ok(floods)
    }

    fn connections(&self, sessions: &Sessions) -> Result<Vec<Growth>> {
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
                        self.progress.println(format!("with {connections} connections {error}"));
                        None
                    }
                };
                let size = connections as u64;
                growth.push(Growth { what: "GET item", contender, size, figures });
            }
        }
        Ok(growth)
    }

    fn growth(&self, what: &'static str, items: u64, requests: &[Request]) -> Result<Vec<Growth>> {
        let mut growth = Vec::new();
        for running in &self.running {
            let contender = running.contender.name();
            self.progress.set_message(format!("{what}, {items} items: {contender}"));
            let figures = self.measure(running, requests, 16, Arrivals::Closed)?;
            growth.push(Growth { what, contender, size: items, figures: Some(figures) });
        }
        Ok(growth)
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
            self.progress.println(format!(
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
        })
    }
}

/// A run with errors does not count.
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

fn machine(cores: usize, core: Option<usize>) -> String {
    let model = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = model.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    let model = model.map_or("an unknown processor", |(_, name)| name.trim());
    let where_ = match core {
        Some(_) => "servers on the first core, PostgreSQL and the load generator on the second",
        None => "everything on one core",
    };
    format!("{model}, {cores} cores free for us; {where_}")
}

fn folder_size(folder: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(folder) else { return 0 };
    entries
        .flatten()
        .map(|entry| match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => folder_size(&entry.path()),
            Ok(metadata) => metadata.len(),
            Err(_) => 0,
        })
        .sum()
}

fn mib(bytes: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "no folder has 2^52 bytes")]
    let bytes = bytes as f64;
    bytes / 1024.0 / 1024.0
}

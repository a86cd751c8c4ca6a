//! The command `walk`: a whole migration under load, there, back and there again, and then with
//! faults. Clients check every answer, and that nothing that was acknowledged is ever lost.

mod cost;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use serde_json::Value;
use testbed::{Blow, Postgres, Service, legacy, rust_on};
use trials::clients::Load;
use trials::{BoxError, Stage};

use crate::cost::{Proxied, cost, stream_through};

const PASSWORD: &str = "the walk's own password";

/// Walks python-legacy's operations over to Rust and back under load, on PostgreSQL.
#[derive(Parser)]
#[command(
    version,
    after_help = "Exit codes: 0 no failure, no mismatch, nothing lost; 1 otherwise; 2 the walk could \
        not be run.

Example:
  walk --requests 100000 --clients 16"
)]
struct Cli {
    /// How many requests the clients send on the way
    #[arg(long, default_value_t = 100_000)]
    requests: u64,
    /// How many clients there are
    #[arg(long, default_value_t = 16)]
    clients: usize,
    /// How large the body is that is streamed through, in MiB
    #[arg(long, default_value_t = 1024)]
    stream: u64,
    /// Where the report goes
    #[arg(long, default_value = "target/walk/report.json")]
    report: PathBuf,
}

#[derive(Debug, Default, Serialize)]
struct Report {
    requests: u64,
    failures: u64,
    /// Answers that were not what a client had been promised, and shadowed ones that differed.
    mismatches: u64,
    /// Shadowed answers that were compared, and those that could not be.
    compared: u64,
    uncompared: u64,
    lost_writes: usize,
    stages: Vec<Step>,
    faults: Vec<Step>,
    proxy: Proxied,
}

#[derive(Debug, Serialize)]
struct Step {
    name: String,
    #[serde(flatten)]
    seen: Stage,
}

/// The strangler as it runs at the moment, on a socket that stays.
struct Walk {
    socket: TcpListener,
    base: String,
    database: String,
    legacy_url: String,
    plan: PathBuf,
    molt: Option<Service>,
    management: String,
    http: reqwest::Client,
    bar: ProgressBar,
}

impl Walk {
    async fn start_molt(&self) -> Result<(Service, String), BoxError> {
        let plan = self.plan.display().to_string();
        let service = rust_on(
            &self.socket,
            &self.database,
            &[
                ("LEGACY_URL", &self.legacy_url),
                ("LEGACY_TIMEOUT_SECONDS", "2"),
                ("STRANGLER_PLAN", &plan),
                ("STRANGLER_PASSWORD", PASSWORD),
                ("MANAGEMENT_PORT", "0"),
                ("DRAIN_SECONDS", "1"),
                ("RUST_LOG", "warn"),
            ],
        )
        .await?;
        let management = service.management().await?;
        Ok((service, management))
    }

    /// A new process takes the socket over before the old one lets go of it.
    async fn restart(&mut self, report: &mut Report) -> Result<(), BoxError> {
        self.bar.set_message("restarting the Rust process");
        self.count_comparisons(report).await?;
        let (molt, management) = self.start_molt().await?;
        let old = self.molt.replace(molt);
        self.management = management;
        if let Some(old) = old {
            let log = old.log();
            if log.contains("panicked") {
                return Err(format!("a panic:\n{log}").into());
            }
            old.stop().await;
        }
        Ok(())
    }

    async fn state(&self) -> Result<Value, BoxError> {
        let url = format!("{}/_molt/state", self.management);
        let state = self.http.get(url).bearer_auth(PASSWORD).send().await?.bytes().await?;
        Ok(serde_json::from_slice(&state)?)
    }

    /// Adds what this process has found in shadowed answers.
    async fn count_comparisons(&self, report: &mut Report) -> Result<(), BoxError> {
        let state = self.state().await?;
        for operation in state["operations"].as_array().into_iter().flatten() {
            let count = |what: &str| operation[what].as_u64().unwrap_or_default();
            report.mismatches += count("mismatches");
            report.compared += count("matches") + count("mismatches");
            report.uncompared += count("uncompared") + count("dropped") + count("noise");
            if count("mismatches") > 0 {
                let last = &operation["last_differences"];
                self.bar.suspend(|| println!("{} differs: {last:#}", operation["id"]));
            }
            if let Some(reason) = operation["fallback"].as_str() {
                self.bar.suspend(|| println!("{}: the canary failed: {reason}", operation["id"]));
            }
        }
        Ok(())
    }

    async fn plan(&self, text: &str) -> Result<(), BoxError> {
        let url = format!("{}/_molt/plan", self.management);
        let put = self.http.put(url).bearer_auth(PASSWORD).body(text.to_owned());
        let answer = put.send().await?;
        match answer.status().as_u16() {
            204 => Ok(()),
            status => {
                Err(format!("the plan was refused with {status}: {}", answer.text().await?).into())
            }
        }
    }

    /// Waits until the clients have sent so many requests more.
    async fn stage(&self, name: &str, load: &Load, requests: u64, steps: &mut Vec<Step>) {
        self.bar.set_message(name.to_owned());
        let (start, before) = (Instant::now(), load.tally.requests());
        let done = self.bar.position();
        loop {
            let sent = load.tally.requests() - before;
            self.bar.set_position(done + sent.min(requests));
            if sent >= requests || start.elapsed() > Duration::from_mins(10) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        steps.push(Step { name: name.to_owned(), seen: load.tally.take() });
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli).await {
        Ok(report) => {
            show(&report);
            // A walk on which nothing was compared shows nothing.
            let compared = report.compared > 0;
            if compared && report.failures == 0 && report.mismatches == 0 && report.lost_writes == 0
            {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            eprintln!("walk: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run(cli: &Cli) -> Result<Report, BoxError> {
    let folder = cli.report.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let plan = std::path::absolute(folder.join("plan.yaml"))?;
    std::fs::write(&plan, "default: legacy\n")?;
    let postgres = Postgres::start().await?;
    let database = postgres.database().await?;
    let legacy = legacy(&database, &[]).await?;
    let socket = TcpListener::bind("127.0.0.1:0")?;
    let base = format!("http://{}", socket.local_addr()?);
    let bar = ProgressBar::new(cli.requests);
    if let Ok(style) =
        ProgressStyle::with_template("{bar:30} {pos} of {len} requests, {elapsed}  {msg}")
    {
        bar.set_style(style);
    }
    // Whoever has chosen one before keeps it.
    _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut walk = Walk {
        socket,
        base,
        database,
        legacy_url: legacy.url.clone(),
        plan,
        molt: None,
        management: String::new(),
        http,
        bar,
    };
    let (molt, management) = walk.start_molt().await?;
    (walk.molt, walk.management) = (Some(molt), management);
    let mut report = Report::default();
    there_and_back(cli, &mut walk, &mut report).await?;
    faults(cli, &mut walk, &legacy, &postgres, &mut report).await?;
    walk.bar.set_message("what the way through costs");
    report.proxy = cost(&walk).await?;
    walk.molt = None;
    stream_through(cli.stream, &mut walk, &mut report.proxy).await?;
    walk.bar.finish_and_clear();
    std::fs::write(&cli.report, serde_json::to_string_pretty(&report)? + "\n")?;
    println!("the report is in {}", cli.report.display());
    Ok(report)
}

/// Everything at once, there and back, and then operation by operation.
async fn there_and_back(cli: &Cli, walk: &mut Walk, report: &mut Report) -> Result<(), BoxError> {
    let part = |percent: u64| cli.requests * percent / 100;
    let load = Load::start(&walk.base, "walker", cli.clients).await?;
    let mut steps = Vec::new();
    for way in ["there", "and there again"] {
        for (mode, percent) in
            [("legacy", 3), ("shadow", 4), ("canary 10%", 3), ("canary 50%", 4), ("native", 25)]
        {
            walk.plan(&format!("default: {mode}\n")).await?;
            walk.stage(&format!("{mode}, {way}"), &load, part(percent), &mut steps).await;
            if mode == "canary 50%" || mode == "shadow" {
                walk.restart(report).await?;
                walk.stage(&format!("{mode}, restarted"), &load, part(1), &mut steps).await;
            }
        }
        walk.restart(report).await?;
        walk.stage("native, restarted", &load, part(3), &mut steps).await;
        walk.plan("default: legacy\n").await?;
        walk.stage("back to legacy", &load, part(1), &mut steps).await;
    }
    let state = walk.state().await?;
    let operations = state["operations"].as_array().cloned().unwrap_or_default();
    let each = (cli.requests / 100 / operations.len().max(1) as u64).max(1);
    let mut plan = "default: legacy\noperations:\n".to_owned();
    for operation in &operations {
        let id = operation["id"].to_string();
        for mode in ["shadow", "canary 10%", "canary 50%", "native"] {
            walk.plan(&format!("{plan}  {id}: {mode}\n")).await?;
            walk.stage("one by one", &load, each, &mut steps).await;
        }
        plan = format!("{plan}  {id}: native\n");
    }
    // One line for all of them.
    let at = steps.iter().position(|step| step.name == "one by one").unwrap_or(steps.len());
    let single = steps.split_off(at);
    steps.extend(single.into_iter().reduce(joined));
    let left = cli.requests.saturating_sub(steps.iter().map(|step| step.seen.requests).sum());
    // It ends with some requests at least: a stage without any would have no figures.
    walk.stage("all native", &load, left.max(each), &mut steps).await;
    walk.count_comparisons(report).await?;
    finish(load, report, &mut steps).await?;
    report.stages = steps;
    Ok(())
}

fn joined(mut one: Step, other: Step) -> Step {
    one.seen.seconds += other.seen.seconds;
    one.seen.requests += other.seen.requests;
    for (what, count) in other.seen.failures {
        *one.seen.failures.entry(what).or_default() += count;
    }
    one.seen.wrong.extend(other.seen.wrong);
    one.seen.p50_ms = one.seen.p50_ms.max(other.seen.p50_ms);
    one.seen.p99_ms = one.seen.p99_ms.max(other.seen.p99_ms);
    one
}

/// Stops the clients and looks for all that they were promised.
async fn finish(load: Load, report: &mut Report, steps: &mut [Step]) -> Result<(), BoxError> {
    let tally = Arc::clone(&load.tally);
    let clients = load.stop().await;
    for client in &clients {
        for lost in client.lost().await? {
            println!("lost: {lost}");
            report.lost_writes += 1;
        }
    }
    let rest = tally.take();
    if let Some(last) = steps.last_mut() {
        last.seen.requests += rest.requests;
        last.seen.failures.extend(rest.failures);
        last.seen.wrong.extend(rest.wrong);
    }
    for step in steps {
        report.requests += step.seen.requests;
        report.failures += step.seen.failed();
        report.mismatches += step.seen.wrong.len() as u64;
        for wrong in step.seen.wrong.iter().take(5) {
            println!("{}: {wrong}", step.name);
        }
    }
    Ok(())
}

/// What clients see when something breaks; nothing that was acknowledged may be lost.
async fn faults(
    cli: &Cli,
    walk: &mut Walk,
    legacy: &Service,
    postgres: &Postgres,
    report: &mut Report,
) -> Result<(), BoxError> {
    let load = Load::start(&walk.base, "sufferer", cli.clients).await?;
    let mut steps = Vec::new();
    let calm = (cli.requests / 100).max(100);
    let half =
        "default: native\noperations:\n  items-read_item: legacy\n  users-read_user_me: legacy\n";
    let pause = async |seconds| tokio::time::sleep(Duration::from_secs(seconds)).await;
    let seen = |name: &str| Step { name: name.to_owned(), seen: load.tally.take() };
    walk.plan(half).await?;
    walk.stage("two operations at legacy", &load, calm, &mut steps).await;

    walk.bar.set_message("legacy stands still for 5 s");
    legacy.strike(Blow::Pause)?;
    pause(5).await;
    legacy.strike(Blow::Resume)?;
    pause(1).await;
    steps.push(seen("legacy stands still for 5 s"));
    walk.stage("after it", &load, calm, &mut steps).await;

    walk.bar.set_message("the Rust process is killed");
    if let Some(molt) = walk.molt.take() {
        molt.strike(Blow::Kill)?;
        molt.stop().await;
    }
    let (molt, management) = walk.start_molt().await?;
    (walk.molt, walk.management) = (Some(molt), management);
    pause(1).await;
    steps.push(seen("the Rust process is killed"));
    walk.stage("after it", &load, calm, &mut steps).await;

    walk.bar.set_message("the database crashes");
    postgres.crash()?;
    pause(1).await;
    postgres.recover()?;
    pause(3).await;
    steps.push(seen("the database crashes and is back after 1 s"));
    walk.stage("after it", &load, calm, &mut steps).await;

    walk.bar.set_message("legacy is killed");
    legacy.strike(Blow::Kill)?;
    pause(2).await;
    steps.push(seen("legacy is killed"));
    walk.plan("default: native\n").await?;
    // What had begun before ends as it began.
    pause(1).await;
    load.tally.take();
    walk.stage("everything native, without legacy", &load, calm, &mut steps).await;

    let mut suffered = Report::default();
    finish(load, &mut suffered, &mut steps).await?;
    report.lost_writes += suffered.lost_writes;
    report.mismatches += suffered.mismatches;
    // Between the faults all must be well.
    let calm =
        |step: &&Step| step.name.starts_with("after") || step.name.contains("without legacy");
    report.failures += steps.iter().filter(calm).map(|step| step.seen.failed()).sum::<u64>();
    report.faults = steps;
    Ok(())
}

fn show(report: &Report) {
    for (title, steps) in [("the walk", &report.stages), ("faults", &report.faults)] {
        println!(
            "\n{title:34} {:>9} {:>8} {:>8} {:>8}  failures",
            "requests", "each s", "p50 ms", "p99 ms"
        );
        for Step { name, seen } in steps {
            #[expect(clippy::cast_precision_loss, reason = "shown to a digit")]
            let rate = seen.requests as f64 / seen.seconds;
            println!(
                "{name:34} {:>9} {rate:>8.0} {:>8.1} {:>8.1}  {}",
                seen.requests,
                seen.p50_ms,
                seen.p99_ms,
                if seen.failures.is_empty() { "none".to_owned() } else { seen.told() }
            );
        }
    }
    let Proxied { direct_p50_ms: direct, through_p50_ms: through, .. } = report.proxy;
    println!(
        "\nthrough the strangler: {:.2} ms more at the median ({direct:.2} ms directly), {:.0} % of the \
         throughput ({:.0} requests/s directly)",
        through - direct,
        100.0 * report.proxy.through_per_second / report.proxy.direct_per_second,
        report.proxy.direct_per_second
    );
    println!(
        "{} MiB up and down: {:.1} MiB of memory at the most, {:.1} before",
        report.proxy.streamed_mib, report.proxy.memory_peak_mib, report.proxy.memory_before_mib
    );
    println!(
        "\n{} requests, {} failures, {} mismatches ({} shadowed answers compared, {} not \
         comparable), {} lost writes",
        report.requests,
        report.failures,
        report.mismatches,
        report.compared,
        report.uncompared,
        report.lost_writes
    );
}

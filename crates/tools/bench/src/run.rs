//! The measurements, in the order in which they disturb each other least.

use std::fs;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use testbed::usage::{pss_mib, tree};
use testbed::{Postgres, root};

use crate::Result;
use crate::contenders::Contender;
use crate::data;
use crate::load::{self, Arrivals};
use crate::machine::{self, allow_many_files, folder_size, mib, pin_to_second_core};
use crate::overload::Overload;
use crate::plan::Plan;
use crate::report::{ColdStart, Report, Setting};
use crate::scenarios::Sessions;
use crate::stage::Stage;

#[expect(clippy::too_many_lines, reason = "one table after the other")]
pub(crate) async fn run(plan: &Plan) -> Result<Report> {
    allow_many_files()?;
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
    for scenario in sessions.scenarios(!plan.scenarios_of_full) {
        let first = scenario.name == "get_item";
        let measured = stage.scenario(scenario)?;
        let legacy = measured.median(Contender::Legacy, |figures| figures.per_second);
        scenarios.push(measured);
        if first {
            scenarios.push(stage.at_rate(&sessions, 0.7 * legacy.unwrap_or_default())?);
        }
    }
    let connections = stage.connections(&sessions)?;
    let mut notes = stage.close()?;

    let mut overload = Overload::open(plan, &url, core, postgres.pid(), &progress).await?;
    let curves = overload.curves(&sessions).await?;
    let floods = overload.flood(&sessions)?;
    notes.append(&mut overload.notes);
    overload.close()?;

    let mut strangler = Vec::new();
    if plan.scenarios_of_full {
        let mut stage = Stage::open(plan, &Contender::STRANGLER, &url, core, &progress).await?;
        stage.postgres = postgres.pid();
        for mut scenario in sessions.scenarios(true) {
            scenario.contenders = &Contender::STRANGLER;
            strangler.push(stage.scenario(scenario)?);
        }
        notes.extend(stage.close()?);
    }

    // Nothing else runs now, so that no memory pages are shared.
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

    let (mut sizes, mut pages) = (Vec::new(), Vec::new());
    for &items in &plan.sizes {
        let url = prepare(&postgres.database().await?, items, &progress).await?;
        let both = [Contender::Molt, Contender::Legacy];
        let mut stage = Stage::open(plan, &both, &url, core, &progress).await?;
        stage.postgres = postgres.pid();
        let sessions = sessions.on(&stage.running[0].address, items)?;
        sizes.extend(stage.growth("GET list of 100, own items", items, 16, &sessions.list(100)));
        let all = sessions.list_of_all();
        sizes.extend(stage.growth("GET list of 100, of all users", items, 4, &all));
        if plan.sizes.last() == Some(&items) {
            for &skip in &plan.skips {
                let requests = sessions.deep_page(skip);
                pages.extend(stage.growth("GET 100 of all users' items", skip, 4, &requests));
            }
        }
        notes.extend(stage.close()?);
    }

    let mut sqlite = Vec::new();
    if plan.scenarios_of_full {
        let folder = tempfile::tempdir()?;
        let file = format!("sqlite:///{}", folder.path().join("bench.db").display());
        let url = prepare(&file, plan.items, &progress).await?;
        let both = [Contender::Molt, Contender::Legacy];
        let stage = Stage::open(plan, &both, &url, core, &progress).await?;
        let sessions = sessions.on(&stage.running[0].address, plan.items)?;
        for scenario in sessions.scenarios(true) {
            sqlite.push(stage.scenario(scenario)?);
        }
        notes.extend(stage.close()?);
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
        machine: machine::description(cores, core),
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
        curves,
        floods,
        connections,
        sizes,
        pages,
        notes,
        cold_starts,
        binary_mib: mib(fs::metadata(testbed::rust_binary()?)?.len()),
        python_mib: mib(folder_size(&root().join("target/venv"))),
    })
}

/// Starts every contender, prints how to reach it, and waits for Ctrl-C.
pub(crate) async fn stay(plan: &Plan) -> Result<()> {
    let core = pin_to_second_core(std::thread::available_parallelism()?.get())?;
    let progress = ProgressBar::hidden();
    let postgres = Postgres::start().await?;
    let url = prepare(&postgres.database().await?, plan.items, &progress).await?;
    let stage = Stage::open(plan, &Contender::ALL, &url, core, &progress).await?;
    let sessions = Sessions::open(&stage.running[0].address, plan.items)?;
    println!("All contenders run on {url}. For example:");
    for running in &stage.running {
        let (name, pid, address) = (running.contender.name(), running.pid, &running.address);
        let (path, token) = sessions.example();
        println!("\n# {name}, process {pid}");
        println!("wrk -t1 -c16 -d5 -H 'Authorization: Bearer {token}' 'http://{address}{path}'");
    }
    Ok(tokio::signal::ctrl_c().await?)
}

/// Makes the schema and fills it.
async fn prepare(url: &str, items: u64, progress: &ProgressBar) -> Result<String> {
    progress.set_message(format!("loading {items} items"));
    Contender::migrate(url).await?;
    data::load(url, items).await?;
    Ok(url.to_owned())
}

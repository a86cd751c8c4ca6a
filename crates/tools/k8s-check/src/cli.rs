//! The command line of `k8s-check`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::manifests::Manifests;
use crate::tools::Tools;
use crate::{BoxError, Errors, OVERLAYS, STAGES, assertions, crds, schemas, stages, steps};

/// Check the Kubernetes manifests of every stage, without a cluster
#[derive(Parser)]
#[command(
    name = "k8s-check",
    after_help = "Examples:
  k8s-check --service molt                          render, validate, check policies and assert
  k8s-check --service molt --rendered target/k8s    leave the rendered stages elsewhere"
)]
struct Cli {
    /// The name of the service: of its Deployment, its Secret and its program
    #[arg(long)]
    service: String,
    /// The folder with base, components and overlays
    #[arg(long, default_value = "k8s")]
    manifests: PathBuf,
    /// Where the rendered stages go
    #[arg(long, default_value = "target/k8s")]
    rendered: PathBuf,
    /// The virtual environment with kubernetes-validate and checkov
    #[arg(long, default_value = "target/venv-k8s")]
    venv: PathBuf,
    /// The version of Kubernetes to validate against
    #[arg(long, default_value = "1.33")]
    kubernetes: String,
    /// A folder with the published CustomResourceDefinitions, to validate against these too
    #[arg(long)]
    crds: Option<PathBuf>,
    /// The page with the steps from stage to stage
    #[arg(long, default_value = "k8s/README.md")]
    steps: PathBuf,
    /// The service's program, which checks its own settings [default: target/debug/SERVICE]
    #[arg(long)]
    binary: Option<PathBuf>,
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match check(&cli) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(errors) => {
            eprintln!("k8s-check: {errors} errors");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("k8s-check: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One line of the table for each check, one column for each stage.
fn check(cli: &Cli) -> Result<usize, BoxError> {
    let tools = Tools::find(&cli.venv)?;
    let overlays = cli.manifests.join("overlays");
    let mut stages = Vec::new();
    for stage in OVERLAYS.into_iter().filter(|stage| overlays.join(stage).is_dir()) {
        eprintln!("k8s-check: rendering {stage} with {}", tools.renderer());
        let path = cli.rendered.join(format!("{stage}.yaml"));
        let text = tools.render(&overlays.join(stage))?;
        std::fs::create_dir_all(&cli.rendered)?;
        std::fs::write(&path, &text)?;
        stages.push((stage, path, Manifests::read(&cli.service, &text)?));
    }
    if stages.is_empty() {
        return Err(format!("{} has none of {}", overlays.display(), OVERLAYS.join(", ")).into());
    }
    let mut table = Table {
        stages: stages.iter().map(|(stage, _, _)| *stage).collect(),
        text: String::new(),
        errors: 0,
    };
    table.line("objects", stages.iter().map(|(_, _, all)| (all.len(), Vec::new())));
    eprintln!("k8s-check: validating with kubernetes-validate, strictly");
    let mut built_in = Vec::new();
    for (_, path, all) in &stages {
        built_in.push((all.built_in().count(), tools.validate(path, &cli.kubernetes)?));
    }
    table.line("built-in kinds: schema", built_in);
    table.line(
        "custom resources: schema",
        stages.iter().map(|(_, _, all)| (all.custom().count(), schemas::check(all))),
    );
    if let Some(folder) = &cli.crds {
        let definitions = crds::Definitions::read(folder)?;
        table
            .line("published definitions", stages.iter().map(|(_, _, all)| definitions.check(all)));
    }
    eprintln!("k8s-check: checking policies with checkov");
    let mut policies = Vec::new();
    for (stage, path, _) in &stages {
        // The overlays between the stages differ from them in the route alone.
        if !STAGES.contains(stage) {
            policies.push((0, Errors::new()));
            continue;
        }
        policies.push(tools.policies(path, &cli.manifests.join("checkov.yaml"))?);
    }
    table.line("policies", policies);
    for (name, check) in assertions::ALL {
        table.line(name, stages.iter().map(|(_, _, all)| check(all)));
    }
    let mut settings = Vec::new();
    let default = || PathBuf::from("target/debug").join(&cli.service);
    let binary = cli.binary.clone().unwrap_or_else(default);
    for (_, _, all) in &stages {
        settings.push(assertions::settings(all, &binary)?);
    }
    table.line("settings that it takes", settings);
    let all: Vec<_> = stages.iter().map(|(stage, _, all)| (*stage, all)).collect();
    table.line("differs only where it should", stages::compare(&all));
    println!("{}", table.text);
    let overlays = stages.into_iter().map(|(stage, _, all)| (stage.to_owned(), all)).collect();
    table.errors += simulate(&std::fs::read_to_string(&cli.steps)?, &overlays)?;
    println!("{} is what would be applied.", cli.rendered.display());
    Ok(table.errors)
}

/// Simulates the steps of the page, then breaks each and demands that it is seen. Gives the number of
/// errors.
fn simulate(page: &str, overlays: &BTreeMap<String, Manifests>) -> Result<usize, BoxError> {
    let steps = steps::parse(page);
    let mut errors = steps::missing(&steps, overlays);
    for step in &steps {
        let (events, found) = steps::simulate(step, overlays);
        println!(
            "{:30}{events:>7} commands{}",
            step.name(),
            if found.is_empty() { " ✓" } else { " ✗" }
        );
        errors.extend(found);
    }
    let (broken, unseen) = steps::self_test(&steps, overlays);
    println!("{:30}{broken:>7} seen", "broken on purpose");
    errors.extend(unseen);
    if broken == 0 {
        return Err("no step could be broken: the simulation checks nothing".into());
    }
    for error in &errors {
        eprintln!("{error}");
    }
    println!();
    Ok(errors.len())
}

struct Table {
    stages: Vec<&'static str>,
    text: String,
    errors: usize,
}

impl Table {
    /// How many objects were checked in each stage, and the errors.
    fn line(&mut self, name: &str, columns: impl IntoIterator<Item = (usize, Errors)>) {
        use std::fmt::Write;

        if self.text.is_empty() {
            let stages: Vec<_> = self.stages.iter().map(|stage| format!("{stage:>15}")).collect();
            self.text = format!("{:30}{}\n", "", stages.join(""));
        }
        _ = write!(self.text, "{name:30}");
        for (stage, (checked, errors)) in self.stages.iter().zip(columns) {
            let cell = if checked == 0 && errors.is_empty() {
                console::style(format!("{:>15}", "-"))
            } else if errors.is_empty() {
                console::style(format!("{checked:>13} ✓")).green()
            } else {
                console::style(format!("{:>13} ✗", errors.len())).red()
            };
            _ = write!(self.text, "{cell}");
            for error in &errors {
                eprintln!("{stage}: {name}: {error}");
            }
            self.errors += errors.len();
        }
        self.text.push('\n');
    }
}

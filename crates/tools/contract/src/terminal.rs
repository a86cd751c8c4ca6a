//! What a person sees of a run.

use std::collections::BTreeMap;

use crate::outcome::Outcome;
use crate::report::Totals;
use crate::run::Watch;
use crate::self_test::Findings;
use console::style;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Shows how far the run is, and differences as they are found.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Of a run of so many requests; in a terminal only.
    pub(crate) fn new(length: usize) -> Self {
        let bar = ProgressBar::with_draw_target(Some(length as u64), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos} of {len}, {eta} left  {msg}");
        if let Ok(style) = style {
            bar.set_style(style);
        }
        Self { bar }
    }

    pub(crate) fn step(&self, outcome: &Outcome) {
        self.bar.inc(1);
        self.bar.set_message(outcome.operation.clone());
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

impl Watch for Progress {
    fn outcome(&mut self, outcome: &Outcome) {
        self.step(outcome);
        if !outcome.passed() {
            self.bar.suspend(|| difference(outcome));
        }
    }
}

fn difference(outcome: &Outcome) {
    println!("{} {} ({})", style("DIFFERENT").red().bold(), outcome.case, outcome.request);
    for difference in &outcome.differences {
        println!("  {}", difference.path);
        println!("  {}", style(format!("- {}", difference.reference)).red());
        println!("  {}", style(format!("+ {}", difference.candidate)).green());
    }
    if let Some(smallest) = &outcome.smallest {
        let body = smallest.body.as_ref().or(smallest.form.as_ref());
        let body = body.map(|body| format!(" {body}")).unwrap_or_default();
        println!("  the smallest request that does it: {}{body}", smallest.request);
    }
    if !outcome.noise.is_empty() {
        let paths = outcome.noise.join(", ");
        println!("  two responses of one service to the same request differ in {paths}");
    }
}

/// A line for each operation.
pub(crate) fn summary(outcomes: &[Outcome]) {
    let mut operations: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        operations.entry(&outcome.operation).or_default().push(outcome);
    }
    let width = operations.keys().map(|name| name.chars().count()).max().unwrap_or(0);
    for (operation, outcomes) in operations {
        let Totals { total, different, better, unsteady, .. } = Totals::of(outcomes);
        let verdict = match (different, better, unsteady) {
            (0, 0, 0) => style("same".to_owned()).green(),
            (0, _, 0) => style(format!("same, {better} better")).green(),
            (0, _, _) => style(format!("{unsteady} unsteady")).yellow(),
            _ => style(format!("{different} different")).red().bold(),
        };
        println!("{operation:width$}  {total:5}  {verdict}");
    }
}

pub(crate) fn findings(findings: &Findings) {
    let Findings { injected, caught, false_alarms, runs, kinds, operations } = findings;
    for (kind, count) in kinds {
        let line = format!("{:5} of {:5} caught  {kind}", count.caught, count.injected);
        if count.caught == count.injected {
            println!("{line}");
        } else {
            println!("{}", style(line).red());
        }
        for missed in &count.missed {
            println!("                       missed: {missed}");
        }
    }
    println!(
        "{injected} faults of {} kinds in {} operations, {caught} caught; \
         {false_alarms} false alarms in {runs} runs",
        kinds.len(),
        operations.len(),
    );
}

//! A summary that fits into a comment on a pull request.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::coverage::Sums;
use super::{Report, Run, Totals};

/// How many differences are shown: a comment has a largest length.
const SHOWN: usize = 20;
/// How many characters of a value are shown.
const LENGTH: usize = 100;

pub(super) fn summary(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let Totals { total, same, different, better, unsteady } = report.totals;
    let verdict = if different == 0 { "The same" } else { "Different" };
    writeln!(out, "### {verdict}: {total} requests, {different} different\n")?;
    writeln!(out, "| run | requests | same | better | unsteady | different |")?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|")?;
    for (label, Run { totals, .. }) in &report.runs {
        let Totals { total, same, different, better, unsteady } = totals;
        writeln!(
            out,
            "| {} | {total} | {same} | {better} | {unsteady} | {different} |",
            cell(label)
        )?;
    }
    if report.runs.len() > 1 {
        writeln!(out, "| all | {total} | {same} | {better} | {unsteady} | {different} |")?;
    }
    coverage(out, report)?;
    rules(out, report)?;
    let failed: Vec<_> = report.outcomes().filter(|(_, outcome)| !outcome.passed()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n| run | request | where | reference | candidate |\n|---|---|---|---|---|")?;
    for (label, outcome) in failed.iter().take(SHOWN) {
        for difference in outcome.differences.iter().take(3) {
            let cells = [
                label,
                outcome.operation.as_str(),
                &difference.path,
                &difference.reference,
                &difference.candidate,
            ];
            // Why a run ended early is short of nothing.
            let length = if outcome.operation == "run" { 1000 } else { LENGTH };
            let cells: Vec<_> = cells.iter().map(|text| cell_of(text, length)).collect();
            writeln!(out, "| {} |", cells.join(" | "))?;
        }
    }
    if failed.len() > SHOWN {
        writeln!(out, "\nand {} more", failed.len() - SHOWN)?;
    }
    Ok(())
}

/// What was reached of the documents, in a row for each run.
fn coverage(out: &mut String, report: &Report) -> std::fmt::Result {
    let covered = || {
        let of = |(label, run)| -> Option<_> {
            let run: &Run = run;
            Some((label, run.coverage.as_ref()?))
        };
        report.runs.iter().filter_map(of)
    };
    if covered().next().is_none() {
        return Ok(());
    }
    writeln!(out, "\n| run | operations that succeeded | statuses | parameters | branches |")?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|")?;
    for (label, coverage) in covered() {
        let Sums { operations, statuses, parameters, branches } = coverage.sums();
        write!(out, "| {} |", cell(label))?;
        for (reached, of) in [operations, statuses, parameters, branches] {
            write!(out, " {reached} of {of} |")?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// What may differ.
fn rules(out: &mut String, report: &Report) -> std::fmt::Result {
    let rules: BTreeSet<_> = report.runs.values().flat_map(|run| &run.rules).collect();
    if !rules.is_empty() {
        writeln!(out, "\nMay differ:\n")?;
    }
    for rule in rules {
        writeln!(out, "- {}", cell(rule))?;
    }
    Ok(())
}

/// A text as code in a table: whatever it holds, it stays in its cell.
fn cell(text: &str) -> String {
    cell_of(text, LENGTH)
}

fn cell_of(text: &str, length: usize) -> String {
    let text: String = text
        .chars()
        .take(length)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .replace('|', "\\|")
        .replace('`', "'");
    if text.trim().is_empty() { String::new() } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    #[test]
    fn cells_stay_cells() {
        let markdown = super::summary(&crate::report::example());
        assert!(markdown.contains("### Different: 3 requests, 1 different"), "{markdown}");
        assert!(markdown.contains("| `sqlite` | 1 of 1 | 2 of 2 |"), "{markdown}");
        assert!(markdown.contains("- `body.<at> within 2 s: clocks (us)`"), "{markdown}");
        assert!(markdown.contains(r"| `body.a\|b` | `1` | ` <script>'` |"), "{markdown}");
    }
}

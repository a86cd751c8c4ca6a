//! One page, without scripts or anything from elsewhere: a matrix operations × answers of the
//! reference, below it each operation with its differences to open.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::coverage::{Coverage, Sums};
use super::{Outcome, Report, Totals};

const STYLE: &str = include_str!("report.css");

pub(super) fn page(report: &Report) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    _ = write(&mut out, report);
    out
}

fn write(out: &mut String, report: &Report) -> std::fmt::Result {
    let Totals { total, same, different, better, unsteady } = report.totals;
    let verdict = if different == 0 { "The same" } else { "Different" };
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{verdict}: {different} of {total}</title>\n<style>\n{STYLE}</style>\n\
         <h1 class=\"{}\">{verdict}</h1>\n\
         <p>{total} requests to the reference and to the candidate: {same} answered the same, \
         {better} better on purpose, {unsteady} unsteady, <strong>{different} different</strong>.</p>\n",
        if different == 0 { "same" } else { "different" },
    )?;
    if report.runs.len() > 1 {
        out.push_str("<ul>\n");
        for (label, run) in &report.runs {
            let Totals { total, different, .. } = run.totals;
            let label = escape(label);
            writeln!(out, "<li>{label}: {total} requests, {different} different</li>")?;
        }
        out.push_str("</ul>\n");
    }
    rules(out, report)?;
    matrix(out, report)?;
    for (label, run) in &report.runs {
        if let Some(covered) = &run.coverage {
            coverage(out, label, covered)?;
        }
    }
    for (number, (operation, outcomes)) in report.by_operation().into_iter().enumerate() {
        write!(out, "<h2 id=\"o{number}\">{}</h2>\n<ul class=\"cases\">\n", escape(operation))?;
        for (label, outcome) in outcomes {
            case(out, label, outcome)?;
        }
        out.push_str("</ul>\n");
    }
    Ok(())
}

fn matrix(out: &mut String, report: &Report) -> std::fmt::Result {
    let statuses: BTreeSet<u16> = report.outcomes().map(|(_, outcome)| outcome.status).collect();
    out.push_str("<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">operation</th>");
    for status in &statuses {
        match status {
            0 => out.push_str("<th scope=\"col\">–</th>"),
            status => write!(out, "<th scope=\"col\">{status}</th>")?,
        }
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (number, (operation, outcomes)) in report.by_operation().into_iter().enumerate() {
        let name = escape(operation);
        write!(out, "<tr><th scope=\"row\"><a href=\"#o{number}\">{name}</a></th>")?;
        for status in &statuses {
            let here = outcomes.iter().map(|(_, outcome)| *outcome);
            let totals = Totals::of(here.filter(|outcome| outcome.status == *status));
            match totals {
                Totals { total: 0, .. } => out.push_str("<td></td>"),
                Totals { total, different: 0, better: 0, unsteady: 0, .. } => {
                    write!(out, "<td class=\"same\">{total}</td>")?;
                }
                Totals { total, different: 0, better, unsteady: 0, .. } => {
                    write!(out, "<td class=\"better\">{total}, {better} better</td>")?;
                }
                Totals { total, different: 0, unsteady, .. } => {
                    write!(out, "<td class=\"better\">{total}, {unsteady} unsteady</td>")?;
                }
                Totals { total, different, .. } => write!(
                    out,
                    "<td class=\"different\"><a href=\"#o{number}\">{different} of {total}</a></td>"
                )?,
            }
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    Ok(())
}

/// What may differ.
fn rules(out: &mut String, report: &Report) -> std::fmt::Result {
    let rules: BTreeSet<_> = report.runs.values().flat_map(|run| &run.rules).collect();
    if rules.is_empty() {
        return Ok(());
    }
    out.push_str("<details><summary>What may differ</summary>\n<ul>\n");
    for rule in rules {
        writeln!(out, "<li>{}</li>", escape(rule))?;
    }
    out.push_str("</ul></details>\n");
    Ok(())
}

/// What a run reached of its document: a table operations × what they take.
fn coverage(out: &mut String, label: &str, coverage: &Coverage) -> std::fmt::Result {
    let Sums { operations, statuses, parameters, branches } = coverage.sums();
    let sum = |(reached, of): (usize, usize)| format!("{reached} of {of}");
    write!(
        out,
        "<details><summary>Reached by {}: {} operations succeeded, {} statuses, {} parameters, \
         {} branches</summary>\n<div class=\"wide\"><table>\n<thead><tr>",
        escape(label),
        sum(operations),
        sum(statuses),
        sum(parameters),
        sum(branches),
    )?;
    for head in ["operation", "requests", "succeeded", "parameters", "branches", "never reached"] {
        write!(out, "<th scope=\"col\">{head}</th>")?;
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for (name, reached) in &coverage.operations {
        let missing: Vec<&str> = reached
            .missing_statuses
            .iter()
            .chain(&reached.parameters.missing)
            .chain(&reached.branches.missing)
            .map(String::as_str)
            .collect();
        let class = if reached.succeeded == 0 { "different" } else { "same" };
        writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"{class}\">{}</td><td>{}</td>\
             <td>{}</td><td>{}</td></tr>",
            escape(name),
            reached.requests,
            reached.succeeded,
            sum((reached.parameters.reached, reached.parameters.of)),
            sum((reached.branches.reached, reached.branches.of)),
            escape(&missing.join(", ")),
        )?;
    }
    out.push_str("</tbody></table></div></details>\n");
    Ok(())
}

fn case(out: &mut String, label: &str, outcome: &Outcome) -> std::fmt::Result {
    let (label, name, request) = (escape(label), escape(&outcome.case), escape(&outcome.request));
    let status = outcome.status;
    if outcome.is_same() {
        return writeln!(
            out,
            "<li class=\"same\">{name} <span>{label}, {request}, {status}</span></li>"
        );
    }
    let (class, open) = if outcome.passed() { ("better", "") } else { ("different", " open") };
    writeln!(
        out,
        "<li class=\"{class}\"><details{open}><summary>{name} <span>{label}, {request}</span>\
         </summary>"
    )?;
    if let Some(reason) = &outcome.better {
        writeln!(out, "<p>Better on purpose: {}</p>", escape(reason))?;
    }
    if outcome.unsteady {
        out.push_str(
            "<p>Unsteady: nothing follows from where the reference differs from itself.</p>\n",
        );
    }
    if !outcome.noise.is_empty() {
        let paths = escape(&outcome.noise.join(", "));
        writeln!(
            out,
            "<p>Two responses of one service to the same request differ in: {paths}</p>"
        )?;
    }
    out.push_str("<dl>\n");
    for difference in &outcome.differences {
        let [path, reference, candidate] =
            [&difference.path, &difference.reference, &difference.candidate].map(|t| escape(t));
        write!(
            out,
            "<dt>{path}</dt>\n<dd><del>{reference}</del></dd>\n<dd><ins>{candidate}</ins></dd>\n"
        )?;
    }
    out.push_str("</dl></details></li>\n");
    Ok(())
}

/// A text for HTML, with control characters made visible.
fn escape(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() {
            _ = write!(visible, "\\u{{{:x}}}", u32::from(c));
        } else {
            visible.push(c);
        }
    }
    html_escape::encode_double_quoted_attribute(&visible).into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn nothing_of_an_answer_becomes_markup() {
        let page = super::page(&crate::report::example());
        assert!(page.contains("1 of 2") && page.contains("1, 1 better"), "{page}");
        assert!(page.contains("<li>body.&lt;at&gt; within 2 s: clocks (us)</li>"), "{page}");
        assert!(page.contains("1 of 1 operations succeeded"), "{page}");
        assert!(page.contains(r"\u{0}&lt;script&gt;`") && !page.contains("<script"), "{page}");
    }
}

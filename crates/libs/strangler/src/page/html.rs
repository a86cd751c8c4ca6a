//! The page as HTML.

use std::fmt::Write;

use html_escape::encode_double_quoted_attribute as escape;

use crate::cpu::CpuShare;
use crate::next::{Candidate, Risk, candidates};
use crate::overview::{OperationView, Overview, StepView};
use crate::page::guard::Token;
use crate::plan::Mode;
use crate::statistics::{Seen, View};

/// The path of the page.
pub(super) const PAGE: &str = "/_molt";

const STYLE: &str = include_str!("page.css");

/// The whole page. Its forms have the token.
pub(super) fn page(overview: &Overview, token: &Token) -> String {
    let mut out = String::new();
    // Writing to a String does not fail.
    _ = write_page(&mut out, overview, token);
    out
}

fn write_page(out: &mut String, overview: &Overview, token: &Token) -> std::fmt::Result {
    let operations = &overview.operations;
    let native = operations.iter().filter(|operation| operation.mode == Mode::Native).count();
    let mismatches: u64 = operations.iter().map(|operation| operation.statistics.mismatches).sum();
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{native} of {} moved</title>\n<style>\n{STYLE}</style>\n<header>\n\
         <h1>{native} of {} operations moved</h1>\n\
         <progress max=\"{}\" value=\"{native}\">{native}</progress>\n\
         <p>{} differences in compared answers. What is not listed goes to legacy: {} requests so \
         far. <a href=\"{PAGE}\">Refresh</a></p>\n</header>\n",
        operations.len(),
        operations.len(),
        operations.len(),
        if mismatches == 0 { "No".to_owned() } else { mismatches.to_string() },
        overview.others.requests,
    )?;
    if let Some(error) = &overview.error {
        writeln!(out, "<p class=\"error\" role=\"alert\">{}</p>", escape(error))?;
    }
    ranking(out, overview)?;
    out.push_str(
        "<table>\n<thead><tr><th scope=\"col\">operation</th><th scope=\"col\">mode</th>\
         <th scope=\"col\">next<br><small>rank, share of legacy's CPU or time, risk</small></th>\
         <th scope=\"col\">legacy<br><small>requests, p50 / p90 / p99 ms</small></th>\
         <th scope=\"col\">Rust<br><small>requests, p50 / p90 / p99 ms</small></th>\
         <th scope=\"col\">same</th></tr></thead>\n<tbody>\n",
    );
    let candidates = candidates(overview);
    for operation in operations {
        let candidate = candidates.iter().find(|candidate| candidate.id == operation.id);
        row(out, operation, candidate, token)?;
    }
    out.push_str("</tbody>\n</table>\n");
    may_differ(out, overview, token)
}

/// By what operations are ranked.
fn ranking(out: &mut String, overview: &Overview) -> std::fmt::Result {
    let Some(cpu) = &overview.cpu else {
        out.push_str(
            "<p><small>Ranked by the share of legacy's time, which includes its waiting: where it reports its \
             CPU was not set.</small></p>\n",
        );
        return Ok(());
    };
    if let Some(error) = &cpu.error {
        writeln!(
            out,
            "<p class=\"error\">Legacy's CPU cannot be read: {}</p>",
            escape(error.as_str())
        )?;
    }
    let known = overview.operations.iter().filter(|operation| operation.cpu.is_some()).count();
    writeln!(
        out,
        "<p><small>Ranked by the share of legacy's CPU ({:.1} s so far), as far as the requests explain it, of {known} \
         operations; of the others by the share of its time, which includes its waiting.</small></p>",
        cpu.seconds
    )
}

/// Where answers may differ, and what is suggested.
fn may_differ(out: &mut String, overview: &Overview, token: &Token) -> std::fmt::Result {
    write!(
        out,
        "<section>\n<h2>What is compared</h2>\n<p>Status, headers and body of the answers{}. Not compared: ",
        if overview.emails_compared { ", and the e-mails of rehearsed writes" } else { "" },
    )?;
    let headers = overview.ignored_headers.iter().map(|name| format!("header {name}"));
    let known: Vec<_> = headers.chain(overview.may_differ.iter().cloned()).collect();
    for path in &known {
        write!(out, "<code>{}</code>, ", escape(path))?;
    }
    if !overview.emails_compared {
        out.push_str("the e-mails that a write sends (they do not pass here), ");
    }
    out.push_str(
        "the encoding of bodies, <code>date</code>, <code>server</code>, and what belongs to the \
         connection.</p>\n",
    );
    let mut suggested: Vec<_> = (overview.operations.iter())
        .flat_map(|operation| operation.statistics.unsteady.iter())
        .filter(|(path, _)| !known.contains(*path))
        .collect();
    suggested.sort_unstable();
    suggested.dedup_by(|next, one| next.0 == one.0);
    if !suggested.is_empty() {
        out.push_str(
            "<p>The old service differs from itself here, where both may, as far as comparing goes:</p>\n<ul>\n",
        );
    }
    for (path, count) in &suggested {
        let path = escape(path.as_str());
        writeln!(
            out,
            "<li><form method=\"post\" action=\"/_molt/may-differ\"><input type=\"hidden\" \
             name=\"token\" value=\"{token}\"><code>{path}</code> ({count} times) <button \
             name=\"path\" value=\"{path}\">let it differ</button></form></li>"
        )?;
    }
    if !suggested.is_empty() {
        out.push_str("</ul>\n");
    }
    out.push_str("</section>\n");
    Ok(())
}

fn row(
    out: &mut String,
    operation: &OperationView,
    candidate: Option<&Candidate>,
    token: &Token,
) -> std::fmt::Result {
    let OperationView { id, method, path, mode, fallback, statistics, step, .. } = operation;
    let name = format!("{method} {path}");
    let (id, name) = (escape(id), escape(&name));
    write!(
        out,
        "<tr id=\"{id}\"><th scope=\"row\"><strong>{name}</strong><br><small>{id}</small></th>\n\
         <td data-label=\"mode\">"
    )?;
    modes(out, &id, *mode, token)?;
    if let Some(reason) = fallback {
        write!(
            out,
            "<p class=\"error\" role=\"alert\">The canary failed, legacy responds: {}. Choose a mode to \
             try again.</p>",
            escape(reason)
        )?;
    } else if let Some(step) = step {
        write_step(out, step, operation.percent)?;
    }
    out.push_str("</td>\n<td data-label=\"next\">");
    if let Some(candidate) = candidate.filter(|candidate| candidate.legacy.requests > 0) {
        next(out, candidate)?;
    }
    out.push_str("</td>\n");
    for (side, figures) in [("legacy", &statistics.legacy), ("Rust", &statistics.native)] {
        write!(out, "<td class=\"figures\" data-label=\"{side}\">{}", figures.requests)?;
        if figures.errors > 0 {
            write!(out, ", <b class=\"bad\">{} errors</b>", figures.errors)?;
        }
        if figures.cancelled > 0 {
            write!(out, ", {} given up", figures.cancelled)?;
        }
        if let (Some(p50), Some(p90), Some(p99)) = (figures.p50, figures.p90, figures.p99) {
            write!(out, "<br>{} / {} / {}", ms(p50), ms(p90), ms(p99))?;
        }
        out.push_str("</td>\n");
    }
    out.push_str("<td data-label=\"same\">");
    comparisons(out, statistics)?;
    out.push_str("</td></tr>\n");
    Ok(())
}

fn write_step(out: &mut String, step: &StepView, percent: u8) -> std::fmt::Result {
    let StepView { number, of, requests, min_requests, .. } = step;
    let StepView { seconds, min_seconds, compared, min_compared, .. } = step;
    write!(
        out,
        "<br><small>step {number} of {of}: {percent} %, {requests} of {min_requests} requests, {seconds} of \
         {min_seconds} s"
    )?;
    if *min_compared > 0 {
        write!(out, ", {compared} of {min_compared} compared")?;
    }
    out.push_str("</small>");
    Ok(())
}

fn next(out: &mut String, candidate: &Candidate) -> std::fmt::Result {
    let Candidate { rank, share, cpu, rate, risk, writes, callers, .. } = candidate;
    let callers = callers.map_or("over 5,000".to_owned(), |callers| callers.to_string());
    let risk = match risk {
        Risk::Low => "low",
        Risk::Medium => "medium",
        Risk::High => "high: it differed",
    };
    let kind = if *writes { "writes" } else { "reads" };
    write!(out, "<b>{rank}</b>: ")?;
    if let Some(CpuShare { share, error, .. }) = cpu {
        write!(out, "{:.1} ± {:.1} % of the CPU, ", share * 100.0, error * 100.0)?;
    }
    write!(
        out,
        "{:.1} % of the time<br><small>{rate:.2} a second, risk {risk}, {kind}, about {callers} \
         callers</small>",
        share * 100.0
    )
}

fn modes(out: &mut String, id: &str, mode: Mode, token: &Token) -> std::fmt::Result {
    write!(
        out,
        "<form method=\"post\" action=\"/_molt/mode\"><input type=\"hidden\" name=\"token\" \
         value=\"{token}\"><input type=\"hidden\" name=\"operation\" value=\"{id}\">"
    )?;
    let (current, percent) = match mode {
        Mode::Legacy => ("legacy", 10),
        Mode::Shadow => ("shadow", 10),
        Mode::Canary(percent) => ("canary", percent),
        Mode::Automatic => ("automatic", 10),
        Mode::Native => ("native", 10),
    };
    for name in ["legacy", "shadow", "canary", "automatic", "native"] {
        let current = if name == current { " aria-current=\"true\"" } else { "" };
        write!(out, "<button name=\"mode\" value=\"{name}\"{current}>{name}</button>")?;
        if name == "canary" {
            write!(
                out,
                "<label><input name=\"percent\" type=\"number\" min=\"0\" max=\"100\" \
                 value=\"{percent}\" aria-label=\"percent of clients for the canary of {id}\">%</label>"
            )?;
        }
    }
    out.push_str("</form>");
    Ok(())
}

fn comparisons(out: &mut String, statistics: &View) -> std::fmt::Result {
    let View { matches, mismatches, matches_without_emails, noise, .. } = statistics;
    let View { accepted, uncompared, dropped, .. } = statistics;
    let last_differences = &statistics.last_differences;
    let compared = matches + mismatches;
    if let Some(tenths) = (matches * 1000).checked_div(compared) {
        let class = if *mismatches == 0 { "good" } else { "bad" };
        write!(out, "<b class=\"{class}\">{}.{} %</b> of {compared}", tenths / 10, tenths % 10)?;
    }
    let counts = [
        ("with the same answer, e-mails not compared", matches_without_emails),
        ("accepted by both, only refusals compared", accepted),
        ("changed meanwhile", noise),
        ("not comparable", uncompared),
        ("dropped", dropped),
    ];
    for (what, count) in counts.into_iter().filter(|(_, count)| **count > 0) {
        write!(out, "<br><small>{count} {what}</small>")?;
    }
    let rehearsals = &statistics.rehearsals;
    if let Some(p50) = rehearsals.p50 {
        let (count, p50) = (rehearsals.requests, ms(p50));
        write!(
            out,
            "<br><small>{count} rehearsed, for which clients waited {p50} ms (p50)</small>"
        )?;
    }
    if last_differences.is_empty() {
        return Ok(());
    }
    write!(out, "<details><summary>last differences</summary>")?;
    for Seen { request, differences } in last_differences.iter().rev() {
        write!(out, "<p><code>{}</code></p><dl>", escape(request))?;
        for difference in differences {
            let [path, legacy, native] =
                [&difference.path, &difference.reference, &difference.candidate].map(|t| escape(t));
            write!(out, "<dt>{path}</dt><dd><del>{legacy}</del></dd><dd><ins>{native}</ins></dd>")?;
        }
        out.push_str("</dl>");
    }
    out.push_str("</details>");
    Ok(())
}

fn ms(seconds: f64) -> String {
    let ms = seconds * 1000.0;
    if ms < 10.0 { format!("{ms:.1}") } else { format!("{ms:.0}") }
}

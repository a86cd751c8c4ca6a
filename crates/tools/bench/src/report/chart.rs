//! The chart: throughput of every contender in the headline scenarios, as bars on a logarithmic scale.

use std::fmt::Write as _;

use super::{Report, ScenarioReport};
use crate::contenders::Contender;

const WIDTH: f64 = 820.0;
const LEFT: f64 = 150.0;
const RIGHT: f64 = 190.0;
const BAR: f64 = 17.0;
const GAP: f64 = 34.0;
const HEADLINES: [&str; 4] = ["get_item", "list_100", "post_item", "mixed"];

pub(super) fn colour(contender: Contender) -> &'static str {
    match contender {
        Contender::Molt
        | Contender::ThroughLegacy
        | Contender::ThroughShadow
        | Contender::ThroughNative => "#c2410c",
        Contender::Traced => "#ea8a5c",
        Contender::Legacy => "#64748b",
        Contender::Granian => "#94a3b8",
        Contender::Expert => "#4f7fb5",
        Contender::Limit => "#3f7d58",
    }
}

impl Report {
    pub(crate) fn chart(&self) -> String {
        let scenarios: Vec<_> = HEADLINES.iter().filter_map(|name| self.scenario(name)).collect();
        let bars: usize = scenarios.iter().map(|scenario| scenario.rounds.len()).sum();
        #[expect(clippy::cast_precision_loss, reason = "a few bars")]
        let height = 50.0 + bars as f64 * BAR + scenarios.len() as f64 * GAP;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
             font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <text x=\"12\" y=\"24\" font-size=\"15\" font-weight=\"600\" fill=\"#1e293b\">\
             Requests each second, one process and one core each (logarithmic)</text>\n"
        );
        let max = scenarios
            .iter()
            .flat_map(|scenario| {
                scenario.rounds.keys().filter_map(|&c| scenario.median(c, |f| f.per_second))
            })
            .fold(10.0, f64::max);
        let mut y = 44.0;
        for scenario in scenarios {
            y = draw(&mut out, scenario, y, max);
        }
        out.push_str("</svg>\n");
        out
    }
}

fn draw(out: &mut String, scenario: &ScenarioReport, mut y: f64, max: f64) -> f64 {
    let title = scenario.title;
    _ = writeln!(
        out,
        "<text x=\"12\" y=\"{:.0}\" font-weight=\"600\" fill=\"#1e293b\">{title}</text>",
        y + 14.0
    );
    y += 22.0;
    for &contender in scenario.rounds.keys() {
        let Some(value) = scenario.median(contender, |figures| figures.per_second) else {
            continue;
        };
        let width = ((value.max(10.0).ln() - 10_f64.ln()) / (max.ln() - 10_f64.ln())
            * (WIDTH - LEFT - RIGHT))
            .max(1.0);
        let ratio = scenario.against(contender).map_or_else(String::new, |ratios| {
            format!("  (molt: {:.1}x)", ratios.throughput.median)
        });
        let ratio = if contender == Contender::Molt { "" } else { &ratio };
        _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"end\" fill=\"#334155\">{}</text>\
             <rect x=\"{LEFT}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"{:.0}\" rx=\"2\" fill=\"{}\"/>\
             <text x=\"{:.0}\" y=\"{:.0}\" fill=\"#334155\">{value:.0}{ratio}</text>",
            LEFT - 8.0,
            y + 12.0,
            contender.name(),
            y + 1.0,
            BAR - 3.0,
            colour(contender),
            LEFT + width + 6.0,
            y + 12.0,
        );
        y += BAR;
    }
    y + GAP - 22.0
}

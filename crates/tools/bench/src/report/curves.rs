//! The curves: open loops at parts and multiples of the capacity, and what grows with size.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::chart::colour;
use super::{Curve, Figures, Growth, OpenFigures, OpenRound, Report};
use crate::contenders::Contender;

const WIDTH: f64 = 400.0;
const HEIGHT: f64 = 250.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 24.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 42.0;
/// Above the panels: title and legend.
const HEAD: f64 = 58.0;

/// A diagram with one line for each contender.
struct Panel {
    title: String,
    below: String,
    x: Scale,
    y: Scale,
    lines: Vec<Line>,
}

struct Line {
    of: Contender,
    points: Vec<(f64, f64)>,
}

/// A latency of a rate.
type Latency = fn(&OpenRound, &OpenFigures) -> f64;

/// How values become lengths.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Scale {
    Linear { max: f64 },
    Logarithmic { min: f64, max: f64 },
}

impl Scale {
    /// A logarithmic one, from power of ten to power of ten.
    fn logarithmic(values: impl Iterator<Item = f64>) -> Self {
        let (mut min, mut max) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(|value| *value > 0.0 && value.is_finite()) {
            (min, max) = (min.min(value), max.max(value));
        }
        if min > max {
            return Self::Logarithmic { min: 1.0, max: 10.0 };
        }
        let (min, max) = (min.log10().floor(), max.log10().ceil());
        Self::Logarithmic { min: 10_f64.powf(min), max: 10_f64.powf(max.max(min + 1.0)) }
    }

    /// From 0 at the beginning of an axis to 1 at its end.
    fn position(self, value: f64) -> f64 {
        match self {
            Self::Linear { max } => value / max,
            Self::Logarithmic { min, max } => {
                (value.max(min).ln() - min.ln()) / (max.ln() - min.ln())
            }
        }
    }

    fn ticks(self) -> Vec<f64> {
        match self {
            Self::Linear { max } => (0..=4).map(|n| max * f64::from(n) / 4.0).collect(),
            Self::Logarithmic { min, max } => {
                let powers = std::iter::successors(Some(min), |tick| Some(tick * 10.0));
                powers.take_while(|tick| *tick <= max * 1.001).collect()
            }
        }
    }
}

/// A number as short as an axis needs it.
fn label(value: f64) -> String {
    if value >= 1e6 {
        format!("{}M", value / 1e6)
    } else if value >= 1e4 {
        format!("{}k", value / 1e3)
    } else {
        // Powers of ten are not exact.
        format!("{}", (value * 1e6).round() / 1e6)
    }
}

impl Panel {
    fn draw(&self, out: &mut String, left: f64, top: f64) {
        let (width, height) = (WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM);
        let (x0, y0) = (left + LEFT, top + TOP + height);
        let x = |value| x0 + width * self.x.position(value);
        let y = |value| y0 - height * self.y.position(value);
        _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{:.0}\" font-weight=\"600\" fill=\"#1e293b\">{}</text>",
            left + 12.0,
            top + 18.0,
            self.title
        );
        for tick in self.y.ticks() {
            let at = y(tick);
            _ = writeln!(
                out,
                "<line x1=\"{x0:.0}\" x2=\"{:.0}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#e2e8f0\"/>\
                 <text x=\"{:.0}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#64748b\">{}</text>",
                x0 + width,
                x0 - 6.0,
                at + 4.0,
                label(tick)
            );
        }
        for tick in self.x.ticks() {
            _ = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"#64748b\">{}</text>",
                x(tick),
                y0 + 16.0,
                label(tick)
            );
        }
        _ = writeln!(
            out,
            "<text x=\"{:.0}\" y=\"{:.0}\" text-anchor=\"middle\" fill=\"#64748b\">{}</text>",
            x0 + width / 2.0,
            y0 + 33.0,
            self.below
        );
        for line in &self.lines {
            let points: Vec<_> =
                line.points.iter().map(|&(a, b)| format!("{:.1},{:.1}", x(a), y(b))).collect();
            let colour = colour(line.of);
            _ = writeln!(
                out,
                "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                points.join(" ")
            );
            for &(a, b) in &line.points {
                _ = writeln!(
                    out,
                    "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"2.5\" fill=\"{colour}\"/>",
                    x(a),
                    y(b)
                );
            }
        }
    }
}

/// Panels, two in a row, below a title and a legend.
fn page(title: &str, panels: &[Panel]) -> String {
    let rows = panels.len().div_ceil(2);
    #[expect(clippy::cast_precision_loss, reason = "a few panels")]
    let height = HEAD + rows as f64 * HEIGHT;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {height}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"15\" font-weight=\"600\" fill=\"#1e293b\">{title}</text>\n",
        2.0 * WIDTH
    );
    let mut all: Vec<_> =
        panels.iter().flat_map(|panel| &panel.lines).map(|line| line.of).collect();
    all.sort();
    all.dedup();
    let mut left = 12.0;
    for contender in all {
        let (name, colour) = (contender.name(), colour(contender));
        _ = writeln!(
            out,
            "<rect x=\"{left:.0}\" y=\"38\" width=\"12\" height=\"12\" rx=\"2\" fill=\"{colour}\"/>\
             <text x=\"{:.0}\" y=\"48\" fill=\"#334155\">{name}</text>",
            left + 17.0
        );
        #[expect(clippy::cast_precision_loss, reason = "a short name")]
        let width = 38.0 + 6.5 * name.len() as f64;
        left += width;
    }
    let mut top = HEAD;
    for row in panels.chunks(2) {
        let mut left = 0.0;
        for panel in row {
            panel.draw(&mut out, left, top);
            left += WIDTH;
        }
        top += HEIGHT;
    }
    out.push_str("</svg>\n");
    out
}

impl Report {
    /// Goodput and latencies at parts and multiples of the capacity.
    pub(crate) fn open_loops(&self) -> String {
        let below = "offered, % of its own capacity";
        let part = |round: &OpenRound, figures: &OpenFigures| {
            100.0 * figures.goodput_per_second / round.capacity_per_second
        };
        let max = self.curves.iter().flat_map(Curve::percents).max().unwrap_or(300);
        let x = Scale::Linear { max: f64::from(max) };
        let mut panels = vec![Panel {
            title: "answered, % of its own capacity".to_owned(),
            below: below.to_owned(),
            x,
            y: Scale::Linear { max: 120.0 },
            lines: lines(&self.curves, part),
        }];
        let latencies: [(&str, Latency); 3] = [
            ("p50, ms", |_, figures| figures.p50_ms),
            ("p99, ms", |_, figures| figures.p99_ms),
            ("p99.9, ms", |_, figures| figures.p999_ms),
        ];
        let all = latencies.map(|(title, of)| (title, lines(&self.curves, of)));
        let values = all.iter().flat_map(|(_, lines)| lines).flat_map(|line| &line.points);
        // One scale, so that they can be compared.
        let y = Scale::logarithmic(values.map(|&(_, value)| value));
        panels.extend(all.into_iter().map(|(title, lines)| Panel {
            title: format!("{title}, of what is accepted, from when it was due"),
            below: below.to_owned(),
            x,
            y,
            lines,
        }));
        page("GET item at fixed arrival rates", &panels)
    }

    /// Throughput by connections, by the size of the table, and by the rows before a page.
    pub(crate) fn growth(&self) -> String {
        let mut panels = Vec::new();
        for (growth, below) in [
            (&self.connections, "connections"),
            (&self.sizes, "items in the table"),
            (&self.pages, "rows before the page"),
        ] {
            let mut all: BTreeMap<&str, Vec<Line>> = BTreeMap::new();
            for Growth { what, of, size, figures, .. } in growth {
                let lines = all.entry(what).or_default();
                let known = lines.iter().position(|line| line.of == *of);
                let index = known.unwrap_or_else(|| {
                    lines.push(Line { of: *of, points: Vec::new() });
                    lines.len() - 1
                });
                // A logarithm has no position for 0.
                #[expect(clippy::cast_precision_loss, reason = "no table has 2^52 rows")]
                let size = (*size).max(1) as f64;
                lines[index]
                    .points
                    .extend(figures.map(|Figures { per_second, .. }| (size, per_second)));
            }
            panels.extend(all.into_iter().map(|(what, lines)| {
                let points = || lines.iter().flat_map(|line| &line.points);
                Panel {
                    title: format!("{what}, requests each second"),
                    below: below.to_owned(),
                    x: Scale::logarithmic(points().map(|&(size, _)| size)),
                    y: Scale::logarithmic(points().map(|&(_, per_second)| per_second)),
                    lines,
                }
            }));
        }
        page("What grows, and what that costs", &panels)
    }
}

/// A line for each service, of the rates at which the generator kept up.
fn lines(curves: &[Curve], of: impl Fn(&OpenRound, &OpenFigures) -> f64) -> Vec<Line> {
    curves
        .iter()
        .map(|curve| Line {
            of: curve.of,
            points: curve
                .percents()
                .into_iter()
                .filter_map(|percent| Some((f64::from(percent), curve.at(percent, &of)?.median)))
                .collect(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logarithmic_axis_goes_from_power_of_ten_to_power_of_ten() {
        let scale = Scale::logarithmic([3.0, 0.0, 450.0, f64::NAN].into_iter());
        assert_eq!(scale, Scale::Logarithmic { min: 1.0, max: 1000.0 });
        let labels: Vec<_> = scale.ticks().into_iter().map(label).collect();
        assert_eq!(labels, ["1", "10", "100", "1000"]);
        assert!((scale.position(10.0) - 1.0 / 3.0).abs() < 1e-9);
        assert!(Scale::logarithmic([].into_iter()).position(1.0).abs() < 1e-9);
        let one = Scale::logarithmic([0.1].into_iter());
        assert_eq!(one.ticks().len(), 2);
    }

    #[test]
    fn a_linear_axis_begins_at_zero() {
        let scale = Scale::Linear { max: 300.0 };
        assert_eq!(scale.ticks(), [0.0, 75.0, 150.0, 225.0, 300.0]);
        assert!((scale.position(150.0) - 0.5).abs() < 1e-9);
        assert_eq!([label(20_000.0), label(1e7), label(0.1)], ["20k", "10M", "0.1"]);
    }

    #[test]
    fn a_page_has_every_line_once_in_its_legend() {
        let line = |of| Line { of, points: vec![(1.0, 1.0), (2.0, 2.0)] };
        let panel = || Panel {
            title: "a figure".to_owned(),
            below: "a size".to_owned(),
            x: Scale::Linear { max: 2.0 },
            y: Scale::Linear { max: 2.0 },
            lines: vec![line(Contender::Molt), line(Contender::Legacy)],
        };
        let page = page("title", &[panel(), panel(), panel()]);
        assert_eq!(page.matches("<polyline").count(), 6);
        assert_eq!(page.matches(">molt<").count(), 1);
        assert!(page.contains("viewBox=\"0 0 800 558\""), "{page}");
    }
}

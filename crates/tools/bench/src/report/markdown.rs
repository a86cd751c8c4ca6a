//! The tables, readable in a terminal and on a page.

use std::fmt::Write as _;

use super::{Beside, Curve, Figures, Flood, Growth, OpenFigures, Report, ScenarioReport, Spread};
use crate::contenders::Contender;

impl Report {
    pub(crate) fn markdown(&self) -> String {
        let mut out = String::new();
        _ = self.write_markdown(&mut out);
        out
    }

    fn write_markdown(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "# Benchmark of {}\n", domain::now().format("%Y-%m-%d %H:%M UTC"))?;
        writeln!(out, "{}.\n{}.\n", self.machine, self.plan)?;
        writeln!(out, "| | what | started as |\n|---|---|---|")?;
        for setting in &self.settings {
            let (name, what, command) = (setting.contender, setting.what, &setting.command);
            writeln!(out, "| {name} | {what} | `{command}` |")?;
        }

        writeln!(out, "\n## Targets\n\n| figure | target | measured | |\n|---|---:|---:|---|")?;
        for target in self.targets() {
            let sign = if target.is_min { "≥" } else { "≤" };
            let met = match target.met {
                Some(true) => "met",
                Some(false) => "**missed**",
                None => "not measured: the generator could not keep up",
            };
            let (figure, goal) = (target.figure, factor(target.goal));
            let measured = target.measured.map_or_else(String::new, factor);
            writeln!(out, "| {figure} | {sign} {goal} | {measured} | {met} |")?;
        }
        if !self.notes.is_empty() {
            writeln!(out, "\n## To know before reading on\n")?;
        }
        for note in &self.notes {
            writeln!(out, "- {note}")?;
        }

        writeln!(
            out,
            "\n## PostgreSQL\n\nMedians; in brackets the smallest and the largest ratio. All run at \
             the same time, one at work: pages that several share count in parts."
        )?;
        for scenario in &self.scenarios {
            write_scenario(out, scenario)?;
        }
        if !self.sqlite.is_empty() {
            writeln!(out, "\n## SQLite")?;
        }
        for scenario in &self.sqlite {
            write_scenario(out, scenario)?;
        }
        if !self.strangler.is_empty() {
            writeln!(
                out,
                "\n## Through the strangler\n\nThe strangler and python-legacy share the first core, as \
                 the others do not."
            )?;
        }
        for scenario in &self.strangler {
            write_scenario(out, scenario)?;
        }
        for curve in &self.curves {
            write_curve(out, curve)?;
        }
        self.write_floods(out)?;
        write_growth(out, "Connections", "connections", &self.connections)?;
        write_growth(out, "Table sizes", "items", &self.sizes)?;
        write_growth(out, "Deep pages", "rows before it", &self.pages)?;

        writeln!(out, "\n## Start and size\n")?;
        writeln!(out, "Alone on the machine; memory is PSS.\n")?;
        writeln!(out, "| | start to first answer, ms | idle, MiB | under load, MiB |")?;
        writeln!(out, "|---|---:|---:|---:|")?;
        for start in &self.cold_starts {
            let milliseconds = spread(Spread::of(start.seconds.iter().map(|s| s * 1000.0)));
            let [idle, loaded] = [&start.idle_pss_mib, &start.loaded_pss_mib]
                .map(|values| spread(Spread::of(values.iter().copied())));
            writeln!(out, "| {} | {milliseconds} | {idle} | {loaded} |", start.contender)?;
        }
        writeln!(
            out,
            "\nTo ship: one binary of {:.1} MiB; for python-legacy an interpreter and an environment \
             of {:.0} MiB (with its tools for development).",
            self.binary_mib, self.python_mib
        )
    }

    fn write_floods(&self, out: &mut String) -> std::fmt::Result {
        if self.floods.is_empty() {
            return Ok(());
        }
        writeln!(
            out,
            "\n## Sign-ins beyond what can be hashed\n\nFifty times as many, in an open loop; beside \
             them 100 other requests each second, whose p99 is that from when they were due.\n"
        )?;
        writeln!(
            out,
            "| | hashed each second, when no more come | offered | completed | refused | failed | others \
             lost | their p99 without, ms | with, ms |"
        )?;
        writeln!(out, "|---|---:|---:|---:|---:|---:|---:|---:|---:|")?;
        for flood in &self.floods {
            let Flood { contender, capacity_per_second, sign_ins, beside } = flood;
            write!(out, "| {contender} | {capacity_per_second:.1} | {:.0} |", sign_ins.rate)?;
            match sign_ins.figures {
                Some(f) => {
                    let completed = f.goodput_per_second;
                    write!(out, " {completed:.1} | {} | {} |", f.refused, f.failed)?;
                }
                None => write!(out, " the generator was {:.1} ms late | | |", sign_ins.lag_p99_ms)?,
            }
            if beside.kept_up {
                let Beside { due, lost, quiet_p99_ms, flooded_p99_ms, .. } = beside;
                writeln!(out, " {lost} of {due} | {quiet_p99_ms:.2} | {flooded_p99_ms:.2} |")?;
            } else {
                writeln!(out, " the generator could not keep up | | |")?;
            }
        }
        Ok(())
    }
}

fn write_curve(out: &mut String, curve: &Curve) -> std::fmt::Result {
    let capacity = curve.capacity().map_or(f64::NAN, |capacity| capacity.median);
    writeln!(
        out,
        "\n## Open loops: {}\n\nGET item at fixed arrival rates; {capacity:.0} a second are its capacity \
         with its database on the first core and the generator on the second. Medians over {} rounds; \
         latencies of what is accepted, from when it was due.\n",
        curve.contender,
        curve.rounds.len()
    )?;
    writeln!(
        out,
        "| offered, % | answered each second | of its capacity | p50 ms | p99 ms | p99.9 ms | refused | \
         failed | of these without a connection | generator late, ms |"
    )?;
    writeln!(out, "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")?;
    for percent in curve.percents() {
        let lag = curve.lag(percent).unwrap_or(f64::NAN);
        let median = |of: fn(&OpenFigures) -> f64| {
            curve.at(percent, |_, figures| of(figures)).map_or(f64::NAN, |spread| spread.median)
        };
        let Some(part) = curve.goodput(percent) else {
            writeln!(
                out,
                "| {percent} | the generator could not keep up | | | | | | | | {lag:.2} |"
            )?;
            continue;
        };
        #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 requests")]
        let counts = [
            median(|f| f.refused as f64),
            median(|f| f.failed as f64),
            median(|f| f.unsent as f64),
        ];
        writeln!(
            out,
            "| {percent} | {:.0} | {:.0} % | {:.2} | {:.2} | {:.2} | {:.0} | {:.0} | {:.0} | {lag:.2} |",
            median(|f| f.goodput_per_second),
            100.0 * part,
            median(|f| f.p50_ms),
            median(|f| f.p99_ms),
            median(|f| f.p999_ms),
            counts[0],
            counts[1],
            counts[2],
        )?;
    }
    Ok(())
}

fn write_scenario(out: &mut String, scenario: &ScenarioReport) -> std::fmt::Result {
    let arrivals = scenario.rate.map_or_else(
        || format!("{} connections", scenario.connections),
        |rate| format!("{rate:.0} requests each second"),
    );
    writeln!(out, "\n### {} ({arrivals})\n", scenario.title)?;
    writeln!(
        out,
        "| | requests/s | CPU ms per 1,000 | PostgreSQL's | p50 ms | p99 ms | MiB | generator |"
    )?;
    writeln!(out, "|---|---:|---:|---:|---:|---:|---:|---:|")?;
    for &contender in scenario.rounds.keys() {
        if scenario.median(contender, |f| f.per_second).is_none() {
            let name = contender.name();
            writeln!(out, "| {name} | the generator could not keep up | | | | | | |")?;
            continue;
        }
        let median = |of: fn(&Figures) -> f64| scenario.median(contender, of).unwrap_or(f64::NAN);
        writeln!(
            out,
            "| {} | {:.0} | {:.1} | {:.1} | {:.2} | {:.2} | {:.1} | {:.0} % |",
            contender.name(),
            median(|f| f.per_second),
            median(|f| f.cpu_ms_per_1000),
            median(|f| f.database_cpu_ms_per_1000),
            median(|f| f.p50_ms),
            median(|f| f.p99_ms),
            median(|f| f.pss_mib),
            100.0 * median(|f| f.generator_share),
        )?;
    }
    writeln!(
        out,
        "\n| molt against | throughput | CPU | p99 | memory |\n|---|---:|---:|---:|---:|"
    )?;
    for contender in Contender::ALL {
        if contender == Contender::Molt {
            continue;
        }
        if let Some(ratios) = scenario.against(contender) {
            let [throughput, cpu, p99, memory] =
                [ratios.throughput, ratios.cpu, ratios.p99, ratios.memory].map(|r| spread(Some(r)));
            writeln!(out, "| {} | {throughput} | {cpu} | {p99} | {memory} |", contender.name())?;
        }
    }
    Ok(())
}

fn write_growth(out: &mut String, title: &str, unit: &str, growth: &[Growth]) -> std::fmt::Result {
    if growth.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n## {title}\n\n| | {unit} | | requests/s | CPU ms per 1,000 | PostgreSQL's | p99 ms |"
    )?;
    writeln!(out, "|---|---:|---|---:|---:|---:|---:|")?;
    for Growth { what, contender, size, figures, .. } in growth {
        write!(out, "| {what} | {size} | {contender} |")?;
        match figures {
            Some(f) => writeln!(
                out,
                " {:.0} | {:.1} | {:.1} | {:.2} |",
                f.per_second, f.cpu_ms_per_1000, f.database_cpu_ms_per_1000, f.p99_ms
            )?,
            None => writeln!(out, " requests fail | | | |")?,
        }
    }
    Ok(())
}

fn spread(spread: Option<Spread>) -> String {
    spread.map_or_else(String::new, |spread| {
        let Spread { median, min, max } = spread;
        format!("{} ({}–{})", factor(median), factor(min), factor(max))
    })
}

/// Three digits that matter; small ones as fractions, which people compare more easily.
fn factor(value: f64) -> String {
    if value > 0.0 && value < 0.2 {
        format!("1/{:.1}", 1.0 / value)
    } else if value < 10.0 {
        format!("{value:.2}")
    } else {
        format!("{value:.1}")
    }
}

//! What open loops have shown.

use std::time::Duration;

use serde::Serialize;

use super::Spread;
use crate::contenders::Contender;
use crate::open_loop::Outcome;

/// What a service made of requests at a fixed rate.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct OpenFigures {
    /// Answers as they should be, per second.
    pub goodput_per_second: f64,
    /// Of these; from the moment at which the request was due.
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub p999_ms: f64,
    /// Answers with 429 and 503.
    pub refused: u64,
    /// Everything else: no answer, a wrong one, no connection left to send it by.
    pub failed: u64,
    /// Of the failed, those that had no connection.
    pub unsent: u64,
}

/// One rate.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Point {
    /// Of the capacity.
    pub percent: u32,
    pub rate: f64,
    pub due: u64,
    /// The largest number of connections.
    pub connections: usize,
    /// How late the generator itself was.
    pub lag_p99_ms: f64,
    /// None if the generator could not keep up.
    pub figures: Option<OpenFigures>,
}

/// A service at all rates, round by round.
#[derive(Serialize)]
pub(crate) struct Curve {
    #[serde(skip)]
    pub of: Contender,
    pub contender: &'static str,
    pub rounds: Vec<OpenRound>,
}

#[derive(Serialize)]
pub(crate) struct OpenRound {
    /// In a closed loop.
    pub capacity_per_second: f64,
    pub points: Vec<Point>,
}

/// Sign-ins beyond what can be hashed.
#[derive(Serialize)]
pub(crate) struct Flood {
    pub contender: &'static str,
    pub capacity_per_second: f64,
    pub sign_ins: Point,
    pub beside: Beside,
}

/// Other requests beside a flood.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Beside {
    pub due: u64,
    /// Refused or failed.
    pub lost: u64,
    pub quiet_p99_ms: f64,
    pub flooded_p99_ms: f64,
    /// Whether they were sent when they were due.
    pub kept_up: bool,
}

fn milliseconds(micros: u64) -> f64 {
    Duration::from_micros(micros).as_secs_f64() * 1000.0
}

impl Point {
    pub(crate) fn new(percent: u32, rate: f64, duration: Duration, outcome: &Outcome) -> Self {
        let at = |percentile| milliseconds(outcome.latencies.value_at_percentile(percentile));
        #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 requests")]
        let completed = outcome.completed as f64;
        let figures = OpenFigures {
            goodput_per_second: completed / duration.as_secs_f64(),
            p50_ms: at(50.0),
            p99_ms: at(99.0),
            p999_ms: at(99.9),
            refused: outcome.refused(),
            failed: outcome.failed(),
            unsent: outcome.unsent,
        };
        Self {
            percent,
            rate,
            due: outcome.due,
            connections: outcome.connections,
            lag_p99_ms: milliseconds(outcome.lag.value_at_percentile(99.0)),
            figures: outcome.kept_up().then_some(figures),
        }
    }
}

impl Beside {
    pub(crate) fn new(quiet: &Outcome, flooded: &Outcome) -> Self {
        let p99 = |outcome: &Outcome| milliseconds(outcome.latencies.value_at_percentile(99.0));
        Self {
            due: flooded.due,
            lost: flooded.refused() + flooded.failed(),
            quiet_p99_ms: p99(quiet),
            flooded_p99_ms: p99(flooded),
            kept_up: quiet.kept_up() && flooded.kept_up(),
        }
    }
}

impl Curve {
    pub(crate) fn new(of: Contender) -> Self {
        Self { of, contender: of.name(), rounds: Vec::new() }
    }

    pub(crate) fn capacity(&self) -> Option<Spread> {
        Spread::of(self.rounds.iter().map(|round| round.capacity_per_second))
    }

    /// The rates that were measured, as percentages of the capacity.
    pub(crate) fn percents(&self) -> Vec<u32> {
        let first = self.rounds.first();
        first.into_iter().flat_map(|round| &round.points).map(|point| point.percent).collect()
    }

    /// A figure at a rate over the rounds in which the generator kept up; none if it never did.
    pub(crate) fn at(
        &self,
        percent: u32,
        of: impl Fn(&OpenRound, &OpenFigures) -> f64,
    ) -> Option<Spread> {
        Spread::of(self.rounds.iter().filter_map(|round| {
            let point = round.points.iter().find(|point| point.percent == percent)?;
            Some(of(round, point.figures.as_ref()?))
        }))
    }

    /// The largest lag of the generator at a rate, in milliseconds.
    pub(crate) fn lag(&self, percent: u32) -> Option<f64> {
        let points = self.rounds.iter().flat_map(|round| &round.points);
        let lags = points.filter(|point| point.percent == percent).map(|point| point.lag_p99_ms);
        Some(Spread::of(lags)?.max)
    }

    /// The part of the capacity that is still answered at a rate.
    pub(crate) fn goodput(&self, percent: u32) -> Option<f64> {
        let part = |round: &OpenRound, figures: &OpenFigures| {
            figures.goodput_per_second / round.capacity_per_second
        };
        Some(self.at(percent, part)?.median)
    }

    /// The p99 at a rate, divided by the p50 at the lowest one.
    pub(crate) fn p99_to_idle_p50(&self, percent: u32) -> Option<f64> {
        let idle = self.at(*self.percents().first()?, |_, figures| figures.p50_ms)?.median;
        Some(self.at(percent, |_, figures| figures.p99_ms)?.median / idle)
    }
}

impl Flood {
    /// The part of what can be hashed that was completed.
    pub(crate) fn completed(&self) -> Option<f64> {
        Some(self.sign_ins.figures?.goodput_per_second / self.capacity_per_second)
    }

    /// How many times as long the others took.
    pub(crate) fn slower(&self) -> Option<f64> {
        let beside = self.beside;
        beside.kept_up.then(|| beside.flooded_p99_ms / beside.quiet_p99_ms)
    }

    /// How many of the others were refused or failed.
    pub(crate) fn lost(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "no run has 2^52 requests")]
        self.beside.kept_up.then_some(self.beside.lost as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Percent of the capacity, with goodput and times if there are any.
    type Given = (u32, Option<(f64, f64, f64)>);

    fn round(capacity: f64, points: &[Given]) -> OpenRound {
        let point = |&(percent, figures): &(u32, Option<(f64, f64, f64)>)| Point {
            percent,
            rate: capacity * f64::from(percent) / 100.0,
            due: 1000,
            connections: 4,
            lag_p99_ms: if figures.is_some() { 0.1 } else { 7.0 },
            figures: figures.map(|(goodput_per_second, p50_ms, p99_ms)| OpenFigures {
                goodput_per_second,
                p50_ms,
                p99_ms,
                p999_ms: 2.0 * p99_ms,
                refused: 0,
                failed: 0,
                unsent: 0,
            }),
        };
        OpenRound { capacity_per_second: capacity, points: points.iter().map(point).collect() }
    }

    #[test]
    fn a_point_has_the_percentiles_of_what_is_accepted() {
        let mut outcome = Outcome::new(1100);
        for latency in 1..=1000 {
            outcome.latencies.record(latency * 1000).unwrap();
        }
        (outcome.completed, outcome.unsent) = (990, 40);
        outcome.statuses = [(200, 1000), (503, 50), (500, 10)].into();
        outcome.lag.record_n(20, 1060).unwrap();
        let point = Point::new(300, 550.0, Duration::from_secs(2), &outcome);
        let figures = point.figures.unwrap();
        let near = |value: f64, expected: f64| (value - expected).abs() < 0.002 * expected;
        assert!(near(figures.p50_ms, 500.0) && near(figures.p99_ms, 990.0), "{figures:?}");
        assert!(near(figures.p999_ms, 999.0) && near(figures.goodput_per_second, 495.0));
        assert_eq!((figures.refused, figures.failed, figures.unsent), (50, 50, 40));
        outcome.lag.record_n(7000, 20).unwrap();
        let point = Point::new(300, 550.0, Duration::from_secs(2), &outcome);
        assert!(point.figures.is_none() && point.lag_p99_ms > 6.9, "{point:?}");
    }

    #[test]
    fn goodput_is_a_part_of_the_capacity_of_its_own_round() {
        let mut curve = Curve::new(Contender::Molt);
        curve
            .rounds
            .push(round(100.0, &[(10, Some((10.0, 1.0, 2.0))), (300, Some((90.0, 8.0, 9.0)))]));
        curve
            .rounds
            .push(round(200.0, &[(10, Some((20.0, 3.0, 4.0))), (300, Some((190.0, 9.0, 11.0)))]));
        assert_eq!(curve.percents(), [10, 300]);
        assert!((curve.goodput(300).unwrap() - 0.925).abs() < 1e-9);
        assert!((curve.p99_to_idle_p50(300).unwrap() - 5.0).abs() < 1e-9);
    }

    #[test]
    fn rates_that_the_generator_did_not_reach_have_no_figures() {
        let mut curve = Curve::new(Contender::Molt);
        curve.rounds.push(round(100.0, &[(10, Some((10.0, 1.0, 2.0))), (300, None)]));
        assert_eq!((curve.goodput(300), curve.p99_to_idle_p50(300)), (None, None));
        assert_eq!(curve.lag(300), Some(7.0));
        // A round in which it did counts alone.
        curve
            .rounds
            .push(round(100.0, &[(10, Some((10.0, 1.0, 2.0))), (300, Some((80.0, 1.0, 4.0)))]));
        assert_eq!((curve.goodput(300), curve.p99_to_idle_p50(300)), (Some(0.8), Some(4.0)));
    }

    #[test]
    fn a_flood_beside_which_requests_were_not_sent_in_time_says_nothing_about_them() {
        let beside =
            Beside { due: 100, lost: 3, quiet_p99_ms: 2.0, flooded_p99_ms: 5.0, kept_up: true };
        let sign_ins = round(7.0, &[(5000, Some((6.3, 1.0, 2.0)))]).points[0];
        let mut flood = Flood { contender: "molt", capacity_per_second: 7.0, sign_ins, beside };
        assert!((flood.completed().unwrap() - 0.9).abs() < 1e-9);
        assert_eq!((flood.slower(), flood.lost()), (Some(2.5), Some(3.0)));
        flood.beside.kept_up = false;
        assert_eq!((flood.slower(), flood.lost()), (None, None));
    }
}

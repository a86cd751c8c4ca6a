//! Whether the answers to a case are the same.

use std::time::{Duration, Instant};

use comparison::{Answer, Pairs, compare};

use super::again::{covers, paths, shrink, unsteady};
use super::error::RunError;
use super::plan::Options;
use super::recorded::Moved;
use super::round::Round;
use super::side::Side;
use super::watch::{Exchange, Watch, slower};
use crate::case::{Case, Variables};
use crate::ledger::{Differing, Ledger};
use crate::outcome::Outcome;

/// By how much a slow response widens the window of times at most.
const MAX_WIDENING: Duration = Duration::from_secs(10);

/// Decides whether answers are the same, by all that were compared before.
pub(super) struct Evaluation<'a, F> {
    pub(super) ledger: &'a mut Ledger,
    /// The operation to which a request line belongs.
    pub(super) operation: F,
    pub(super) pairs: Pairs,
    pub(super) moved: Moved,
    pub(super) slack: Duration,
    pub(super) window: Duration,
    pub(super) options: &'a Options,
}

impl<F: Fn(&str) -> Option<String>> Evaluation<'_, F> {
    /// The outcome of a case, with the differences of the answers and why they are accepted.
    ///
    /// # Errors
    /// When the expectation of the case is invalid, or what watches the run fails.
    pub(super) async fn outcome(
        &mut self,
        case: &Case,
        row: &Variables,
        round: &Round,
        (reference, candidate): (Option<&Side>, &Side),
        watch: &mut impl Watch,
    ) -> Result<Outcome, RunError> {
        let started = Instant::now();
        let (a, b) = (&round.reference, &round.candidate);
        let line = match &b.request {
            Some(request) => format!("{} {}", request.method, request.target),
            None => case.operation(),
        };
        // Without the prefix that both services have in common, and a key in the query.
        let known = (self.operation)(&line);
        let mut outcome = Outcome {
            operation: known.unwrap_or_else(|| case.operation()),
            case: case.name.clone(),
            request: line,
            status: a.as_ref().unwrap_or(b).answer.status,
            sent: b.request.clone(),
            ..Outcome::default()
        };
        let conformance = self.options.conformance.as_ref().filter(|_| !case.is_effect());
        let conformance = conformance.map_or_else(Vec::new, |conformance| {
            conformance.differences(&outcome.request, &b.answer)
        });
        let mut has_secrets = self.options.secrets.occur(&b.answer);
        if let (Some(side), Some(a)) = (reference, a) {
            has_secrets |= self.options.secrets.occur(&a.answer);
            for (name, pointer) in &case.capture {
                if let (Some(a), Some(b)) =
                    (side.variables.get(name), candidate.variables.get(name))
                {
                    let key = pointer.rsplit(['/', ' ']).next().unwrap_or(pointer);
                    self.pairs.capture(key, a, b);
                }
            }
            // A response that took long may hold times that are as far apart.
            self.pairs.widen(self.window + a.took.max(b.took).min(MAX_WIDENING));
            let before = self.pairs.clone();
            outcome.differences = compare(&a.answer, &b.answer, case.unordered, &mut self.pairs);
            if !case.is_effect() {
                outcome.differences.extend(slower(a.took, b.took, self.slack));
            }
            if outcome.is_same() {
                let exchange = Exchange {
                    case,
                    operation: &outcome.operation,
                    request: b.request.as_ref(),
                    reference: &a.answer,
                    candidate: &b.answer,
                    before: &before,
                    slack: self.slack,
                    side: candidate,
                    took: a.took,
                };
                watch.exchange(exchange).await?;
            }
            outcome.differences.extend(conformance);
            let answers = (&a.answer, &b.answer);
            outcome.better = self.accepted(case, &outcome, answers, &before);
            if !outcome.passed() {
                let reference = (side, a.request.as_ref(), &a.answer);
                let mut noise = unsteady(case, reference, &outcome.differences).await;
                // Where the reference differs from itself, nothing follows from a difference.
                outcome.unsteady = covers(&noise, &outcome.differences);
                if !outcome.unsteady {
                    let candidate = (candidate, b.request.as_ref(), &b.answer);
                    noise.extend(unsteady(case, candidate, &outcome.differences).await);
                    let (sides, found) = ([side, candidate.0], &outcome.differences);
                    outcome.smallest = shrink(case, row, sides, found, &before).await;
                }
                outcome.noise = paths(&noise);
            }
        } else if let Some(recorded) = case.recorded.as_ref().filter(|_| self.options.is_recorded) {
            outcome.status = recorded.answer.status;
            self.pairs.widen(self.window + recorded.took.max(b.took).min(MAX_WIDENING));
            let (a, answer) = recorded.comparable(&b.answer, round.at, &mut self.moved);
            let before = self.pairs.clone();
            outcome.differences = compare(&a, &answer, case.unordered, &mut self.pairs);
            outcome.differences.extend(conformance);
            outcome.better = self.accepted(case, &outcome, (&a, &answer), &before);
            if !outcome.passed() {
                let candidate = (candidate, b.request.as_ref(), &b.answer);
                outcome.noise = paths(&unsteady(case, candidate, &outcome.differences).await);
            }
        } else {
            outcome.differences = conformance;
            let before = self.pairs.clone();
            outcome.better = self.accepted(case, &outcome, (&b.answer, &b.answer), &before);
        }
        if outcome.better.is_none() {
            let unmet = case.unmet(&b.answer, &candidate.variables, row)?;
            outcome.unsteady &= unmet.is_empty();
            outcome.differences.extend(unmet);
        }
        outcome.seconds = (round.took + started.elapsed()).as_secs_f64();
        self.options.secrets.outcome(&mut outcome, has_secrets);
        Ok(outcome)
    }

    /// Why the ledger accepts the differences of an outcome, if it does.
    fn accepted(
        &mut self,
        case: &Case,
        outcome: &Outcome,
        (reference, candidate): (&Answer, &Answer),
        before: &Pairs,
    ) -> Option<String> {
        let differing = Differing {
            case: &case.name,
            operation: &outcome.operation,
            reference,
            candidate,
            differences: &outcome.differences,
            before,
        };
        self.ledger.accept(differing, &mut self.pairs)
    }
}

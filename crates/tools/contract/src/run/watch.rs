//! The interface of what observes a run: progress, the self-test, the generator.

use std::time::{Duration, Instant};

use comparison::{Answer, Difference, Pairs, compare};

use super::error::RunError;
use super::side::Side;
use crate::case::Case;
use crate::outcome::Outcome;
use crate::request::Request;

/// A request with both answers.
pub struct Exchange<'a> {
    pub case: &'a Case,
    pub operation: &'a str,
    /// As it was sent to the candidate; none for what is no request.
    pub request: Option<&'a Request>,
    pub reference: &'a Answer,
    pub candidate: &'a Answer,
    /// Which made-up values had been matched before.
    pub before: &'a Pairs,
    pub slack: Duration,
    pub(super) side: &'a Side,
    /// How long the reference took.
    pub(super) took: Duration,
}

impl Exchange<'_> {
    /// Sends the request to the candidate again and returns the differences.
    ///
    /// # Errors
    /// When it cannot be reached.
    pub async fn differences_again(&self) -> Result<Vec<Difference>, RunError> {
        let Some(request) = self.request else { return Ok(Vec::new()) };
        let start = Instant::now();
        let answer = self.side.send(request).await;
        let answer = answer.map_err(|error| self.side.failed(self.case, error))?;
        let mut differences = self.differences(&answer);
        differences.extend(slower(self.took, start.elapsed(), self.slack));
        Ok(differences)
    }

    /// How long the reference took.
    pub const fn reference_took(&self) -> Duration {
        self.took
    }

    /// In what an answer of the candidate would differ.
    pub fn differences(&self, answer: &Answer) -> Vec<Difference> {
        compare(self.reference, answer, self.case.unordered, &mut self.before.clone())
    }
}

/// Is called for each outcome and each pair of answers of a run, and may add cases.
pub trait Watch {
    fn outcome(&mut self, outcome: &Outcome);

    /// More cases, after all before have these outcomes; none ends the run.
    fn more(&mut self, _: &[Outcome]) -> Vec<Case> {
        Vec::new()
    }

    /// Both answers to a case.
    fn exchange(&mut self, _: Exchange<'_>) -> impl Future<Output = Result<(), RunError>> {
        async { Ok(()) }
    }
}

impl<F: FnMut(&Outcome)> Watch for F {
    fn outcome(&mut self, outcome: &Outcome) {
        self(outcome);
    }
}

/// An answer that is right but takes much longer than the reference's.
pub(super) fn slower(
    reference: Duration,
    candidate: Duration,
    slack: Duration,
) -> Option<Difference> {
    let ms = |duration: Duration| format!("{} ms", duration.as_millis());
    (candidate > reference + slack).then(|| Difference {
        path: "time".into(),
        reference: ms(reference),
        candidate: ms(candidate),
    })
}

//! What a case came to.

use comparison::Difference;
use serde::{Deserialize, Serialize};

use crate::case::Case;
use crate::request::Request;

/// The outcome of one case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Outcome {
    pub case: String,
    /// As it was sent to the reference.
    pub request: String,
    /// `POST /items/{id}`.
    pub operation: String,
    /// What the reference answered; 0 for what is no request.
    pub status: u16,
    /// How long both took together.
    pub seconds: f64,
    pub differences: Vec<Difference>,
    /// The paths in which two responses of one service to the same request differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub noise: Vec<String>,
    /// Whether they all are where the reference differs from itself, so that nothing follows from them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsteady: bool,
    /// The reason of the ledger if the differences are deliberate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub better: Option<String>,
    /// The smallest request that still makes the difference, of a generated one.
    #[serde(skip)]
    pub smallest: Option<Case>,
    /// What was sent to the candidate; none for what is no request.
    #[serde(skip)]
    pub sent: Option<Request>,
}

impl Outcome {
    /// That a run ended early, and why.
    pub fn unfinished(message: &str) -> Self {
        let incomplete = format!("incomplete: {message}");
        Self::of_run("the run did not finish", "all requests are sent", incomplete)
    }

    /// That a run compared nothing but refusals, and why that is no result.
    pub fn hollow(message: &str) -> Self {
        Self::of_run("the run found nothing to compare", "a request succeeds", message.into())
    }

    fn of_run(case: &str, reference: &str, candidate: String) -> Self {
        let difference = Difference { path: "run".into(), reference: reference.into(), candidate };
        Self {
            case: case.into(),
            operation: "run".into(),
            differences: vec![difference],
            ..Self::default()
        }
    }

    pub fn is_same(&self) -> bool {
        self.differences.is_empty()
    }

    /// Whether the answer is one of success: not a refusal, nor a redirect to the path with another
    /// slash at its end.
    pub fn succeeded(&self) -> bool {
        let has_slash = |line: &str| line.split('?').next().is_some_and(|path| path.ends_with('/'));
        match self.status {
            200..300 => true,
            300..400 => has_slash(&self.request) == has_slash(&self.operation),
            _ => false,
        }
    }

    pub fn passed(&self) -> bool {
        self.is_same() || self.better.is_some() || self.unsteady
    }
}

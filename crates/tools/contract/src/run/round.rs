//! Requests of a case to both services.

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;

use super::error::RunError;
use super::plan::Options;
use super::side::{Answered, Side};
use crate::case::{Case, Variables};

/// Both answers to a case.
pub(super) struct Round {
    pub(super) reference: Option<Answered>,
    pub(super) candidate: Answered,
    /// When the request was sent.
    pub(super) at: DateTime<Utc>,
    pub(super) took: Duration,
}

/// Whether a request can be under way at the same time as those before it, with the same answers: all
/// of them change nothing, and it uses nothing that they capture.
pub(super) fn is_independent(
    (case, row): &(Case, Variables),
    stretch: &[(Case, Variables)],
    options: &Options,
) -> bool {
    let uses = options.uses(case, row);
    let is_safe = |case: &Case| case.is_safe();
    is_safe(case)
        && stretch.iter().all(|(earlier, _)| {
            is_safe(earlier) && !earlier.capture.keys().any(|name| uses.contains(name))
        })
}

/// The answers to cases, in their order; several are asked at once only if none depends on another.
pub(super) async fn ask_all(
    stretch: &[(Case, Variables)],
    reference: Option<&mut Side>,
    candidate: &mut Side,
    workers: usize,
) -> Vec<Result<Round, RunError>> {
    if let [(case, row)] = stretch {
        let (at, start) = (DateTime::<Utc>::from(std::time::SystemTime::now()), Instant::now());
        let execute_reference = async {
            match reference {
                Some(side) => side.execute(case, row).await.map(Some),
                None => Ok(None),
            }
        };
        let (a, b) = tokio::join!(execute_reference, candidate.execute(case, row));
        return vec![a.and_then(|reference| {
            Ok(Round { reference, candidate: b?, at, took: start.elapsed() })
        })];
    }
    let (reference, candidate) = (reference.map(|side| &*side), &*candidate);
    let rounds = stretch.iter().map(async |(case, row)| {
        let (at, start) = (DateTime::<Utc>::from(std::time::SystemTime::now()), Instant::now());
        let ask_reference = async {
            match reference {
                Some(side) => side.ask(case, row).await.map(Some),
                None => Ok(None),
            }
        };
        let (a, b) = tokio::join!(ask_reference, candidate.ask(case, row));
        Ok(Round { reference: a?, candidate: b?, at, took: start.elapsed() })
    });
    futures_util::stream::iter(rounds).buffered(workers).collect().await
}

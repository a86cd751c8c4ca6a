//! Requests that made a difference, sent once more: is it steady, and does a smaller one do it too?

use std::collections::BTreeSet;

use comparison::{Answer, Difference, Pairs, compare};

use super::side::Side;
use crate::case::{Case, Variables};
use crate::request::Request;
use crate::shrink::smaller;

/// How many requests it may take to make one smaller.
const SHRINKING: usize = 200;

/// How often a request is sent again to find out whether its response is steady. What depends on chance,
/// such as the order of a hash map with two keys, is the same each time once in 65,536.
const REPETITIONS: usize = 16;

/// Where a service differs from its own earlier response to the same request, until that covers
/// `differences`. Only what has no effect is sent again: safe requests, and generated ones that are
/// refused.
pub(super) async fn unsteady(
    case: &Case,
    (side, request, answer): (&Side, Option<&Request>, &Answer),
    differences: &[Difference],
) -> Vec<Difference> {
    let mut unsteady = Vec::new();
    let Some(request) = request else { return unsteady };
    let is_safe = ["GET", "HEAD", "OPTIONS"].contains(&&*request.method);
    let is_refused = case.is_tolerant && (400..500).contains(&answer.status);
    if !(is_safe || is_refused) {
        return unsteady;
    }
    for _ in 0..REPETITIONS {
        let Ok(again) = side.send(request).await else { break };
        unsteady.extend(compare(answer, &again, case.unordered, &mut Pairs::default()));
        if covers(&unsteady, differences) {
            break;
        }
    }
    unsteady
}

/// Whether each of `differences` overlaps one of `known`.
pub(super) fn covers(known: &[Difference], differences: &[Difference]) -> bool {
    differences.iter().all(|found| known.iter().any(|other| other.overlaps(found)))
}

/// The paths of differences, each once.
pub(super) fn paths(differences: &[Difference]) -> Vec<String> {
    let paths: BTreeSet<_> = differences.iter().map(|difference| &difference.path).collect();
    paths.into_iter().cloned().collect()
}

/// The smallest request in place of a generated one after which the sides still differ where they
/// did.
pub(super) async fn shrink(
    case: &Case,
    row: &Variables,
    [reference, candidate]: [&Side; 2],
    differences: &[Difference],
    before: &Pairs,
) -> Option<Case> {
    if !case.is_tolerant {
        return None;
    }
    let path = &differences.first()?.path;
    let answer = async |side: &Side, case: &Case| {
        let request = side.request(case, row).ok()?;
        side.send(&request).await.ok()
    };
    let differs = async |case: &Case| {
        let (a, b) = tokio::join!(answer(reference, case), answer(candidate, case));
        let (Some(a), Some(b)) = (a, b) else { return false };
        let differences = compare(&a, &b, case.unordered, &mut before.clone());
        differences.iter().any(|difference| difference.path == *path)
    };
    let mut smallest = None;
    let mut left = SHRINKING;
    'smaller: loop {
        for next in smaller(smallest.as_ref().unwrap_or(case)) {
            if left == 0 {
                return smallest;
            }
            left -= 1;
            if differs(&next).await {
                smallest = Some(next);
                continue 'smaller;
            }
        }
        return smallest;
    }
}

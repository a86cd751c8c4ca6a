//! Requests that made a difference, sent once more: is it steady, and does a smaller one do it too?

use std::collections::BTreeSet;

use comparison::{Answer, Difference, Pairs, compare};

use super::Side;
use crate::case::{Case, Variables};
use crate::request::Request;
use crate::shrink::smaller;

/// How many requests it may take to make one smaller.
const SHRINKING: usize = 200;

/// The paths in which two responses of one service to the same request differ, of either service.
pub(super) async fn noise(
    case: &Case,
    sides: &[(&Side, Option<&Request>, &Answer)],
) -> Vec<String> {
    let mut paths = BTreeSet::new();
    for (side, request, answer) in sides {
        let Some(request) = request else { continue };
        if !["GET", "HEAD", "OPTIONS"].contains(&&*request.method) {
            continue;
        }
        let Ok(again) = side.send(request).await else { continue };
        let noise = compare(answer, &again, case.unordered, &mut Pairs::default());
        paths.extend(noise.into_iter().map(|difference| difference.path));
    }
    paths.into_iter().collect()
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

//! Filters of a list together: an item must fit all of them.

use super::Generator;
use crate::case::Case;
use crate::generate::operation::collection;
use crate::generate::related::selecting;

/// How many pairs of filters are sent of a list at most.
const PAIRS: usize = 12;

impl Generator<'_> {
    /// Each two filters of a list, with the values of one row, and of one row each. What is sent of both
    /// finds other rows than what is sent of either.
    pub(super) fn filtered(&mut self, index: usize) -> Vec<Case> {
        let operation = &self.operations[index];
        let rows = self.rows.get(&collection(operation.path));
        let rows = rows.filter(|rows| operation.method == "GET" && rows.len() > 1);
        let Some([one, other, ..]) = rows.map(Vec::as_slice) else { return Vec::new() };
        let filters: Vec<_> = operation
            .parameters
            .iter()
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| {
                let of = |row| selecting(self.document, parameter, row);
                Some((parameter["name"].as_str()?.to_owned(), of(one)?, of(other)?))
            })
            .collect();
        let pairs = filters.iter().enumerate();
        let pairs = pairs.flat_map(|(at, a)| filters[at + 1..].iter().map(move |b| (a, b)));
        let mut cases = Vec::new();
        for ((a, first, _), (b, same, different)) in pairs.take(PAIRS) {
            for (value, remark) in [(same, "of one row"), (different, "of two rows")] {
                let thing = self.thing(index, 0, 0);
                let mut draft = self.draft(index, 0, thing.as_ref(), 0);
                draft.query.retain(|(name, _)| name != a && name != b);
                draft.query.push((a.clone(), first.clone()));
                draft.query.push((b.clone(), value.clone()));
                cases.push(self.case(index, draft, &format!("{a} and {b} {remark}")));
            }
        }
        cases
    }
}

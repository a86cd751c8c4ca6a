//! What is demanded where FastAPI fails with a 500, because its writer of JSON refuses what the answer holds:
//! what it means to answer, to the byte. `ledger.py` gives that, and names the rules that it needed.

use std::collections::BTreeMap;

use crate::wire::Answer;

/// A reason for which FastAPI may fail.
pub(crate) struct Rule {
    /// What the header `x-ledger` calls it.
    pub name: &'static str,
    /// Which statuses it may mean to answer with.
    statuses: [u16; 2],
}

/// All reasons. A 500 of FastAPI's for any other one is a difference.
pub(crate) const RULES: [Rule; 5] = [
    // NaN or an infinite number in the input that an error shows, or in an answer without a type.
    Rule { name: "number", statuses: [422, 200] },
    // A lone surrogate in the input that an error shows, or in an answer.
    Rule { name: "text", statuses: [422, 200] },
    // A body of another media type in the input that an error shows, which is no UTF-8.
    Rule { name: "bytes", statuses: [422, 422] },
    // An input or an answer that is nested deeper than Python or pydantic writes.
    Rule { name: "depth", statuses: [422, 200] },
    // An integer with more digits than Python reads from a path, or writes.
    Rule { name: "digits", statuses: [422, 200] },
];

/// How often each rule was used.
pub(crate) type Uses = BTreeMap<&'static str, u64>;

/// The request for what FastAPI means to answer.
pub(crate) fn request(bytes: &[u8]) -> Vec<u8> {
    let target = bytes.iter().position(|byte| *byte == b' ').map_or(0, |space| space + 1);
    [&bytes[..target], b"/ledger", &bytes[target..]].concat()
}

/// Counts the rules by which FastAPI means to give this answer, or says why there are none.
pub(crate) fn count(meant: &mut Answer, uses: &mut Uses) -> Result<(), String> {
    let names = meant.headers.iter().position(|(name, _)| name == "x-ledger");
    let names = names.map(|at| meant.headers.remove(at).1).unwrap_or_default();
    let mut found = Vec::new();
    for name in names.split(',').filter(|name| !name.is_empty()) {
        let rule = RULES.iter().find(|rule| rule.name == name);
        let rule = rule.ok_or_else(|| format!("the ledger has no rule `{name}`"))?;
        if !rule.statuses.contains(&meant.status) {
            return Err(format!("the rule `{name}` does not expect: {meant}"));
        }
        found.push(rule.name);
    }
    if found.is_empty() {
        return Err(format!("FastAPI fails without a rule of the ledger: {meant}"));
    }
    for name in found {
        *uses.entry(name).or_default() += 1;
    }
    Ok(())
}

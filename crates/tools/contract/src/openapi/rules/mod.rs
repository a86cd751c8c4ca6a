//! Every rule by which changes are reported.

mod documentation;
mod operations;
mod schemas;

use std::fmt::Write as _;

/// One kind of change.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What reports and `--ignore` call it.
    pub id: &'static str,
    /// When it is breaking.
    pub level: &'static str,
    /// What it means for clients.
    pub explanation: &'static str,
    /// The checks of oasdiff that come closest; none if empty.
    pub oasdiff: &'static str,
}

const fn rule(
    id: &'static str,
    level: &'static str,
    explanation: &'static str,
    oasdiff: &'static str,
) -> Rule {
    Rule { id, level, explanation, oasdiff }
}

/// All rules.
pub fn rules() -> impl Iterator<Item = &'static Rule> {
    [operations::RULES, schemas::RULES, documentation::RULES].into_iter().flatten()
}

/// The page of the documentation that lists the rules, in Markdown.
pub fn page() -> String {
    let mut page =
        "# Rules of `contract openapi`\n\nMade by `contract rules`. A request may not be \
        narrowed, a response not widened: where the level names\none direction, the other is \
        non-breaking.\n\n| rule | level | what it means | nearest checks of oasdiff |\n\
        |---|---|---|---|\n"
            .to_owned();
    for Rule { id, level, explanation, oasdiff } in rules() {
        let checks: Vec<_> =
            oasdiff.split(", ").filter(|c| !c.is_empty()).map(|c| format!("`{c}`")).collect();
        // Writing to a String does not fail.
        _ = writeln!(page, "| `{id}` | {level} | {explanation} | {} |", checks.join(", "));
    }
    page
}

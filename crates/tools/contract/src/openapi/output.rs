//! Changes for people and machines.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use serde_json::{Value, json};

use super::change::{Change, Class};
use super::rules::rules;

/// How changes are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For a terminal.
    Text,
    /// For programs.
    Json,
    /// For a comment on a pull request.
    Markdown,
    /// For CI, which shows it as tests.
    Junit,
    /// Annotations of a workflow of GitHub.
    Github,
}

/// How many operations a line names.
const NAMED: usize = 3;

/// Writes the changes. `ignored` is how many more there were that are accepted; `document` is what
/// annotations point at; `fails` is whether the command fails for a change.
pub fn write(
    changes: &[Change],
    ignored: usize,
    document: &str,
    format: Format,
    fails: impl Fn(&Change) -> bool,
) -> String {
    match format {
        Format::Text => text(changes, ignored),
        Format::Json => format!("{:#}\n", machine(changes, ignored)),
        Format::Markdown => markdown(changes, ignored),
        Format::Junit => junit(changes, fails),
        Format::Github => github(changes, document),
    }
}

fn count(changes: &[Change], class: Class) -> usize {
    changes.iter().filter(|change| change.class == class).count()
}

fn summary(changes: &[Change], ignored: usize) -> String {
    let mut summary = format!(
        "{} breaking, {} non-breaking, {} of documentation only",
        count(changes, Class::Breaking),
        count(changes, Class::NonBreaking),
        count(changes, Class::Documentation)
    );
    if ignored > 0 {
        _ = write!(summary, "; {ignored} ignored");
    }
    summary
}

/// The change on one line: documents come from outside, and a terminal or a workflow obeys control characters.
fn sentence(change: &Change) -> String {
    let direction = change.direction.map(|direction| format!("{}: ", direction.name()));
    visible(&format!("{}: {}{}", change.path, direction.unwrap_or_default(), change.what))
}

/// Control characters as escapes: `\u{1b}`.
fn visible(text: &str) -> String {
    let escape =
        |c: char| if c.is_control() { c.escape_default().collect() } else { c.to_string() };
    text.chars().map(escape).collect()
}

/// The operations that a change in a component reaches.
fn reach(change: &Change) -> Option<String> {
    change.component.as_ref()?;
    let names = change.operations.iter().take(NAMED).map(|name| visible(name));
    let names = names.collect::<Vec<_>>().join(", ");
    let more = change.operations.len().saturating_sub(NAMED);
    Some(if more > 0 { format!("{names} and {more} more") } else { names })
}

fn text(changes: &[Change], ignored: usize) -> String {
    let mut text = String::new();
    for change in changes {
        let class = match change.class {
            Class::Breaking => console::style("BREAKING     ").red().bold(),
            Class::NonBreaking => console::style("non-breaking ").yellow(),
            Class::Documentation => console::style("documentation").dim(),
        };
        _ = writeln!(text, "{class}  {} [{}]", sentence(change), change.rule);
        if let Some(reach) = reach(change) {
            _ = writeln!(text, "               in {reach}");
        }
    }
    _ = writeln!(text, "{}", summary(changes, ignored));
    text
}

fn machine(changes: &[Change], ignored: usize) -> Value {
    json!({
        "breaking": count(changes, Class::Breaking),
        "non_breaking": count(changes, Class::NonBreaking),
        "documentation": count(changes, Class::Documentation),
        "ignored": ignored,
        "changes": changes,
    })
}

fn markdown(changes: &[Change], ignored: usize) -> String {
    let cell = |text: &str| visible(text).replace('|', "\\|").replace('`', "'");
    // What is not code is text, never HTML or emphasis.
    let plain = |text: &str| {
        let special =
            |c: char| if "<>&*_[]~\\".contains(c) { format!("\\{c}") } else { c.to_string() };
        visible(text).chars().map(special).collect::<String>().replace('|', "\\|").replace('`', "'")
    };
    let mut text = format!("### OpenAPI: {}\n", summary(changes, ignored));
    for class in [Class::Breaking, Class::NonBreaking, Class::Documentation] {
        let of_class: Vec<_> = changes.iter().filter(|change| change.class == class).collect();
        if of_class.is_empty() {
            continue;
        }
        _ = writeln!(text, "\n**{}**\n\n| where | what | rule | operations |", class.name());
        _ = writeln!(text, "|---|---|---|---|");
        for change in of_class {
            let direction = change.direction.map(|direction| format!("{}: ", direction.name()));
            _ = writeln!(
                text,
                "| `{}` | {}{} | `{}` | {} |",
                cell(&change.path),
                direction.unwrap_or_default(),
                plain(&change.what),
                change.rule,
                reach(change).map(|reach| format!("`{}`", cell(&reach))).unwrap_or_default(),
            );
        }
    }
    text
}

/// One test for each rule; it fails if one of its changes does.
fn junit(changes: &[Change], fails: impl Fn(&Change) -> bool) -> String {
    let mut by_rule: BTreeMap<&str, Vec<&Change>> = BTreeMap::new();
    for change in changes.iter().filter(|change| fails(change)) {
        by_rule.entry(change.rule).or_default().push(change);
    }
    let mut suite = TestSuite::new("openapi");
    for rule in rules() {
        let mut status = TestCaseStatus::success();
        if let Some(changes) = by_rule.get(rule.id) {
            status = TestCaseStatus::non_success(NonSuccessKind::Failure);
            let lines: Vec<_> = changes.iter().map(|change| sentence(change)).collect();
            status.set_message(lines.first().cloned().unwrap_or_default());
            status.set_description(lines.join("\n"));
        }
        suite.add_test_case(TestCase::new(rule.id, status));
    }
    let mut report = Report::new("contract openapi");
    report.add_test_suite(suite);
    report.to_string().unwrap_or_default()
}

fn github(changes: &[Change], document: &str) -> String {
    let data =
        |text: &str| visible(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
    let property = |text: &str| data(text).replace(':', "%3A").replace(',', "%2C");
    let mut text = String::new();
    for change in changes {
        let level = match change.class {
            Class::Breaking => "error",
            Class::NonBreaking => "warning",
            Class::Documentation => "notice",
        };
        let mut message = sentence(change);
        if let Some(reach) = reach(change) {
            _ = write!(message, " (in {reach})");
        }
        let (file, title) = (property(document), property(change.rule));
        _ = writeln!(text, "::{level} file={file},title={title}::{}", data(&message));
    }
    text
}

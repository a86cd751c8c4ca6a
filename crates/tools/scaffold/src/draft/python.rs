//! Python beside the Rust that is to be written: as comments that a later run refreshes.

use std::collections::{BTreeMap, BTreeSet};

use super::attributes::is_odd;
use super::document::Operation;
use crate::inspection::{Callable, Route};

/// How a comment begins; the name of the function or class follows.
const HEAD: &str = "// Python: ";
/// What stands before each line of its source.
const MARGIN: &str = "//     ";
/// Longer sources are cut.
const MAX_LINES: usize = 80;
const MAX_WIDTH: usize = 400;

/// The source of a function or class as a comment, with a line above that says where it stands:
/// `// Python: app.items.read_item (app/items.py:12)`.
pub(super) fn comment(callable: &Callable) -> String {
    let mut text = format!("{HEAD}{} ({})\n", plain(&callable.name), plain(&callable.location()));
    let source = callable.source.as_deref().unwrap_or_default();
    let lines: Vec<&str> = source.lines().collect();
    for line in lines.iter().take(MAX_LINES) {
        text += format!("{MARGIN}{}", plain(line)).trim_end();
        text.push('\n');
    }
    if lines.len() > MAX_LINES {
        text += &format!("{MARGIN}… {} more lines\n", lines.len() - MAX_LINES);
    }
    text
}

/// What stands in the handler of an operation: the dependencies, by name, and the function's source.
pub(super) fn of_operation(route: Route<'_>) -> String {
    let mut text = String::new();
    for dependency in route.dependencies() {
        let (name, location) = (plain(&dependency.name), plain(&dependency.location()));
        text += &format!("// Depends on `{name}` ({location}): see `dependencies.rs`.\n");
    }
    for option in ["response_model_include", "response_model_exclude"] {
        if let Some(fields) = route.value()[option].get("json").filter(|value| !value.is_null()) {
            text += &format!(
                "// The answer has its fields by `{option}={}`.\n",
                plain(&fields.to_string())
            );
        }
    }
    for option in ["exclude_unset", "exclude_defaults", "exclude_none"] {
        if route.value()[format!("response_model_{option}")] == true {
            text += &format!("// The answer leaves out fields by `response_model_{option}`.\n");
        }
    }
    if let Some(endpoint) = route.endpoint() {
        text += &comment(&endpoint);
    }
    text.trim_end().to_owned()
}

/// The Python of all that the operations depend on, each once.
pub(super) fn dependencies(operations: &[&Operation<'_>]) -> String {
    let mut known = BTreeSet::new();
    let mut text = String::new();
    for route in operations.iter().filter_map(|operation| operation.route) {
        for dependency in route.dependencies() {
            if known.insert(dependency.name.clone()) {
                text += &format!("\n{}", comment(&dependency));
            }
        }
    }
    text
}

/// A line that may stand in a comment: neither controls nor what changes the direction of text.
fn plain(line: &str) -> String {
    let line = line.replace('\t', "    ");
    line.chars().take(MAX_WIDTH).map(|c| if is_odd(c) { '\u{fffd}' } else { c }).collect()
}

/// The name of the function or class of which a line is the head.
fn name(line: &str) -> Option<&str> {
    Some(line.trim_start().strip_prefix(HEAD)?.split_once(" (")?.0)
}

/// Whether a line belongs to the comment above it.
fn is_source(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with(MARGIN) || line == "//"
}

/// The comments of a text, by the names of their functions and classes.
fn comments(text: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(name) = name(line) else { continue };
        let mut block = vec![line.trim_start()];
        while let Some(line) = lines.next_if(|line| is_source(line)) {
            block.push(line.trim_start());
        }
        found.insert(name, block);
    }
    found
}

/// A text that a person has changed, with the comments as the new draft has them; one that the person
/// has removed stays away.
pub(super) fn refreshed(text: &str, draft: &str) -> String {
    let new = comments(draft);
    let mut refreshed = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let block = name(line).and_then(|name| new.get(name));
        let Some(block) = block else {
            refreshed += line;
            refreshed.push('\n');
            continue;
        };
        while lines.next_if(|line| is_source(line)).is_some() {}
        let indent = &line[..line.len() - line.trim_start().len()];
        for line in block {
            refreshed += &format!("{indent}{line}\n");
        }
    }
    refreshed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn callable(source: &str) -> Callable {
        Callable {
            name: "app.read".into(),
            kind: "function".into(),
            file: Some("app.py".into()),
            line: Some(3),
            source: Some(source.into()),
        }
    }

    #[test]
    fn a_source_is_a_comment_of_bounded_length() {
        let text = comment(&callable("def read():\n\n\tpass  # \u{202e}"));
        let expected =
            "// Python: app.read (app.py:3)\n//     def read():\n//\n//         pass  # \u{fffd}\n";
        assert_eq!(text, expected);
        let long = comment(&callable(&"pass\n".repeat(200)));
        assert_eq!(long.lines().count(), MAX_LINES + 2);
        assert!(long.ends_with("… 120 more lines\n"), "{long}");
    }

    #[test]
    fn comments_are_refreshed_where_they_are_left() {
        let new = comment(&callable("def read():\n    return 2"));
        let text = "fn read() {\n    // Python: app.read (app.py:1)\n    //     def read():\n    \
                    //         return 1\n    // A person's.\n    2\n}\n";
        let expected = "fn read() {\n    // Python: app.read (app.py:3)\n    //     def read():\n    \
                        //         return 2\n    // A person's.\n    2\n}\n";
        assert_eq!(refreshed(text, &new), expected);
        assert_eq!(refreshed("fn read() {}\n", &new), "fn read() {}\n", "removed");
    }
}

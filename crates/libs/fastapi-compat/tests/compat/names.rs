//! The pages of what is the same and what is refused: every public name of FastAPI's and pydantic's has a row,
//! and every row has a proof that exists.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use crate::{app, folder, http, port, versions};

/// The cells of a page's tables, without the heads.
fn rows(page: &'static str) -> Vec<Vec<&'static str>> {
    let mut rows = Vec::new();
    let mut lines = page.lines().peekable();
    while let Some(line) = lines.next() {
        let is_head = lines.peek().is_some_and(|next| next.starts_with("|---"));
        if line.starts_with('|') && !line.starts_with("|---") && !is_head {
            rows.push(line.trim_matches('|').split(" | ").map(str::trim).collect());
        }
    }
    rows
}

/// What stands between backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The names of a cell: `Field(gt, lt)` is two.
fn names(cell: &str) -> Vec<String> {
    let names = quoted(cell).flat_map(|name| match name.split_once('(') {
        Some((called, arguments)) => {
            let arguments = arguments.trim_end_matches(')').split(", ");
            arguments.map(|argument| format!("{called}({argument})")).collect()
        }
        None => vec![name.to_owned()],
    });
    names.collect()
}

/// The last segments of the operations' paths, with the applications as a whole.
pub(crate) fn operations() -> BTreeSet<String> {
    let operations = [port::port().1, http::port().1, app::port().1].concat();
    let last = |operation: &String| {
        let operation = operation.split("/{").next()?;
        operation.split('/').next_back().map(ToOwned::to_owned)
    };
    operations.iter().filter_map(last).collect()
}

/// The text of all files of a folder that end so.
fn sources(folder: &Path, ending: &str) -> String {
    let Ok(entries) = std::fs::read_dir(folder) else { return String::new() };
    let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    let texts = paths.iter().map(|path| {
        if path.is_dir() {
            sources(path, ending)
        } else if path.to_string_lossy().ends_with(ending) {
            std::fs::read_to_string(path).unwrap_or_default()
        } else {
            String::new()
        }
    });
    texts.collect()
}

fn words(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').collect()
}

/// The errors of a test that something does not compile, in lower case; `None` if there is no such test.
fn ui(name: &str) -> Option<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fastapi-compat-derive/tests/ui");
    let test = folder.join(name.strip_prefix("ui/")?);
    let errors = std::fs::read_to_string(test.with_extension("stderr")).ok()?;
    let is_test = test.with_extension("rs").exists() && errors.contains("error");
    is_test.then(|| errors.to_lowercase())
}

/// `gt` of `Field(gt)`, `state` of `Request.state`, `File` of `File`; and what stands before.
fn parts(name: &str) -> (&str, &str) {
    let (before, last) = name.split_once(['(', '.']).unwrap_or((name, name));
    (before, last.trim_end_matches(')'))
}

/// The page has each name of the newest releases once, and no others.
#[test]
fn every_public_name_has_a_row() {
    let mut python = Command::new(versions::interpreter(None));
    let output = python.arg(folder().join("names.py")).output().expect("Python runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let expected: BTreeSet<_> =
        String::from_utf8_lossy(&output.stdout).lines().map(ToOwned::to_owned).collect();
    assert!(expected.len() > 500, "the names are not found: {expected:?}");
    let named: Vec<_> =
        rows(include_str!("../../names.md")).iter().flat_map(|row| names(row[0])).collect();
    let once: BTreeSet<_> = named.iter().cloned().collect();
    let missing: Vec<_> = expected.difference(&once).collect();
    let unknown: Vec<_> = once.difference(&expected).collect();
    assert!(missing.is_empty(), "without a row in names.md: {missing:?}");
    assert!(unknown.is_empty(), "in no module of the newest releases: {unknown:?}");
    assert_eq!(named.len(), once.len(), "names.md has a name twice");
}

/// What is the same is called in the oracle, or is tested beside Starlette; what is refused stands in the errors
/// of a test that it does not compile.
#[test]
fn every_name_has_a_proof() {
    let operations = operations();
    let layers = folder().with_file_name("layers");
    // But not the list of all names.
    let list = std::fs::read_to_string(folder().join("names.py")).unwrap_or_default();
    let python = sources(&folder(), ".py").replace(&list, "");
    let rust = sources(&folder().join("port"), ".rs") + &sources(&folder(), "port.rs");
    let oracle = python + &rust + &sources(&folder(), "app.rs") + &sources(&layers, ".rs");
    let oracle = words(&oracle);
    let rows = rows(include_str!("../../names.md"));
    let refused: BTreeMap<_, _> = rows
        .iter()
        .flat_map(|row| names(row[0]).into_iter().map(|name| (name, row[2].contains("`ui/"))))
        .collect();
    let mut wrong = Vec::new();
    for row in &rows {
        let proofs: Vec<_> = quoted(row[2]).collect();
        let tests: Option<Vec<_>> = proofs.iter().map(|proof| ui(proof)).collect();
        let is_proved = proofs.iter().all(|proof| {
            operations.contains(*proof)
                || folder().join(format!("{proof}.py")).exists() && proof.starts_with("probe")
                || proof.starts_with("layers/")
                    && layers
                        .join(proof.trim_start_matches("layers/"))
                        .with_extension("rs")
                        .exists()
        });
        if proofs.is_empty() || (tests.is_none() && !is_proved) {
            wrong.push(format!("{} has no such proof: {}", row[0], row[2]));
            continue;
        }
        for name in names(row[0]) {
            let (before, last) = parts(&name);
            let stands = match &tests {
                Some(tests) => tests.iter().any(|test| {
                    let words = words(test);
                    let has = |word: &str| words.contains(word.to_lowercase().as_str());
                    // What does not exist has no arguments and no members.
                    has(last) || (refused.get(before) == Some(&true) && has(before))
                }),
                None => oracle.contains(last),
            };
            if !stands {
                wrong.push(format!("{name} does not stand in {}", row[2]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Each row of what is refused names a test that it does not compile.
#[test]
fn every_refusal_has_a_proof() {
    let rows = rows(include_str!("../../refused.md"));
    assert!(!rows.is_empty(), "refused.md has no rows");
    let is_proved = |row: &&Vec<&str>| {
        let proofs: Vec<_> = row.last().map(|cell| quoted(cell).collect()).unwrap_or_default();
        !proofs.is_empty() && proofs.iter().all(|proof| ui(proof).is_some())
    };
    let wrong: Vec<_> = rows.iter().filter(|row| !is_proved(row)).collect();
    assert!(wrong.is_empty(), "these name no test of tests/ui: {wrong:#?}");
}

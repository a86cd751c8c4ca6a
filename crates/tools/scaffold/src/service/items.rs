//! A service without the sample resource. Its files go, with what names their modules, and the passages
//! `[with items]` of files that stay; here is what is in neither: files that were made from its code, and
//! migrations, which may not be changed where databases know them already. None of it depends on how a
//! file is written, but [`ANCHORS`] have to be there.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use super::files::{Files, FilesError, is_a};

const DOCUMENT: &str = "openapi/openapi.json";
const STATEMENTS: &str = ".sqlx/";
const MIGRATIONS: &str = "migrations/";
/// In the name of a file with more than items.
const AND_ITEMS: &str = "_and_items";

/// What is looked for in files that stay, and where: if it is not there, something has changed that a
/// service without items has to follow.
const ANCHORS: [(&str, &str); 4] = [
    (DOCUMENT, "a path with `/items/`"),
    (DOCUMENT, "a schema whose name begins with `Item`"),
    (STATEMENTS, "a checked statement about the table `item`"),
    (MIGRATIONS, "a statement about the table `item`, after which the file is named"),
];

/// That an anchor is not there.
fn missing(path: &str, anchor: usize) -> FilesError {
    FilesError::Format {
        path: path.to_owned(),
        reason: format!("there is no {}", ANCHORS[anchor].1.trim_start_matches("a ")),
    }
}

/// Removes what is left of the resource after its files and passages.
///
/// # Errors
/// When one of the [`ANCHORS`] is missing, or a file of Rust names the resource yet.
pub(super) fn remove(files: &mut Files) -> Result<(), FilesError> {
    document(files)?;
    statements(files)?;
    migrations(files)?;
    files.change_each(|path, text| {
        let is_python = path.starts_with("python-legacy/") && is_a(path, "py");
        if is_a(path, "rs")
            && let Some(line) = text.lines().position(|line| line.contains("items::"))
        {
            return Err(format!("line {} names `items`, which this service is without", line + 1));
        }
        Ok(Some(if is_python { without_unused_imports(text) } else { text.to_owned() }))
    })?;
    files.rename(|path| path.replace(AND_ITEMS, ""));
    Ok(())
}

/// The part of the document that was made from the code of items.
fn document(files: &mut Files) -> Result<(), FilesError> {
    let failed = |reason: String| FilesError::Format { path: DOCUMENT.to_owned(), reason };
    let text = files.text(DOCUMENT).ok_or_else(|| FilesError::Missing(DOCUMENT.to_owned()))?;
    let mut document: Value =
        serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
    let is_path: fn(&str) -> bool = |name| name.contains("/items/");
    let is_schema: fn(&str) -> bool = |name| name.starts_with("Item");
    for (anchor, (map, is_of_items)) in
        [("/paths", is_path), ("/components/schemas", is_schema)].into_iter().enumerate()
    {
        let map = document.pointer_mut(map).and_then(Value::as_object_mut);
        let map = map.ok_or_else(|| missing(DOCUMENT, anchor))?;
        let count = map.len();
        map.retain(|name, _| !is_of_items(name));
        if map.len() == count {
            return Err(missing(DOCUMENT, anchor));
        }
    }
    let text = serde_json::to_string_pretty(&document);
    files.set(DOCUMENT, text.map_err(|error| failed(error.to_string()))? + "\n");
    Ok(())
}

/// Checked statements, each in a file of its own.
fn statements(files: &mut Files) -> Result<(), FilesError> {
    let of_items = Regex::new(r"\b(FROM|INTO|JOIN|UPDATE) item\b").map_err(|error| {
        FilesError::Format { path: STATEMENTS.to_owned(), reason: error.to_string() }
    })?;
    let found: Vec<String> = files
        .paths()
        .filter(|path| path.contains(STATEMENTS))
        .filter(|path| files.text(path).is_some_and(|text| of_items.is_match(text)))
        .cloned()
        .collect();
    if found.is_empty() {
        return Err(missing(STATEMENTS, 2));
    }
    found.iter().try_for_each(|path| files.remove(path))
}

fn migrations(files: &mut Files) -> Result<(), FilesError> {
    let is_one = |path: &&String| path.starts_with(MIGRATIONS) && path.contains(AND_ITEMS);
    let paths: Vec<String> = files.paths().filter(is_one).cloned().collect();
    if paths.is_empty() {
        return Err(missing(MIGRATIONS, 3));
    }
    for path in paths {
        let text = files.text(&path).unwrap_or_default();
        let rest = without_statements(text);
        if rest == text {
            return Err(missing(&path, 3));
        }
        files.set(&path, rest);
    }
    Ok(())
}

/// SQL without the statements about the table `item`, each of which ends with a line.
fn without_statements(text: &str) -> String {
    let is_about_items = |statement: &str| {
        let words = statement.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '"');
        let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
        words
            .windows(2)
            .any(|pair| ["EXISTS", "TABLE", "ON"].contains(&pair[0]) && pair[1] == "item")
    };
    let statements = text.split_inclusive(";\n").filter(|statement| !is_about_items(statement));
    statements.collect()
}

/// Python without imported names that are not used, one line for each `from … import …`.
fn without_unused_imports(text: &str) -> String {
    let is_import = |line: &str| line.starts_with("from ") && line.contains(" import ");
    let rest: String = text.lines().filter(|line| !is_import(line)).collect::<Vec<_>>().join("\n");
    let words: BTreeSet<&str> = rest.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let Some((from, names)) =
            line.trim_end().split_once(" import ").filter(|_| is_import(line))
        else {
            kept.push_str(line);
            continue;
        };
        if names.contains(['(', '#', '*']) {
            kept.push_str(line);
            continue;
        }
        let is_used =
            |name: &&str| words.contains(name.rsplit(" as ").next().unwrap_or(name).trim());
        let names: Vec<&str> = names.split(", ").filter(is_used).collect();
        if !names.is_empty() {
            kept += &format!("{from} import {}\n", names.join(", "));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn molt() -> Files {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
        Files::read(&root).unwrap()
    }

    type Break = fn(&mut Files);
    type Part = fn(&mut Files) -> Result<(), FilesError>;

    /// Each anchor that is missing is named, with the file where it should be.
    #[test]
    fn an_anchor_that_is_missing_is_named() {
        let breaks: [(Break, &str); ANCHORS.len()] = [
            (|files| replace(files, DOCUMENT, "/items/", "/things/"), DOCUMENT),
            (|files| replace(files, DOCUMENT, "\"Item", "\"Thing"), DOCUMENT),
            (
                |files| {
                    let all: Vec<String> = files.paths().cloned().collect();
                    for path in all.iter().filter(|path| path.contains(STATEMENTS)) {
                        replace(files, path, " item", " thing");
                    }
                },
                STATEMENTS,
            ),
            (
                |files| {
                    replace(files, "migrations/sqlite/0001_users_and_items.sql", "item", "thing");
                },
                "migrations/sqlite/0001_users_and_items.sql",
            ),
        ];
        for ((break_it, path), (_, anchor)) in breaks.into_iter().zip(ANCHORS) {
            let mut files = molt();
            break_it(&mut files);
            let parts: [Part; 3] = [document, statements, migrations];
            let errors = parts.into_iter().filter_map(|part| part(&mut files).err());
            let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
            let expected = format!("{path}: there is no {}", anchor.trim_start_matches("a "));
            assert_eq!(errors, [expected]);
        }
    }

    fn replace(files: &mut Files, path: &str, from: &str, to: &str) {
        let text = files.text(path).unwrap().replace(from, to);
        files.set(path, text);
    }

    #[test]
    fn rust_that_names_items_yet_is_refused() {
        // None of its files was removed.
        let error = remove(&mut molt()).unwrap_err().to_string();
        assert!(error.contains(".rs: line ") && error.contains("names `items`"), "{error}");
    }

    #[test]
    fn statements_about_items_go() {
        let text = "CREATE TABLE IF NOT EXISTS \"user\" (\n  id int\n);\n\nCREATE TABLE IF NOT EXISTS item \
                    (\n  owner_id int REFERENCES \"user\"\n);\nCREATE INDEX a ON item (b);\n";
        let rest = "CREATE TABLE IF NOT EXISTS \"user\" (\n  id int\n);\n";
        assert_eq!(without_statements(text), rest);
    }

    #[test]
    fn imports_that_are_not_used_go() {
        let text = "import uuid\nfrom a import b, c, D\nfrom e import f\n\nb(D)\n";
        assert_eq!(without_unused_imports(text), "import uuid\nfrom a import b, D\n\nb(D)\n");
    }
}

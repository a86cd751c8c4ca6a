//! A service without the sample resource: the lines that name a resource in files that name all of them
//! go. They are those that `scaffold resource` writes for a new one.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

use super::files::{Files, FilesError, is_a};

/// What stands in each file, as a regular expression, and what is left.
const REGISTRATIONS: [(&str, &[(&str, &str)]); 8] = [
    ("crates/domain/src/lib.rs", &[(r"(?m)^pub use items::[^;]*;\n", "")]),
    (
        "crates/domain/src/storage.rs",
        &[(r"(?m)^use crate::items::Items;\n", ""), (r"\s*\+ Items\b", "")],
    ),
    ("crates/api/src/routes/mod.rs", &[(r"\s*\.merge\(items::router\(\)\)", "")]),
    (
        "crates/api/src/error.rs",
        &[
            (r#"(?m)^ *#\[error\("Item not found"\)\]\n *ItemNotFound,\n"#, ""),
            (r"\s*\| Self::ItemNotFound\b", ""),
        ],
    ),
    ("crates/storage/tests/suite/main.rs", &[(r"(?m)^ *items::suite\(&storage\)\.await;\n", "")]),
    (
        "crates/storage-sqlite/sqlx.toml",
        &[(r"(?s)\n\[macros\.table-overrides\.'item'\]\n.*?(\n\[|\z)", "$1")],
    ),
    (
        "python-legacy/app/routes/__init__.py",
        &[(r"(?m)^router\.include_router\(items\.router\)\n", "")],
    ),
    (
        "python-legacy/app/migrations/versions/0001_users_and_items.py",
        &[(r#"(?m)^    op\.drop_table\("item"\)\n"#, "")],
    ),
];

const DOCUMENT: &str = "openapi/openapi.json";

/// Removes what is left of the resource after its files.
pub(super) fn remove(files: &mut Files) -> Result<(), FilesError> {
    for (path, lines) in REGISTRATIONS {
        // Another part may have taken the file with it.
        let Some(text) = files.text(path) else { continue };
        let mut text = text.to_owned();
        for (pattern, rest) in lines {
            let failed = |reason: String| FilesError::Format { path: path.to_owned(), reason };
            let regex = Regex::new(pattern).map_err(|error| failed(error.to_string()))?;
            if !regex.is_match(&text) {
                return Err(failed(format!("nothing is like `{pattern}`, which names items")));
            }
            text = regex.replace(&text, *rest).into_owned();
        }
        files.set(path, text);
    }
    made_from_items(files)?;
    files.change_each(|path, text| {
        Ok(Some(match path {
            _ if path.starts_with("migrations/") => without_statements(text),
            _ if path.starts_with("python-legacy/") && is_a(path, "py") => {
                without_unused_imports(text)
            }
            _ => text.to_owned(),
        }))
    })?;
    files.rename(|path| path.replace("_and_items", ""));
    Ok(())
}

/// What was made from the code of items: checked statements, and their part of the document.
fn made_from_items(files: &mut Files) -> Result<(), FilesError> {
    let failed = |reason: String| FilesError::Format { path: DOCUMENT.to_owned(), reason };
    let of_items = Regex::new(r"\b(FROM|INTO|JOIN|UPDATE) item\b");
    let of_items = of_items.map_err(|error| failed(error.to_string()))?;
    let statements: Vec<String> = files
        .paths()
        .filter(|path| path.contains("/.sqlx/"))
        .filter(|path| files.text(path).is_some_and(|text| of_items.is_match(text)))
        .cloned()
        .collect();
    for path in statements {
        files.remove(&path)?;
    }
    let text = files.text(DOCUMENT).ok_or_else(|| FilesError::Missing(DOCUMENT.to_owned()))?;
    let mut document: Value =
        serde_json::from_str(text).map_err(|error| failed(error.to_string()))?;
    let of_items = |name: &str| name.contains("/items/") || name.starts_with("Item");
    for map in ["/paths", "/components/schemas"] {
        if let Some(map) = document.pointer_mut(map).and_then(Value::as_object_mut) {
            map.retain(|name, _| !of_items(name));
        }
    }
    let text = serde_json::to_string_pretty(&document);
    files.set(DOCUMENT, text.map_err(|error| failed(error.to_string()))? + "\n");
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
    use super::*;

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

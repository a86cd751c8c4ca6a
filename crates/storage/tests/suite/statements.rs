//! What every statement in the source must do.

use std::path::{Path, PathBuf};

use regex::Regex;

/// All columns of a table are others after a migration: prepared statements that ask for them fail
/// or read past what they know, and values change places.
#[test]
fn statements_name_their_columns() {
    let star = Regex::new(r"(?i)\b(SELECT|RETURNING)\s+([\w.]+,\s*)*([\w]+\.)?\*").unwrap();
    for forbidden in ["SELECT * FROM a", "returning\n    *", "SELECT a.id, b.* FROM", "select\tb.*"]
    {
        assert!(star.is_match(forbidden), "{forbidden}");
    }
    assert!(!star.is_match("SELECT count(*) FROM a"));

    let mut files = 0;
    let tree = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for folder in [
        "crates/storage-postgres/src",
        // [with sqlite]
        "crates/storage-sqlite/src",
        // [end]
        "crates/tools/scaffold/templates/resource",
        "migrations",
    ] {
        // A service has no templates.
        for path in all(&tree.join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            let tests = text.find("#[cfg(test)]").unwrap_or(text.len());
            let found = star.find(&text[..tests]).map(|found| found.as_str());
            assert_eq!(found, None, "{}", path.display());
            files += 1;
        }
    }
    assert!(files >= 5, "only {files} files were read");
}

fn all(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { all(&path) } else { vec![path] }).collect()
}

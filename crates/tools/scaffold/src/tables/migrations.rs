//! The first migration of each database, which adopts tables that are there already.

use std::collections::BTreeSet;

use super::metadata::{Metadata, Statement};
use super::names::quoted;

/// The migration for PostgreSQL.
pub(super) fn postgres(all: &[Metadata]) -> String {
    let schemas: BTreeSet<&str> = all
        .iter()
        .flat_map(|metadata| &metadata.tables)
        .filter_map(|table| table.schema.as_deref())
        .collect();
    let mut parts = vec![head(all)];
    let found = statements(all.iter().flat_map(|metadata| &metadata.ddl.postgres));
    let extensions = EXTENSIONS.iter().filter(|(_, words)| {
        words.iter().any(|word| found.iter().any(|statement| has_word(statement, word)))
    });
    parts.extend(
        extensions.map(|(name, _)| format!("CREATE EXTENSION IF NOT EXISTS {};", quoted(name))),
    );
    parts.extend(
        schemas.into_iter().map(|name| format!("CREATE SCHEMA IF NOT EXISTS {};", quoted(name))),
    );
    parts.extend(found);
    parts.join("\n\n") + "\n"
}

/// Extensions of PostgreSQL, and words that only they know.
const EXTENSIONS: [(&str, &[&str]); 8] = [
    ("citext", &["CITEXT"]),
    ("hstore", &["HSTORE"]),
    ("ltree", &["LTREE"]),
    ("pg_trgm", &["gin_trgm_ops", "gist_trgm_ops"]),
    ("pgcrypto", &["gen_random_bytes"]),
    ("postgis", &["geometry", "geography"]),
    ("uuid-ossp", &["uuid_generate_v1", "uuid_generate_v4"]),
    ("vector", &["VECTOR", "HALFVEC", "SPARSEVEC"]),
];

/// Whether the statement has the word, where it is no name of a column or table.
fn has_word(statement: &str, word: &str) -> bool {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    statement.split(|c| !is_word(c)).any(|other| {
        // Types stand in upper case, columns of the same name do not.
        if word.starts_with(|c: char| c.is_ascii_uppercase()) {
            other == word
        } else {
            other.eq_ignore_ascii_case(word)
        }
    })
}

/// The migration for SQLite; nothing if SQLite can have none of the tables.
pub(super) fn sqlite(all: &[Metadata]) -> Option<String> {
    let found = statements(all.iter().flat_map(|metadata| &metadata.ddl.sqlite));
    if found.is_empty() {
        return None;
    }
    Some([vec![head(all)], found].concat().join("\n\n") + "\n")
}

fn head(all: &[Metadata]) -> String {
    let names: Vec<&str> = all.iter().map(|metadata| metadata.name.as_str()).collect();
    format!(
        "-- The tables of {}.\n\
         -- Every statement accepts that its table is there already: a database that Alembic made is\n\
         -- adopted as it is.",
        names.join(", ")
    )
}

/// Each statement once: two metadata may share an enumeration.
fn statements<'a>(all: impl Iterator<Item = &'a Statement>) -> Vec<String> {
    let mut seen = BTreeSet::new();
    all.filter(|statement| seen.insert(statement.sql.as_str())).map(adopting).collect()
}

/// The statement, doing nothing if what it makes is there.
fn adopting(statement: &Statement) -> String {
    // A migration is a transaction, in which no index can be made beside other work.
    let sql = statement.sql.replace(" CONCURRENTLY ", " ").replace("FOREIGN KEY(", "FOREIGN KEY (");
    let sql = sql.trim_end().trim_end_matches(';');
    let verb = ["CREATE TABLE", "CREATE UNIQUE INDEX", "CREATE INDEX", "CREATE SEQUENCE"]
        .into_iter()
        .find(|verb| sql.starts_with(&format!("{verb} ")));
    match (verb, statement.kind.as_str()) {
        (Some(verb), _) if !sql[verb.len()..].starts_with(" IF NOT EXISTS ") => {
            format!("{verb} IF NOT EXISTS{};", &sql[verb.len()..])
        }
        (None, "CreateEnumType" | "CreateDomainType" | "AddConstraint") => {
            let sql = sql.replace('\n', "\n    ");
            format!("DO $$ BEGIN\n    {sql};\nEXCEPTION WHEN duplicate_object THEN NULL;\nEND $$;")
        }
        _ => format!("{sql};"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adopted(kind: &str, sql: &str) -> String {
        adopting(&Statement { kind: kind.into(), sql: sql.into() })
    }

    #[test]
    fn what_is_there_is_adopted() {
        assert_eq!(
            adopted("CreateTable", "CREATE TABLE a (\n    id INTEGER\n)"),
            "CREATE TABLE IF NOT EXISTS a (\n    id INTEGER\n);"
        );
        assert_eq!(
            adopted("CreateIndex", "CREATE UNIQUE INDEX CONCURRENTLY i ON a (id)"),
            "CREATE UNIQUE INDEX IF NOT EXISTS i ON a (id);"
        );
        assert_eq!(
            adopted("AddConstraint", "ALTER TABLE a ADD FOREIGN KEY(b) REFERENCES b (id)"),
            "DO $$ BEGIN\n    ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b (id);\n\
             EXCEPTION WHEN duplicate_object THEN NULL;\nEND $$;"
        );
        let index = "CREATE INDEX i ON a USING gin (b gin_trgm_ops)";
        assert!(has_word(index, "gin_trgm_ops"));
        assert!(!has_word("CREATE TABLE a (vector INTEGER)", "VECTOR"));
        assert_eq!(adopted("DDL", "CREATE EXTENSION x;"), "CREATE EXTENSION x;");
    }
}

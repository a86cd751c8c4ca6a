//! The schema of a database, and its differences from what the migrations create.
//!
//! A database that another program made (Alembic, for one) is adopted only if nothing differs.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::errors::StorageError;

/// The tables of a database, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema(pub BTreeMap<String, Table>);

/// A table; the order of its columns is of no importance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    pub columns: BTreeMap<String, Column>,
    /// Primary, unique and foreign keys as SQL writes them: `PRIMARY KEY (id)`.
    pub keys: BTreeSet<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The type as the database names it.
    pub kind: String,
    pub nullable: bool,
    pub has_default: bool,
}

/// What differs between two schemas, one sentence each; never empty in an error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences(Vec<String>);

impl Differences {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|difference| write!(f, "\n  {difference}"))
    }
}

impl Schema {
    /// What `found` lacks or has otherwise. Further tables, columns that an insert may leave out,
    /// indexes and defaults are no difference.
    pub fn differences(&self, found: &Self) -> Differences {
        let mut all = Vec::new();
        for (name, expected) in &self.0 {
            match found.0.get(name) {
                Some(table) => expected.differences(name, table, &mut all),
                None => all.push(format!("there is no table {name}")),
            }
        }
        Differences(all)
    }

    /// Without the tables that `found` has not: before they are made, that is no difference.
    #[must_use]
    pub fn only_tables_of(mut self, found: &Self) -> Self {
        self.0.retain(|name, _| found.0.contains_key(name));
        self
    }
}

impl Table {
    fn differences(&self, table: &str, found: &Self, all: &mut Vec<String>) {
        for (name, column) in &self.columns {
            let Some(other) = found.columns.get(name) else {
                all.push(format!("{table} has no column {name}"));
                continue;
            };
            if other.kind != column.kind {
                all.push(format!("{table}.{name} is {}, not {}", other.kind, column.kind));
            }
            match (other.nullable, column.nullable) {
                (true, false) => all.push(format!("{table}.{name} is not declared NOT NULL")),
                (false, true) => all.push(format!("{table}.{name} is declared NOT NULL")),
                _ => {}
            }
        }
        for (name, column) in &found.columns {
            if !self.columns.contains_key(name) && !column.nullable && !column.has_default {
                all.push(format!("{table}.{name}, an unknown column, takes no row without it"));
            }
        }
        for key in self.keys.difference(&found.keys) {
            all.push(format!("{table} lacks {key}"));
        }
    }
}

/// What a run of the migrations did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Migrated {
    /// The versions that were applied.
    pub applied: Vec<i64>,
    /// Versions in the database that this program does not know: a newer one was here. They stay.
    pub newer: Vec<i64>,
}

/// Why the migrations could not be run; nothing was applied.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The tables that were there differ from what the migrations make.
    #[error("the tables in the database are not what the migrations make:{0}")]
    Differs(Differences),
    #[error(transparent)]
    Storage(#[from] StorageError),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schema(columns: &[(&str, &str, bool)], keys: &[&str]) -> Schema {
        let columns = columns.iter().map(|&(name, kind, nullable)| {
            (name.to_owned(), Column { kind: kind.to_owned(), nullable, has_default: false })
        });
        let keys = keys.iter().map(|&key| key.to_owned()).collect();
        let table = Table { columns: columns.collect(), keys };
        Schema(BTreeMap::from([("user".to_owned(), table)]))
    }

    #[test]
    fn every_difference_is_named() {
        let expected = schema(
            &[("id", "uuid", false), ("email", "text", false), ("name", "text", true)],
            &["PRIMARY KEY (id)", "UNIQUE (email)"],
        );
        let other_order = schema(
            &[
                ("name", "text", true),
                ("more", "text", true),
                ("email", "text", false),
                ("id", "uuid", false),
            ],
            &["UNIQUE (email)", "PRIMARY KEY (id)", "UNIQUE (name)"],
        );
        assert!(expected.differences(&other_order).is_empty());

        let foreign = schema(
            &[("id", "text", false), ("email", "text", true), ("tenant", "uuid", false)],
            &["PRIMARY KEY (id)"],
        );
        let found = expected.differences(&foreign).to_string();
        for difference in [
            "user.id is text, not uuid",
            "user.email is not declared NOT NULL",
            "user has no column name",
            "user.tenant, an unknown column, takes no row without it",
            "user lacks UNIQUE (email)",
        ] {
            assert!(found.contains(difference), "{found}");
        }
        assert_eq!(found.lines().count(), 6, "{found}");
        let nothing = Schema::default();
        assert_eq!(expected.differences(&nothing).to_string(), "\n  there is no table user");
        assert!(expected.only_tables_of(&nothing).differences(&nothing).is_empty());
    }
}

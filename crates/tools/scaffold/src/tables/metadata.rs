//! The part of the inspector's JSON that is about tables.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value;

#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) name: String,
    pub(super) tables: Vec<Table>,
    pub(super) classes: Vec<Class>,
    #[serde(default)]
    pub(super) ddl: Ddl,
}

/// What SQLAlchemy would execute, in this order.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Ddl {
    #[serde(default)]
    pub(super) postgres: Vec<Statement>,
    #[serde(default)]
    pub(super) sqlite: Vec<Statement>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Statement {
    /// SQLAlchemy's class, such as `CreateTable`.
    pub(super) kind: String,
    pub(super) sql: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) schema: Option<String>,
    pub(super) comment: Option<String>,
    pub(super) columns: Vec<Column>,
    pub(super) constraints: Vec<Constraint>,
    pub(super) indexes: Vec<Index>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) nullable: bool,
    pub(super) comment: Option<String>,
    /// PostgreSQL's `serial`.
    pub(super) autoincrement: bool,
    #[serde(rename = "type")]
    pub(super) type_: Type,
    /// An expression of SQL.
    pub(super) server_default: Option<String>,
    pub(super) identity: Option<Value>,
    pub(super) computed: Option<Value>,
    /// What SQLAlchemy fills in.
    pub(super) default: Option<Value>,
    pub(super) onupdate: Option<Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Type {
    /// As it stands in `CREATE TABLE`; nothing if SQLAlchemy cannot say it.
    pub(super) postgres: Option<String>,
    pub(super) item: Option<Box<Type>>,
    #[serde(rename = "enum")]
    pub(super) enumeration: Option<Enumeration>,
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(super) struct Enumeration {
    pub(super) name: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) values: Vec<String>,
    /// A type of PostgreSQL, rather than a text with a check.
    pub(super) native: bool,
    pub(super) class: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Constraint {
    /// `primary key`, `foreign key`, `unique`, `check` or `exclude`.
    pub(super) kind: String,
    pub(super) columns: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Index {
    pub(super) unique: bool,
    /// `None` where an expression stands.
    pub(super) columns: Vec<Option<String>>,
    pub(super) options: IndexMap<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Class {
    /// With its module.
    #[serde(rename = "class")]
    pub(super) name: String,
    pub(super) table: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) inherits: Option<String>,
    pub(super) relationships: Vec<Relationship>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Relationship {
    pub(super) name: String,
    pub(super) table: Option<String>,
    pub(super) schema: Option<String>,
    pub(super) list: bool,
    /// `ONETOMANY`, `MANYTOONE` or `MANYTOMANY`.
    pub(super) direction: String,
    pub(super) order_by: Vec<String>,
    /// Columns that are equal: this table's, and the target's or the secondary table's.
    pub(super) pairs: Vec<(String, String)>,
    pub(super) secondary: Option<Secondary>,
    /// The condition of the join is that and no more.
    pub(super) simple: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Secondary {
    pub(super) table: Option<String>,
    pub(super) schema: Option<String>,
    /// The target's columns and the secondary table's.
    pub(super) pairs: Vec<(String, String)>,
}

impl Table {
    /// The columns of the primary key, in its order.
    pub(super) fn primary_key(&self) -> &[String] {
        let key = self.constraints.iter().find(|one| one.kind == "primary key");
        key.map_or(&[], |key| &key.columns)
    }

    /// Sets of columns of which no two rows have the same values, without the primary key.
    pub(super) fn unique_keys(&self) -> Vec<Vec<String>> {
        let constraints = self.constraints.iter().filter(|one| one.kind == "unique");
        let mut keys: Vec<Vec<String>> = constraints.map(|one| one.columns.clone()).collect();
        for index in self.indexes.iter().filter(|index| index.unique && index.is_whole()) {
            keys.extend(index.columns.iter().cloned().collect::<Option<Vec<_>>>());
        }
        let mut found: Vec<Vec<String>> = Vec::new();
        for key in keys {
            if !same_columns(&key, self.primary_key())
                && !found.iter().any(|other| same_columns(&key, other))
            {
                found.push(key);
            }
        }
        found
    }

    /// Columns that refer to other rows and are no key themselves.
    pub(super) fn references(&self) -> Vec<Vec<String>> {
        let unique = self.unique_keys();
        let mut found: Vec<Vec<String>> = Vec::new();
        for one in self.constraints.iter().filter(|one| one.kind == "foreign key") {
            let is_key = same_columns(&one.columns, self.primary_key())
                || unique.iter().any(|key| same_columns(key, &one.columns));
            if !is_key && !found.contains(&one.columns) {
                found.push(one.columns.clone());
            }
        }
        found
    }
}

impl Index {
    /// It holds every row: it has no `WHERE`.
    fn is_whole(&self) -> bool {
        !self.options.contains_key("where")
    }
}

fn same_columns(one: &[String], other: &[String]) -> bool {
    one.len() == other.len() && one.iter().all(|column| other.contains(column))
}

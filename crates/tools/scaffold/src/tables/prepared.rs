//! What sqlx knows of statements without a database: the files of `.sqlx`, as the models have it.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::entities::{Entity, Enum, Field};
use super::types::Kind;

/// A statement with the types of its parameters and columns.
#[derive(Debug)]
pub(super) struct Prepared {
    /// As the macro has it.
    statement: String,
    parameters: Vec<Parameter>,
    columns: Vec<Column>,
}

#[derive(Clone, Debug)]
enum Parameter {
    Of(Kind),
    Compared(Kind),
    Integer,
    Flag,
}

#[derive(Debug)]
struct Column {
    name: String,
    kind: Option<Kind>,
    is_nullable: Option<bool>,
}

impl Prepared {
    pub(super) fn new(statement: &str) -> Self {
        let (parameters, columns) = (Vec::new(), Vec::new());
        Self { statement: statement.to_owned(), parameters, columns }
    }

    pub(super) fn of_statement(self, statement: String) -> Self {
        Self { statement, ..self }
    }

    pub(super) fn with_fields(mut self, fields: &[&Field<'_>]) -> Self {
        self.parameters.extend(fields.iter().map(|field| Parameter::Of(field.kind.clone())));
        self
    }

    /// Fields that are compared: PostgreSQL compares a `varchar` as a `text`.
    pub(super) fn compared(mut self, fields: &[&Field<'_>]) -> Self {
        self.parameters.extend(fields.iter().map(|field| Parameter::Compared(field.kind.clone())));
        self
    }

    /// The two of a page.
    pub(super) fn with_page(mut self) -> Self {
        self.parameters.extend([Parameter::Integer, Parameter::Integer]);
        self
    }

    /// Whether a column is to be changed.
    pub(super) fn with_flag(mut self) -> Self {
        self.parameters.push(Parameter::Flag);
        self
    }

    /// It gives rows of a table.
    pub(super) fn rows(mut self, entity: &Entity<'_>) -> Self {
        self.columns = entity.fields.iter().map(Column::new).collect();
        self
    }

    /// It gives a number.
    pub(super) fn count(mut self) -> Self {
        self.columns = vec![Column { name: "count!".to_owned(), kind: None, is_nullable: None }];
        self
    }

    /// The name and the text of its file; nothing if a type is not known.
    pub(super) fn file(&self, enums: &[Enum]) -> Option<(String, String)> {
        let parameters = self.parameters.iter().map(|parameter| match parameter {
            Parameter::Of(kind) => info(kind, enums),
            Parameter::Compared(kind) => info(kind, enums)
                .map(|info| if info == "Varchar" { Value::from("Text") } else { info }),
            Parameter::Integer => Some("Int8".into()),
            Parameter::Flag => Some("Bool".into()),
        });
        let parameters = parameters.collect::<Option<Vec<Value>>>()?;
        let columns = self.columns.iter().enumerate().map(|(ordinal, column)| {
            let info =
                column.kind.as_ref().map_or(Some("Int8".into()), |kind| info(kind, enums))?;
            Some(json!({"ordinal": ordinal, "name": column.name, "type_info": info}))
        });
        let columns = columns.collect::<Option<Vec<Value>>>()?;
        let nullable: Vec<Option<bool>> = self.columns.iter().map(|one| one.is_nullable).collect();
        let mut hash = String::new();
        for byte in Sha256::digest(&self.statement) {
            hash += &format!("{byte:02x}");
        }
        let all = json!({
            "db_name": "PostgreSQL",
            "query": self.statement,
            "describe": {"columns": columns, "parameters": {"Left": parameters}, "nullable": nullable},
            "hash": hash,
        });
        Some((format!(".sqlx/query-{hash}.json"), format!("{all:#}\n")))
    }
}

impl Column {
    fn new(field: &Field<'_>) -> Self {
        let name = field.selected_name();
        // What is cast is an expression.
        let is_nullable = field.kind.through.is_none().then_some(field.column.nullable);
        Self { name, kind: Some(field.kind.clone()), is_nullable }
    }
}

/// What sqlx calls a type of PostgreSQL.
fn info(kind: &Kind, enums: &[Enum]) -> Option<Value> {
    if let Some(through) = kind.through {
        return Some(if through == "text[]" { "TextArray".into() } else { "Text".into() });
    }
    let (cast, is_array) = match kind.cast.trim_end_matches("[]") {
        cast if cast.len() < kind.cast.len() => (cast, true),
        cast => (cast, false),
    };
    if kind.is_own {
        let type_ = kind.rust.trim_start_matches("Vec<").trim_end_matches('>');
        let known = enums.iter().find(|known| known.type_ == type_)?;
        let name = known.declared.name.clone()?;
        let values = json!({"Custom": {"name": name, "kind": {"Enum": known.declared.values}}});
        return Some(if is_array {
            json!({"Custom": {"name": format!("{name}[]"), "kind": {"Array": values}}})
        } else {
            values
        });
    }
    let name = match cast.to_ascii_uppercase().as_str() {
        "SMALLINT" => "Int2",
        "INTEGER" => "Int4",
        "BIGINT" => "Int8",
        "REAL" => "Float4",
        "FLOAT" if kind.rust.contains("f32") => "Float4",
        "FLOAT" | "DOUBLE PRECISION" => "Float8",
        "NUMERIC" | "DECIMAL" => "Numeric",
        "BOOLEAN" => "Bool",
        "VARCHAR" => "Varchar",
        "TEXT" => "Text",
        "CHAR" => "Bpchar",
        "UUID" => "Uuid",
        "DATE" => "Date",
        "TIME WITHOUT TIME ZONE" => "Time",
        "TIMESTAMP WITHOUT TIME ZONE" => "Timestamp",
        "TIMESTAMP WITH TIME ZONE" => "Timestamptz",
        "INTERVAL" => "Interval",
        "JSON" => "Json",
        "JSONB" => "Jsonb",
        "BYTEA" => "Bytea",
        _ => return None,
    };
    Some(if is_array { format!("{name}Array").into() } else { name.into() })
}

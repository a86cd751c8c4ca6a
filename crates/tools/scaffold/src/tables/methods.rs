//! The functions of each table's port, and their statements for PostgreSQL.

use serde::Serialize;

use super::entities::{Entity, Field};
use super::names::Taken;
use super::prepared::Prepared;
use super::statements::{
    argument, columns, conditions, fetched, joined, limits, parameters, raw, trailing,
};
use super::types::Passing;

/// One function of a port.
#[derive(Debug, Serialize)]
pub(super) struct Method {
    pub(super) doc: String,
    pub(super) name: String,
    /// `, id: Uuid, page: Page`
    pub(super) arguments: String,
    pub(super) returns: String,
    pub(super) body: String,
    #[serde(skip)]
    pub(super) prepared: Prepared,
    /// Other entities whose types it names.
    #[serde(skip)]
    pub(super) uses: Vec<String>,
}

/// All functions of a table but those of its relationships.
pub(super) fn of_table(entity: &Entity<'_>, taken: &mut Taken) -> Vec<Method> {
    let (one, many) = (&entity.singular, &entity.plural);
    let key = entity.key();
    let mut methods = Vec::new();
    if !key.is_empty() {
        methods.push(read_one(entity, taken.take(one), &key, "The row of this key"));
    }
    for columns in entity.table.unique_keys() {
        let Some(fields) = entity.fields_of(&columns) else { continue };
        let name = taken.take(&format!("{one}_by_{}", joined(&fields)));
        methods.push(read_one(entity, name, &fields, "The only row with these values"));
    }
    for columns in entity.table.references() {
        let Some(fields) = entity.fields_of(&columns) else { continue };
        let name = taken.take(&format!("{many}_by_{}", joined(&fields)));
        let condition = format!("WHERE {} ", conditions(&fields, 1, None));
        let names: Vec<&str> = fields.iter().map(|field| field.ident.as_str()).collect();
        let doc = format!("A page of the rows with this `{}`.", names.join("` and `"));
        methods.push(read_page(entity, name, &condition, &fields, doc));
    }
    let doc = "A page of all rows, in the order of the key.".to_owned();
    methods.push(read_page(entity, taken.take(many), "", &[], doc));
    let count = format!("SELECT count(*) AS \"count!\" FROM {}", entity.sql);
    methods.push(Method {
        doc: "How many rows there are.".to_owned(),
        name: taken.take(&format!("count_{many}")),
        arguments: String::new(),
        returns: "i64".to_owned(),
        body: format!(
            "query_scalar!(r#\"{count}\"#)
            .fetch_one(&self.pool).await.map_err(storage_error)"
        ),
        prepared: Prepared::new(&count).count(),
        uses: Vec::new(),
    });
    methods.push(create(entity, taken.take(&format!("create_{one}"))));
    if !key.is_empty() && entity.changeable().next().is_some() {
        methods.push(update(entity, taken.take(&format!("update_{one}")), &key));
    }
    if !key.is_empty() {
        let statement = format!("DELETE FROM {} WHERE {}", entity.sql, conditions(&key, 1, None));
        let (literal, statement) = raw(&statement);
        methods.push(Method {
            doc: "Whether the row was there.".to_owned(),
            name: taken.take(&format!("delete_{one}")),
            arguments: parameters(&key),
            returns: "bool".to_owned(),
            body: format!(
                "let done = query!({literal}{}).execute(&self.pool).await.map_err(storage_error)?;
                Ok(done.rows_affected() > 0)",
                trailing(key.iter().map(|field| argument(field))),
            ),
            prepared: Prepared::new(&statement).compared(&key),
            uses: Vec::new(),
        });
    }
    methods
}

pub(super) fn read_one(
    entity: &Entity<'_>,
    name: String,
    fields: &[&Field<'_>],
    doc: &str,
) -> Method {
    let condition = conditions(fields, 1, None);
    let statement =
        format!("SELECT {}\nFROM {} WHERE {condition}", columns(entity, None), entity.sql);
    let values = fields.iter().map(|field| argument(field)).collect();
    let (body, statement) = fetched(&entity.type_, &statement, values, "fetch_optional");
    Method {
        doc: format!("{doc}, if there is one."),
        name,
        arguments: parameters(fields),
        returns: format!("Option<{}>", entity.type_),
        body,
        prepared: Prepared::new(&statement).compared(fields).rows(entity),
        uses: Vec::new(),
    }
}

fn read_page(
    entity: &Entity<'_>,
    name: String,
    condition: &str,
    fields: &[&Field<'_>],
    doc: String,
) -> Method {
    let mut values: Vec<String> = fields.iter().map(|field| argument(field)).collect();
    let order: Vec<&str> = entity.key().iter().map(|field| field.sql.as_str()).collect();
    let order =
        if order.is_empty() { String::new() } else { format!("ORDER BY {} ", order.join(", ")) };
    let statement = format!(
        "SELECT {}\nFROM {} {condition}{order}{}",
        columns(entity, None),
        entity.sql,
        limits(&mut values)
    );
    let (body, statement) = fetched(&entity.type_, &statement, values, "fetch_all");
    Method {
        doc,
        name,
        arguments: format!("{}, page: Page", parameters(fields)),
        returns: format!("Vec<{}>", entity.type_),
        body,
        prepared: Prepared::new(&statement).compared(fields).with_page().rows(entity),
        uses: Vec::new(),
    }
}

fn create(entity: &Entity<'_>, name: String) -> Method {
    let inserted: Vec<&Field<'_>> = entity.inserted().collect();
    let values = inserted.iter().enumerate().map(|(index, field)| {
        if field.has_server_default() {
            let default = field.column.server_default.as_deref().unwrap_or_default();
            format!("coalesce({}, {default})", field.kind.typed_parameter(index + 1))
        } else {
            field.kind.parameter(index + 1)
        }
    });
    let values: Vec<String> = values.collect();
    let names: Vec<String> = inserted.iter().map(|field| field.sql.clone()).collect();
    let rest = if inserted.is_empty() {
        "DEFAULT VALUES".to_owned()
    } else {
        format!("({})\nVALUES ({})", names.join(", "), values.join(", "))
    };
    let statement =
        format!("INSERT INTO {} {rest}\nRETURNING {}", entity.sql, columns(entity, None));
    let given = inserted.iter().map(|field| {
        let argument = format!("new.{}", field.ident);
        let is_optional = field.column.nullable || field.has_server_default();
        field.kind.unchecked(&match field.kind.passing {
            Passing::Deref if is_optional => format!("{argument}.as_deref()"),
            Passing::Deref => format!("&{argument}[..]"),
            Passing::Copy | Passing::Reference => argument,
        })
    });
    let given = given.collect();
    let (arguments, doc) = if inserted.is_empty() {
        (String::new(), "Stores a new row, all of which the database fills in.")
    } else {
        (
            format!(", new: &New{}", entity.type_),
            "Stores a row; gives it with what the database fills in.",
        )
    };
    let (body, statement) = fetched(&entity.type_, &statement, given, "fetch_one");
    Method {
        doc: doc.to_owned(),
        name,
        arguments,
        returns: entity.type_.clone(),
        body,
        prepared: Prepared::new(&statement).with_fields(&inserted).rows(entity),
        uses: Vec::new(),
    }
}

fn update(entity: &Entity<'_>, name: String, key: &[&Field<'_>]) -> Method {
    let mut values: Vec<String> = key.iter().map(|field| argument(field)).collect();
    let mut assignments = Vec::new();
    let mut prepared = Prepared::new("").compared(key);
    for field in entity.changeable() {
        let number = values.len() + 1;
        let argument = format!("changes.{}", field.ident);
        if field.column.nullable {
            assignments.push(format!(
                "{0} = CASE WHEN ${number} THEN {1} ELSE {0} END",
                field.sql,
                field.kind.parameter(number + 1)
            ));
            values.push(format!("{argument}.is_some()"));
            prepared = prepared.with_flag();
            let rust = &field.kind.rust;
            values.push(field.kind.unchecked(&match field.kind.passing {
                Passing::Copy => format!("{argument}.flatten()"),
                Passing::Deref => {
                    format!("{argument}.as_ref().and_then(Option::as_deref)")
                }
                Passing::Reference => {
                    format!("{argument}.clone().flatten() as Option<{rust}>")
                }
            }));
        } else {
            assignments.push(format!(
                "{0} = coalesce({1}, {0})",
                field.sql,
                // sqlx sends any JSON as `jsonb`.
                if field.kind.cast == "JSON" {
                    field.kind.typed_parameter(number)
                } else {
                    field.kind.parameter(number)
                }
            ));
            values.push(field.kind.unchecked(&match field.kind.passing {
                Passing::Copy => argument,
                Passing::Deref => format!("{argument}.as_deref()"),
                Passing::Reference => format!("{argument}.clone()"),
            }));
        }
        prepared = prepared.with_fields(&[field]);
    }
    let statement = format!(
        "UPDATE {} SET\n{}\nWHERE {} RETURNING {}",
        entity.sql,
        assignments.join(",\n"),
        conditions(key, 1, None),
        columns(entity, None)
    );
    let (body, statement) = fetched(&entity.type_, &statement, values, "fetch_optional");
    Method {
        doc: "Changes the columns that are given; the row after that, if there is one.".to_owned(),
        name,
        arguments: format!("{}, changes: &{}Changes", parameters(key), entity.type_),
        returns: format!("Option<{}>", entity.type_),
        body,
        prepared: prepared.of_statement(statement).rows(entity),
        uses: Vec::new(),
    }
}

//! The functions of each table's port, and their statements for PostgreSQL.

use serde::Serialize;

use super::entities::{Entity, Field};
use super::metadata::{Class, Metadata, Relationship};
use super::names::{Taken, ident, quoted, quoted_table};
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
        let values = fields.iter().map(|field| argument(field)).collect();
        let names: Vec<&str> = fields.iter().map(|field| field.ident.as_str()).collect();
        let doc = format!("A page of the rows with this `{}`.", names.join("` and `"));
        methods.push(read_page(entity, name, &condition, &parameters(&fields), values, doc));
    }
    let doc = "A page of all rows, in the order of the key.".to_owned();
    methods.push(read_page(entity, taken.take(many), "", "", Vec::new(), doc));
    methods.push(Method {
        doc: "How many rows there are.".to_owned(),
        name: taken.take(&format!("count_{many}")),
        arguments: String::new(),
        returns: "i64".to_owned(),
        body: format!(
            "query_scalar!(r#\"SELECT count(*) AS \"count!\" FROM {}\"#)
            .fetch_one(&self.pool).await.map_err(storage_error)",
            entity.sql
        ),
        uses: Vec::new(),
    });
    methods.push(create(entity, taken.take(&format!("create_{one}"))));
    if !key.is_empty() && entity.changeable().next().is_some() {
        methods.push(update(entity, taken.take(&format!("update_{one}")), &key));
    }
    if !key.is_empty() {
        methods.push(Method {
            doc: "Whether the row was there.".to_owned(),
            name: taken.take(&format!("delete_{one}")),
            arguments: parameters(&key),
            returns: "bool".to_owned(),
            body: format!(
                "let done = query!({}{}).execute(&self.pool).await.map_err(storage_error)?;
                Ok(done.rows_affected() > 0)",
                raw(&format!("DELETE FROM {} WHERE {}", entity.sql, conditions(&key, 1, None))),
                trailing(key.iter().map(|field| argument(field))),
            ),
            uses: Vec::new(),
        });
    }
    methods
}

/// A function for each relationship whose condition is that columns are equal.
///
/// The second list has those that are left out, with the reason.
pub(super) fn of_relationships(
    all: &[Metadata],
    entities: &[Entity<'_>],
    entity: &Entity<'_>,
    taken: &mut Taken,
) -> (Vec<Method>, Vec<String>) {
    let (mut methods, mut left_out) = (Vec::new(), Vec::new());
    let classes = all.iter().flat_map(|metadata| &metadata.classes);
    for class in classes.filter(|class| is_of(class, entity)) {
        for relationship in &class.relationships {
            let about = format!("{}.{}", class.name, relationship.name);
            match relationship_method(entities, entity, relationship, taken) {
                Some(method) => methods.push(method),
                None => left_out.push(format!(
                    "relationship {about}: its condition is more than that columns are equal"
                )),
            }
        }
    }
    (methods, left_out)
}

fn is_of(class: &Class, entity: &Entity<'_>) -> bool {
    class.table.as_deref() == Some(&entity.table.name) && class.schema == entity.table.schema
}

fn relationship_method(
    entities: &[Entity<'_>],
    entity: &Entity<'_>,
    relationship: &Relationship,
    taken: &mut Taken,
) -> Option<Method> {
    if !relationship.simple {
        return None;
    }
    let target = entities.iter().find(|other| {
        relationship.table.as_deref() == Some(&other.table.name)
            && relationship.schema == other.table.schema
    })?;
    let parent = &entity.singular;
    let (local, remote): (Vec<_>, Vec<_>) = relationship.pairs.iter().cloned().unzip();
    let local = entity.fields_of(&local)?;
    let values: Vec<String> = local
        .iter()
        .map(|field| field.kind.unchecked(&format!("{parent}.{}", field.ident)))
        .collect();
    let equal = |prefix: &str, columns: &[String]| {
        let equal = columns.iter().zip(&local).enumerate().map(|(index, (column, field))| {
            format!("{prefix}{} = {}", quoted(column), field.kind.parameter(index + 1))
        });
        equal.collect::<Vec<_>>().join(" AND ")
    };
    let (from, condition, prefix) = match &relationship.secondary {
        None => (target.sql.clone(), equal("", &remote), None),
        Some(secondary) => {
            let link = quoted_table(secondary.schema.as_deref(), secondary.table.as_deref()?);
            let joined = secondary.pairs.iter().map(|(column, of_link)| {
                format!("link.{} = target.{}", quoted(of_link), quoted(column))
            });
            let joined = joined.collect::<Vec<_>>().join(" AND ");
            let from = format!("{} AS target JOIN {link} AS link ON {joined}", target.sql);
            (from, equal("link.", &remote), Some("target"))
        }
    };
    let order = relationship_order(target, relationship, prefix);
    let name = taken.take(&format!("{}_of_{parent}", ident(&relationship.name)));
    let mut arguments = format!(", {parent}: &{}", entity.type_);
    let mut statement =
        format!("SELECT {}\nFROM {from} WHERE {condition}", columns(target, prefix));
    let mut values = values;
    let (returns, fetch) = if relationship.list {
        statement += &format!("\n{order}{}", limits(&mut values));
        arguments += ", page: Page";
        (format!("Vec<{}>", target.type_), "fetch_all")
    } else {
        if relationship.direction != "MANYTOONE" {
            statement += &format!("\n{order}LIMIT 1");
        }
        (format!("Option<{}>", target.type_), "fetch_optional")
    };
    let doc = if relationship.list { "A page of" } else { "Python's" };
    Some(Method {
        doc: format!("{doc} `{}.{}`.", entity.type_, relationship.name),
        name,
        arguments,
        returns,
        body: fetched(&target.type_, &statement, values, fetch),
        uses: vec![target.type_.clone()],
    })
}

/// The order that the relationship asks for, as far as it is one of columns; else that of the key.
fn relationship_order(
    target: &Entity<'_>,
    relationship: &Relationship,
    prefix: Option<&str>,
) -> String {
    let dot = prefix.map(|prefix| format!("{prefix}.")).unwrap_or_default();
    let asked: Option<Vec<String>> = relationship
        .order_by
        .iter()
        .map(|order| {
            let (path, direction) = match order.split_once(' ') {
                Some((path, direction @ ("ASC" | "DESC"))) => (path, format!(" {direction}")),
                Some(_) => return None,
                None => (order.as_str(), String::new()),
            };
            let column = path.rsplit('.').next()?.trim_matches('"');
            target.field(column).map(|field| format!("{dot}{}{direction}", field.sql))
        })
        .collect();
    let key = target.key();
    let mut order = asked.unwrap_or_default();
    for field in key {
        let column = format!("{dot}{}", field.sql);
        if !order.iter().any(|known| known.split(' ').next() == Some(&column)) {
            order.push(column);
        }
    }
    if order.is_empty() { String::new() } else { format!("ORDER BY {} ", order.join(", ")) }
}

fn read_one(entity: &Entity<'_>, name: String, fields: &[&Field<'_>], doc: &str) -> Method {
    let condition = conditions(fields, 1, None);
    let statement =
        format!("SELECT {}\nFROM {} WHERE {condition}", columns(entity, None), entity.sql);
    let values = fields.iter().map(|field| argument(field)).collect();
    Method {
        doc: format!("{doc}, if there is one."),
        name,
        arguments: parameters(fields),
        returns: format!("Option<{}>", entity.type_),
        body: fetched(&entity.type_, &statement, values, "fetch_optional"),
        uses: Vec::new(),
    }
}

fn read_page(
    entity: &Entity<'_>,
    name: String,
    condition: &str,
    arguments: &str,
    mut values: Vec<String>,
    doc: String,
) -> Method {
    let order: Vec<&str> = entity.key().iter().map(|field| field.sql.as_str()).collect();
    let order =
        if order.is_empty() { String::new() } else { format!("ORDER BY {} ", order.join(", ")) };
    let statement = format!(
        "SELECT {}\nFROM {} {condition}{order}{}",
        columns(entity, None),
        entity.sql,
        limits(&mut values)
    );
    Method {
        doc,
        name,
        arguments: format!("{arguments}, page: Page"),
        returns: format!("Vec<{}>", entity.type_),
        body: fetched(&entity.type_, &statement, values, "fetch_all"),
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
        let place = format!("new.{}", field.ident);
        let is_optional = field.column.nullable || field.has_server_default();
        field.kind.unchecked(&match field.kind.passing {
            Passing::Deref if is_optional => format!("{place}.as_deref()"),
            Passing::Deref => format!("&{place}[..]"),
            Passing::Copy | Passing::Reference => place,
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
    Method {
        doc: doc.to_owned(),
        name,
        arguments,
        returns: entity.type_.clone(),
        body: fetched(&entity.type_, &statement, given, "fetch_one"),
        uses: Vec::new(),
    }
}

fn update(entity: &Entity<'_>, name: String, key: &[&Field<'_>]) -> Method {
    let mut values: Vec<String> = key.iter().map(|field| argument(field)).collect();
    let mut assignments = Vec::new();
    for field in entity.changeable() {
        let number = values.len() + 1;
        let place = format!("changes.{}", field.ident);
        if field.column.nullable {
            assignments.push(format!(
                "{0} = CASE WHEN ${number} THEN {1} ELSE {0} END",
                field.sql,
                field.kind.parameter(number + 1)
            ));
            values.push(format!("{place}.is_some()"));
            let rust = &field.kind.rust;
            values.push(field.kind.unchecked(&match field.kind.passing {
                Passing::Copy => format!("{place}.flatten()"),
                Passing::Deref => {
                    format!("{place}.as_ref().and_then(Option::as_deref)")
                }
                Passing::Reference => {
                    format!("{place}.clone().flatten() as Option<{rust}>")
                }
            }));
        } else {
            assignments.push(format!(
                "{0} = coalesce({1}, {0})",
                field.sql,
                field.kind.parameter(number)
            ));
            values.push(field.kind.unchecked(&match field.kind.passing {
                Passing::Copy => place,
                Passing::Deref => format!("{place}.as_deref()"),
                Passing::Reference => format!("{place}.clone()"),
            }));
        }
    }
    let statement = format!(
        "UPDATE {} SET\n{}\nWHERE {} RETURNING {}",
        entity.sql,
        assignments.join(",\n"),
        conditions(key, 1, None),
        columns(entity, None)
    );
    Method {
        doc: "Changes the columns that are given; the row after that, if there is one.".to_owned(),
        name,
        arguments: format!("{}, changes: &{}Changes", parameters(key), entity.type_),
        returns: format!("Option<{}>", entity.type_),
        body: fetched(&entity.type_, &statement, values, "fetch_optional"),
        uses: Vec::new(),
    }
}

fn fetched(type_: &str, statement: &str, values: Vec<String>, fetch: &str) -> String {
    format!(
        "query_as!({type_}, {}{}).{fetch}(&self.pool).await.map_err(storage_error)",
        raw(statement),
        trailing(values.into_iter())
    )
}

/// Adds the page to the values and gives its clause.
fn limits(values: &mut Vec<String>) -> String {
    values.extend(["page.limit".to_owned(), "page.skip".to_owned()]);
    format!("LIMIT ${} OFFSET ${}", values.len() - 1, values.len())
}

fn columns(entity: &Entity<'_>, prefix: Option<&str>) -> String {
    let all: Vec<String> = entity.fields.iter().map(|field| field.selected(prefix)).collect();
    all.join(", ")
}

/// A line of SQL in lines of the usual width: broken after commas and before the words of clauses.
fn broken(line: &str) -> String {
    let (mut text, mut width) = (String::new(), 0);
    for part in parts(line) {
        if width > 0 && width + part.len() > 78 {
            text = text.trim_end().to_owned() + "\n    ";
            width = 4;
        }
        text += part;
        width += part.len();
    }
    text
}

/// The pieces between which a line may be broken.
fn parts(line: &str) -> Vec<&str> {
    const CLAUSES: [&str; 8] =
        ["AND ", "FROM ", "JOIN ", "LIMIT ", "ON ", "ORDER ", "RETURNING ", "WHERE "];
    let (mut found, mut start, mut quote) = (Vec::new(), 0, None);
    let mut before = ' ';
    for (index, c) in line.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == ' ' => {
                let rest = &line[index + 1..];
                if before == ',' || CLAUSES.iter().any(|clause| rest.starts_with(clause)) {
                    found.push(&line[start..=index]);
                    start = index + 1;
                }
            }
            _ => {}
        }
        before = c;
    }
    found.push(&line[start..]);
    found
}

fn conditions(fields: &[&Field<'_>], first: usize, prefix: Option<&str>) -> String {
    let dot = prefix.map(|prefix| format!("{prefix}.")).unwrap_or_default();
    let all = fields.iter().enumerate().map(|(index, field)| {
        format!("{dot}{} = {}", field.sql, field.kind.parameter(first + index))
    });
    all.collect::<Vec<_>>().join(" AND ")
}

fn parameters(fields: &[&Field<'_>]) -> String {
    trailing(
        fields
            .iter()
            .map(|field| format!("{}: {}", argument_name(field), field.kind.argument_type())),
    )
}

fn argument(field: &Field<'_>) -> String {
    field.kind.unchecked(argument_name(field))
}

/// The other arguments have these names.
fn argument_name<'a>(field: &'a Field<'_>) -> &'a str {
    match field.ident.as_str() {
        "page" => "page_",
        "new" => "new_",
        "changes" => "changes_",
        name => name,
    }
}

fn joined(fields: &[&Field<'_>]) -> String {
    let names: Vec<&str> = fields.iter().map(|field| field.ident.trim_end_matches('_')).collect();
    names.join("_and_")
}

fn trailing(values: impl Iterator<Item = String>) -> String {
    values.flat_map(|value| [", ".to_owned(), value]).collect()
}

/// A text of SQL as Rust writes it, in lines that rustfmt takes.
fn raw(statement: &str) -> String {
    let lines: Vec<String> = statement.lines().map(broken).collect();
    let indented = lines.join("\n").replace('\n', "\n                ");
    if statement.contains('"') {
        format!("r#\"{indented}\"#")
    } else {
        format!("\"{}\"", indented.replace('\\', "\\\\"))
    }
}

//! Relationships as functions.

use super::entities::Entity;
use super::metadata::{Class, Metadata, Relationship};
use super::methods::Method;
use super::names::{Taken, ident, quoted, quoted_table};
use super::prepared::Prepared;
use super::statements::{columns, fetched, limits};

/// A function for each relationship whose condition is that columns are equal.
///
/// The second list has those that are left out, with the reason.
pub(super) fn methods(
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
    let (body, statement) = fetched(&target.type_, &statement, values, fetch);
    let mut prepared = Prepared::new(&statement).compared(&local).rows(target);
    if relationship.list {
        prepared = prepared.with_page();
    }
    Some(Method {
        doc: format!("{doc} `{}.{}`.", entity.type_, relationship.name),
        name,
        arguments,
        returns,
        body,
        prepared,
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

//! What handlers read beside the usual functions of a table, by the inspector's description.

use serde::Deserialize;
use serde_json::Value;

use super::entities::{Entity, Field};
use super::methods::{Method, read_one};
use super::names::Taken;
use super::prepared::Prepared;
use super::statements::{argument, columns, conditions, fetched, joined, parameters};

/// One row, or a list, of a table.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Select {
    pub(crate) kind: String,
    pub(crate) table: String,
    pub(crate) schema: Option<String>,
    /// The columns that are compared, in this order.
    #[serde(default, rename = "where")]
    pub(crate) conditions: Vec<Condition>,
    #[serde(default)]
    pub(crate) order: Vec<Order>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Condition {
    pub(crate) column: String,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) column: String,
    pub(crate) descending: bool,
}

impl Select {
    fn of(handler: &Value) -> Option<Self> {
        let mut select = Self::deserialize(handler).ok()?;
        match select.kind.as_str() {
            "list" => {}
            "read" | "update" | "delete" => "read".clone_into(&mut select.kind),
            _ => return None,
        }
        Some(select)
    }

    fn columns(&self) -> Vec<String> {
        self.conditions.iter().map(|condition| condition.column.clone()).collect()
    }
}

/// The selects of all handlers that were recognised, each once.
pub(super) fn wanted(inspection: &Value) -> Vec<Select> {
    let mut found = Vec::new();
    collect(&inspection["routes"], &mut found);
    found
}

fn collect(routes: &Value, found: &mut Vec<Select>) {
    for route in routes.as_array().into_iter().flatten() {
        if let Some(select) = Select::of(&route["handler"]).filter(|one| !found.contains(one)) {
            found.push(select);
        }
        collect(&route["routes"], found);
    }
}

/// Adds the functions for the selects of a table, as far as it has none that does the same; gives
/// the function of each.
pub(super) fn add(
    entity: &Entity<'_>,
    wanted: &[Select],
    taken: &mut Taken,
    methods: &mut Vec<Method>,
) -> Vec<(Select, String)> {
    let is_own = |select: &&Select| {
        (&select.table, &select.schema) == (&entity.table.name, &entity.table.schema)
    };
    let mut found = Vec::new();
    for select in wanted.iter().filter(is_own) {
        let Some(fields) = entity.fields_of(&select.columns()) else { continue };
        let method = if select.kind == "list" {
            list(entity, select, &fields)
        } else {
            let name = format!("{}_by_{}", entity.singular, joined(&fields));
            Some(read_one(entity, name, &fields, "The only row with these values"))
        };
        let Some(mut method) = method else { continue };
        if let Some(known) = methods.iter().find(|known| known.body == method.body) {
            found.push((select.clone(), known.name.clone()));
            continue;
        }
        method.name = taken.take(&method.name);
        found.push((select.clone(), method.name.clone()));
        methods.push(method);
    }
    found
}

fn list(entity: &Entity<'_>, select: &Select, fields: &[&Field<'_>]) -> Option<Method> {
    let mut order = Vec::new();
    let mut names = Vec::new();
    for Order { column, descending } in &select.order {
        let field = entity.field(column)?;
        let (direction, word) = if *descending { (" DESC", "_desc") } else { ("", "") };
        order.push(format!("{}{direction}", field.sql));
        names.push(format!("{}{word}", field.ident.trim_end_matches('_')));
    }
    let mut name = format!("list_{}", entity.plural);
    if !fields.is_empty() {
        name += &format!("_by_{}", joined(fields));
    }
    if !names.is_empty() {
        name += &format!("_in_order_of_{}", names.join("_and_"));
    }
    let mut statement = format!("SELECT {}\nFROM {} ", columns(entity, None), entity.sql);
    if !fields.is_empty() {
        statement += &format!("WHERE {} ", conditions(fields, 1, None));
    }
    if !order.is_empty() {
        statement += &format!("ORDER BY {} ", order.join(", "));
    }
    let next = fields.len() + 1;
    statement += &format!("LIMIT ${next} OFFSET ${}", next + 1);
    let mut values: Vec<String> = fields.iter().map(|field| argument(field)).collect();
    values.extend(["limit".to_owned(), "skip".to_owned()]);
    let (body, statement) = fetched(&entity.type_, &statement, values, "fetch_all");
    Some(Method {
        doc: "Rows as the old service lists them; without a limit all of them.".to_owned(),
        name,
        arguments: format!("{}, skip: Option<i64>, limit: Option<i64>", parameters(fields)),
        returns: format!("Vec<{}>", entity.type_),
        body,
        prepared: Prepared::new(&statement).compared(fields).with_page().rows(entity),
        uses: Vec::new(),
    })
}

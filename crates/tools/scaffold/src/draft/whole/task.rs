//! An operation whose handler is to be written, and what it takes.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::draft::input::Input;
use crate::draft::names::{ident, words};
use crate::draft::parsed::Models;
use crate::inspection::Parameter;
use crate::tables::TableOf;

pub(super) type Result<T> = std::result::Result<T, String>;

/// What a handler has itself.
const LOCALS: [&str; 6] = ["storage", "row", "rows", "new", "changes", "caller"];

/// A handler in full.
pub(in crate::draft) struct Whole {
    pub(in crate::draft) body: String,
    pub(in crate::draft) inputs: Vec<Input>,
    /// What it depends on, with its pattern.
    pub(in crate::draft) caller: Option<(String, String)>,
}

/// A dependency that refuses requests without a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::draft) struct Caller {
    /// In Python.
    pub(super) call: String,
    pub(super) name: String,
    /// The type of what it gives.
    pub(super) ty: String,
    /// `Header` or `Query`.
    pub(super) wrapper: &'static str,
    pub(super) model: String,
    pub(super) field: String,
    pub(super) is_optional: bool,
    pub(super) status: String,
    pub(super) detail: String,
}

/// An operation that is to be written.
pub(super) struct Task<'t> {
    pub(super) handler: &'t Value,
    pub(super) parameters: Vec<Parameter>,
    pub(super) inputs: &'t [Input],
    pub(super) table: &'t TableOf,
    pub(super) caller: Option<Caller>,
    pub(super) answer: &'t str,
    /// The variables of the path that the body uses.
    pub(super) used: BTreeSet<String>,
}

/// A value, and its type.
pub(super) struct Given {
    pub(super) value: String,
    pub(super) ty: String,
}

impl Task<'_> {
    pub(super) fn columns(&self) -> Vec<String> {
        let all = self.handler["where"].as_array().into_iter().flatten();
        all.map(|one| one["column"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The function of the port that reads what this handler does.
    pub(super) fn select(&self, kind: &str) -> Result<String> {
        let order = self.handler["order"].as_array().map(Vec::as_slice).unwrap_or_default();
        let found = self.table.selects.iter().find(|(select, _)| {
            let columns = select.conditions.iter().map(|one| one.column.clone());
            let same_order = select.order.len() == order.len()
                && select.order.iter().zip(order).all(|(ours, theirs)| {
                    theirs["column"] == ours.column.as_str()
                        && theirs["descending"] == ours.descending
                });
            select.kind == kind && columns.collect::<Vec<_>>() == self.columns() && same_order
        });
        found.map(|(_, name)| name.clone()).ok_or_else(|| "its table has no such rows".to_owned())
    }

    /// The key of `row`, as arguments.
    pub(super) fn key(&self) -> Result<String> {
        let key = self.table.key.iter().map(|name| {
            let column = self.table.column(name).ok_or("its table has no key")?;
            let reference = if column.rust == "String" { "&" } else { "" };
            Ok(format!("{reference}row.{}", column.ident))
        });
        Ok(key.collect::<Result<Vec<_>>>()?.join(", "))
    }

    /// A parameter of the path or of the query, by its name in Python.
    pub(super) fn parameter(&mut self, models: &Models, name: &str) -> Result<Given> {
        let unknown = || format!("`{name}` is no parameter of the path or the query");
        let known = self.parameters.iter().find(|one| one.name == name).ok_or_else(unknown)?;
        if known.location == "path" {
            let variable = ident(&known.alias, |_| false);
            let path = self.inputs.iter().find(|input| input.ty.starts_with("Path<"));
            let path = path.ok_or_else(unknown)?;
            let types = path.ty.trim_start_matches("Path<").trim_end_matches('>');
            let pattern = path.pattern.trim_start_matches("Path").trim_matches(['(', ')']);
            let types = types.trim_matches(['(', ')']).split(", ");
            let found = pattern
                .split(", ")
                .zip(types)
                .find(|(one, _)| one.strip_prefix('_') == Some(variable.as_str()));
            let (_, ty) = found.ok_or_else(unknown)?;
            if LOCALS.contains(&variable.as_str()) {
                return Err(format!("a parameter is called `{variable}`"));
            }
            self.used.insert(variable.clone());
            return Ok(Given { value: variable, ty: ty.to_owned() });
        }
        let query = self.inputs.iter().find_map(|input| inner(&input.ty, "Query"));
        let query = query.filter(|_| known.location == "query").ok_or_else(unknown)?;
        let field = models.field(query, &known.alias).ok_or_else(unknown)?;
        self.used.insert("query".to_owned());
        Ok(Given { value: format!("query.{}", field.ident), ty: field.ty.clone() })
    }

    /// The handler, with what it uses named.
    pub(super) fn whole(self, body: String) -> Whole {
        let is_caller = |input: &Input| {
            self.caller.as_ref().is_some_and(|caller| inner(&input.ty, caller.wrapper).is_some())
        };
        let inputs = self.inputs.iter().filter(|input| !is_caller(input)).map(|input| {
            let mut pattern = input.pattern.clone();
            for name in &self.used {
                for (start, end) in [("(", ")"), ("(", ","), (" ", ")"), (" ", ",")] {
                    let unused = format!("{start}_{name}{end}");
                    pattern = pattern.replace(&unused, &format!("{start}{name}{end}"));
                }
            }
            Input { pattern, ty: input.ty.clone() }
        });
        let inputs = inputs.collect();
        let caller = self.caller.map(|caller| {
            let name = caller.name;
            let variable =
                if words(&body).any(|word| word == "caller") { "caller" } else { "_caller" };
            (format!("Depends({name}({variable}))"), format!("Depends<{name}>"))
        });
        Whole { body, inputs, caller }
    }
}

/// What a type with one argument holds.
pub(super) fn inner<'t>(ty: &'t str, outer: &str) -> Option<&'t str> {
    ty.strip_prefix(outer)?.strip_prefix('<')?.strip_suffix('>')
}

//! The Python counterpart: the reference for what the Rust side must do.

use minijinja::context;
use serde_json::Value;

use super::rust::numbered;
use super::{ResourceError, Slice, shown};
use crate::tree::{Tree, TreeError, after_last};

pub(super) fn write(tree: &mut Tree, slice: &Slice<'_>) -> Result<(), ResourceError> {
    let names = slice.names;
    let plural = &names.plural;
    let app = "python-legacy/app";
    tree.create(&format!("{app}/routes/{plural}.py"), slice.render("routes.py", context! {})?);
    tree.create(&format!("python-legacy/tests/test_{plural}.py"), test(slice)?);
    if slice.has_decimal() {
        tree.create(&format!("{app}/numeric.py"), slice.render("numeric.py", context! {})?);
    }
    migration(tree, slice)?;

    let is_there = |text: &str, class: &str| text.contains(&format!("\nclass {class}("));
    let models = format!("{app}/models.py");
    let model = slice.render("model.py", context! {})?;
    tree.edit(&models, |text| {
        if is_there(text, &names.type_) {
            return Ok(text.to_owned());
        }
        Ok(append(text, &model))
    })?;
    let schemas = format!("{app}/schemas.py");
    let classes = slice.render("schemas.py", context! {})?;
    tree.edit(&schemas, |text| {
        if is_there(text, &format!("{}Create", names.type_)) {
            return Ok(text.to_owned());
        }
        Ok(append(text, &classes))
    })?;
    route(tree, plural)?;
    Ok(())
}

/// Where the names that a model or a schema may use come from.
const IMPORTS: [(&str, &str); 13] = [
    ("AfterValidator", "from pydantic import AfterValidator"),
    ("Annotated", "from typing import Annotated"),
    ("BigInteger", "from sqlalchemy import BigInteger"),
    ("Decimal", "from decimal import Decimal"),
    ("ExactNumeric", "from app.numeric import ExactNumeric"),
    ("Field", "from pydantic import Field"),
    ("ForeignKey", "from sqlalchemy import ForeignKey"),
    ("Index", "from sqlalchemy import Index"),
    ("String", "from sqlalchemy import String"),
    ("UTCDateTime", "from app.columns import UTCDateTime"),
    ("date", "from datetime import date"),
    ("datetime", "from datetime import datetime"),
    ("uuid", "import uuid"),
];

/// Adds classes, and imports of what they use; ruff merges and sorts those afterwards.
fn append(text: &str, classes: &str) -> String {
    let words: Vec<&str> = classes.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let used = IMPORTS.iter().filter(|(name, _)| words.contains(name)).map(|(_, line)| *line);
    import(text, used) + classes
}

/// Puts imports before the others.
fn import<'a>(text: &str, lines: impl IntoIterator<Item = &'a str>) -> String {
    let first = if text.starts_with("import ") || text.starts_with("from ") {
        0
    } else {
        text.find("\nimport ").or_else(|| text.find("\nfrom ")).map_or(0, |newline| newline + 1)
    };
    let (before, after) = text.split_at(first);
    let lines: String = lines.into_iter().flat_map(|line| [line, "\n"]).collect();
    format!("{before}{lines}{after}")
}

fn route(tree: &mut Tree, plural: &str) -> Result<(), TreeError> {
    let path = "python-legacy/app/routes/__init__.py";
    tree.edit(path, |text| {
        let line = format!("router.include_router({plural}.router)");
        if text.lines().any(|other| other == line) {
            return Ok(text.to_owned());
        }
        let text = import(text, [format!("from app.routes import {plural}").as_str()]);
        let is_route = |line: &str| line.starts_with("router.include_router(");
        after_last(path, &text, &line, "a line `router.include_router(…)`", is_route)
    })
}

fn migration(tree: &mut Tree, slice: &Slice<'_>) -> Result<(), ResourceError> {
    let folder = "python-legacy/app/migrations/versions";
    let Some(path) = numbered(tree, folder, &slice.names.plural, ".py")? else { return Ok(()) };
    let revision =
        |path: &str| path.rsplit('/').next().and_then(|name| name.get(..4)).map(str::to_owned);
    let others = tree.list(folder)?;
    let is_revision = |name: &&String| name.starts_with(|c: char| c.is_ascii_digit());
    let previous = others.iter().filter(is_revision).filter_map(|name| revision(name));
    let previous = previous.max().unwrap_or_default();
    let text = slice.render("migration.py", context! { revision => revision(&path), previous })?;
    tree.create(&path, text);
    Ok(())
}

fn test(slice: &Slice<'_>) -> Result<String, ResourceError> {
    let fields = slice.fields;
    let literal = |value: &Value| format!("'''{}'''", value.to_string().replace('\\', "\\\\"));
    let (sample, change) = (literal(&shown(fields, 0)), literal(&shown(fields, 1)));
    Ok(slice.render("test.py", context! { sample_literal => sample, change_literal => change })?)
}

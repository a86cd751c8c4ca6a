//! The Python counterpart: the reference for what the Rust side must do.

use minijinja::context;
use serde_json::Value;

use super::fields::{Field, Kind};
use super::rust::numbered;
use super::{ResourceError, Slice, object};
use crate::tree::{Tree, TreeError, after_last};

pub(super) fn write(tree: &mut Tree, slice: &Slice<'_>) -> Result<(), ResourceError> {
    let names = slice.names;
    let plural = &names.plural;
    let app = "python-legacy/app";
    tree.create(&format!("{app}/routes/{plural}.py"), routes(slice)?);
    tree.create(&format!("python-legacy/tests/test_{plural}.py"), test(slice)?);
    if slice.has_decimal() {
        tree.create(&format!("{app}/numeric.py"), slice.render("numeric.py", context! {})?);
    }
    if slice.has_own_python() {
        tree.create(&format!("{app}/fields.py"), slice.render("fields.py", context! {})?);
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
    let enums = slice.enum_types().into_iter().map(|name| format!("from app.models import {name}"));
    let enums: Vec<String> = enums.collect();
    tree.edit(&schemas, |text| {
        if is_there(text, &format!("{}Create", names.type_)) {
            return Ok(text.to_owned());
        }
        Ok(import(&append(text, &classes), enums.iter().map(String::as_str)))
    })?;
    route(tree, plural)?;
    Ok(())
}

impl Slice<'_> {
    /// Whether what stands in `fields.py` is needed.
    fn has_own_python(&self) -> bool {
        self.has(|kind| {
            matches!(
                kind,
                Kind::DateTime
                    | Kind::Time
                    | Kind::Duration
                    | Kind::Float { .. }
                    | Kind::Enum(_)
                    | Kind::Url
                    | Kind::Bytes
            )
        })
    }
}

/// Where the names that a model or a schema may use come from.
const IMPORTS: [(&str, &str); 27] = [
    ("AfterValidator", "from pydantic import AfterValidator"),
    ("Annotated", "from typing import Annotated"),
    ("BigInteger", "from sqlalchemy import BigInteger"),
    ("Bytes", "from app.fields import Bytes"),
    ("Decimal", "from decimal import Decimal"),
    ("EncodedBytes", "from app.fields import EncodedBytes"),
    ("ExactNumeric", "from app.numeric import ExactNumeric"),
    ("Field", "from pydantic import Field"),
    ("Float", "from sqlalchemy import Float"),
    ("ForeignKey", "from sqlalchemy import ForeignKey"),
    ("Index", "from sqlalchemy import Index"),
    ("LocalTime", "from app.fields import LocalTime"),
    ("Microseconds", "from app.fields import Microseconds"),
    ("Moment", "from app.fields import Moment"),
    ("Span", "from app.fields import Span"),
    ("StoredUrl", "from app.fields import StoredUrl"),
    ("StrEnum", "from enum import StrEnum"),
    ("String", "from sqlalchemy import String"),
    ("Url", "from app.fields import Url"),
    ("UTCDateTime", "from app.columns import UTCDateTime"),
    ("date", "from datetime import date"),
    ("datetime", "from datetime import datetime"),
    ("named", "from app.fields import named"),
    ("time", "from datetime import time"),
    ("timedelta", "from datetime import timedelta"),
    ("unsigned_zero", "from app.fields import unsigned_zero"),
    ("uuid", "import uuid"),
];

/// For all files but the one where it is.
const WITHOUT_NUL: (&str, &str) = ("without_nul", "from app.schemas import without_nul");

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

/// The routes, with imports of what their filters are made of.
fn routes(slice: &Slice<'_>) -> Result<String, ResourceError> {
    let text = slice.render("routes.py", context! {})?;
    let filters: Vec<&Field> =
        slice.fields.iter().filter(|field| field.options.is_filter).collect();
    let enums = filters.iter().filter(|field| matches!(field.kind, Kind::Enum(_)));
    let mut lines: Vec<String> = enums
        .map(|field| format!("from app.models import {}", field.enum_type(slice.names)))
        .collect();
    let mut need = |names: &[&str]| {
        let all = IMPORTS.iter().chain([&WITHOUT_NUL]);
        let found = all.filter(|(name, _)| names.contains(name));
        lines.extend(found.map(|(_, line)| (*line).to_owned()));
    };
    for field in &filters {
        match field.kind {
            Kind::Text { .. } => need(&["AfterValidator", "Annotated", "Field", "without_nul"]),
            Kind::Integer { .. } => need(&["Annotated", "Field"]),
            Kind::Date => need(&["date"]),
            _ => {}
        }
    }
    lines.sort();
    lines.dedup();
    Ok(import(&text, lines.iter().map(String::as_str)))
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
    let Some(path) = numbered(tree, folder, &slice.names.plural, ".py")? else {
        return Ok(());
    };
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
    let secrets = slice.given().filter(|field| field.options.is_secret);
    let secrets: Vec<String> = secrets.map(|field| field.name.clone()).collect();
    // What a request gives, in Python.
    let literal = |which: usize| {
        let values = slice.given().map(|field| {
            let value = match &field.samples()[which] {
                Value::Bool(true) => "True".to_owned(),
                Value::Bool(false) => "False".to_owned(),
                // JSON's texts and numbers are Python's.
                value => value.to_string(),
            };
            (field, value)
        });
        object(values)
    };
    let (sample, change) = (literal(0), literal(1));
    Ok(slice.render(
        "test.py",
        context! { sample_literal => sample, change_literal => change, secrets },
    )?)
}

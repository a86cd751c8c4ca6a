//! Handlers that are drafted whole: those whose function the inspector has recognised.

mod task;
mod writes;

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

pub(super) use self::task::{Caller, Whole};
use self::task::{Given, Result, Task, inner};
use super::conversions::{Conversion, Conversions, Known};
use super::input::Input;
use super::names::{type_name, words};
use super::parsed::Models;
use crate::inspection::{Inspection, Route};
use crate::tables::TableOf;
use crate::templates::rust_text;

/// What the crate of whole handlers has beside them.
#[derive(Debug, Default, Serialize)]
pub(super) struct Rows {
    /// The functions and conversions, each with its documentation.
    pub(super) code: Vec<String>,
    /// What `rows.rs` imports from the library.
    pub(super) library: Vec<&'static str>,
    /// What it imports besides.
    pub(super) names: Vec<&'static str>,
    /// Whether handlers use its functions.
    pub(super) is_imported: bool,
    /// Whether they name types of the tables.
    pub(super) uses_tables: bool,
    pub(super) callers: Vec<Caller>,
}

/// Writes handlers.
pub(super) struct Writer<'a> {
    known: Known<'a>,
    tables: &'a [TableOf],
    conversions: Conversions,
    callers: Vec<Caller>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        inspection: &'a Inspection,
        models: &'a Models,
        tables: &'a [TableOf],
    ) -> Self {
        Self {
            known: Known { inspection, models },
            tables,
            conversions: Conversions::default(),
            callers: Vec::new(),
        }
    }

    /// The handler of an operation, or why there is none.
    pub(super) fn handler(
        &mut self,
        route: Route<'_>,
        inputs: &[Input],
        dependency: Option<&str>,
        answer: &str,
    ) -> Result<Whole> {
        let handler = route.handler();
        let Some(kind) = handler["kind"].as_str() else {
            let reason = handler["reason"].as_str().unwrap_or("the inspector says nothing of it");
            return Err(reason.to_owned());
        };
        let table = self.tables.iter().find(|table| {
            handler["table"] == table.name.as_str()
                && handler["schema"].as_str() == table.schema.as_deref()
        });
        let table = table.ok_or("its table is not drafted")?;
        let caller = match handler["callers"].as_array().map(Vec::as_slice) {
            None | Some([]) => None,
            Some([_]) if dependency.is_some() => {
                return Err("it has another dependency than who calls".to_owned());
            }
            Some([caller]) => Some(self.caller(caller, inputs)?),
            Some(_) => return Err("it has several dependencies".to_owned()),
        };
        let mut task = Task {
            handler,
            parameters: route.parameters(),
            inputs,
            table,
            caller,
            answer,
            used: BTreeSet::new(),
        };
        let body = match kind {
            "read" => self.read(&mut task),
            "list" => self.list(&mut task),
            "create" => self.create(&mut task),
            "update" => self.update(&mut task),
            "delete" => self.delete(&mut task),
            other => Err(format!("`{other}` is not known")),
        }?;
        Ok(task.whole(body))
    }

    /// The dependency that says who calls, made of the header that the operation has in the document.
    fn caller(&mut self, caller: &Value, inputs: &[Input]) -> Result<Caller> {
        let text = |key: &str| caller[key].as_str().unwrap_or_default();
        let wrapper = if text("in") == "header" { "Header" } else { "Query" };
        let model = inputs.iter().find_map(|input| inner(&input.ty, wrapper));
        let model = model.ok_or("who calls is not in the document")?;
        let Some([field]) = self.known.models.fields(model) else {
            return Err("it has other parameters beside the one that says who calls".to_owned());
        };
        let bare = inner(&field.ty, "Option");
        let missing = &caller["missing"];
        if missing.is_object() != bare.is_some() {
            return Err("who calls may be missing otherwise than in its type".to_owned());
        }
        let function = text("call").rsplit('.').next().unwrap_or_default();
        let made = Caller {
            call: text("call").to_owned(),
            name: type_name(function),
            ty: bare.unwrap_or(&field.ty).to_owned(),
            wrapper,
            model: model.to_owned(),
            field: field.ident.clone(),
            is_optional: bare.is_some(),
            status: if missing.is_object() { status(missing)? } else { String::new() },
            detail: rust_text(missing["detail"].as_str().unwrap_or_default()),
        };
        // The same header of another operation has a model of its own.
        if let Some(known) = self.callers.iter().find(|known| known.call == made.call) {
            let is_same = (&known.ty, &known.field) == (&made.ty, &made.field);
            return if is_same { Ok(known.clone()) } else { Err("who calls differs".to_owned()) };
        }
        if self.callers.iter().any(|known| known.name == made.name)
            || self.known.models.fields(&made.name).is_some()
        {
            return Err(format!("`{}` is the name of two things", made.name));
        }
        self.callers.push(made.clone());
        Ok(made)
    }

    fn read(&mut self, task: &mut Task<'_>) -> Result<String> {
        let row = self.row(task)?;
        let answer = self.one(task)?;
        Ok(format!("let row = {row};\nOk(Json({answer}))"))
    }

    fn list(&mut self, task: &mut Task<'_>) -> Result<String> {
        let model = inner(task.answer, "Json").and_then(|ty| inner(ty, "Vec"));
        let model = model.ok_or("its answer is no list of models")?.to_owned();
        let columns = &task.table.columns;
        let may_fail = self.conversions.answer(&self.known, &task.table.type_, columns, &model)?;
        let function = task.select("list")?;
        let mut arguments = self.compared(task)?;
        for name in ["offset", "limit"] {
            arguments.push(match &task.handler[name] {
                Value::Null => "None".to_owned(),
                part => match part["json"].as_i64() {
                    Some(number) => format!("Some({number})"),
                    None => self.part(task, &part["parameter"])?,
                },
            });
        }
        let convert = if may_fail {
            "TryInto::try_into).collect::<Result<_, Failure>>()?"
        } else {
            "Into::into).collect()"
        };
        Ok(format!(
            "let rows = storage.{function}({}).await?;\nOk(Json(rows.into_iter().map({convert}))",
            arguments.join(", ")
        ))
    }

    fn part(&mut self, task: &mut Task<'_>, name: &Value) -> Result<String> {
        let given = task.parameter(self.known.models, name.as_str().unwrap_or_default())?;
        let narrow = match given.ty.as_str() {
            "Integer" => Conversion::Fallibly(self.conversions.of_rows("narrow")),
            "i64" => Conversion::Same,
            other => return Err(format!("a part of its list is a `{other}`")),
        };
        Ok(format!("Some({})", narrow.of(&given.value)))
    }

    /// The row that is read first, or the answer if there is none.
    fn row(&mut self, task: &mut Task<'_>) -> Result<String> {
        let function = if task.columns() == task.table.key {
            task.table.singular.clone()
        } else {
            task.select("read")?
        };
        let arguments = self.compared(task)?.join(", ");
        let missing = missing(&task.handler["missing"])?;
        Ok(format!("storage.{function}({arguments}).await?.ok_or_else(|| {missing})?"))
    }

    /// `row` as the answer.
    fn one(&mut self, task: &Task<'_>) -> Result<String> {
        let model = inner(task.answer, "Json").ok_or("its answer is no model")?;
        let TableOf { type_, columns, .. } = task.table;
        let may_fail = self.conversions.answer(&self.known, type_, columns, model)?;
        Ok(if may_fail { "row.try_into()?" } else { "row.into()" }.to_owned())
    }

    /// The arguments that columns are compared with.
    fn compared(&mut self, task: &mut Task<'_>) -> Result<Vec<String>> {
        let all = task.handler["where"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut arguments = Vec::new();
        for condition in all {
            let name = condition["column"].as_str().unwrap_or_default();
            let column = task.table.column(name).ok_or("it compares what is no column")?;
            let given = self.given(task, &condition["value"])?;
            let conversion = self.conversions.stored(&self.known, &given.ty, column)?;
            if ["f64", "Decimal"].contains(&given.ty.as_str()) {
                return Err(format!("it compares `{name}`, which is a number with a fraction"));
            }
            let value = conversion.of(&given.value);
            arguments.push(if column.rust == "String" { format!("&{value}") } else { value });
        }
        Ok(arguments)
    }

    /// What a request gives: a field of its body, a parameter, or who sent it.
    fn given(&mut self, task: &mut Task<'_>, source: &Value) -> Result<Given> {
        if let Some(name) = source["parameter"].as_str() {
            return task.parameter(self.known.models, name);
        }
        if let Some(name) = source["body"].as_str() {
            let models = self.known.models;
            let body = task.inputs.iter().find_map(|input| inner(&input.ty, "Json"));
            let body = body.ok_or("its body is no JSON")?;
            let field = models.field(body, name);
            let field = field.ok_or_else(|| format!("`{body}` has no `{name}`"))?;
            task.used.insert("body".to_owned());
            return Ok(Given { value: format!("body.{}", field.ident), ty: field.ty.clone() });
        }
        match &task.caller {
            Some(caller) if source["caller"].is_string() => {
                Ok(Given { value: "caller".to_owned(), ty: caller.ty.clone() })
            }
            _ => Err(format!("it uses {source}")),
        }
    }

    /// What stands beside the handlers.
    pub(super) fn finish(self, bodies: &str) -> Rows {
        let code: Vec<String> = self.conversions.functions.values().cloned().collect();
        let text = code.join("\n");
        let has = |name: &str| words(&text).any(|word| word == name);
        let library = ["Decimal", "Integer", "Patch"].into_iter().filter(|name| has(name));
        Rows {
            library: library.collect(),
            names: ["FromStr", "models"].into_iter().filter(|name| has(name)).collect(),
            code,
            is_imported: bodies.contains("rows::"),
            uses_tables: bodies.contains("domain::"),
            callers: self.callers,
        }
    }
}

impl Caller {
    /// What its code names.
    pub(super) fn words(&self) -> String {
        let Self { ty, wrapper, model, is_optional, .. } = self;
        let error = if *is_optional { "HttpError StatusCode" } else { "" };
        format!("{ty} {wrapper} {model} {error}")
    }
}

/// `HttpError::new(StatusCode::NOT_FOUND, "Book not found")`
fn missing(missing: &Value) -> Result<String> {
    let detail = rust_text(missing["detail"].as_str().unwrap_or_default());
    Ok(format!("HttpError::new(StatusCode::{}, {detail})", status(missing)?))
}

fn status(missing: &Value) -> Result<String> {
    let name = match missing["status"].as_u64() {
        Some(400) => "BAD_REQUEST",
        Some(401) => "UNAUTHORIZED",
        Some(403) => "FORBIDDEN",
        Some(404) => "NOT_FOUND",
        Some(409) => "CONFLICT",
        Some(410) => "GONE",
        Some(422) => "UNPROCESSABLE_ENTITY",
        _ => return Err("it answers another status than is usual".to_owned()),
    };
    Ok(name.to_owned())
}

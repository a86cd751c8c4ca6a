//! Handlers that are drafted whole: those whose function the inspector has recognised.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::attributes::rust_text;
use super::conversions::{Conversion, Conversions, Known};
use super::inputs::Input;
use super::names::{ident, type_name, words};
use super::parsed::Models;
use crate::inspection::{Inspection, Parameter, Route};
use crate::tables::{ColumnOf, TableOf};

/// A handler in full.
pub(super) struct Whole {
    pub(super) body: String,
    pub(super) inputs: Vec<Input>,
    /// What it depends on, with its pattern.
    pub(super) caller: Option<(String, String)>,
}

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

/// A dependency that refuses requests without a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Caller {
    /// In Python.
    call: String,
    name: String,
    /// The type of what it gives.
    ty: String,
    /// `Header` or `Query`.
    wrapper: &'static str,
    model: String,
    field: String,
    is_optional: bool,
    status: String,
    detail: String,
}

/// Writes handlers.
pub(super) struct Writer<'a> {
    known: Known<'a>,
    tables: &'a [TableOf],
    conversions: Conversions,
    callers: Vec<Caller>,
}

type Result<T> = std::result::Result<T, String>;

/// What a handler has itself.
const LOCALS: [&str; 6] = ["storage", "row", "rows", "new", "changes", "caller"];

/// An operation that is to be written.
struct Task<'t> {
    handler: &'t Value,
    parameters: Vec<Parameter>,
    inputs: &'t [Input],
    table: &'t TableOf,
    caller: Option<Caller>,
    answer: &'t str,
    /// The variables of the path that the body uses.
    used: BTreeSet<String>,
}

/// A value, and its type.
struct Given {
    value: String,
    ty: String,
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

    fn create(&mut self, task: &mut Task<'_>) -> Result<String> {
        let answer = self.one(task)?;
        let values = task.handler["values"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut fields = String::new();
        for column in &task.table.columns {
            let known = values.iter().find(|value| value["column"] == column.name.as_str());
            let known = known.ok_or_else(|| format!("it does not set `{}`", column.name))?;
            let (source, default) = (known["value"].clone(), known["default"].clone());
            if source["database"] == true {
                if !column.is_in_new {
                    continue;
                }
                if !column.is_optional_when_new {
                    return Err(format!("nothing sets `{}`", column.name));
                }
                fields += &format!("{}: None,\n", column.ident);
                continue;
            }
            if !column.is_in_new {
                return Err(format!("it sets `{}`, which the database makes", column.name));
            }
            let value = self.new_value(task, column, &source, &default)?;
            fields += &format!("{}: {value},\n", column.ident);
        }
        let type_ = &task.table.type_;
        Ok(format!(
            "let new = domain::New{type_} {{\n{fields}}};\nlet row = storage.create_{}(&new).await?;\n\
             Ok(Json({answer}))",
            task.table.singular
        ))
    }

    /// The value of a field of a new row.
    fn new_value(
        &mut self,
        task: &mut Task<'_>,
        column: &ColumnOf,
        source: &Value,
        default: &Value,
    ) -> Result<String> {
        let is_optional = column.is_optional_when_new;
        let some = |value: String| if is_optional { format!("Some({value})") } else { value };
        if let Some(value) = constant(column, source)? {
            return Ok(some(value));
        }
        let given = self.given(task, source)?;
        let option = inner(&given.ty, "Option").map(str::to_owned);
        let ty = option.clone().unwrap_or_else(|| given.ty.clone());
        let conversion = self.conversions.stored(&self.known, &ty, column)?;
        if option.is_none() {
            return Ok(some(conversion.of(&given.value)));
        }
        let default = if default.is_object() { constant(column, default)? } else { None };
        Ok(match (default, is_optional) {
            (Some(default), _) => {
                let value = conversion.of_option(&given.value);
                some(if default.contains('(') {
                    format!("{value}.unwrap_or_else(|| {default})")
                } else {
                    format!("{value}.unwrap_or({default})")
                })
            }
            (None, true) => conversion.of_option(&given.value),
            (None, false) => {
                conversion.of(&format!("{}({})?", self.conversions.of_rows("present"), given.value))
            }
        })
    }

    fn update(&mut self, task: &mut Task<'_>) -> Result<String> {
        let row = self.row(task)?;
        let answer = self.one(task)?;
        let changes = task.handler["changes"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut fields = String::new();
        for change in changes {
            let name = change["column"].as_str().unwrap_or_default();
            let column = task.table.column(name).ok_or("it changes what is no column")?;
            let value = self.change(task, column, &change["value"], change["unset"] == true)?;
            fields += &format!("{}: {value},\n", column.ident);
        }
        let is_changed =
            |column: &&ColumnOf| column.is_in_new && !task.table.key.contains(&column.name);
        let type_ = &task.table.type_;
        if task.table.columns.iter().filter(is_changed).count() > changes.len() {
            fields += &format!("..domain::{type_}Changes::default()\n");
        }
        let key = task.key()?;
        Ok(format!(
            "let mut row = {row};\nlet changes = domain::{type_}Changes {{\n{fields}}};\n\
             // SQLAlchemy writes nothing where nothing changes.\n\
             if changes != domain::{type_}Changes::default() {{\n\
             let changed = storage.update_{}({key}, &changes).await?;\n\
             row = {}(changed)?;\n}}\nOk(Json({answer}))",
            task.table.singular,
            self.conversions.of_rows("present")
        ))
    }

    /// The value of a field of changes.
    fn change(
        &mut self,
        task: &mut Task<'_>,
        column: &ColumnOf,
        source: &Value,
        is_unset_left_out: bool,
    ) -> Result<String> {
        let some = |value: String| format!("Some({value})");
        if let Some(value) = constant(column, source)? {
            return Ok(some(if column.is_nullable { some(value) } else { value }));
        }
        let given = self.given(task, source)?;
        if is_unset_left_out {
            let ty = inner(&given.ty, "Patch");
            let ty = ty.ok_or("a field that may be left out has no type that tells")?.to_owned();
            let conversion = self.conversions.stored(&self.known, &ty, column)?;
            if column.is_nullable {
                return Ok(match &conversion {
                    Conversion::Same => format!("{}.nullable()", given.value),
                    other if !other.is_fallible() => format!(
                        "{}.nullable().map(|value| {})",
                        given.value,
                        other.of_option("value")
                    ),
                    other => format!(
                        "match {}.nullable() {{ Some(value) => Some({}), None => None }}",
                        given.value,
                        other.of_option("value")
                    ),
                });
            }
            let named = self.named();
            return Ok(conversion.of_option(&format!("{named}({})?", given.value)));
        }
        let option = inner(&given.ty, "Option").map(str::to_owned);
        let ty = option.clone().unwrap_or_else(|| given.ty.clone());
        let conversion = self.conversions.stored(&self.known, &ty, column)?;
        Ok(match (option.is_some(), column.is_nullable) {
            (true, true) => some(conversion.of_option(&given.value)),
            (true, false) => {
                let present = self.conversions.of_rows("present");
                some(conversion.of(&format!("{present}({})?", given.value)))
            }
            (false, true) => some(some(conversion.of(&given.value))),
            (false, false) => some(conversion.of(&given.value)),
        })
    }

    /// The function for a field that may be left out, and not be null.
    fn named(&mut self) -> &'static str {
        let code =
            "/// The value of a field that a request names; the old service fails where it is null.
pub fn named<T>(value: Patch<T>) -> Result<Option<T>, Failure> {
    match value {
        Patch::Absent => Ok(None),
        Patch::Null => Err(Failure::Unhandled(\"null where there has to be a value\".into())),
        Patch::Value(value) => Ok(Some(value)),
    }
}";
        self.conversions.functions.insert("named".to_owned(), code.to_owned());
        "rows::named"
    }

    fn delete(&mut self, task: &mut Task<'_>) -> Result<String> {
        let answer = &task.handler["answer"]["json"];
        let answer = match (task.answer, answer) {
            ("NoContent", Value::Null) => "NoContent".to_owned(),
            ("Response", answer) => {
                if answer.as_object().is_some_and(|fields| fields.len() > 1) {
                    return Err("it answers an object of several fields".to_owned());
                }
                format!("Json(serde_json::json!({answer})).into_response()")
            }
            (other, _) => return Err(format!("its answer is a `{other}`")),
        };
        let missing = missing(&task.handler["missing"])?;
        let name = &task.table.singular;
        if task.columns() == task.table.key {
            let arguments = self.compared(task)?.join(", ");
            return Ok(format!(
                "if !storage.delete_{name}({arguments}).await? {{\n    \
                 return Err({missing}.into());\n}}\nOk({answer})"
            ));
        }
        let row = self.row(task)?;
        let key = task.key()?;
        Ok(format!("let row = {row};\nstorage.delete_{name}({key}).await?;\nOk({answer})"))
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

impl Task<'_> {
    fn columns(&self) -> Vec<String> {
        let all = self.handler["where"].as_array().into_iter().flatten();
        all.map(|one| one["column"].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// The function of the port that reads what this handler does.
    fn select(&self, kind: &str) -> Result<String> {
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
    fn key(&self) -> Result<String> {
        let key = self.table.key.iter().map(|name| {
            let column = self.table.column(name).ok_or("its table has no key")?;
            let reference = if column.rust == "String" { "&" } else { "" };
            Ok(format!("{reference}row.{}", column.ident))
        });
        Ok(key.collect::<Result<Vec<_>>>()?.join(", "))
    }

    /// A parameter of the path or of the query, by its name in Python.
    fn parameter(&mut self, models: &Models, name: &str) -> Result<Given> {
        let unknown = || format!("`{name}` is no parameter of the path or the query");
        let known = self.parameters.iter().find(|one| one.name == name).ok_or_else(unknown)?;
        if known.place == "path" {
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
        let query = query.filter(|_| known.place == "query").ok_or_else(unknown)?;
        let field = models.field(query, &known.alias).ok_or_else(unknown)?;
        self.used.insert("query".to_owned());
        Ok(Given { value: format!("query.{}", field.ident), ty: field.ty.clone() })
    }

    /// The handler, with what it uses named.
    fn whole(self, body: String) -> Whole {
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
fn inner<'t>(ty: &'t str, outer: &str) -> Option<&'t str> {
    ty.strip_prefix(outer)?.strip_prefix('<')?.strip_suffix('>')
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

/// A value that is always the same, or that a function of Python makes; nothing for other sources.
fn constant(column: &ColumnOf, source: &Value) -> Result<Option<String>> {
    let unknown = || format!("`{}` has a value that is not known in Rust: {source}", column.name);
    if let Some(value) = source.get("json") {
        return Ok(Some(match (value, column.rust.as_str()) {
            (Value::Bool(value), "bool") => value.to_string(),
            (Value::Number(value), "i16" | "i32" | "i64") if value.is_i64() => value.to_string(),
            (Value::Number(value), "f64") => format!("{:?}", value.as_f64().unwrap_or_default()),
            (Value::String(text), "String") => format!("{}.to_owned()", rust_text(text)),
            _ => return Err(unknown()),
        }));
    }
    if let Some(name) = source["function"].as_str() {
        return Ok(Some(match (name, column.rust.as_str()) {
            ("uuid4", "Uuid") => "Uuid::new_v4()".to_owned(),
            ("now", "DateTime<Utc>") => "std::time::SystemTime::now().into()".to_owned(),
            ("dict", "Value") => "serde_json::json!({})".to_owned(),
            ("list", "Value") => "serde_json::json!([])".to_owned(),
            _ => return Err(unknown()),
        }));
    }
    if source.get("member").is_some() || source.get("decimal").is_some() {
        return Err(unknown());
    }
    Ok(None)
}

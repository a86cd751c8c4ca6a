//! Handlers that store, change and delete rows.

use serde_json::Value;

use super::task::{Result, Task, inner};
use super::{Writer, missing};
use crate::draft::conversions::Conversion;
use crate::tables::ColumnOf;
use crate::templates::rust_text;

impl Writer<'_> {
    pub(super) fn create(&mut self, task: &mut Task<'_>) -> Result<String> {
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

    pub(super) fn update(&mut self, task: &mut Task<'_>) -> Result<String> {
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

    pub(super) fn delete(&mut self, task: &mut Task<'_>) -> Result<String> {
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

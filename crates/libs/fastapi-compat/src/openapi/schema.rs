//! JSON schemas in pydantic's dialect, and the models that they refer to.

use std::any::type_name;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::constraints::Constraints;

pub(super) const SCHEMAS: &str = "#/components/schemas/";

/// What the OpenAPI document says of a type. The derives implement it for models, enumerations,
/// unions and constrained types.
pub trait Schema {
    /// Whether a field of this type need not be given.
    const OPTIONAL: bool = false;

    /// Whether a field of this type has a title: models and enumerations have one of their own.
    const TITLED: bool = true;

    /// Whether it is a file, or may be one, or some: a form with such a field is multipart.
    const IS_FILE: bool = false;

    /// The schema; the models that it refers to go into `models`.
    fn schema(constraints: &Constraints, models: &mut Models) -> Value;
}

/// A struct with named fields.
pub trait ModelSchema: Schema {
    /// Adds the fields, in their order.
    fn fields(fields: &mut FieldSchemas<'_>);
}

/// Whether a field must be given.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// Its type says it: optional ones need not.
    ByType,
    Required,
    /// It need not, and has a default, which the document shows if it is known.
    Default(Option<Value>),
}

/// What the document says of a field.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldSchema {
    pub(super) name: &'static str,
    pub(super) schema: Value,
    pub(super) titled: bool,
    pub(super) required: bool,
    pub(super) is_file: bool,
}

/// The fields of a model on their way into the document.
#[derive(Debug)]
pub struct FieldSchemas<'a> {
    pub(super) models: &'a mut Models,
    pub(super) fields: Vec<FieldSchema>,
}

impl FieldSchemas<'_> {
    /// Adds a field; `notes` are what the document shows beside its type.
    pub fn add<T: Schema>(
        &mut self,
        name: &'static str,
        constraints: &Constraints,
        presence: Presence,
        notes: Value,
    ) {
        let mut schema = T::schema(constraints, self.models);
        note(&mut schema, notes);
        let required = match presence {
            Presence::ByType => !T::OPTIONAL,
            Presence::Required => true,
            Presence::Default(default) => {
                if let Some(default) = default {
                    schema["default"] = default;
                }
                false
            }
        };
        self.fields.push(FieldSchema {
            name,
            schema,
            titled: T::TITLED,
            required,
            is_file: T::IS_FILE,
        });
    }
}

/// What a model is used for: pydantic writes some types otherwise than it reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mode {
    Input,
    Output,
}

/// Two types that would have the same name in the document.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{first} and {second} would have the same name in the OpenAPI document")]
pub struct DuplicateModel {
    first: &'static str,
    second: &'static str,
}

/// The models and enumerations that a document refers to.
#[derive(Debug)]
pub struct Models {
    mode: Mode,
    /// By name and use.
    found: BTreeMap<(String, Mode), Value>,
    types: BTreeMap<(String, Mode), &'static str>,
    duplicate: Option<DuplicateModel>,
}

impl Models {
    pub(super) const fn new() -> Self {
        Self { mode: Mode::Input, found: BTreeMap::new(), types: BTreeMap::new(), duplicate: None }
    }

    /// Whether the schemas asked for now are those of answers.
    pub(super) fn is_output(&self) -> bool {
        self.mode == Mode::Output
    }

    /// Does something with the schemas of answers.
    pub(super) fn output<T>(&mut self, describe: impl FnOnce(&mut Self) -> T) -> T {
        self.mode = Mode::Output;
        let described = describe(self);
        self.mode = Mode::Input;
        described
    }

    /// A reference to a schema of this title, which `build` makes when it is not there yet.
    pub fn reference<T: ?Sized>(
        &mut self,
        title: &'static str,
        build: impl FnOnce(&mut Self) -> Value,
    ) -> Value {
        let is_kept = |c: char| c.is_ascii_alphanumeric() || ['.', '-', '_'].contains(&c);
        let name: String = title.chars().map(|c| if is_kept(c) { c } else { '_' }).collect();
        let key = (name.clone(), self.mode);
        let (first, second) =
            (*self.types.entry(key.clone()).or_insert(type_name::<T>()), type_name::<T>());
        if first != second {
            self.duplicate = Some(DuplicateModel { first, second });
        }
        if !self.found.contains_key(&key) {
            // A model may refer to itself.
            self.found.insert(key.clone(), Value::Null);
            let mut schema = build(self);
            schema["title"] = json!(title);
            self.found.insert(key, schema);
        }
        json!({"$ref": format!("{SCHEMAS}{name}-{:?}", self.mode)})
    }

    /// A reference to a model; `notes` are what the document shows beside its fields.
    pub fn model<T: ModelSchema>(
        &mut self,
        name: &'static str,
        notes: Value,
        forbids_extra: bool,
    ) -> Value {
        self.reference::<T>(name, |models| {
            let mut schema = models.object::<T>();
            note(&mut schema, notes);
            if forbids_extra {
                schema["additionalProperties"] = json!(false);
            }
            schema
        })
    }

    pub(super) fn fields<T: ModelSchema>(&mut self) -> Vec<FieldSchema> {
        let mut fields = FieldSchemas { models: self, fields: Vec::new() };
        T::fields(&mut fields);
        fields.fields
    }

    fn object<T: ModelSchema>(&mut self) -> Value {
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for mut field in self.fields::<T>() {
            if field.titled && field.schema.get("title").is_none() {
                field.schema["title"] = json!(title(field.name));
            }
            if field.required {
                required.push(field.name);
            }
            properties.insert(field.name.to_owned(), field.schema);
        }
        let mut schema = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        schema
    }

    /// Adds the model that FastAPI makes of several body parameters or of a form.
    pub(super) fn body<T: ModelSchema>(&mut self, name: String) -> Value {
        let mut schema = self.object::<T>();
        schema["title"] = json!(name);
        let reference = json!({"$ref": format!("{SCHEMAS}{name}")});
        self.found.insert((name, Mode::Input), schema);
        reference
    }

    /// The components, and `document` with the references as they are called there: a model whose
    /// answers differ from its requests stands in it twice.
    pub(super) fn finish(
        mut self,
        document: &mut Value,
    ) -> Result<Map<String, Value>, DuplicateModel> {
        if let Some(duplicate) = self.duplicate {
            return Err(duplicate);
        }
        // As pydantic does it: all are split until what they refer to is known to be the same, so
        // one that refers to itself stays so.
        let is_written = |name: &String| self.types.contains_key(&(name.clone(), Mode::Output));
        let read = self.types.keys().filter(|(_, mode)| *mode == Mode::Input);
        let mut split: BTreeSet<_> =
            read.map(|(name, _)| name).filter(|name| is_written(name)).cloned().collect();
        loop {
            let renamed = |name: &str, mode| {
                let mut schema = self.found.get(&(name.to_owned(), mode)).cloned();
                if let Some(schema) = &mut schema {
                    rename(schema, &split);
                }
                schema
            };
            let differs =
                |name: &&String| renamed(name, Mode::Input) != renamed(name, Mode::Output);
            let still: BTreeSet<_> = split.iter().filter(differs).cloned().collect();
            if still.len() == split.len() {
                break;
            }
            split = still;
        }
        rename(document, &split);
        let mut components = Map::new();
        for ((name, mode), schema) in &mut self.found {
            rename(schema, &split);
            write_bounds_as_floats(schema);
            let name = if split.contains(name) { format!("{name}-{mode:?}") } else { name.clone() };
            components.insert(name, schema.take());
        }
        Ok(components)
    }
}

/// Takes the use off the references to models that are the same in both.
fn rename(value: &mut Value, split: &BTreeSet<String>) {
    match value {
        Value::String(text) => {
            let name = text.strip_prefix(SCHEMAS).and_then(|name| {
                name.strip_suffix("-Input").or_else(|| name.strip_suffix("-Output"))
            });
            if let Some(name) = name.filter(|name| !split.contains(*name)) {
                *text = format!("{SCHEMAS}{name}");
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rename(item, split)),
        Value::Object(fields) => fields.values_mut().for_each(|field| rename(field, split)),
        _ => {}
    }
}

/// FastAPI writes the bounds of numbers in models as floats, those of parameters as they are.
fn write_bounds_as_floats(value: &mut Value) {
    const BOUNDS: [&str; 5] =
        ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_bounds_as_floats),
        Value::Object(fields) => {
            for (name, value) in fields {
                match value.as_f64() {
                    Some(bound) if BOUNDS.contains(&name.as_str()) => *value = json!(bound),
                    _ => write_bounds_as_floats(value),
                }
            }
        }
        _ => {}
    }
}

/// Adds to a schema what pydantic calls `json_schema_extra`: its own words give way.
pub fn note(schema: &mut Value, notes: Value) {
    if let (Some(schema), Value::Object(notes)) = (schema.as_object_mut(), notes) {
        schema.extend(notes);
    }
}

/// `full_name` becomes `Full Name`, as Python's `str.title` does it.
pub(super) fn title(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|c| if c == '_' { ' ' } else { c })
        .map(|c| {
            let cased = if start { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            start = !c.is_alphabetic();
            cased
        })
        .collect()
}

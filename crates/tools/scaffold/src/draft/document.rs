//! An OpenAPI document of FastAPI, in its normal form.

use std::collections::{BTreeSet, HashMap};

use comparison::openapi::{METHODS, pointer_step};
use serde_json::{Map, Value, json};

use crate::inspection::{Inspection, Route};

pub(super) struct Document<'a> {
    pub(super) title: &'a str,
    pub(super) version: &'a str,
    pub(super) token_url: String,
    pub(super) is_of_pydantic_1: bool,
    schemas: Option<&'a Map<String, Value>>,
    /// The models of which requests and answers have a schema each, and one type.
    merged: BTreeSet<String>,
    pub(super) security_schemes: Option<&'a Map<String, Value>>,
    operations: Vec<Operation<'a>>,
    /// The JSON pointers of all values, by their addresses.
    pointers: HashMap<*const Value, String>,
}

pub(super) struct Operation<'a> {
    pub(super) id: String,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) value: &'a Value,
    /// What the application's code says of it.
    pub(super) route: Option<Route<'a>>,
}

/// How operationIds are made of functions' names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IdStyle {
    /// FastAPI's own: name, path and method.
    Default,
    /// `tag-name`
    Tag,
    Name,
}

impl<'a> Document<'a> {
    /// Reads a document in its normal form.
    pub(super) fn read(value: &'a Value) -> Result<Self, String> {
        let version = value["openapi"].as_str().unwrap_or_default();
        if !version.starts_with("3.") {
            return Err(format!("this is no OpenAPI 3 document (`openapi: {version}`)"));
        }
        let paths = value["paths"].as_object().ok_or("it has no `paths`")?;
        let mut operations = Vec::new();
        for (path, item) in paths {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if !METHODS.contains(&method.as_str()) {
                    continue;
                }
                let id = operation["operationId"].as_str().filter(|id| !id.is_empty());
                let id = id.map_or_else(|| format!("{}_{method}", snake(path)), str::to_owned);
                operations.push(Operation { id, method, path, value: operation, route: None });
            }
        }
        let security_schemes = value["components"]["securitySchemes"].as_object();
        let token_url = security_schemes.into_iter().flatten().find_map(|(_, scheme)| {
            scheme.pointer("/flows/password/tokenUrl")?.as_str().map(str::to_owned)
        });
        let mut pointers = HashMap::new();
        locate(value, String::new(), &mut pointers);
        Ok(Self {
            title: value["info"]["title"].as_str().unwrap_or("FastAPI"),
            version: value["info"]["version"].as_str().unwrap_or("0.1.0"),
            token_url: token_url.unwrap_or_default(),
            is_of_pydantic_1: version.starts_with("3.0"),
            schemas: value["components"]["schemas"].as_object(),
            merged: merged(value["components"]["schemas"].as_object()),
            security_schemes,
            operations,
            pointers,
        })
    }

    /// The document with what the application's code says of its operations, in the order in which
    /// requests are matched.
    pub(super) fn known(mut self, inspection: &'a Inspection) -> Self {
        let routes = inspection.routes();
        let positions: Vec<usize> = self
            .operations
            .iter_mut()
            .map(|operation| {
                let method = operation.method.to_uppercase();
                operation.route = inspection.operation(&method, operation.path);
                let at = |route: &Route<'_>| {
                    routes.iter().position(|one| std::ptr::eq(one.value(), route.value()))
                };
                operation.route.as_ref().and_then(at).unwrap_or(routes.len())
            })
            .collect();
        let mut sorted: Vec<_> = positions.into_iter().zip(self.operations).collect();
        sorted.sort_by_key(|(position, _)| *position);
        self.operations = sorted.into_iter().map(|(_, operation)| operation).collect();
        self
    }

    /// Whether the document shows an operation.
    pub(super) fn has(&self, method: &str, path: &str) -> bool {
        let mut operations = self.operations.iter();
        operations.any(|one| one.method.eq_ignore_ascii_case(method) && one.path == path)
    }

    pub(super) fn list(&self) -> String {
        let lines = self.operations.iter().map(|operation| {
            format!("  {:<40} {} {}", operation.id, operation.method.to_uppercase(), operation.path)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// By operationId, by method and path, or by function.
    pub(super) fn find(&self, name: &str) -> Option<&Operation<'a>> {
        let by = |is_it: &dyn Fn(&Operation<'_>) -> bool| self.operations.iter().find(|o| is_it(o));
        by(&|operation| operation.id == name)
            .or_else(|| {
                by(&|operation| {
                    let (method, path) = (operation.method.to_uppercase(), operation.path);
                    format!("{method} {path}") == name
                })
            })
            .or_else(|| by(&|operation| operation.function() == name))
    }

    /// The operations of a list with commas, in which paths may have commas of their own.
    ///
    /// # Errors
    /// The name that no operation has.
    pub(super) fn choose(&self, list: &str) -> Result<Vec<&Operation<'a>>, String> {
        if list == "all" {
            return Ok(self.operations.iter().collect());
        }
        let parts: Vec<&str> = list.split(',').collect();
        let (mut chosen, mut start) = (Vec::new(), 0);
        while start < parts.len() {
            // The longest that is a name.
            let found = (start + 1..=parts.len()).rev().find_map(|end| {
                let operation = self.find(parts[start..end].join(",").trim())?;
                Some((operation, end))
            });
            let (operation, end) = found.ok_or_else(|| parts[start].trim().to_owned())?;
            if !chosen.iter().any(|other: &&Operation<'_>| std::ptr::eq(*other, operation)) {
                chosen.push(operation);
            }
            start = end;
        }
        Ok(chosen)
    }

    /// The rule by which the majority of these ids are made.
    pub(super) fn style(operations: &[&Operation<'_>]) -> IdStyle {
        let odd = |style: &IdStyle| operations.iter().filter(|one| !one.has_id_by(*style)).count();
        let styles = [IdStyle::Default, IdStyle::Tag, IdStyle::Name];
        styles.into_iter().min_by_key(odd).unwrap_or(IdStyle::Default)
    }

    /// The schema that a reference names, and its name.
    pub(super) fn component(&self, reference: &str) -> Option<(&'a str, &'a Value)> {
        let name = reference.strip_prefix("#/components/schemas/")?;
        let name = name.replace("~1", "/").replace("~0", "~");
        self.schemas?.get_key_value(&name).map(|(name, schema)| (name.as_str(), schema))
    }

    /// The names of all schemas.
    pub(super) fn components(&self) -> impl Iterator<Item = &'a str> {
        self.schemas.into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// Where a value of the document is in it, as a JSON pointer.
    pub(super) fn pointer(&self, value: &Value) -> Option<&str> {
        self.pointers.get(&std::ptr::from_ref(value)).map(String::as_str)
    }

    /// What the type of a schema is called: a model whose answers differ from its requests stands
    /// in a document twice, and is one type if only that differs which types write otherwise.
    pub(super) fn base<'n>(&self, component: &'n str) -> &'n str {
        match half(component) {
            Some((base, _)) if self.merged.contains(base) => base,
            _ => component,
        }
    }
}

/// The name of a model and its use, if there are two of it.
fn half(component: &str) -> Option<(&str, &str)> {
    let halves = ["-Input", "-Output"];
    halves.into_iter().find_map(|end| Some((component.strip_suffix(end)?, end)))
}

/// The models that are one type in requests and answers, as all are to which they refer.
fn merged(schemas: Option<&Map<String, Value>>) -> BTreeSet<String> {
    let Some(schemas) = schemas else { return BTreeSet::new() };
    let names = schemas.keys().filter_map(|name| half(name)).map(|(base, _)| base);
    let mut merged: BTreeSet<String> = names
        .filter(|base| {
            !schemas.contains_key(*base)
                && ["-Input", "-Output"]
                    .iter()
                    .all(|end| schemas.contains_key(&format!("{base}{end}")))
        })
        .map(str::to_owned)
        .collect();
    loop {
        let is_one = |base: &&String| {
            let [input, output] = ["-Input", "-Output"].map(|end| {
                schemas.get(&format!("{base}{end}")).map(|schema| alike(schema, &merged))
            });
            input == output
        };
        let still: BTreeSet<String> = merged.iter().filter(is_one).cloned().collect();
        if still.len() == merged.len() {
            return still;
        }
        merged = still;
    }
}

/// A schema without what is written otherwise than it is read: references to merged models, and
/// decimals.
fn alike(schema: &Value, merged: &BTreeSet<String>) -> Value {
    match schema {
        Value::Array(items) => items.iter().map(|item| alike(item, merged)).collect(),
        Value::Object(fields) => {
            let mut alike: Map<String, Value> =
                fields.iter().map(|(key, field)| (key.clone(), alike(field, merged))).collect();
            if let Some(Value::Array(choices)) = alike.get_mut("anyOf") {
                let has = |kind: &str| choices.iter().any(|choice| choice["type"] == kind);
                if has("number") && choices.iter().any(is_decimal) {
                    choices.retain(|choice| choice["type"] != "number");
                }
                choices.iter_mut().filter(|choice| is_decimal(choice)).for_each(|choice| {
                    *choice = json!({"type": "string"});
                });
                if let [one] = choices.as_slice() {
                    let one = one.as_object().cloned().unwrap_or_default();
                    alike.remove("anyOf");
                    alike.extend(one);
                }
            } else if alike.get("type") == Some(&json!("string")) && alike.contains_key("pattern") {
                alike.remove("pattern");
            }
            alike.into_iter().collect()
        }
        Value::String(text) => match half(text) {
            Some((base, _))
                if base.rsplit('/').next().is_some_and(|base| merged.contains(base)) =>
            {
                base.into()
            }
            _ => schema.clone(),
        },
        other => other.clone(),
    }
}

/// Whether a choice is the text of a decimal: one without a format.
fn is_decimal(choice: &Value) -> bool {
    choice["type"] == "string"
        && choice["format"].is_null()
        && choice["enum"].is_null()
        && choice["const"].is_null()
}

fn locate(value: &Value, pointer: String, found: &mut HashMap<*const Value, String>) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                locate(item, format!("{pointer}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                locate(field, format!("{pointer}{}", pointer_step(key)), found);
            }
        }
        _ => {}
    }
    found.insert(std::ptr::from_ref(value), pointer);
}

fn snake(text: &str) -> String {
    let word = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '_' };
    text.chars().map(word).collect()
}

impl<'a> Operation<'a> {
    /// The path with the convertors that are known.
    pub(super) fn template(&self) -> &'a str {
        self.route.map_or(self.path, |route| route.path())
    }

    /// The Python function: FastAPI makes the summary of its name.
    pub(super) fn function(&self) -> String {
        let end = self.id_end();
        if let Some(name) = self.id.strip_suffix(&end).filter(|name| !name.is_empty()) {
            return name.to_owned();
        }
        let tagged = self.tag().and_then(|tag| self.id.strip_prefix(tag)?.strip_prefix('-'));
        tagged.filter(|name| !name.is_empty()).unwrap_or(&self.id).to_owned()
    }

    pub(super) fn tags(&self) -> Vec<&str> {
        let tags = self.value["tags"].as_array();
        tags.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    fn tag(&self) -> Option<&str> {
        self.tags().first().copied()
    }

    /// What FastAPI puts behind the function's name: the path and the method.
    fn id_end(&self) -> String {
        format!("{}_{}", snake(self.path), self.method)
    }

    /// Whether its id follows from its function by this rule.
    pub(super) fn has_id_by(&self, style: IdStyle) -> bool {
        let name = self.function();
        let id = match style {
            IdStyle::Default => format!("{name}{}", self.id_end()),
            IdStyle::Tag => format!("{}-{name}", self.tag().unwrap_or_default()),
            IdStyle::Name => name,
        };
        id == self.id
    }
}

/// Whether a value is an object with anything in it.
pub(super) fn is_given(value: &Value) -> bool {
    value.as_object().is_some_and(|fields| !fields.is_empty())
}

//! An OpenAPI document of FastAPI.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

pub(super) struct Document<'a> {
    pub(super) title: &'a str,
    pub(super) version: &'a str,
    pub(super) token_url: String,
    schemas: Option<&'a Map<String, Value>>,
    pub(super) security_schemes: Option<&'a Map<String, Value>>,
    operations: Vec<Operation<'a>>,
}

pub(super) struct Operation<'a> {
    pub(super) id: &'a str,
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) value: &'a Value,
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

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

impl<'a> Document<'a> {
    pub(super) fn read(value: &'a Value) -> Result<Self, String> {
        let version = value["openapi"].as_str().unwrap_or_default();
        if !version.starts_with("3.1") {
            return Err(format!("this is no OpenAPI 3.1 (`{version}`), which FastAPI writes"));
        }
        let paths = value["paths"].as_object().ok_or("it has no `paths`")?;
        let mut operations = Vec::new();
        for (path, item) in paths {
            for (method, operation) in item.as_object().into_iter().flatten() {
                if !METHODS.contains(&method.as_str()) {
                    continue;
                }
                let id = operation["operationId"].as_str();
                let id = id.ok_or_else(|| format!("{method} {path} has no operationId"))?;
                operations.push(Operation { id, method, path, value: operation });
            }
        }
        let security_schemes = value["components"]["securitySchemes"].as_object();
        let token_url = security_schemes.into_iter().flatten().find_map(|(_, scheme)| {
            scheme.pointer("/flows/password/tokenUrl")?.as_str().map(str::to_owned)
        });
        Ok(Self {
            title: value["info"]["title"].as_str().unwrap_or("FastAPI"),
            version: value["info"]["version"].as_str().unwrap_or("0.1.0"),
            token_url: token_url.unwrap_or_default(),
            schemas: value["components"]["schemas"].as_object(),
            security_schemes,
            operations,
        })
    }

    pub(super) fn list(&self) -> String {
        let lines = self.operations.iter().map(|operation| {
            format!("  {:<40} {} {}", operation.id, operation.method.to_uppercase(), operation.path)
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// By operationId, by function, or by method and path.
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

    /// The rule by which the majority of these ids are made.
    pub(super) fn style(operations: &[&Operation<'_>]) -> IdStyle {
        let odd = |style: &IdStyle| operations.iter().filter(|one| !one.has_id_by(*style)).count();
        let styles = [IdStyle::Default, IdStyle::Tag, IdStyle::Name];
        styles.into_iter().min_by_key(odd).unwrap_or(IdStyle::Default)
    }

    /// The schema that a reference names, and its name.
    pub(super) fn component(&self, reference: &str) -> Option<(&'a str, &'a Value)> {
        let name = reference.strip_prefix("#/components/schemas/")?;
        self.schemas?.get_key_value(name).map(|(name, schema)| (name.as_str(), schema))
    }

    /// The names of all schemas.
    pub(super) fn components(&self) -> impl Iterator<Item = &'a str> {
        self.schemas.into_iter().flat_map(Map::keys).map(String::as_str)
    }

    /// What the type of a schema is called: a model whose answers differ from its requests stands
    /// in a document twice, and is one type if both have the same fields.
    pub(super) fn base<'n>(&self, component: &'n str) -> &'n str {
        let base = component.strip_suffix("-Input").or_else(|| component.strip_suffix("-Output"));
        let fields = |base: &str, end: &str| {
            let schema = self.schemas?.get(&format!("{base}{end}"))?;
            Some(schema["properties"].as_object()?.keys().collect::<BTreeSet<_>>())
        };
        match base {
            Some(base) if fields(base, "-Input") == fields(base, "-Output") => base,
            _ => component,
        }
    }
}

impl Operation<'_> {
    /// The Python function: FastAPI makes the summary of its name.
    pub(super) fn function(&self) -> String {
        let end = self.id_end();
        if let Some(name) = self.id.strip_suffix(&end) {
            return name.to_owned();
        }
        if let Some((_, name)) = self.tag().and_then(|tag| self.id.split_once(&format!("{tag}-"))) {
            return name.to_owned();
        }
        self.id.to_owned()
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
        let word = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '_' };
        format!("{}_{}", self.path.chars().map(word).collect::<String>(), self.method)
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

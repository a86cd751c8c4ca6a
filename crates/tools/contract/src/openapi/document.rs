//! Reading an OpenAPI document: its operations, their parameters, its references.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    #[error("{path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path}: {message}")]
    Syntax { path: PathBuf, message: String },
    #[error("{path} is no OpenAPI 3 document: it has no `openapi: 3…` at its top")]
    Version { path: PathBuf },
}

/// Reads a document in JSON or YAML.
pub fn load(path: &Path) -> Result<Value, DocumentError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| DocumentError::Read { path: path.to_owned(), source })?;
    let document: Value = serde_saphyr::from_str(&text).map_err(|error| DocumentError::Syntax {
        path: path.to_owned(),
        message: error.to_string(),
    })?;
    match document["openapi"].as_str() {
        Some(version) if version.starts_with('3') => Ok(document),
        _ => Err(DocumentError::Version { path: path.to_owned() }),
    }
}

/// The operation of the document that a request belongs to: `GET /items/7?q=1` to
/// `GET /items/{id}`. Paths without parameters come first.
pub fn operation_of(document: &Value, request: &str) -> Option<String> {
    let (method, target) = request.split_once(' ')?;
    let path = target.split('?').next().unwrap_or_default();
    let is_parameter = |part: &str| part.starts_with('{') && part.ends_with('}');
    let fits = |template: &str| {
        let (mut template, mut path) = (template.split('/'), path.split('/'));
        loop {
            match (template.next(), path.next()) {
                (None, None) => return true,
                (Some(a), Some(b)) if a == b || (is_parameter(a) && !b.is_empty()) => {}
                _ => return false,
            }
        }
    };
    let fitting = operations(document)
        .into_iter()
        .filter(|(_, path, operation)| operation.method.eq_ignore_ascii_case(method) && fits(path))
        .min_by_key(|(_, path, _)| path.matches('{').count());
    fitting.map(|(name, ..)| name)
}

/// An operation of a document.
#[derive(Clone, Copy)]
pub(crate) struct Operation<'a> {
    pub(crate) method: &'a str,
    pub(crate) value: &'a Value,
    /// The parameters of the whole path.
    shared: &'a Value,
}

impl<'a> Operation<'a> {
    /// The parameters of the operation, then those of its path that it does not override.
    pub(crate) fn parameters(&self, document: &'a Value) -> Vec<&'a Value> {
        let list = |value: &'a Value| {
            let items = value.as_array().into_iter().flatten();
            items.map(|parameter| resolve(document, parameter)).collect::<Vec<_>>()
        };
        let mut parameters = list(&self.value["parameters"]);
        let shared = list(self.shared);
        let more = shared
            .into_iter()
            .filter(|shared| !parameters.iter().any(|own| same_parameter(own, shared)));
        let more: Vec<_> = more.collect();
        parameters.extend(more);
        parameters
    }
}

/// `POST /items/`, its path, and the operation.
pub(crate) fn operations(document: &Value) -> Vec<(String, &str, Operation<'_>)> {
    const METHODS: [&str; 8] =
        ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    let mut operations = Vec::new();
    for (path, item) in fields(&document["paths"]) {
        let item = resolve(document, item);
        for (method, value) in fields(item) {
            if METHODS.contains(&method.as_str()) {
                let operation = Operation { method, value, shared: &item["parameters"] };
                let name = format!("{} {path}", method.to_uppercase());
                operations.push((name, path.as_str(), operation));
            }
        }
    }
    operations
}

/// Whether two paths are the same for a client, however their parameters are called.
pub(super) fn same_path(a: &str, b: &str) -> bool {
    let is_parameter = |part: &str| part.starts_with('{') && part.ends_with('}');
    let (mut a, mut b) = (a.split('/'), b.split('/'));
    loop {
        match (a.next(), b.next()) {
            (None, None) => return true,
            (Some(a), Some(b)) if a == b || (is_parameter(a) && is_parameter(b)) => {}
            _ => return false,
        }
    }
}

pub(super) fn same_parameter(a: &Value, b: &Value) -> bool {
    let location = text(a, "in");
    location == text(b, "in")
        // A client does not see what the parameters of a path are called.
        && (location == "path" || parameter_name(a) == parameter_name(b))
}

pub(super) fn parameter_name(parameter: &Value) -> String {
    let name = text(parameter, "name");
    if text(parameter, "in") == "header" { name.to_lowercase() } else { name.to_owned() }
}

pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

pub(super) fn flag(value: &Value, key: &str) -> bool {
    value[key].as_bool().unwrap_or(false)
}

pub(crate) fn fields(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

/// What a `$ref` within the document stands for.
pub(crate) fn resolve<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let mut value = value;
    // A chain of references that leads back to itself ends here.
    for _ in 0..32 {
        let Some(pointer) = value["$ref"].as_str().and_then(|r| r.strip_prefix('#')) else { break };
        value = document.pointer(pointer).unwrap_or(&Value::Null);
    }
    value
}

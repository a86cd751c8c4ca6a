//! Reading an OpenAPI document: its operations, their parameters, its references.

use std::collections::BTreeMap;

use comparison::openapi::PathTemplate;
use serde_json::{Map, Value};

/// The operation of the document that a request belongs to: `GET /items/7?q=1` to
/// `GET /items/{id}`. Paths without parameters come first.
pub fn operation_of(document: &Value, request: &str) -> Option<String> {
    let (method, target) = request.split_once(' ')?;
    let path = target.split('?').next().unwrap_or_default();
    let fitting = operations(document)
        .into_iter()
        .filter(|(.., operation)| operation.method.eq_ignore_ascii_case(method))
        .filter(|(_, template, _)| PathTemplate::new(template).matches(path))
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
    /// The servers of the whole path.
    servers: &'a Value,
}

impl<'a> Operation<'a> {
    /// The servers of the operation, or else of its path; none if they are those of the document.
    pub(super) fn servers(&self) -> Option<&'a Value> {
        [&self.value["servers"], self.servers].into_iter().find(|servers| servers.is_array())
    }

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
            .filter(|shared| !parameters.iter().any(|own| overrides(own, shared)));
        let more: Vec<_> = more.collect();
        parameters.extend(more);
        parameters
    }
}

/// Whether a parameter of an operation stands in place of one of its path.
fn overrides(own: &Value, shared: &Value) -> bool {
    let is_header = text(own, "in") == "header";
    text(own, "in") == text(shared, "in")
        && (text(own, "name") == text(shared, "name")
            || (is_header && text(own, "name").eq_ignore_ascii_case(text(shared, "name"))))
}

/// `POST /items/`, its path, and the operation.
pub(crate) fn operations(document: &Value) -> Vec<(String, &str, Operation<'_>)> {
    operations_of(document, &document["paths"])
}

/// The operations of an object of path items.
pub(super) fn operations_of<'a>(
    document: &'a Value,
    paths: &'a Value,
) -> Vec<(String, &'a str, Operation<'a>)> {
    const METHODS: [&str; 8] =
        ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
    let mut operations = Vec::new();
    for (path, item) in fields(paths) {
        let item = resolve(document, item);
        for (method, value) in fields(item) {
            if METHODS.contains(&method.as_str()) {
                let (shared, servers) = (&item["parameters"], &item["servers"]);
                let operation = Operation { method, value, shared, servers };
                let name = format!("{} {path}", method.to_uppercase());
                operations.push((name, path.as_str(), operation));
            }
        }
    }
    operations
}

/// A path without the names of its parameters: `/t/{}.{}`.
pub(crate) fn template(path: &str) -> String {
    let mut template = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        template.push_str(before);
        template.push_str("{}");
        rest = after.split_once('}').map_or("", |(_, rest)| rest);
    }
    template + rest
}

/// What tells parameters apart: for those of the path their position, as clients do not see their
/// names, for others their location and name.
pub(super) fn parameters_by_key<'a>(
    path: &str,
    parameters: Vec<&'a Value>,
) -> BTreeMap<(String, String), &'a Value> {
    let names: Vec<&str> =
        path.split('{').skip(1).map(|rest| rest.split(['}', ':']).next().unwrap_or(rest)).collect();
    let key = |parameter: &'a Value| {
        let (location, name) = (text(parameter, "in"), text(parameter, "name"));
        let name = match location {
            "path" => match names.iter().position(|known| *known == name) {
                Some(position) => format!("#{position}"),
                None => name.to_owned(),
            },
            "header" => name.to_lowercase(),
            _ => name.to_owned(),
        };
        ((location.to_owned(), name), parameter)
    };
    parameters.into_iter().map(key).collect()
}

/// A media type as it is compared: its case and the charset of texts say nothing.
pub(super) fn media_type(name: &str) -> String {
    let name = name.to_lowercase();
    let mut parts = name.split(';').map(str::trim);
    let main = parts.next().unwrap_or_default().to_owned();
    let rest: Vec<_> = parts.filter(|part| *part != "charset=utf-8" && !part.is_empty()).collect();
    if rest.is_empty() { main } else { format!("{main};{}", rest.join(";")) }
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

//! Two versions of an OpenAPI document: every difference, and whether it breaks clients.

mod schema;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::{Map, Value};

use self::schema::Schemas;

/// What a difference means for a client that was written against the old document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A request that was accepted may be refused, or an answer may be one that the client does
    /// not know.
    Breaking,
    /// Old clients go on as before.
    NonBreaking,
    /// Only what people read.
    Documentation,
}

/// Which way a value travels. What a request may be, the service must go on accepting; what an
/// answer may be, the client must have known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Request,
    Response,
}

/// One difference between the documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    pub class: Class,
    /// None for what concerns the operation as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub direction: Option<Direction>,
    /// `POST /items/ body.title`.
    pub place: String,
    pub what: String,
}

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

/// Every difference, those that break first.
pub fn compare(old: &Value, new: &Value) -> Vec<Change> {
    let (old, new) = (schema::one_type_each(old), schema::one_type_each(new));
    let mut comparison = Comparison { old: &old, new: &new, changes: Vec::new() };
    comparison.documents();
    comparison.changes.sort_by_key(|change| change.class);
    comparison.changes
}

/// What has no consequence but for readers.
const PROSE: [&str; 8] = [
    "description",
    "summary",
    "title",
    "example",
    "examples",
    "externalDocs",
    "tags",
    "operationId",
];

struct Comparison<'a> {
    old: &'a Value,
    new: &'a Value,
    changes: Vec<Change>,
}

impl<'a> Comparison<'a> {
    fn add(&mut self, class: Class, place: &str, what: impl Into<String>) {
        let (place, what) = (place.to_owned(), what.into());
        self.changes.push(Change { class, direction: None, place, what });
    }

    fn prose(&mut self, place: &str, old: &Value, new: &Value) {
        for key in PROSE {
            if old.get(key) != new.get(key) {
                self.add(Class::Documentation, place, format!("{key} changed"));
            }
        }
        match (flag(old, "deprecated"), flag(new, "deprecated")) {
            (false, true) => self.add(Class::Documentation, place, "is deprecated now"),
            (true, false) => self.add(Class::Documentation, place, "is not deprecated any more"),
            _ => {}
        }
    }

    fn documents(&mut self) {
        let (old, new) = (self.old, self.new);
        self.prose("info", &old["info"], &new["info"]);
        if old["info"]["version"] != new["info"]["version"] {
            self.add(Class::Documentation, "info", "version changed");
        }
        if old.get("servers") != new.get("servers") {
            self.add(Class::Documentation, "servers", "changed");
        }
        let (olds, news) = (operations(old), operations(new));
        for (name, path, before) in &olds {
            let after = news.iter().find(|(_, other, operation)| {
                same_path(path, other) && operation.method == before.method
            });
            match after {
                Some((_, _, after)) => self.operation(name, before, after),
                None => self.add(Class::Breaking, name, "the operation was removed"),
            }
        }
        for (name, path, after) in &news {
            let known = |(_, other, before): &(String, &str, Operation<'_>)| {
                same_path(path, other) && before.method == after.method
            };
            if !olds.iter().any(known) {
                self.add(Class::NonBreaking, name, "the operation is new");
            }
        }
    }

    fn operation(&mut self, name: &str, old: &Operation<'a>, new: &Operation<'a>) {
        self.prose(name, old.value, new.value);
        self.parameters(name, old, new);
        self.body(name, &old.value["requestBody"], &new.value["requestBody"]);
        self.responses(name, &old.value["responses"], &new.value["responses"]);
        self.security(name, old, new);
    }

    fn parameters(&mut self, name: &str, old: &Operation<'a>, new: &Operation<'a>) {
        let (olds, news) = (old.parameters(self.old), new.parameters(self.new));
        for before in &olds {
            let place = format!("{name} {} {}", text(before, "in"), parameter_name(before));
            let Some(after) = news.iter().find(|after| same_parameter(before, after)) else {
                self.request(Class::Breaking, &place, "the parameter was removed");
                continue;
            };
            self.prose(&place, before, after);
            self.necessity(&place, flag(before, "required"), flag(after, "required"));
            for key in ["style", "explode", "allowReserved"] {
                if before.get(key) != after.get(key) {
                    self.request(Class::Breaking, &place, format!("{key} changed"));
                }
            }
            self.schemas(&place, Direction::Request, &before["schema"], &after["schema"]);
        }
        for after in &news {
            if !olds.iter().any(|before| same_parameter(before, after)) {
                let place = format!("{name} {} {}", text(after, "in"), parameter_name(after));
                if flag(after, "required") {
                    self.request(Class::Breaking, &place, "a new parameter that is required");
                } else {
                    self.request(Class::NonBreaking, &place, "a new parameter");
                }
            }
        }
    }

    fn request(&mut self, class: Class, place: &str, what: impl Into<String>) {
        let (direction, place, what) = (Some(Direction::Request), place.to_owned(), what.into());
        self.changes.push(Change { class, direction, place, what });
    }

    fn necessity(&mut self, place: &str, before: bool, after: bool) {
        match (before, after) {
            (false, true) => self.request(Class::Breaking, place, "is required now"),
            (true, false) => self.request(Class::NonBreaking, place, "is not required any more"),
            _ => {}
        }
    }

    fn body(&mut self, name: &str, old: &'a Value, new: &'a Value) {
        let (old, new) = (resolve(self.old, old), resolve(self.new, new));
        let place = format!("{name} body");
        match (old.is_null(), new.is_null()) {
            (true, true) => return,
            (true, false) if flag(new, "required") => {
                return self.request(Class::Breaking, &place, "a new body that is required");
            }
            (true, false) => return self.request(Class::NonBreaking, &place, "a new body"),
            (false, true) => {
                return self.request(Class::Breaking, &place, "the body was removed");
            }
            (false, false) => {}
        }
        self.prose(&place, old, new);
        self.necessity(&place, flag(old, "required"), flag(new, "required"));
        self.content(&place, Direction::Request, &old["content"], &new["content"]);
    }

    fn responses(&mut self, name: &str, old: &'a Value, new: &'a Value) {
        for (status, before) in fields(old) {
            let place = format!("{name} {status}");
            let Some(after) = new.get(status) else {
                let class = if status.starts_with('2') || status == "default" {
                    Class::Breaking
                } else {
                    Class::NonBreaking
                };
                self.response(class, &place, "the answer was removed");
                continue;
            };
            let (before, after) = (resolve(self.old, before), resolve(self.new, after));
            self.prose(&place, before, after);
            self.content(&place, Direction::Response, &before["content"], &after["content"]);
            for (header, _) in fields(&before["headers"]) {
                if after["headers"].get(header).is_none() {
                    let what = format!("the header {header} was removed");
                    self.response(Class::Breaking, &place, what);
                }
            }
        }
        for (status, _) in fields(new) {
            if old.get(status).is_none() {
                let place = format!("{name} {status}");
                self.response(Class::NonBreaking, &place, "a new answer");
            }
        }
    }

    fn response(&mut self, class: Class, place: &str, what: impl Into<String>) {
        let (direction, place, what) = (Some(Direction::Response), place.to_owned(), what.into());
        self.changes.push(Change { class, direction, place, what });
    }

    fn content(&mut self, place: &str, direction: Direction, old: &'a Value, new: &'a Value) {
        for (media_type, before) in fields(old) {
            match new.get(media_type) {
                Some(after) => {
                    self.schemas(place, direction, &before["schema"], &after["schema"]);
                }
                None => self.changes.push(Change {
                    class: Class::Breaking,
                    direction: Some(direction),
                    place: place.to_owned(),
                    what: format!("{media_type} was removed"),
                }),
            }
        }
        for (media_type, _) in fields(new) {
            if old.get(media_type).is_none() {
                self.changes.push(Change {
                    class: Class::NonBreaking,
                    direction: Some(direction),
                    place: place.to_owned(),
                    what: format!("{media_type} is new"),
                });
            }
        }
    }

    fn schemas(&mut self, place: &str, direction: Direction, old: &'a Value, new: &'a Value) {
        let mut schemas = Schemas::new(self.old, self.new, direction);
        schemas.compare(place, old, new);
        self.changes.extend(schemas.changes);
    }

    fn security(&mut self, name: &str, old: &Operation<'a>, new: &Operation<'a>) {
        let schemes = |document: &'a Value, operation: &Operation<'a>| -> BTreeSet<String> {
            let security = operation.value.get("security").or_else(|| document.get("security"));
            let alternatives = security.and_then(Value::as_array).into_iter().flatten();
            alternatives.map(ToString::to_string).collect()
        };
        let (before, after) = (schemes(self.old, old), schemes(self.new, new));
        if before == after {
            return;
        }
        let open = |alternatives: &BTreeSet<String>| {
            alternatives.is_empty() || alternatives.contains("{}")
        };
        // Each alternative lets a client in: one that is gone locks somebody out.
        if open(&after) || (!open(&before) && before.is_subset(&after)) {
            self.add(Class::NonBreaking, name, "demands less of the caller");
        } else {
            self.add(Class::Breaking, name, "demands another sign-in");
        }
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

#[derive(Clone, Copy)]
pub(crate) struct Operation<'a> {
    pub(crate) method: &'a str,
    pub(crate) value: &'a Value,
    /// The parameters of the whole path.
    shared: &'a Value,
}

impl<'a> Operation<'a> {
    /// Those of the path and those of the operation, which take their place.
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
fn same_path(a: &str, b: &str) -> bool {
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

fn same_parameter(a: &Value, b: &Value) -> bool {
    let place = text(a, "in");
    place == text(b, "in")
        // A client does not see what the parameters of a path are called.
        && (place == "path" || parameter_name(a) == parameter_name(b))
}

fn parameter_name(parameter: &Value) -> String {
    let name = text(parameter, "name");
    if text(parameter, "in") == "header" { name.to_lowercase() } else { name.to_owned() }
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn flag(value: &Value, key: &str) -> bool {
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

#[cfg(test)]
mod tests;

//! What of a document was reached by requests that succeeded.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::openapi::{fields, operations, resolve};
use crate::outcome::Outcome;
use crate::request::Request;
use crate::valid::is_valid;

/// How deep within a body branches are counted.
const MAX_DEPTH: usize = 6;
/// How many of those that are missing are listed for an operation.
const LISTED: usize = 20;

/// What of a document was reached, by operation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    pub operations: BTreeMap<String, Reached>,
}

/// What of an operation was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    pub requests: usize,
    /// How many were answered with success.
    pub succeeded: usize,
    /// How often the reference answered with each status.
    pub statuses: BTreeMap<u16, usize>,
    /// Statuses of the document that never occurred.
    pub missing_statuses: Vec<String>,
    /// Parameters and top-level fields that were sent in a request that succeeded.
    pub parameters: Share,
    /// Members of enums, truth values and alternatives of unions that were.
    pub branches: Share,
}

/// How many of several were reached, and the first that were not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub reached: usize,
    pub of: usize,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

impl Share {
    fn of(all: &BTreeSet<String>, reached: &BTreeSet<String>) -> Self {
        let missing = all.difference(reached).take(LISTED).cloned().collect();
        Self { reached: all.intersection(reached).count(), of: all.len(), missing }
    }
}

/// The sums of all operations: reached and of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sums {
    pub operations: (usize, usize),
    pub statuses: (usize, usize),
    pub parameters: (usize, usize),
    pub branches: (usize, usize),
}

impl Coverage {
    /// What the requests with these outcomes reached of a document.
    pub fn of(document: &Value, outcomes: &[Outcome]) -> Self {
        let mut by_operation: BTreeMap<&str, Vec<&Outcome>> = BTreeMap::new();
        for outcome in outcomes.iter().filter(|outcome| outcome.sent.is_some()) {
            by_operation.entry(&outcome.operation).or_default().push(outcome);
        }
        let reached = operations(document).into_iter().map(|(name, path, operation)| {
            let mut all =
                Parts { document, parameters: BTreeSet::new(), branches: BTreeSet::new() };
            let parameters = operation.parameters(document);
            let body = resolve(document, &operation.value["requestBody"]);
            let schemas = || fields(&body["content"]).map(|(_, content)| &content["schema"]);
            for parameter in &parameters {
                let label = label(parameter);
                all.of_schema(&label, &parameter["schema"], MAX_DEPTH);
                all.parameters.insert(label);
            }
            for schema in schemas() {
                for (name, _) in fields(&resolve(document, schema)["properties"]) {
                    all.parameters.insert(format!("body.{name}"));
                }
                all.of_schema("body", schema, MAX_DEPTH);
            }
            let mut seen =
                Parts { document, parameters: BTreeSet::new(), branches: BTreeSet::new() };
            let mut reached = Reached::default();
            for outcome in by_operation.get(name.as_str()).into_iter().flatten() {
                reached.requests += 1;
                *reached.statuses.entry(outcome.status).or_default() += 1;
                if !outcome.succeeded() {
                    continue;
                }
                reached.succeeded += 1;
                let Some(request) = &outcome.sent else { continue };
                for parameter in &parameters {
                    let label = label(parameter);
                    for text in sent(request, path, parameter) {
                        seen.of_text(&label, &parameter["schema"], &text);
                        seen.parameters.insert(label.clone());
                    }
                }
                let body = body_of(request);
                for schema in schemas() {
                    for (name, _) in fields(&body) {
                        seen.parameters.insert(format!("body.{name}"));
                    }
                    seen.of_value("body", schema, &body, MAX_DEPTH);
                }
            }
            let documented = fields(&operation.value["responses"]).map(|(status, _)| status);
            let is_missing = |status: &&String| {
                status.parse().is_ok_and(|status: u16| !reached.statuses.contains_key(&status))
            };
            reached.missing_statuses = documented.filter(is_missing).cloned().collect();
            reached.parameters = Share::of(&all.parameters, &seen.parameters);
            reached.branches = Share::of(&all.branches, &seen.branches);
            (name, reached)
        });
        Self { operations: reached.collect() }
    }

    /// The sums of all operations.
    pub fn sums(&self) -> Sums {
        let all = || self.operations.values();
        let sum = |share: fn(&Reached) -> (usize, usize)| {
            all().map(share).fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
        };
        Sums {
            operations: (
                all().filter(|reached| reached.succeeded > 0).count(),
                self.operations.len(),
            ),
            statuses: sum(|reached| {
                let seen = reached.statuses.len();
                (seen, seen + reached.missing_statuses.len())
            }),
            parameters: sum(|reached| (reached.parameters.reached, reached.parameters.of)),
            branches: sum(|reached| (reached.branches.reached, reached.branches.of)),
        }
    }
}

/// What an operation takes, or what a request has of it.
struct Parts<'a> {
    document: &'a Value,
    parameters: BTreeSet<String>,
    branches: BTreeSet<String>,
}

impl Parts<'_> {
    /// Adds every branch of a schema.
    fn of_schema(&mut self, path: &str, schema: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let schema = resolve(self.document, schema);
        for value in schema["enum"].as_array().into_iter().flatten() {
            self.branches.insert(format!("{path} = {value}"));
        }
        if schema["type"] == "boolean" {
            self.branches.extend([true, false].map(|value| format!("{path} = {value}")));
        }
        for choices in ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()) {
            for (index, choice) in choices.iter().enumerate() {
                self.branches.insert(format!("{path}, choice {}", index + 1));
                self.of_schema(path, choice, depth);
            }
        }
        for (name, property) in fields(&schema["properties"]) {
            self.of_schema(&format!("{path}.{name}"), property, depth);
        }
        if let Some(items) = schema.get("items") {
            self.of_schema(&format!("{path}[]"), items, depth);
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.of_schema(path, part, depth);
        }
    }

    /// Adds the branches that a value takes.
    fn of_value(&mut self, path: &str, schema: &Value, value: &Value, depth: usize) {
        let Some(depth) = depth.checked_sub(1) else { return };
        let document = self.document;
        let schema = resolve(document, schema);
        if schema.get("enum").is_some() || schema["type"] == "boolean" {
            self.branches.insert(format!("{path} = {value}"));
        }
        for choices in ["anyOf", "oneOf"].iter().filter_map(|key| schema[*key].as_array()) {
            let chosen = choices.iter().enumerate().find(|(_, c)| is_valid(document, c, value));
            if let Some((index, choice)) = chosen {
                self.branches.insert(format!("{path}, choice {}", index + 1));
                self.of_value(path, choice, value, depth);
            }
        }
        for (name, property) in fields(&schema["properties"]) {
            if let Some(value) = value.get(name) {
                self.of_value(&format!("{path}.{name}"), property, value, depth);
            }
        }
        if let (Some(schema), Value::Array(items)) = (schema.get("items"), value) {
            for item in items {
                self.of_value(&format!("{path}[]"), schema, item, depth);
            }
        }
        for part in schema["allOf"].as_array().into_iter().flatten() {
            self.of_value(path, part, value, depth);
        }
    }

    /// Adds the branches that a parameter takes, whose value is text.
    fn of_text(&mut self, path: &str, schema: &Value, text: &str) {
        let as_text = Value::String(text.to_owned());
        let typed = serde_json::from_str(text).ok().filter(|value| {
            is_valid(self.document, schema, value) && !is_valid(self.document, schema, &as_text)
        });
        let value = typed.unwrap_or(as_text);
        let list = Value::Array(vec![value.clone()]);
        let value = if is_valid(self.document, schema, &value) { value } else { list };
        self.of_value(path, schema, &value, MAX_DEPTH);
    }
}

fn label(parameter: &Value) -> String {
    let text = |key: &str| parameter[key].as_str().unwrap_or_default();
    format!("{} {}", text("in"), text("name"))
}

/// The values of a parameter in a request.
fn sent(request: &Request, path: &str, parameter: &Value) -> Vec<String> {
    let name = parameter["name"].as_str().unwrap_or_default();
    let (target, query) = request.target.split_once('?').unwrap_or((&request.target, ""));
    match parameter["in"].as_str() {
        Some("query") => url::form_urlencoded::parse(query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .collect(),
        Some("header") => request.headers.get(&name.to_lowercase()).cloned().into_iter().collect(),
        Some("cookie") => {
            let cookies = request.headers.get("cookie").map_or("", String::as_str);
            let pairs = cookies.split(';').filter_map(|pair| pair.trim().split_once('='));
            pairs.filter(|(key, _)| *key == name).map(|(_, value)| value.to_owned()).collect()
        }
        Some("path") => {
            let segment = format!("{{{name}}}");
            let mut pairs = path.split('/').zip(target.split('/'));
            let found = pairs.find(|(template, _)| template.contains(&segment));
            found.map(|(_, value)| value.to_owned()).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The body of a request in JSON; a form as an object; null for others.
fn body_of(request: &Request) -> Value {
    let body = request.body.as_deref().unwrap_or_default();
    let content_type = request.headers.get("content-type").map_or("", String::as_str);
    if content_type.starts_with("application/x-www-form-urlencoded") {
        let pairs = url::form_urlencoded::parse(body);
        let pairs = pairs.map(|(key, value)| (key.into_owned(), Value::from(value.into_owned())));
        return Value::Object(pairs.collect::<Map<_, _>>());
    }
    if content_type.starts_with("multipart/form-data") {
        let text = String::from_utf8_lossy(body);
        let names = text.split(" name=\"").skip(1).filter_map(|rest| rest.split_once('"'));
        let parts = names.map(|(name, _)| (name.to_owned(), Value::from("")));
        return Value::Object(parts.collect::<Map<_, _>>());
    }
    serde_json::from_slice(body).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_succeeded_counts() {
        let document = json!({"paths": {"/items/{id}": {"put": {
            "parameters": [
                {"name": "id", "in": "path", "schema": {"type": "integer"}},
                {"name": "kind", "in": "query", "schema": {"enum": ["a", "b"]}},
                {"name": "x-key", "in": "header", "schema": {"type": "string"}},
            ],
            "requestBody": {"content": {"application/json": {"schema": {"properties": {
                "flag": {"type": "boolean"},
                "size": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            }}}}},
            "responses": {"200": {}, "404": {}, "422": {}},
        }}}});
        let outcome = |status, target: &str, body: &str| Outcome {
            operation: "PUT /items/{id}".into(),
            status,
            sent: Some(Request {
                method: "PUT".into(),
                target: target.into(),
                headers: BTreeMap::new(),
                body: Some(body.as_bytes().to_vec()),
            }),
            ..Outcome::default()
        };
        let outcomes = [
            outcome(200, "/items/7?kind=a", r#"{"flag":true}"#),
            outcome(422, "/items/7?kind=b", r#"{"size":1}"#),
            outcome(200, "/items/8", r#"{"size":null}"#),
        ];
        let coverage = Coverage::of(&document, &outcomes);
        let reached = &coverage.operations["PUT /items/{id}"];
        assert_eq!((reached.requests, reached.succeeded), (3, 2));
        assert_eq!(reached.missing_statuses, ["404"]);
        assert_eq!(reached.parameters.missing, ["header x-key"]);
        assert_eq!(
            reached.branches.missing,
            ["body.flag = false", "body.size, choice 1", "query kind = \"b\""]
        );
        let Sums { operations, statuses, parameters, branches } = coverage.sums();
        assert_eq!((operations, statuses), ((1, 1), (2, 3)));
        assert_eq!((parameters, branches), ((4, 5), (3, 6)));
    }
}

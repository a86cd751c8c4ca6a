//! Requests to services that are no more than their statuses.

mod room;
mod states;
mod values;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::case::Case;
use crate::generate::{Source, accepted, answered};

/// An operation, secured, with a body of these properties if it is given one.
fn operation(body: &Value, result: &Value, parameter: Option<&str>) -> Value {
    let mut operation = json!({
        "security": [{"token": []}],
        "responses": {"200": {"content": {"application/json": {"schema": result}}}},
    });
    if body.is_object() {
        let schema = json!({"type": "object", "properties": body, "required": names(body)});
        operation["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
    }
    if let Some(name) = parameter {
        let schema = json!({"type": "string"});
        operation["parameters"] =
            json!([{"name": name, "in": "path", "required": true, "schema": schema}]);
    }
    operation
}

fn names(properties: &Value) -> Vec<&String> {
    properties.as_object().into_iter().flat_map(|fields| fields.keys()).collect()
}

fn object(properties: &Value) -> Value {
    json!({"type": "object", "properties": properties})
}

fn source(paths: &Value, users: &[&str]) -> Source {
    source_of(paths, users, 400)
}

fn source_of(paths: &Value, users: &[&str], count: usize) -> Source {
    let users: Vec<String> = users.iter().map(|user| (*user).to_owned()).collect();
    Source::new(&json!({"openapi": "3.1.0", "info": {}, "paths": paths}), &users, count, 1)
}

/// The variables that the cases of an operation capture.
fn captured<'c>(cases: &'c [Case], operation: &str) -> BTreeSet<&'c str> {
    let of = cases.iter().filter(|case| case.operation.as_deref() == Some(operation));
    of.flat_map(|case| case.capture.keys()).map(String::as_str).collect()
}

fn uses(text: &str, variables: &BTreeSet<&str>) -> bool {
    variables.iter().any(|variable| text.contains(&format!("${{{variable}}}")))
}

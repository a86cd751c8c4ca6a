//! Whether the answers of a service are those of its OpenAPI document: the status, the content type,
//! the headers that are required, and the body.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use comparison::{Answer, Difference};
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};

use crate::openapi::{fields, operation_of, operations, resolve};

/// How many violations of one body are reported.
const MAX_VIOLATIONS: usize = 10;

/// A document to which answers must conform.
pub struct Conformance {
    document: Value,
    /// What schemas refer to, in the dialect of JSON Schema.
    definitions: Map<String, Value>,
    is_old: bool,
    /// By the path of the schema in the document; an error is why it is no schema.
    validators: Mutex<HashMap<String, Result<Arc<Validator>, String>>>,
}

impl fmt::Debug for Conformance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conformance").finish_non_exhaustive()
    }
}

impl Conformance {
    /// Of a document as [`crate::openapi::load`] gives it.
    pub fn new(document: Value) -> Self {
        let version = document["openapi"].as_str().unwrap_or_default();
        let is_old = version.starts_with("3.0");
        let known = fields(&document).filter(|(key, _)| *key != "paths");
        let mut definitions: Map<_, _> =
            known.map(|(key, value)| (key.clone(), value.clone())).collect();
        if is_old {
            definitions.values_mut().for_each(modernise);
        }
        Self { document, definitions, is_old, validators: Mutex::default() }
    }

    /// Whether the document has the operation to which the request line belongs.
    pub fn covers(&self, request: &str) -> bool {
        operation_of(&self.document, request).is_some()
    }

    /// Where the answer to a request does not conform to the operation in the document; empty for an
    /// operation that the document does not have.
    pub fn differences(&self, request: &str, answer: &Answer) -> Vec<Difference> {
        let Some(name) = operation_of(&self.document, request) else { return Vec::new() };
        let all = operations(&self.document);
        let Some((_, _, operation)) = all.into_iter().find(|(known, ..)| *known == name) else {
            return Vec::new();
        };
        let difference = |path: &str, expected: String, found: String| Difference {
            path: format!("document {path}"),
            reference: expected,
            candidate: found,
        };
        let responses = &operation.value["responses"];
        let status = answer.status.to_string();
        let class = format!("{}XX", &status[..1]);
        let keys = [status.clone(), class.clone(), class.to_lowercase(), "default".to_owned()];
        let Some(key) = keys.iter().find(|key| responses.get(key).is_some()) else {
            let documented: Vec<_> = fields(responses).map(|(status, _)| status.as_str()).collect();
            return vec![difference("status", documented.join(", "), status)];
        };
        let response = resolve(&self.document, &responses[key]);
        let mut differences = Vec::new();
        for (header, value) in fields(&response["headers"]) {
            let is_required = resolve(&self.document, value)["required"] == true;
            if is_required && !answer.headers.contains_key(&header.to_lowercase()) {
                let path = format!("header {header}");
                differences.push(difference(&path, "required".into(), "(absent)".into()));
            }
        }
        let has_content = fields(&response["content"]).next().is_some();
        if !has_content || request.starts_with("HEAD ") {
            return differences;
        }
        let sent = answer.headers.get("content-type").and_then(|values| values.first());
        let sent = sent.map_or("", String::as_str);
        let Some((media_type, content)) = media_type(&response["content"], sent) else {
            let documented: Vec<_> =
                fields(&response["content"]).map(|(name, _)| name.as_str()).collect();
            let sent = if sent.is_empty() { "(absent)" } else { sent };
            differences.push(difference("content-type", documented.join(", "), sent.to_owned()));
            return differences;
        };
        let Some(schema) = content.get("schema").filter(|_| is_json(sent)) else {
            return differences;
        };
        match serde_json::from_slice::<Value>(&answer.body) {
            Err(error) => {
                differences.push(difference("body", "JSON".into(), error.to_string()));
            }
            Ok(body) => {
                let path = format!("{name} {key} {media_type}");
                let violations = self.violations(&path, schema, &body);
                differences.extend(violations.into_iter().map(|(path, expected, found)| {
                    difference(&format!("body{path}"), expected, found)
                }));
            }
        }
        differences
    }

    /// What in a body does not conform to the schema: its path, what the schema requires, the value. `key`
    /// identifies the schema.
    fn violations(&self, key: &str, schema: &Value, body: &Value) -> Vec<(String, String, String)> {
        let mut validators = self.validators.lock().unwrap_or_else(PoisonError::into_inner);
        let validator =
            validators.entry(key.to_owned()).or_insert_with(|| self.compile(schema)).clone();
        drop(validators);
        match validator {
            Err(message) => vec![(String::new(), "a schema that is valid".to_owned(), message)],
            Ok(validator) => {
                let errors = validator.iter_errors(body).take(MAX_VIOLATIONS);
                errors
                    .map(|error| {
                        let pointer = error.instance_path().to_string();
                        let value = body.pointer(&pointer).unwrap_or(&Value::Null).to_string();
                        (json_path(&pointer), shortened(&error.to_string()), shortened(&value))
                    })
                    .collect()
            }
        }
    }

    fn compile(&self, schema: &Value) -> Result<Arc<Validator>, String> {
        let mut schema = schema.clone();
        if self.is_old {
            modernise(&mut schema);
        }
        let mut whole = self.definitions.clone();
        if schema.to_string().contains("\"#/paths/") {
            let mut paths = self.document["paths"].clone();
            if self.is_old {
                modernise(&mut paths);
            }
            whole.insert("paths".to_owned(), paths);
        }
        whole.insert("allOf".to_owned(), json!([schema]));
        // Formats are left alone: what services send as `date-time` often has no zone.
        let options = jsonschema::options().with_draft(Draft::Draft202012);
        options.build(&Value::Object(whole)).map(Arc::new).map_err(|error| error.to_string())
    }
}

/// The media type of a response that fits the one that was sent.
fn media_type<'a>(content: &'a Value, sent: &str) -> Option<(&'a String, &'a Value)> {
    let sent = sent.split(';').next().unwrap_or_default().trim().to_lowercase();
    let fits = |name: &str| {
        let name = name.split(';').next().unwrap_or_default().trim().to_lowercase();
        match name.split_once('/') {
            Some(("*", "*")) => true,
            Some((kind, "*")) => sent.split('/').next() == Some(kind),
            _ => name == sent,
        }
    };
    fields(content).find(|(name, _)| fits(name))
}

fn is_json(media_type: &str) -> bool {
    let name = media_type.split(';').next().unwrap_or_default().trim().to_lowercase();
    name == "application/json" || name.ends_with("+json")
}

/// `/items/0/a` as reports write it: `.items[0].a`.
fn json_path(pointer: &str) -> String {
    let segments = pointer.split('/').skip(1).map(|segment| {
        let is_index = !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_digit());
        let name = segment.replace("~1", "/").replace("~0", "~");
        if is_index { format!("[{segment}]") } else { format!(".{name}") }
    });
    segments.collect()
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= 200 {
        return text.to_owned();
    }
    text.chars().take(200).chain(['…']).collect()
}

/// Writes what a schema of OpenAPI 3.0 says in its own way as JSON Schema does.
fn modernise(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            for (bound, exclusive) in
                [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")]
            {
                match map.get(exclusive) {
                    Some(Value::Bool(true)) => {
                        if let Some(limit) = map.remove(bound) {
                            map.insert(exclusive.to_owned(), limit);
                        }
                    }
                    Some(Value::Bool(false)) => _ = map.remove(exclusive),
                    _ => {}
                }
            }
            if map.get("nullable") == Some(&Value::Bool(true)) {
                map.remove("nullable");
                let rest = std::mem::take(map);
                let mut rest = Value::Object(rest);
                modernise(&mut rest);
                map.insert("anyOf".to_owned(), json!([rest, {"type": "null"}]));
                return;
            }
            for (key, value) in map.iter_mut() {
                if !["example", "examples", "default", "enum", "const"].contains(&key.as_str()) {
                    modernise(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(modernise),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn found(version: &str, answer: (u16, &str, &str)) -> Vec<String> {
        let item = json!({"type": "object", "required": ["id"], "properties": {
            "id": {"type": "integer"},
            "note": {"type": "string", "nullable": true, "maxLength": 3},
        }});
        let document = json!({
            "openapi": version,
            "paths": {"/items/{id}": {"get": {"responses": {
                "200": {
                    "headers": {"X-Total": {"required": true, "schema": {"type": "integer"}}},
                    "content": {"application/json": {
                        "schema": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
                    }},
                },
                "4XX": {"description": "refused"},
            }}}},
            "components": {"schemas": {"Item": item}},
        });
        let (status, media_type, body) = answer;
        let headers = [("content-type", media_type), ("x-total", "1")];
        let headers = headers.map(|(name, value)| (name.to_owned(), vec![value.to_owned()]));
        let headers = BTreeMap::from(headers);
        let answer = Answer { status, headers, body: body.as_bytes().to_vec() };
        let differences = Conformance::new(document).differences("GET /items/7?a=1", &answer);
        differences.into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn answers_are_held_to_the_document() {
        let json = "application/json; charset=utf-8";
        assert_eq!(found("3.1.0", (200, json, r#"[{"id":1}]"#)), [""; 0]);
        assert_eq!(found("3.1.0", (404, "text/plain", "no")), [""; 0], "by its class");
        assert_eq!(found("3.1.0", (500, json, "{}")), ["document status"]);
        assert_eq!(found("3.1.0", (200, "text/html", "[]")), ["document content-type"]);
        assert_eq!(found("3.1.0", (200, json, "[")), ["document body"]);
        assert_eq!(
            found("3.1.0", (200, json, r#"[{"id":1},{"id":"x"},{}]"#)),
            ["document body[1].id", "document body[2]"]
        );
    }

    #[test]
    fn older_documents_are_read_in_their_way() {
        let json = "application/json";
        assert_eq!(found("3.0.3", (200, json, r#"[{"id":1,"note":null}]"#)), [""; 0]);
        assert_eq!(
            found("3.0.3", (200, json, r#"[{"id":1,"note":"long"}]"#)),
            ["document body[0].note"]
        );
    }
}

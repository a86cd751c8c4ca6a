//! What FastAPI's decorators add to an operation as JSON: `responses={…}` and `openapi_extra`.

use std::fmt;

use http::StatusCode;
use serde_json::{Map, Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, RefOr, Response};

use super::collection::{self, RefOrSchema};
use super::dialect::{name, title};
use super::documented::Documented;
use super::operation::OperationDocument;
use crate::response::python_phrase;

/// An answer of an operation besides its success, or more about that: an entry of FastAPI's
/// `responses={…}`.
///
/// ```
/// use fastapi_compat::openapi::AdditionalResponse;
/// use fastapi_compat::{Json, Schema, get};
/// use serde::Serialize;
/// use serde_json::json;
///
/// #[derive(Serialize, Schema)]
/// struct Message {
///     message: String,
/// }
///
/// #[get("/items/{id}", responses = [
///     AdditionalResponse::new(404).model::<Message, _>().description("No such item"),
///     AdditionalResponse::new(200).with(json!({"content": {"image/png": {}}})),
/// ])]
/// async fn read_item() -> Json<i64> {
///     Json(1)
/// }
/// ```
#[derive(Clone)]
pub struct AdditionalResponse {
    key: String,
    model: Option<fn() -> RefOrSchema>,
    raw: Map<String, Value>,
}

impl fmt::Debug for AdditionalResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, raw, .. } = self;
        f.debug_struct("AdditionalResponse")
            .field("key", key)
            .field("raw", raw)
            .finish_non_exhaustive()
    }
}

impl AdditionalResponse {
    /// Of a status, `404`, of a range, `"4XX"`, or of the rest, `"default"`.
    #[expect(clippy::needless_pass_by_value, reason = "a number, or a text in the program")]
    pub fn new(status: impl ToString) -> Self {
        let key = status.to_string().to_uppercase();
        let key = if key == "DEFAULT" { "default".to_owned() } else { key };
        Self { key, model: None, raw: Map::new() }
    }

    /// Whether both are of one status.
    pub(super) fn has_key_of(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// Its body is such a model: `"model": Message`.
    #[must_use]
    pub fn model<T: Documented<Via>, Via>(self) -> Self {
        Self { model: Some(T::schema), ..self }
    }

    /// What it is; else the phrase of the status.
    #[must_use]
    pub fn description(mut self, description: &str) -> Self {
        self.raw.insert("description".to_owned(), description.into());
        self
    }

    /// The rest of FastAPI's dictionary: `content`, `headers`, `links`, anything.
    ///
    /// # Panics
    /// When it is no object.
    #[must_use]
    #[expect(clippy::panic, reason = "a mistake of the program, found when the router is built")]
    pub fn with(mut self, raw: Value) -> Self {
        let Value::Object(raw) = raw else { panic!("an additional response is an object") };
        merge(&mut self.raw, &raw);
        self
    }

    /// Adds what has a type, which has to be there before the components are collected.
    pub(super) fn document(&self, operation: &mut OperationDocument<'_>) {
        let media_type = operation.media_type.clone();
        let id = operation.id;
        let responses = &mut operation.operation.responses.responses;
        let response = responses.entry(self.key.clone()).or_insert_with(|| {
            let mut response = Response::default();
            phrase(&self.key).clone_into(&mut response.description);
            response.into()
        });
        if let (Some(schema), RefOr::T(response)) = (self.model, response) {
            let mut schema = collection::output(schema);
            name(&mut schema, &format!("Response {} {}", title(&self.key), title(id)));
            let media_type = media_type.unwrap_or_else(|| "application/json".to_owned());
            response.content.insert(media_type, Content::new(Some(schema)).into());
        }
    }

    /// Merges the rest into the answer.
    pub(super) fn finish(&self, operation: &mut Operation) {
        let mut raw = self.raw.clone();
        if raw.get("description").is_some_and(|text| text == "") {
            raw.remove("description");
        }
        if !raw.is_empty() {
            let extra = json!({"responses": {self.key.as_str(): raw}});
            merge_operation(operation, extra.as_object().unwrap_or(&Map::new()));
        }
    }
}

/// What FastAPI calls a status, or a range of them.
fn phrase(key: &str) -> &'static str {
    match key {
        "1XX" => "Information",
        "2XX" => "Success",
        "3XX" => "Redirection",
        "4XX" => "Client Error",
        "5XX" => "Server Error",
        "default" => "Default Response",
        _ => StatusCode::from_bytes(key.as_bytes())
            .ok()
            .and_then(python_phrase)
            .unwrap_or("Additional Response"),
    }
}

/// FastAPI's `deep_dict_update`: objects are merged, lists are joined, the rest is replaced.
pub(super) fn merge(main: &mut Map<String, Value>, update: &Map<String, Value>) {
    for (key, value) in update {
        match (main.get_mut(key), value) {
            (Some(Value::Object(main)), Value::Object(update)) => merge(main, update),
            (Some(Value::Array(main)), Value::Array(update)) => main.extend(update.iter().cloned()),
            _ => _ = main.insert(key.clone(), value.clone()),
        }
    }
}

/// Merges JSON into an operation of utoipa's. What its fields cannot hold as it stands becomes JSON
/// there, which is written in the same way.
pub(super) fn merge_operation(operation: &mut Operation, extra: &Map<String, Value>) {
    if extra.is_empty() {
        return;
    }
    let Value::Object(mut all) = json!(operation) else { return };
    merge(&mut all, extra);
    for (key, update) in extra {
        let Some(merged) = all.remove(key) else { continue };
        let json = match key.as_str() {
            "tags" => typed(merged, &mut operation.tags),
            "summary" => typed(merged, &mut operation.summary),
            "description" => typed(merged, &mut operation.description),
            "operationId" => typed(merged, &mut operation.operation_id),
            "deprecated" => typed(merged, &mut operation.deprecated),
            "security" => typed(merged, &mut operation.security),
            "responses" => {
                merge_responses(operation, merged, update);
                None
            }
            "externalDocs" => {
                operation.external_docs = None;
                Some(merged)
            }
            "parameters" => {
                operation.parameters = None;
                Some(merged)
            }
            "requestBody" => {
                operation.request_body = None;
                Some(merged)
            }
            "callbacks" => {
                operation.callbacks.clear();
                Some(merged)
            }
            "servers" => {
                operation.servers = None;
                Some(merged)
            }
            _ => Some(merged),
        };
        if let Some(json) = json {
            operation.extensions.get_or_insert_default().insert(key.clone(), json);
        }
    }
}

/// Sets a field that holds the same JSON, or gives that back.
fn typed<T>(json: Value, field: &mut Option<T>) -> Option<Value>
where
    T: serde::de::DeserializeOwned + serde::Serialize,
{
    let value = T::deserialize(&json).ok().filter(|value| json!(value) == json);
    let is_typed = value.is_some();
    *field = value;
    (!is_typed).then_some(json)
}

fn merge_responses(operation: &mut Operation, merged: Value, update: &Value) {
    let (Value::Object(mut merged), Some(update)) = (merged, update.as_object()) else { return };
    for key in update.keys() {
        if let Some(response) = merged.remove(key) {
            operation.responses.responses.remove(key);
            let kept = operation.responses.extensions.get_or_insert_default();
            kept.insert(key.clone(), response);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_merged_and_lists_are_joined() {
        let mut main = json!({"a": {"b": [1], "c": 1}, "d": [1]});
        let update = json!({"a": {"b": [2], "e": 2}, "d": 3});
        if let (Value::Object(main), Value::Object(update)) = (&mut main, &update) {
            merge(main, update);
        }
        assert_eq!(main, json!({"a": {"b": [1, 2], "c": 1, "e": 2}, "d": 3}));
    }
}

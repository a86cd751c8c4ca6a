//! What a document says of an operation.

use serde_json::Value;

use crate::openapi::{self, fields, resolve};

/// An operation of the document, as far as requests are made from it.
pub(super) struct Operation<'a> {
    pub(super) name: String,
    pub(super) method: String,
    pub(super) path: &'a str,
    pub(super) parameters: Vec<&'a Value>,
    pub(super) media_type: Option<&'a str>,
    pub(super) body: &'a Value,
    /// The properties of the body.
    pub(super) fields: &'a Value,
    pub(super) is_secured: bool,
    /// Whether a successful response is an object with an id.
    pub(super) returns_id: bool,
}

impl<'a> Operation<'a> {
    pub(super) fn read(
        document: &'a Value,
        name: String,
        path: &'a str,
        operation: &openapi::Operation<'a>,
    ) -> Self {
        let body = resolve(document, &operation.value["requestBody"]);
        let content = fields(&body["content"]).next();
        let media_type = content.map(|(media_type, _)| media_type.as_str());
        let body = content.map_or(&Value::Null, |(_, content)| &content["schema"]);
        let responses =
            fields(&operation.value["responses"]).filter(|(status, _)| status.starts_with('2'));
        let mut returns_id = false;
        for (_, response) in responses {
            let schema = &resolve(document, response)["content"]["application/json"]["schema"];
            returns_id |= resolve(document, schema)["properties"].get("id").is_some();
        }
        let security = operation.value.get("security").or_else(|| document.get("security"));
        Self {
            name,
            method: operation.method.to_uppercase(),
            path,
            parameters: operation.parameters(document),
            media_type,
            body,
            fields: &resolve(document, body)["properties"],
            is_secured: security.and_then(Value::as_array).is_some_and(|list| !list.is_empty()),
            returns_id,
        }
    }

    /// Whether this operation creates the resource that the path of the other identifies.
    pub(super) fn creates_for(&self, other: &Operation<'_>) -> bool {
        let collection = other.path.split("/{").next().unwrap_or_default();
        self.method == "POST"
            && self.returns_id
            && other.path.contains('{')
            && self.path.trim_end_matches('/') == collection
    }
}

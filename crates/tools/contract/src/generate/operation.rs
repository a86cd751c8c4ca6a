//! Operations of a document, as requests are made to them.

use serde_json::Value;

use super::text::is_json;
use crate::openapi::{self, fields, operations, resolve};

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
    /// A body that the document gives as an example.
    pub(super) example: Option<&'a Value>,
    /// The schema of a successful response; null if none is given.
    pub(super) result: &'a Value,
}

impl<'a> Operation<'a> {
    pub(super) fn read(
        document: &'a Value,
        name: String,
        path: &'a str,
        operation: &openapi::Operation<'a>,
    ) -> Self {
        let body = resolve(document, &operation.value["requestBody"]);
        let contents = || fields(&body["content"]);
        let content = contents().find(|(name, _)| is_json(name)).or_else(|| contents().next());
        let media_type = content.map(|(media_type, _)| media_type.as_str());
        let example = content.and_then(|(_, content)| {
            let first = fields(&content["examples"]).next();
            content.get("example").or_else(|| first.map(|(_, example)| &example["value"]))
        });
        let body = content.map_or(&Value::Null, |(_, content)| &content["schema"]);
        let responses =
            fields(&operation.value["responses"]).filter(|(status, _)| status.starts_with('2'));
        let mut result = &Value::Null;
        for (_, response) in responses {
            let schema = &resolve(document, response)["content"]["application/json"]["schema"];
            if !schema.is_null() {
                result = resolve(document, schema);
                break;
            }
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
            example,
            result,
        }
    }

    /// The names of the parameters in the path, in their order.
    pub(super) fn path_parameters(&self) -> Vec<&'a str> {
        self.path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(n, _)| n)
            .collect()
    }

    /// Where a successful response has the value for a parameter of a path, as a JSON pointer; none
    /// if it is known to have none.
    pub(super) fn pointer_to(&self, document: &Value, parameter: &str) -> Option<String> {
        let ending = parameter.rsplit(['_', '-']).next().unwrap_or(parameter);
        let camel = parameter.rfind(|c: char| c.is_ascii_uppercase());
        let camel = camel.map_or("", |start| &parameter[start..]).to_lowercase();
        let names = [parameter, "id", "uuid", "_id", ending, camel.as_str()];
        let of = |schema: &Value| {
            let properties = &resolve(document, schema)["properties"];
            names.into_iter().find(|name| properties.get(name).is_some()).map(ToOwned::to_owned)
        };
        if self.result.get("properties").is_none() {
            // Of what is not described everything may be true.
            let is_open = fields(self.result).all(|(key, _)| key == "title" || key == "type");
            return (is_open && self.result["type"] != "array").then(|| "/id".to_owned());
        }
        let inner = || {
            fields(&self.result["properties"])
                .find_map(|(name, schema)| Some(format!("/{name}/{}", of(schema)?)))
        };
        of(self.result).map(|name| format!("/{name}")).or_else(inner)
    }

    /// The names of the fields of what is returned: of the object, or of the items of its list.
    pub(super) fn returned_fields(&self, document: &'a Value) -> Vec<&'a str> {
        let mut schema = self.result;
        for _ in 0..3 {
            if let Some(items) = schema.get("items") {
                schema = resolve(document, items);
                continue;
            }
            let list = fields(&schema["properties"])
                .map(|(_, property)| resolve(document, property))
                .find(|property| property["type"] == "array" && self.path_parameters().is_empty());
            match list {
                Some(list) => schema = list,
                None => break,
            }
        }
        fields(&schema["properties"]).map(|(name, _)| name.as_str()).collect()
    }

    /// The path of the collection that the parameter at a position of the path belongs to, without
    /// the names of parameters.
    pub(super) fn collection(&self, position: usize) -> Option<String> {
        let start = self.path.match_indices('{').nth(position)?.0;
        Some(collection(&self.path[..start]))
    }

    /// Whether it changes something.
    pub(super) fn is_write(&self) -> bool {
        !matches!(self.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE")
    }
}

/// A path without the names of its parameters and without a slash at its end.
pub(super) fn collection(path: &str) -> String {
    openapi::template(path).trim_end_matches('/').to_owned()
}

/// The parameter of a path under which things of a collection are found.
pub(super) fn key_of<'a>(operations: &[Operation<'a>], path: &str) -> Option<&'a str> {
    operations.iter().find_map(|operation| {
        let names = operation.path_parameters();
        let mut positions = 0..names.len();
        let at = positions.find(|at| operation.collection(*at).as_deref() == Some(path))?;
        Some(names[at])
    })
}

/// All operations of a document.
pub(super) fn read(document: &Value) -> Vec<Operation<'_>> {
    operations(document)
        .into_iter()
        .map(|(name, path, operation)| Operation::read(document, name, path, &operation))
        .collect()
}

//! The OpenAPI document in FastAPI's dialect, from what utoipa derives.
//!
//! utoipa describes the types; [`document`] says it as FastAPI would: titles everywhere, `anyOf`
//! with null, `<tag>-<function>` as operation id, the 422 wherever a request can be invalid, models
//! of form bodies named after their operation.

use serde_json::{Map, Value, json};
use utoipa::openapi::path::Paths;
use utoipa::openapi::{RefOr, Schema};

/// The schemas that the routes refer to, by name.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

type Object = Map<String, Value>;

const SCHEMAS: &str = "#/components/schemas/";

/// Title and version of the service and the URL that gives tokens.
#[derive(Clone, Debug)]
pub struct Info<'a> {
    pub title: &'a str,
    pub version: &'a str,
    pub token_url: &'a str,
}

/// The finished document.
///
/// # Errors
/// When utoipa's description cannot be written as JSON, which would be a fault in utoipa.
pub fn document(info: &Info<'_>, paths: &Paths, schemas: Schemas) -> serde_json::Result<Value> {
    let mut paths = serde_json::to_value(paths)?;
    let mut components = validation_error_schemas();
    for (name, schema) in schemas {
        let mut schema = serde_json::to_value(schema)?;
        finish_model(&name, &mut schema);
        components.insert(name, schema);
    }
    for item in paths.as_object_mut().into_iter().flat_map(Map::values_mut) {
        for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
            finish_operation(operation, &mut components);
        }
    }
    components.sort_keys();
    Ok(json!({
        "openapi": "3.1.0",
        "info": {"title": info.title, "version": info.version},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "OAuth2PasswordBearer": {
                    "type": "oauth2",
                    "flows": {"password": {"scopes": {}, "tokenUrl": info.token_url}},
                },
            },
        },
    }))
}

fn finish_operation(operation: &mut Value, components: &mut Object) {
    let function = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let id = format!("{}-{function}", operation["tags"][0].as_str().unwrap_or_default());
    let description = match (operation["summary"].as_str(), operation["description"].as_str()) {
        (Some(first), Some(rest)) => json!(format!("{first}\n\n{rest}")),
        (Some(first), None) => json!(first),
        _ => Value::Null,
    };
    if !description.is_null() {
        operation["description"] = description;
    }
    operation["summary"] = json!(title(&function));
    operation["operationId"] = json!(id);

    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        let name = parameter["name"].as_str().unwrap_or_default().to_owned();
        finish_property(&name, &mut parameter["schema"]);
        if parameter["schema"].get("default").is_some() {
            parameter["required"] = json!(false);
        }
    }
    for (_, content) in fields_mut(operation.pointer_mut("/requestBody/content")) {
        let form = content["schema"]["$ref"].as_str().and_then(|r| r.strip_prefix(SCHEMAS));
        let form = form.filter(|name| name.starts_with("Body")).map(ToOwned::to_owned);
        if let Some(mut model) = form.and_then(|name| components.remove(&name)) {
            let name = format!("Body_{id}");
            model["title"] = json!(name);
            content["schema"] = json!({"$ref": format!("{SCHEMAS}{name}")});
            components.insert(name, model);
        }
    }

    for (_, response) in fields_mut(operation.get_mut("responses")) {
        response["description"] = json!("Successful Response");
        // utoipa takes scalars for plain text.
        if let Some(content) = remove(&mut response["content"], "text/plain") {
            response["content"]["application/json"] = content;
        }
        for (_, content) in fields_mut(response.get_mut("content")) {
            if content["schema"].get("$ref").is_none() && content["schema"]["type"] != "string" {
                content["schema"]["title"] = json!(format!("Response {}", title(&id)));
            }
        }
    }
    if operation.get("parameters").is_some() || operation.get("requestBody").is_some() {
        operation["responses"]["422"] = json!({
            "description": "Validation Error",
            "content": {
                "application/json": {"schema": {"$ref": format!("{SCHEMAS}HTTPValidationError")}},
            },
        });
    }
}

fn finish_model(name: &str, schema: &mut Value) {
    schema["title"] = json!(name);
    let mut optional = Vec::new();
    for (name, property) in fields_mut(schema.get_mut("properties")) {
        finish_property(name, property);
        if property.get("default").is_some() {
            optional.push(json!(name));
        }
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.retain(|name| !optional.contains(name));
    }
}

/// A property or parameter: its title, `anyOf` for what may be null, no widths of integers.
fn finish_property(name: &str, schema: &mut Value) {
    if schema.get("$ref").is_some() {
        return;
    }
    let nullable = match schema["type"].as_array().map(Vec::as_slice) {
        Some([kind, null]) if null == "null" => Some(kind.clone()),
        _ => None,
    };
    if let Some(kind) = nullable {
        let mut inner = std::mem::replace(schema, json!({}));
        inner["type"] = kind;
        // A hint for people, which FastAPI keeps beside the alternatives.
        if inner["format"] == "password" {
            schema["format"] = json!("password");
            remove(&mut inner, "format");
        }
        schema["anyOf"] = json!([inner, {"type": "null"}]);
    }
    if schema["type"] == "integer" {
        remove(schema, "format");
    }
    schema["title"] = json!(title(name));
}

/// `full_name` becomes `Full Name`, as Python's `str.title` does it.
fn title(name: &str) -> String {
    let mut start = true;
    name.chars()
        .map(|c| if c == '_' { ' ' } else { c })
        .map(|c| {
            let cased = if start { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            start = !c.is_alphabetic();
            cased
        })
        .collect()
}

fn fields_mut(value: Option<&mut Value>) -> impl Iterator<Item = (&String, &mut Value)> {
    value.and_then(Value::as_object_mut).into_iter().flatten()
}

fn remove(value: &mut Value, key: &str) -> Option<Value> {
    value.as_object_mut().and_then(|object| object.remove(key))
}

fn validation_error_schemas() -> Object {
    let Value::Object(schemas) = json!({
        "HTTPValidationError": {
            "title": "HTTPValidationError",
            "type": "object",
            "properties": {
                "detail": {
                    "title": "Detail",
                    "type": "array",
                    "items": {"$ref": format!("{SCHEMAS}ValidationError")},
                },
            },
        },
        "ValidationError": {
            "title": "ValidationError",
            "type": "object",
            "required": ["loc", "msg", "type"],
            "properties": {
                "loc": {
                    "title": "Location",
                    "type": "array",
                    "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                },
                "msg": {"title": "Message", "type": "string"},
                "type": {"title": "Error Type", "type": "string"},
                "input": {"title": "Input"},
                "ctx": {"title": "Context", "type": "object"},
            },
        },
    }) else {
        return Object::new();
    };
    schemas
}

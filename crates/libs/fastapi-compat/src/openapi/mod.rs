//! The OpenAPI document as FastAPI writes it, from the types of the handlers.

mod operation;
mod schema;
mod types;

use serde_json::{Map, Value, json};

pub use self::operation::{Answer, Describe, OperationDocument, Outline};
pub use self::schema::{
    DuplicateModel, FieldSchema, FieldSchemas, ModelSchema, Models, Presence, Schema, note,
};
pub use self::types::choices;

/// Title and version of the service and the URL that gives tokens.
#[derive(Clone, Copy, Debug)]
pub struct Info<'a> {
    pub title: &'a str,
    pub version: &'a str,
    pub token_url: &'a str,
}

/// The document of operations with their ids.
pub(crate) fn document<'a>(
    info: &Info<'_>,
    operations: impl Iterator<Item = (String, &'a Outline)>,
) -> Result<Value, DuplicateModel> {
    let (mut paths, mut models, mut security_schemes) = (json!({}), Models::new(), Map::new());
    let mut can_be_invalid = false;
    for (id, outline) in operations {
        let (operation, schemes) = outline.document(&id, info.token_url, &mut models);
        can_be_invalid |= operation["responses"].get("422").is_some();
        paths[&outline.path][outline.method.as_str().to_lowercase()] = operation;
        security_schemes.extend(schemes);
    }
    let mut schemas = models.finish(&mut paths)?;
    if can_be_invalid {
        schemas.extend(validation_error_schemas());
    }
    schemas.sort_keys();
    let mut components = json!({"schemas": schemas});
    if !security_schemes.is_empty() {
        components["securitySchemes"] = security_schemes.into();
    }
    Ok(json!({
        "openapi": "3.1.0",
        "info": {"title": info.title, "version": info.version},
        "paths": paths,
        "components": components,
    }))
}

fn validation_error_schemas() -> [(String, Value); 2] {
    let location = json!({"anyOf": [{"type": "string"}, {"type": "integer"}]});
    let errors = json!({"$ref": format!("{}ValidationError", schema::SCHEMAS)});
    [
        (
            "HTTPValidationError".to_owned(),
            json!({
                "title": "HTTPValidationError",
                "type": "object",
                "properties": {"detail": {"title": "Detail", "type": "array", "items": errors}},
            }),
        ),
        (
            "ValidationError".to_owned(),
            json!({
                "title": "ValidationError",
                "type": "object",
                "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {"title": "Location", "type": "array", "items": location},
                    "msg": {"title": "Message", "type": "string"},
                    "type": {"title": "Error Type", "type": "string"},
                    "input": {"title": "Input"},
                    "ctx": {"title": "Context", "type": "object"},
                },
            }),
        ),
    ]
}

//! Names in a document: methods, components, steps of JSON pointers.

use serde_json::Value;

/// Where the schemas of a document are.
pub(super) const SCHEMAS: &str = "#/components/schemas/";

/// The methods that a path item has operations for.
pub const METHODS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The component that a reference names, and its name.
pub(super) fn component<'a>(document: &'a Value, reference: &str) -> Option<(&'a str, &'a Value)> {
    let name = reference.strip_prefix(SCHEMAS)?.replace("~1", "/").replace("~0", "~");
    let schemas = document.pointer("/components/schemas")?.as_object()?;
    schemas.get_key_value(&name).map(|(name, schema)| (name.as_str(), schema))
}

/// A key as a step of a JSON pointer (RFC 6901).
pub fn pointer_step(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

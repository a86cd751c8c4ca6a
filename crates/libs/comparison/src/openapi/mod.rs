//! When two OpenAPI documents describe the same operations.
//!
//! [`normal`] reads any document of FastAPI's as one of OpenAPI 3.1; [`compare`] finds where a document
//! that a program makes of its types differs from an older one; an [`Overlay`] carries the words
//! of the older one that types do not say.

mod differences;
mod normal;
mod overlay;

pub use differences::{Comparison, Difference, compare};
pub use normal::normal;
pub use overlay::{Overlay, OverlayError};

use serde_json::Value;

/// Where the schemas of a document are.
const SCHEMAS: &str = "#/components/schemas/";

/// The methods that a path item has operations for.
pub const METHODS: [&str; 8] =
    ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// The component that a reference names, and its name.
fn component<'a>(document: &'a Value, reference: &str) -> Option<(&'a str, &'a Value)> {
    let name = reference.strip_prefix(SCHEMAS)?.replace("~1", "/").replace("~0", "~");
    let schemas = document.pointer("/components/schemas")?.as_object()?;
    schemas.get_key_value(&name).map(|(name, schema)| (name.as_str(), schema))
}

/// A key as a step of a JSON pointer (RFC 6901).
pub fn pointer_step(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}

//! Two versions of an OpenAPI document: every difference, and whether it breaks clients.

mod change;
mod comparison;
mod document;
mod schema;

use serde_json::Value;

pub use self::change::{Change, Class, Direction};
use self::comparison::Comparison;
pub use self::document::{DocumentError, load, operation_of};
pub(crate) use self::document::{Operation, fields, operations, resolve};

/// Every difference, those that break first.
pub fn compare(old: &Value, new: &Value) -> Vec<Change> {
    let (old, new) = (schema::one_type_each(old), schema::one_type_each(new));
    let mut comparison = Comparison::new(&old, &new);
    comparison.documents();
    comparison.changes.sort_by_key(|change| change.class);
    comparison.changes
}

#[cfg(test)]
mod tests;

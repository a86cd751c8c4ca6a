//! Two versions of an OpenAPI document: every difference, and whether it breaks clients.

mod bundle;
mod change;
mod compare;
mod document;
mod exact;
mod form;
mod form_error;
mod ignore;
mod normal;
mod output;
mod rules;
mod source;

use serde_json::Value;

pub use self::change::{Change, Class, Direction};
pub use self::document::operation_of;
pub(crate) use self::document::{Operation, fields, operations, resolve, template};
pub use self::form_error::FormError;
pub use self::ignore::Ignore;
pub(crate) use self::ignore::like;
pub use self::output::{Format, write};
pub use self::rules::{Rule, page, rules};
pub(crate) use self::source::causes;
pub use self::source::{DocumentError, load, prepare};

/// Every difference, those that break first. The documents are as [`load`] or [`prepare`] give them.
pub fn compare(old: &Value, new: &Value) -> Vec<Change> {
    if old == new {
        return Vec::new();
    }
    compare::Comparison::of(old, new)
}

#[cfg(test)]
mod tests;

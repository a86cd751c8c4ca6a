//! A field that is secret: the domain's type of it hides the value in `Debug`.

use crate::resource::fields::{Field, Kind};

const TYPE: &str = "SecretValue";

impl Field {
    /// The domain's type of a value that is there.
    pub(super) fn wrapped_type(&self, bare: &str) -> String {
        if self.options.is_secret { format!("{TYPE}<{bare}>") } else { bare.to_owned() }
    }

    /// A value that is there, as one of that type.
    pub(in crate::resource) fn wrapped_value(&self, bare: String) -> String {
        if self.options.is_secret { format!("{TYPE}::from({bare})") } else { bare }
    }
}

/// An expression of what is bare, as one of the domain's type.
pub(super) fn wrapped(field: &Field, bare: &str) -> String {
    match (field.options.is_secret, field.nullable) {
        (false, _) => bare.to_owned(),
        (true, false) => format!("{TYPE}::from({bare})"),
        (true, true) => format!("{bare}.map({TYPE}::from)"),
    }
}

/// The same of a change, which may be to null.
pub(super) fn wrapped_change(field: &Field, bare: &str) -> String {
    match (field.options.is_secret, field.nullable) {
        (false, _) => bare.to_owned(),
        (true, false) => format!("{bare}.map({TYPE}::from)"),
        (true, true) => format!("{bare}.map(|value| value.map({TYPE}::from))"),
    }
}

/// What is bound of a value in the domain.
pub(super) fn exposed(field: &Field, value: &str) -> String {
    match (field.options.is_secret, field.nullable) {
        (false, _) => value.to_owned(),
        (true, false) => match borrowed(&field.kind) {
            Some(method) => format!("{value}.expose().{method}()"),
            None => format!("{value}.copied()"),
        },
        (true, true) => exposed_in(&field.kind, &format!("{value}.as_ref()")),
    }
}

/// What is bound of a change in the domain.
pub(super) fn exposed_change(field: &Field) -> String {
    let change = format!("changes.{}.as_ref()", field.name);
    let nullable = if field.nullable { ".and_then(Option::as_ref)" } else { "" };
    exposed_in(&field.kind, &format!("{change}{nullable}"))
}

/// Of an option of a reference.
fn exposed_in(kind: &Kind, value: &str) -> String {
    match borrowed(kind) {
        Some(method) => format!("{value}.map(|secret| secret.expose().{method}())"),
        None => format!("{value}.map({TYPE}::copied)"),
    }
}

/// The method that borrows a value which cannot be copied.
const fn borrowed(kind: &Kind) -> Option<&'static str> {
    match kind {
        Kind::Text { .. } | Kind::Email | Kind::Url => Some("as_str"),
        Kind::Bytes => Some("as_slice"),
        _ => None,
    }
}

//! How this library's own types make themselves known to the serialiser of an `Encoded` answer.

use std::fmt::Display;

use serde::ser::{Serialize, Serializer};

/// The names of newtypes by which our own types make themselves known; other serialisers write what is
/// in them.
pub(crate) const DECIMAL: &str = "fastapi_compat::Decimal";
pub(crate) const DURATION: &str = "fastapi_compat::Duration";
pub(crate) const TIME: &str = "fastapi_compat::Time";

/// Writes a text that `Encoded` may read again, by the kind of its type.
pub(crate) fn mark<S: Serializer>(
    kind: &'static str,
    text: &impl Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    struct Text<'a, D>(&'a D);

    impl<D: Display> Serialize for Text<'_, D> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_str(self.0)
        }
    }

    serializer.serialize_newtype_struct(kind, &Text(text))
}

//! `AliasPath`: a field whose value stands deeper in the object.

use std::borrow::Cow;

use crate::errors::Loc;
use crate::value::{Object, Value};

/// A step of an `AliasPath`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasStep {
    /// The key of an object.
    Key(&'static str),
    /// The position in a list.
    Index(usize),
}

/// What an object has at the end of a path that begins with a key.
pub(crate) fn find<'a>(
    object: &'a Object,
    key: &str,
    steps: &[AliasStep],
) -> Option<Cow<'a, Value>> {
    let mut found = object.get(key)?;
    for step in steps {
        let inner = match (step, &*found) {
            (AliasStep::Key(key), Value::Object(fields)) => fields.get(key)?.into_owned(),
            (AliasStep::Index(index), Value::Array(items)) => {
                items.iter().nth(*index)?.into_owned()
            }
            _ => return None,
        };
        found = Cow::Owned(inner);
    }
    Some(found)
}

/// Calls `run` with the location of a path.
pub(crate) fn below<R>(path: &[AliasStep], at: &Loc<'_>, run: impl FnOnce(&Loc<'_>) -> R) -> R {
    match path {
        [] => run(at),
        [AliasStep::Key(key), rest @ ..] => below(rest, &at.field(key), run),
        [AliasStep::Index(index), rest @ ..] => below(rest, &at.index(*index), run),
    }
}

//! What a validator of one's own says of a value that it refuses.

use std::borrow::Cow;

use indexmap::IndexMap;

use crate::errors::{Errors, Loc, Taken};
use crate::value::Value;

/// Why a validator refuses a value: what it raises in Python.
///
/// A validator is a function that stands in `#[schema(after = …)]` or `#[schema(before = …)]` of a field,
/// of a struct with one field or of a model; one around the rules is in [`Handler`](crate::Handler):
///
/// ```
/// use fastapi_compat::{Decode, Integer, Invalid, Value};
///
/// #[derive(Decode)]
/// #[schema(after = ordered)]
/// struct Range {
///     #[schema(after = even)]
///     first: Integer,
///     #[schema(before = trimmed, max_length = 3)]
///     unit: String,
///     last: Integer,
/// }
///
/// fn even(number: Integer) -> Result<Integer, Invalid> {
///     match number {
///         Integer::Small(small) if small % 2 != 0 => Err("not even".into()),
///         number => Ok(number),
///     }
/// }
///
/// fn trimmed(given: &Value) -> Result<Value, Invalid> {
///     Ok(match given {
///         Value::Str(text) => text.trim().into(),
///         other => other.clone(),
///     })
/// }
///
/// fn ordered(range: Range) -> Result<Range, Invalid> {
///     if range.first > range.last {
///         return Err(Invalid::assertion("the first is not the last"));
///     }
///     Ok(range)
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Invalid(Reason);

#[derive(Clone, Debug, PartialEq)]
enum Reason {
    Raised {
        kind: &'static str,
        msg: Cow<'static, str>,
        ctx: Vec<(&'static str, Value)>,
    },
    /// The errors of the rules that a validator called.
    Errors(Taken),
}

impl Invalid {
    /// `raise ValueError(reason)`.
    pub fn value(reason: impl AsRef<str>) -> Self {
        Self::raised("value_error", "Value error", reason.as_ref())
    }

    /// `assert …, reason`.
    pub fn assertion(reason: impl AsRef<str>) -> Self {
        Self::raised("assertion_error", "Assertion failed", reason.as_ref())
    }

    /// `raise PydanticCustomError(kind, msg, ctx)`; `msg` is the message itself, in which Python puts
    /// the values of `ctx` at their names.
    pub fn custom(
        kind: &'static str,
        msg: impl Into<Cow<'static, str>>,
        ctx: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Self {
        Self(Reason::Raised { kind, msg: msg.into(), ctx: ctx.into_iter().collect() })
    }

    fn raised(kind: &'static str, words: &str, reason: &str) -> Self {
        // FastAPI writes the exception as an object without fields.
        let exception = Value::Object(IndexMap::new().into());
        let msg = format!("{words}, {reason}").into();
        Self(Reason::Raised { kind, msg, ctx: vec![("error", exception)] })
    }

    /// The errors of the rules.
    pub(crate) fn of(errors: Taken) -> Self {
        Self(Reason::Errors(errors))
    }

    /// Adds the error and gives `None`.
    pub(crate) fn add<T>(self, at: &Loc<'_>, input: &Value, errors: &mut Errors) -> Option<T> {
        match self.0 {
            Reason::Raised { kind, msg, ctx } => errors.add(kind, at, msg, input, &ctx),
            Reason::Errors(taken) => {
                errors.extend(taken);
                None
            }
        }
    }
}

impl From<&str> for Invalid {
    fn from(reason: &str) -> Self {
        Self::value(reason)
    }
}

impl From<String> for Invalid {
    fn from(reason: String) -> Self {
        Self::value(reason)
    }
}

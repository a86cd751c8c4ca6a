//! Validators around the rules of a type: `WrapValidator`, `mode="wrap"`.

use std::fmt;

use crate::errors::{Errors, Loc};
use crate::invalid::Invalid;
use crate::value::Value;

/// A validator that calls the rules of the type itself, or does not.
pub type Wrap<T> = fn(&Value, Handler<'_, T>) -> Result<T, Invalid>;

/// The rules of the type, for a validator around them: it stands in `#[schema(wrap = …)]` of a field, of a
/// struct with one field or of a model.
///
/// ```
/// use fastapi_compat::{Decode, Handler, Integer, Invalid, Value};
///
/// #[derive(Decode)]
/// struct Page {
///     #[schema(wrap = limited, ge = 1, le = 100)]
///     limit: Integer,
/// }
///
/// /// `all` is the most, and so is whatever is not valid.
/// fn limited(given: &Value, mut limit: Handler<'_, Integer>) -> Result<Integer, Invalid> {
///     match given {
///         Value::Str(text) if text.as_str() == "all" => Ok(100.into()),
///         Value::Null => Err("no limit".into()),
///         given => limit.call(given).or_else(|_| limit.call(&100_i64.into())),
///     }
/// }
/// ```
pub struct Handler<'a, T> {
    decode: &'a mut dyn FnMut(&Value) -> Result<T, Invalid>,
}

impl<T> Handler<'_, T> {
    /// Applies the rules to a value.
    ///
    /// # Errors
    /// The errors of a value that they refuse, at their locations in it.
    pub fn call(&mut self, value: &Value) -> Result<T, Invalid> {
        (self.decode)(value)
    }
}

impl<T> fmt::Debug for Handler<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler").finish_non_exhaustive()
    }
}

/// Decodes by the validator around `decode`.
pub(crate) fn decode<T>(
    wrap: Wrap<T>,
    input: &Value,
    at: &Loc<'_>,
    errors: &mut Errors,
    mut decode: impl FnMut(&Value, &mut Errors) -> Option<T>,
) -> Option<T> {
    let wrapped = {
        let mut call = |value: &Value| {
            let start = errors.len();
            decode(value, errors).ok_or_else(|| Invalid::of(errors.split_off(start)))
        };
        wrap(input, Handler { decode: &mut call })
    };
    wrapped.map_or_else(|invalid| invalid.add(at, input, errors), Some)
}

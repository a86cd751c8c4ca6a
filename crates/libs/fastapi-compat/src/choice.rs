//! Enumerations and literals: one of several fixed values.

use crate::constraints::Constraints;
use crate::decode::Decode;
use crate::errors::{Errors, Exactness, Loc};
use crate::types::{Integer, SIZE};
use crate::value::Value;

/// A value that an enumeration or a literal may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fixed {
    /// A text.
    Str(&'static str),
    /// An integer.
    Int(i64),
}

impl Fixed {
    /// As Python writes it.
    fn repr(self) -> String {
        match self {
            Self::Str(text) => crate::python::repr(text),
            Self::Int(value) => value.to_string(),
        }
    }
}

/// `'a', 'b' or 'c'`.
fn expected(values: &[Fixed]) -> String {
    let mut names: Vec<_> = values.iter().map(|value| value.repr()).collect();
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} or {last}", names.join(", ")) }
}

/// `literal['a','b']`.
pub fn name(kind: &str, values: &[Fixed]) -> String {
    let names: Vec<_> = values.iter().map(|value| value.repr()).collect();
    format!("{kind}[{}]", names.join(","))
}

/// The position of the value in an `Enum`: integers are read by the lax rules.
pub fn decode_enum(
    input: &Value,
    values: &[Fixed],
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<usize> {
    errors.fits(Exactness::Lax);
    let mut ignored = Errors::default();
    let integer = match values.first() {
        Some(Fixed::Int(_)) => Integer::decode(input, &Constraints::NONE, at, &mut ignored),
        _ => None,
    };
    if let Some(Integer::Big(value)) = integer {
        let input = Value::BigInt(value.to_string().into());
        return errors.add("int_parsing_size", at, SIZE, &input, &[]);
    }
    let position = values.iter().position(|value| match (value, input) {
        (Fixed::Str(value), Value::Str(text)) => *value == text.as_str(),
        (Fixed::Int(value), _) => integer == Some(Integer::Small(*value)),
        _ => false,
    });
    position.or_else(|| refuse("enum", values, input, at, errors))
}

/// The position of the value in a `Literal`: what is equal in Python, which `True` and `1` are.
pub fn decode_literal(
    input: &Value,
    values: &[Fixed],
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<usize> {
    if let (Some(Fixed::Int(_)), Value::BigInt(_)) = (values.first(), input) {
        return errors.add("int_parsing_size", at, SIZE, input, &[]);
    }
    let position = values.iter().position(|value| match (value, input) {
        (Fixed::Str(value), Value::Str(text)) => *value == text.as_str(),
        (Fixed::Int(value), Value::Int(given)) => value == given,
        (Fixed::Int(value), Value::Bool(given)) => *value == i64::from(*given),
        #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "as Python compares")]
        (Fixed::Int(value), Value::Float(given)) => *value as f64 == *given,
        _ => false,
    });
    position.or_else(|| refuse("literal_error", values, input, at, errors))
}

fn refuse<T>(
    kind: &'static str,
    values: &[Fixed],
    input: &Value,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<T> {
    let expected = expected(values);
    let msg = format!("Input should be {expected}");
    errors.add(kind, at, msg, input, &[("expected", expected.into())])
}

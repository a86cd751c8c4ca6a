//! Enumerations and literals: one of several fixed values.

use crate::constraints::Constraints;
use crate::decode::Decode;
use crate::dialect::{Switch, has};
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
    /// A boolean.
    Bool(bool),
}

impl Fixed {
    /// As Python writes it.
    pub(crate) fn repr(self) -> String {
        match self {
            Self::Str(text) => crate::python::repr(text),
            Self::Int(value) => value.to_string(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
        }
    }

    /// As Python's `str` writes it.
    pub(crate) fn text(self) -> String {
        match self {
            Self::Str(text) => text.to_owned(),
            other => other.repr(),
        }
    }

    /// Whether they are equal in Python, where `True`, `1` and `1.0` are.
    fn equals(self, input: &Value) -> bool {
        let number = match self {
            Self::Str(value) => {
                return matches!(input, Value::Str(text) if text.as_str() == value);
            }
            Self::Int(value) => value,
            Self::Bool(value) => value.into(),
        };
        match input {
            Value::Int(given) => *given == number,
            Value::Bool(given) => i64::from(*given) == number,
            #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "as Python compares")]
            Value::Float(given) => *given == number as f64,
            _ => false,
        }
    }
}

/// The position of the value that is equal in Python: of several one of the input's type, else the last.
pub(crate) fn position(input: &Value, values: &[Fixed]) -> Option<usize> {
    let is_exact = |value: &Fixed| {
        matches!((value, input), (Fixed::Bool(_), Value::Bool(_)) | (Fixed::Int(_), Value::Int(_)))
            && value.equals(input)
    };
    let exact = values.iter().position(is_exact);
    exact.or_else(|| values.iter().rposition(|value| value.equals(input)))
}

/// The same in a literal or among tags.
pub(crate) fn literal_position(input: &Value, values: &[Fixed]) -> Option<usize> {
    let is_strict = has(Switch::LiteralIntegersAreStrict) && !matches!(input, Value::Int(_));
    let position = position(input, values);
    if is_strict && position.is_some_and(|at| matches!(values.get(at), Some(Fixed::Int(_)))) {
        return values
            .iter()
            .position(|value| matches!(value, Fixed::Bool(_)) && value.equals(input));
    }
    position
}

/// `'a', 'b' or 'c'`.
fn expected(values: &[Fixed]) -> String {
    alternatives(values.iter().map(|value| value.repr()).collect())
}

/// `a, b or c`.
pub(crate) fn alternatives(mut names: Vec<String>) -> String {
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
    if values.iter().any(|value| matches!(value, Fixed::Int(_)))
        && matches!(input, Value::BigInt(_))
    {
        return errors.add("int_parsing_size", at, SIZE, input, &[]);
    }
    let position = literal_position(input, values);
    position.or_else(|| refuse("literal_error", values, input, at, errors))
}

/// The position of the value in an `Enum` that is of no other type: what is equal in Python.
pub fn decode_plain_enum(
    input: &Value,
    values: &[Fixed],
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<usize> {
    errors.fits(Exactness::Lax);
    if values.iter().any(|value| matches!(value, Fixed::Int(_)))
        && matches!(input, Value::BigInt(_))
    {
        return errors.add("int_parsing_size", at, SIZE, input, &[]);
    }
    position(input, values).or_else(|| refuse("enum", values, input, at, errors))
}

fn refuse<T>(
    kind: &'static str,
    values: &[Fixed],
    input: &Value,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<T> {
    // Compared with texts, it has to be one.
    if matches!(input, Value::Surrogates(_))
        && values.iter().any(|value| matches!(value, Fixed::Str(_)))
    {
        return errors.not_unicode(at, input);
    }
    let expected = expected(values);
    let msg = format!("Input should be {expected}");
    errors.add(kind, at, msg, input, &[("expected", expected.into())])
}

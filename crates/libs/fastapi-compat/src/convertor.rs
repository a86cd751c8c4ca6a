//! Starlette's convertors of path parameters: what each matches, and the value that it makes of it.

use crate::dialect::{Switch, has};
use crate::value::Value;

/// What a parameter of a path matches, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Convertor {
    Str,
    Path,
    Int,
    Float,
    Uuid,
}

impl Convertor {
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "str" => Self::Str,
            "path" => Self::Path,
            "int" => Self::Int,
            "float" => Self::Float,
            "uuid" => Self::Uuid,
            _ => return None,
        })
    }

    /// Starlette's regular expression.
    pub(crate) fn regex(self) -> &'static str {
        match self {
            Self::Str => "[^/]+",
            Self::Path => ".*",
            Self::Int => "[0-9]+",
            Self::Float => r"[0-9]+(?:\.[0-9]+)?",
            Self::Uuid if has(Switch::UuidPathsWithHyphens) => {
                "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
            }
            Self::Uuid => {
                "[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}"
            }
        }
    }

    /// Whether its regular expression may match a segment: `false` only if it does not.
    pub(crate) fn may_match(self, segment: &str) -> bool {
        let begins_with =
            |is_first: fn(&u8) -> bool| segment.as_bytes().first().is_some_and(is_first);
        match self {
            Self::Str => !segment.is_empty(),
            Self::Path => true,
            Self::Int | Self::Float => begins_with(u8::is_ascii_digit),
            Self::Uuid => begins_with(u8::is_ascii_hexdigit) && (32..=36).contains(&segment.len()),
        }
    }

    /// The value that FastAPI is given to validate.
    pub(crate) fn convert(self, text: &str) -> Value {
        match self {
            Self::Int => text.parse().map_or_else(
                |_| {
                    let digits = text.trim_start_matches('0');
                    Value::BigInt(digits.into())
                },
                Value::Int,
            ),
            Self::Float => text.parse().map_or_else(|_| text.into(), Value::Float),
            // pydantic writes a UUID as text wherever it shows one.
            Self::Uuid => match uuid::Uuid::try_parse(text) {
                Ok(uuid) => uuid.to_string().into(),
                Err(_) => text.into(),
            },
            Self::Str | Self::Path => text.into(),
        }
    }
}

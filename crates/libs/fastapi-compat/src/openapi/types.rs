//! How each type stands in the document.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::Utc;
use indexmap::IndexMap;
use serde_json::{Value, json};
use uuid::Uuid;

use super::schema::{Models, Schema};
use crate::choice::Fixed;
use crate::constraints::{Constraints, Number};
use crate::decode::Patch;
use crate::email::EmailStr;
use crate::types::{
    AnyUrl, Date, DateTime, Decimal, Duration, HttpUrl, Integer, Numeric, Storable, Time,
    UploadFile,
};

/// Adds what is there.
fn with(
    mut schema: Value,
    entries: impl IntoIterator<Item = (&'static str, Option<Value>)>,
) -> Value {
    for (key, value) in entries {
        if let Some(value) = value {
            schema[key] = value;
        }
    }
    schema
}

fn with_bounds(schema: Value, constraints: &Constraints) -> Value {
    let number = |number: Option<Number>| {
        let number = number?;
        // A bound of a decimal stands in the code as a text, a constant only as a value.
        Some(match (number.text.parse::<i64>(), number.text.parse::<f64>()) {
            (Ok(value), _) => json!(value),
            (Err(_), Ok(value)) => json!(value),
            _ if number.float.fract() == 0.0 => json!(number.int),
            _ => json!(number.float),
        })
    };
    with(
        schema,
        [
            ("minimum", number(constraints.ge)),
            ("maximum", number(constraints.le)),
            ("exclusiveMinimum", number(constraints.gt)),
            ("exclusiveMaximum", number(constraints.lt)),
            ("multipleOf", number(constraints.multiple_of)),
        ],
    )
}

fn text(format: Option<&str>, constraints: &Constraints) -> Value {
    with(
        json!({"type": "string"}),
        [
            ("format", format.map(Into::into)),
            ("minLength", constraints.min_length.map(Into::into)),
            ("maxLength", constraints.max_length.map(Into::into)),
            ("pattern", constraints.pattern.map(|pattern| pattern.text.into())),
        ],
    )
}

/// Types whose schema is `{"type": …}` or `{"type": "string", "format": …}`.
macro_rules! schemas {
    ($($type:ty => |$constraints:ident| $schema:expr;)*) => {$(
        impl Schema for $type {
            fn schema($constraints: &Constraints, _: &mut Models) -> Value {
                $schema
            }
        }
    )*};
}

schemas! {
    bool => |_c| json!({"type": "boolean"});
    f64 => |c| with_bounds(json!({"type": "number"}), c);
    Integer => |c| with_bounds(json!({"type": "integer"}), c);
    i64 => |c| with_bounds(json!({"type": "integer"}), c);
    String => |c| text(None, c);
    str => |c| text(None, c);
    EmailStr => |c| text(Some("email"), c);
    Date => |_c| text(Some("date"), &Constraints::NONE);
    DateTime => |_c| text(Some("date-time"), &Constraints::NONE);
    chrono::DateTime<Utc> => |_c| text(Some("date-time"), &Constraints::NONE);
    Time => |_c| text(Some("time"), &Constraints::NONE);
    Duration => |_c| text(Some("duration"), &Constraints::NONE);
    Uuid => |_c| text(Some("uuid"), &Constraints::NONE);
    AnyUrl => |c| text(Some("uri"), &Constraints { min_length: c.min_length.or(Some(1)), ..*c });
    HttpUrl => |c| text(Some("uri"), &Constraints {
        min_length: c.min_length.or(Some(1)),
        max_length: c.max_length.or(Some(2083)),
        ..*c
    });
    crate::Value => |_c| json!({});
    () => |_c| json!({"type": "null"});
}

/// Smaller integers bound their values by themselves.
macro_rules! bounded {
    ($($integer:ty)*) => {$(
        impl Schema for $integer {
            fn schema(constraints: &Constraints, _: &mut Models) -> Value {
                const MIN: i64 = <$integer>::MIN as i64;
                const MAX: i64 = <$integer>::MAX as i64;
                let bounds = json!({"type": "integer", "minimum": MIN, "maximum": MAX});
                with_bounds(bounds, constraints)
            }
        }
    )*};
}

bounded!(i8 i16 i32 u8 u16 u32);

impl Schema for UploadFile {
    const IS_FILE: bool = true;

    fn schema(_: &Constraints, _: &mut Models) -> Value {
        json!({"type": "string", "contentMediaType": "application/octet-stream"})
    }
}

/// Read from numbers and texts, written as a text.
impl Schema for Decimal {
    fn schema(constraints: &Constraints, models: &mut Models) -> Value {
        if models.is_output() {
            return json!({"type": "string"});
        }
        json!({"anyOf": [with_bounds(json!({"type": "number"}), constraints), {"type": "string"}]})
    }
}

impl<const PLACES: u32> Schema for Numeric<PLACES> {
    fn schema(constraints: &Constraints, models: &mut Models) -> Value {
        Decimal::schema(constraints, models)
    }
}

impl<const N: usize> Schema for Storable<N> {
    fn schema(constraints: &Constraints, models: &mut Models) -> Value {
        String::schema(constraints, models)
    }
}

/// Pointers stand for what they point to.
macro_rules! transparent {
    ($([$($generics:tt)*] $type:ty => $inner:ty;)*) => {$(
        impl<$($generics)*> Schema for $type {
            const OPTIONAL: bool = <$inner>::OPTIONAL;
            const TITLED: bool = <$inner>::TITLED;
            const IS_FILE: bool = <$inner>::IS_FILE;

            fn schema(constraints: &Constraints, models: &mut Models) -> Value {
                <$inner>::schema(constraints, models)
            }
        }
    )*};
}

transparent! {
    [T: Schema + ?Sized] &T => T;
    [T: Schema + ?Sized] Box<T> => T;
    [T: Schema + ToOwned + ?Sized] Cow<'_, T> => T;
}

/// `anyOf` the type and null; a union takes null among its choices.
impl<T: Schema> Schema for Option<T> {
    const OPTIONAL: bool = true;
    const TITLED: bool = T::TITLED;
    const IS_FILE: bool = T::IS_FILE;

    fn schema(constraints: &Constraints, models: &mut Models) -> Value {
        let mut inner = T::schema(constraints, models);
        if let Some(choices) = inner.get_mut("anyOf").and_then(Value::as_array_mut) {
            choices.push(json!({"type": "null"}));
            return inner;
        }
        json!({"anyOf": [inner, {"type": "null"}]})
    }
}

impl<T: Schema> Schema for Patch<T> {
    const OPTIONAL: bool = true;
    const TITLED: bool = T::TITLED;
    const IS_FILE: bool = T::IS_FILE;

    fn schema(constraints: &Constraints, models: &mut Models) -> Value {
        Option::<T>::schema(constraints, models)
    }
}

fn array<T: Schema>(constraints: &Constraints, models: &mut Models) -> Value {
    let items = T::schema(&Constraints::NONE, models);
    with(
        json!({"type": "array", "items": items}),
        [
            ("minItems", constraints.min_length.map(Into::into)),
            ("maxItems", constraints.max_length.map(Into::into)),
        ],
    )
}

impl<T: Schema> Schema for Vec<T> {
    const IS_FILE: bool = T::IS_FILE;

    fn schema(constraints: &Constraints, models: &mut Models) -> Value {
        array::<T>(constraints, models)
    }
}

impl<T: Schema> Schema for BTreeSet<T> {
    fn schema(constraints: &Constraints, models: &mut Models) -> Value {
        with(array::<T>(constraints, models), [("uniqueItems", Some(true.into()))])
    }
}

/// `additionalProperties` are the values; of the keys only a pattern would be shown. What may be
/// anything is `true`.
fn dictionary<V: Schema>(constraints: &Constraints, models: &mut Models) -> Value {
    let values = V::schema(&Constraints::NONE, models);
    let values = if values == json!({}) { json!(true) } else { values };
    with(
        json!({"type": "object", "additionalProperties": values}),
        [
            ("minProperties", constraints.min_length.map(Into::into)),
            ("maxProperties", constraints.max_length.map(Into::into)),
        ],
    )
}

macro_rules! dictionaries {
    ($([$($generics:tt)*] $map:ty;)*) => {$(
        impl<$($generics)*, V: Schema> Schema for $map {
            fn schema(constraints: &Constraints, models: &mut Models) -> Value {
                dictionary::<V>(constraints, models)
            }
        }
    )*};
}

dictionaries! {
    [K, S] IndexMap<K, V, S>;
    [K, S] HashMap<K, V, S>;
    [K] BTreeMap<K, V>;
}

macro_rules! tuple {
    ($length:literal, $($T:ident)*) => {
        impl<$($T: Schema),*> Schema for ($($T,)*) {
            fn schema(_: &Constraints, models: &mut Models) -> Value {
                let items = [$($T::schema(&Constraints::NONE, models)),*];
                json!({"type": "array", "prefixItems": items, "minItems": $length, "maxItems": $length})
            }
        }
    };
}

tuple!(1, A);
tuple!(2, A B);
tuple!(3, A B C);
tuple!(4, A B C D);

/// The schema of an enumeration or a literal.
pub fn choices(values: &[Fixed]) -> Value {
    let json = |value: &Fixed| match value {
        Fixed::Str(text) => json!(text),
        Fixed::Int(value) => json!(value),
    };
    let kind = match values.first() {
        Some(Fixed::Int(_)) => "integer",
        _ => "string",
    };
    let same = values.iter().all(|value| matches!(value, Fixed::Int(_)) == (kind == "integer"));
    let schema = with(json!({}), [("type", same.then(|| kind.into()))]);
    match values {
        [value] => with(schema, [("const", Some(json(value)))]),
        values => with(schema, [("enum", Some(values.iter().map(json).collect()))]),
    }
}

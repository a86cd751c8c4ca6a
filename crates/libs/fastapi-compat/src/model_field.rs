//! The fields of a model: what they are read from, their rules, validators and defaults.

use serde::{Deserialize, Deserializer};

use crate::alias_path::below;
use crate::constraints::Constraints;
use crate::decode::Decode;
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Loc};
use crate::field_names::{Name, of_parameter};
use crate::invalid::Invalid;
use crate::model::Fields;
use crate::value::Value;
use crate::wrap::{self, Wrap};

/// A validator that comes before the type's own rules.
pub(crate) type Before = fn(&Value) -> Result<Value, Invalid>;

/// A validator that comes after the type's own rules.
pub(crate) type After<T> = fn(T) -> Result<T, Invalid>;

/// How a field is decoded, besides its constraints.
#[derive(Debug)]
pub struct FieldRules<T> {
    /// What it is called, the first name first.
    pub names: &'static [Name],
    /// Its name in Python.
    pub own: Name,
    /// What it is when it is not given.
    pub absent: Absent<T>,
    /// `@field_validator(…, mode="before")`.
    pub before: Option<Before>,
    /// `@field_validator(…)`.
    pub after: Option<After<T>>,
    /// `@field_validator(…, mode="wrap")`.
    pub wrap: Option<Wrap<T>>,
}

/// Calls `run` with the location of a field.
fn located<R>(
    fields: &impl Fields,
    name: &Name,
    at: &Loc<'_>,
    run: impl FnOnce(&Loc<'_>) -> R,
) -> R {
    match fields.position(name) {
        Some(position) => run(&at.index(position)),
        None if name.path.is_empty() => run(&at.field(&fields.shown(name))),
        None => below(name.path, at, run),
    }
}

/// What a field is when it is not given.
#[derive(Debug)]
pub enum Absent<T> {
    /// By its type: optional fields are null.
    ByType,
    /// `#[schema(required = true)]`: even what may be null must be given.
    Required,
    /// `#[schema(default = …)]` or `default_factory`: the function gives the value.
    Default(fn() -> T),
}

/// Decodes one field of a model; the derive calls it for each.
pub fn decode_field<T: Decode>(
    fields: &impl Fields,
    rules: &FieldRules<T>,
    constraints: &Constraints,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<T> {
    let is_list = T::SEQUENCE || (T::JSON_OF_SEQUENCE && has(Switch::JsonOfListsIsAList));
    let names = match fields.alias_choices() {
        Some(switch) => of_parameter(rules.names, &rules.own, switch),
        None => rules.names,
    };
    let decode = |input: &Value, at: &Loc<'_>, errors: &mut Errors| match rules.wrap {
        None => decode_validated(input, constraints, rules.before, rules.after, at, errors),
        Some(wrap) => decode_wrapped(input, constraints, wrap, at, errors),
    };
    for name in names {
        if let Some(input) = fields.get(name, is_list) {
            if fields.are_counted() {
                errors.add_fields_set(1);
            }
            return located(fields, name, at, |at| decode(&input, at, errors));
        }
    }
    if !matches!(rules.absent, Absent::Default(_))
        && let Some((name, empty)) = names.iter().find_map(|name| Some((name, fields.empty(name)?)))
    {
        return located(fields, name, at, |at| decode(&empty, at, errors));
    }
    let value = match rules.absent {
        _ if fields.is_no_object() => None,
        Absent::Default(default) => Some(default()),
        Absent::ByType => T::absent(),
        Absent::Required => None,
    };
    value.or_else(|| {
        let name = names.first()?;
        located(fields, name, at, |at| {
            let is_null = T::SEQUENCE
                && fields.alias_choices() == Some(Switch::AliasChoicesAreNames)
                && has(Switch::AbsentListsAreNull);
            if is_null {
                return T::decode(&Value::Null, constraints, at, errors);
            }
            if T::IS_CHECKBOX
                && fields.alias_choices() == Some(Switch::FormAliasChoicesAreNames)
                && has(Switch::AbsentFormBooleansAreFalse)
            {
                return T::decode(&Value::Bool(false), constraints, at, errors);
            }
            errors.missing(at, fields.whole())
        })
    })
}

/// Decodes a value between the validators of one's own.
pub fn decode_validated<T: Decode>(
    input: &Value,
    constraints: &Constraints,
    before: Option<Before>,
    after: Option<After<T>>,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<T> {
    let replaced = match before.map(|before| before(input)).transpose() {
        Ok(replaced) => replaced,
        Err(invalid) => return invalid.add(at, input, errors),
    };
    let input = replaced.as_ref().unwrap_or(input);
    let value = T::decode(input, constraints, at, errors)?;
    let Some(after) = after else { return Some(value) };
    match after(value) {
        Ok(value) => Some(value),
        Err(invalid) => invalid.add(at, input, errors),
    }
}

/// serde's way to a value between the validators of one's own; what is wrong is decoded again for its
/// errors.
pub fn deserialize_field<'de, T: Decode + Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    constraints: &Constraints,
    before: Option<Before>,
    after: Option<After<T>>,
) -> Result<T, D::Error> {
    use serde::de::Error;

    if before.is_some() {
        let value = Value::deserialize(deserializer)?;
        let mut errors = Errors::default();
        let at = Loc::root("body");
        let decoded = decode_validated(&value, constraints, before, after, &at, &mut errors);
        return decoded.ok_or_else(|| D::Error::custom("not by the rules"));
    }
    let value = T::deserialize(deserializer)?;
    if !value.meets(constraints) {
        return Err(D::Error::custom("constraint"));
    }
    match after {
        None => Ok(value),
        Some(after) => after(value).map_err(|_| D::Error::custom("validator")),
    }
}

/// serde's way to a value within a validator of one's own.
pub fn deserialize_wrapped<'de, T: Decode, D: Deserializer<'de>>(
    deserializer: D,
    constraints: &Constraints,
    wrap: Wrap<T>,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let mut errors = Errors::default();
    let at = Loc::root("body");
    let decoded = decode_wrapped(&value, constraints, wrap, &at, &mut errors);
    decoded.ok_or_else(|| serde::de::Error::custom("not by the rules"))
}

/// Decodes a value of a type by the validator around its rules.
pub fn decode_wrapped<T: Decode>(
    input: &Value,
    constraints: &Constraints,
    wrap: Wrap<T>,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<T> {
    wrap::decode(wrap, input, at, errors, |input, errors| T::decode(input, constraints, at, errors))
}

//! Models: structs whose fields come from an object or from parameters.

use std::borrow::Cow;

use crate::dialect::Switch;
use crate::errors::{Errors, Loc};
use crate::field_names::{FieldNames, Name};
use crate::invalid::Invalid;
use crate::value::{Object, Value};
use crate::wrap::Wrap;

/// A struct whose fields come from an object or from parameters; implemented by the derive.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no model",
    label = "a model is a struct with named fields and `#[derive(Decode)]`"
)]
pub trait Model: Sized {
    /// Its fields, in their order.
    const FIELDS: &'static [FieldNames];

    /// What becomes of what has no field.
    const EXTRA: Extra;

    /// Whether Python has a class for it, so that `Query<Self>` is one model and not a parameter for each
    /// field.
    const IS_MODEL: bool;

    /// Whether its fields take no value of another JSON type than their own.
    const IS_STRICT: bool;

    /// What its errors call it.
    const KIND: ModelKind;

    /// Decodes every field and gives the struct, or `None` when at least one is wrong; each error is
    /// added to `errors`, at its location below `at`.
    fn from_fields(fields: &impl Fields, at: &Loc<'_>, errors: &mut Errors) -> Option<Self>;

    /// `@model_validator(mode="wrap")`.
    const WRAP: Option<Wrap<Self>> = None;

    /// `@model_validator(mode="before")`: what is decoded instead of `input`, `None` for itself.
    ///
    /// # Errors
    /// If it refuses the input.
    fn before(_input: &Value) -> Result<Option<Value>, Invalid> {
        Ok(None)
    }

    /// `@model_validator(mode="after")`.
    ///
    /// # Errors
    /// If it refuses the value.
    fn after(self) -> Result<Self, Invalid> {
        Ok(self)
    }
}

/// What becomes of what has no field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// `extra="ignore"`, as by default.
    Ignored,
    /// `extra="forbid"`: `#[serde(deny_unknown_fields)]`.
    Forbidden,
    /// `extra="allow"`: a field with `#[serde(flatten)]` has it.
    Kept,
}

/// What kind of class a model is in Python.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModelKind {
    /// `BaseModel`; the name of the class.
    Model(&'static str),
    /// `TypedDict`: `#[schema(typed_dict)]`.
    TypedDict,
    /// `@dataclass`: `#[schema(dataclass)]`; the name of the class.
    Dataclass(&'static str),
    /// `NamedTuple`: `#[schema(named_tuple)]`; the name of the class.
    NamedTuple(&'static str),
}

impl ModelKind {
    /// Adds the error of an input that is no object.
    pub(crate) fn refuse<T>(self, input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<T> {
        match self {
            Self::Model(name) if errors.is_json => {
                let msg = format!("Input should be a valid dictionary or instance of {name}");
                errors.add("model_type", at, msg, input, &[("class_name", name.into())])
            }
            Self::Model(_) => {
                let msg = "Input should be a valid dictionary or object to extract fields from";
                errors.add("model_attributes_type", at, msg, input, &[])
            }
            Self::TypedDict => {
                errors.add("dict_type", at, "Input should be a valid dictionary", input, &[])
            }
            Self::Dataclass(name) => {
                let msg = format!("Input should be a dictionary or an instance of {name}");
                errors.add("dataclass_type", at, msg, input, &[("class_name", name.into())])
            }
            Self::NamedTuple(name) => {
                let msg =
                    format!("Input should be a tuple, list, dictionary or an instance of {name}");
                errors.add("named_tuple_type", at, msg, input, &[("class_name", name.into())])
            }
        }
    }
}

/// Where the fields of a [`Model`] come from.
pub trait Fields {
    /// The value of a field, or all its values as a list.
    fn get(&self, name: &Name, all: bool) -> Option<Cow<'_, Value>>;

    /// What the error of a missing field echoes.
    fn whole(&self) -> &Value;

    /// Whether there is nothing that could have fields; then even optional ones are missing.
    fn is_no_object(&self) -> bool {
        false
    }

    /// Since when all names of a field count, if these are parameters.
    fn alias_choices(&self) -> Option<Switch> {
        None
    }

    /// The empty value of a field that must be given, if it counts as one.
    fn empty(&self, _: &Name) -> Option<Cow<'_, Value>> {
        None
    }

    /// What errors call a field.
    fn shown(&self, name: &Name) -> Cow<'static, str> {
        name.text.into()
    }

    /// The object of which what has no field is kept.
    fn object(&self) -> Option<&Object> {
        None
    }

    /// The position of a field in a list, if errors call it by that.
    fn position(&self, _name: &Name) -> Option<usize> {
        None
    }

    /// Whether a union counts those that are given.
    fn are_counted(&self) -> bool {
        true
    }
}

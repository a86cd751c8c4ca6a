//! Models: structs whose fields come from an object or from parameters.

use std::any::type_name;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use indexmap::IndexMap;

use crate::alias_path::{AliasStep, find};
use crate::constraints::Constraints;
use crate::decode::Decode;
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Exactness, Loc};
use crate::invalid::Invalid;
use crate::named_tuple::decode_items;
use crate::text::Text;
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

    /// Decodes every field and gives the struct, or `None` when at least one is wrong; each fault is
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

/// A field as the request may name it.
#[derive(Clone, Copy, Debug)]
pub struct FieldNames {
    /// Its names: the first that is given counts, and errors of an absent one show the first.
    pub names: &'static [Name],
    /// Its name in Python.
    pub own: Name,
    /// Whether parameters of the same name make one value: a list.
    pub is_sequence: bool,
    /// Its default, if the document shows one.
    pub default: Option<fn() -> serde_json::Value>,
}

impl FieldNames {
    /// The names of one that is a parameter: `AliasChoices` were not known to FastAPI.
    pub(crate) fn of_parameter(&self, switch: Switch) -> &[Name] {
        of_parameter(self.names, &self.own, switch)
    }
}

pub(crate) fn of_parameter<'a>(names: &'a [Name], own: &'a Name, switch: Switch) -> &'a [Name] {
    if names.len() > 1 && has(switch) { std::slice::from_ref(own) } else { names }
}

/// A name of a field in a request.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// As it stands in JSON, a query, a cookie or a form.
    pub text: &'static str,
    /// Whether a header has `-` for each `_` in it.
    pub converts_underscores: bool,
    /// `AliasPath`: where the value stands in the object, if that is not at [`Self::text`].
    pub path: &'static [AliasStep],
}

impl Name {
    /// The key of the object in which the value stands.
    fn key(&self) -> &'static str {
        match self.path.first() {
            Some(AliasStep::Key(key)) => key,
            _ => self.text,
        }
    }

    /// The name of the header.
    pub(crate) fn of_header(&self) -> Cow<'static, str> {
        if self.converts_underscores && self.text.contains('_') {
            self.text.replace('_', "-").into()
        } else {
            self.text.into()
        }
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
    fn refuse<T>(self, input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<T> {
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

/// The fields of an object.
struct ObjectFields<'a> {
    fields: &'a Object,
    whole: &'a Value,
    /// They were headers, and errors call them so.
    of_headers: bool,
    are_counted: bool,
}

impl Fields for ObjectFields<'_> {
    fn get(&self, name: &Name, _: bool) -> Option<Cow<'_, Value>> {
        find(self.fields, name)
    }

    fn whole(&self) -> &Value {
        self.whole
    }

    fn shown(&self, name: &Name) -> Cow<'static, str> {
        if self.of_headers { name.of_header() } else { name.text.into() }
    }

    fn object(&self) -> Option<&Object> {
        Some(self.fields)
    }

    fn are_counted(&self) -> bool {
        self.are_counted
    }
}

/// Decodes a model from a value, which must be an object.
pub fn decode_model<M: Model>(input: &Value, at: &Loc<'_>, errors: &mut Errors) -> Option<M> {
    decode_object(input, false, at, errors)
}

pub(crate) fn decode_object<M: Model>(
    input: &Value,
    of_headers: bool,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<M> {
    match M::WRAP {
        None => decode_unwrapped(input, of_headers, at, errors),
        Some(wrap) => crate::wrap::decode(wrap, input, at, errors, |input, errors| {
            decode_unwrapped(input, of_headers, at, errors)
        }),
    }
}

fn decode_unwrapped<M: Model>(
    input: &Value,
    of_headers: bool,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<M> {
    let replaced = match M::before(input) {
        Ok(replaced) => replaced,
        Err(invalid) => return invalid.add(at, input, errors),
    };
    let given = replaced.as_ref().unwrap_or(input);
    let is_tuple = matches!(M::KIND, ModelKind::NamedTuple(_));
    let model = match given {
        Value::Array(items) if is_tuple => {
            errors.within((type_name::<M>(), false), at, given, |errors| {
                decode_items(items, given, at, errors)
            })
        }
        Value::Object(fields) => {
            // In Python an instance of the class would fit better; of `TypedDict` there is none.
            if M::KIND != ModelKind::TypedDict {
                errors.fits(Exactness::Strict);
            }
            errors.within((type_name::<M>(), false), at, given, |errors| {
                if !is_tuple {
                    errors.add_fields_set(0);
                }
                // pydantic looks at every key then, and gives up at one that is no text.
                let reads_every_key =
                    M::EXTRA != Extra::Ignored || matches!(M::KIND, ModelKind::Dataclass(_));
                let mut names = fields.into_iter().map(|(name, _)| name);
                if reads_every_key && let Some(name) = names.find(Text::is_lone) {
                    return errors.not_unicode(at, &Value::Surrogates(name));
                }
                let is_strict = std::mem::replace(&mut errors.is_strict, M::IS_STRICT);
                let fields =
                    ObjectFields { fields, whole: given, of_headers, are_counted: !is_tuple };
                let model = M::from_fields(&fields, at, errors);
                errors.is_strict = is_strict;
                let is_allowed = refuse_extra::<M>(&fields, at, errors);
                model.filter(|_| is_allowed)
            })
        }
        // How deep it is comes before what it is.
        _ => {
            let refuse = |errors: &mut Errors| M::KIND.refuse(given, at, errors);
            return errors.within((type_name::<M>(), false), at, given, refuse);
        }
    }?;
    match model.after() {
        Ok(model) => Some(model),
        Err(invalid) => invalid.add(at, input, errors),
    }
}

/// Adds an error for each key that is no field, if those are forbidden; gives whether there is none.
fn refuse_extra<M: Model>(fields: &ObjectFields<'_>, at: &Loc<'_>, errors: &mut Errors) -> bool {
    let mut is_allowed = true;
    if M::EXTRA != Extra::Forbidden {
        return is_allowed;
    }
    for (name, value) in fields.fields {
        if errors.is_full() {
            return false;
        }
        if !is_field::<M>(fields.fields, &name) {
            let msg = "Extra inputs are not permitted";
            let at = at.field(&name);
            let _: Option<()> = errors.add("extra_forbidden", &at, msg, &value, &[]);
            is_allowed = false;
        }
    }
    is_allowed
}

/// Whether a field is read from the key: no earlier name of it is there.
fn is_field<M: Model>(object: &Object, key: &str) -> bool {
    M::FIELDS.iter().any(|field| {
        // The first name that is given.
        let found = field.names.iter().find(|name| match name.path {
            [] => name.text == key || object.get(name.text).is_some(),
            _ => find(object, name).is_some(),
        });
        found.is_some_and(|name| name.key() == key)
    })
}

/// A type of the field that keeps what has no field: a dictionary of texts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot keep what has no field",
    label = "`#[serde(flatten)]` stands on an `IndexMap`, `HashMap` or `BTreeMap` from `String` to any type"
)]
pub trait KeepsExtra: Default {
    /// What each value must be.
    type Value: Decode;

    /// Adds one.
    fn keep(&mut self, key: String, value: Self::Value);
}

macro_rules! keeps_extra {
    ($([$($generics:tt)*] $map:ty;)*) => {$(
        impl<V: Decode, $($generics)*> KeepsExtra for $map {
            type Value = V;

            fn keep(&mut self, key: String, value: V) {
                self.insert(key, value);
            }
        }
    )*};
}

keeps_extra! {
    [S: BuildHasher + Default] IndexMap<String, V, S>;
    [S: BuildHasher + Default] HashMap<String, V, S>;
    [] BTreeMap<String, V>;
}

/// Decodes what has no field; the derive calls it for the field that keeps it.
pub fn decode_extra<M: Model, X: KeepsExtra>(
    fields: &impl Fields,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<X> {
    let (mut extra, start) = (X::default(), errors.len());
    for (name, value) in fields.object()? {
        if errors.is_full() {
            return None;
        }
        if is_field::<M>(fields.object()?, &name) {
            continue;
        }
        if let Some(value) = X::Value::decode(&value, &Constraints::NONE, &at.field(&name), errors)
        {
            extra.keep(name.into(), value);
        }
    }
    (errors.len() == start).then_some(extra)
}

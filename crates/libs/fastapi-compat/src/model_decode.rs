//! Decoding a model from an object, or a named tuple from a list.

use std::any::type_name;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use indexmap::IndexMap;

use crate::constraints::Constraints;
use crate::decode::Decode;
use crate::errors::{Errors, Exactness, Loc};
use crate::field_names::Name;
use crate::model::{Extra, Fields, Model, ModelKind};
use crate::named_tuple::decode_items;
use crate::text::Text;
use crate::value::{Object, Value};

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
        name.find(self.fields)
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
            _ => name.find(object).is_some(),
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

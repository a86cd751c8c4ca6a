//! `frozenset`, `deque`, `tuple[T, ...]` and `Sequence`: lists and sets of other names in Python.

use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::ops::{Deref, DerefMut};

use serde::{Deserialize, Serialize};

use super::collections::{
    Class, decode_list, decode_set, has_allowed_length, stops_early, too_long, too_short,
};
use crate::constraints::{Accepts, Constraints};
use crate::decode::Decode;
use crate::errors::{Errors, Exactness, Loc};
use crate::openapi::{self, RefOrSchema};
use crate::value::Value;

/// Python's `frozenset[T]`, in the order of its values, where Python has none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent, bound(deserialize = "T: Deserialize<'de> + Ord"))]
pub struct FrozenSet<T>(pub BTreeSet<T>);

/// Python's `deque[T]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Deque<T>(pub VecDeque<T>);

/// Python's `tuple[T, ...]`: a tuple of any length.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VariadicTuple<T>(pub Vec<T>);

/// Python's `Sequence[T]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sequence<T>(pub Vec<T>);

macro_rules! wrappers {
    ($($name:ident $inner:ident [$($bounds:tt)*];)*) => {$(
        impl<T> Deref for $name<T> {
            type Target = $inner<T>;

            fn deref(&self) -> &Self::Target {
                &self.0
            }
        }

        impl<T> DerefMut for $name<T> {
            fn deref_mut(&mut self) -> &mut Self::Target {
                &mut self.0
            }
        }

        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self($inner::new())
            }
        }

        impl<T $($bounds)*> FromIterator<T> for $name<T> {
            fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
                Self(items.into_iter().collect())
            }
        }

        impl<T> IntoIterator for $name<T> {
            type Item = T;
            type IntoIter = <$inner<T> as IntoIterator>::IntoIter;

            fn into_iter(self) -> Self::IntoIter {
                self.0.into_iter()
            }
        }

        impl<'a, T> IntoIterator for &'a $name<T> {
            type Item = &'a T;
            type IntoIter = <&'a $inner<T> as IntoIterator>::IntoIter;

            fn into_iter(self) -> Self::IntoIter {
                self.0.iter()
            }
        }
    )*};
}

wrappers! {
    FrozenSet BTreeSet [: Ord];
    Deque VecDeque [];
    VariadicTuple Vec [];
    Sequence Vec [];
}

const FROZEN_SET: Class = Class {
    kind: "frozen_set_type",
    message: "Input should be a valid frozenset",
    name: "Frozenset",
};
const DEQUE: Class =
    Class { kind: "deque_type", message: "Input should be a valid deque", name: "Deque" };

/// The part of [`Decode`] in which they differ.
macro_rules! decode {
    ($name:ident [$($bounds:tt)*], $is_set:literal, $label:literal, $accepts:expr,
        |$input:ident, $constraints:ident, $at:ident, $errors:ident| $decode:expr) => {
        impl<T: Decode $($bounds)*> Decode for $name<T> {
            const ACCEPTS: Accepts = $accepts;
            const SEQUENCE: bool = true;

            fn json_schema() -> RefOrSchema {
                openapi::array(T::json_schema(), $is_set)
            }

            fn name(_: &Constraints) -> Cow<'static, str> {
                format!($label, T::name(&Constraints::NONE)).into()
            }

            fn decode(
                $input: &Value,
                $constraints: &Constraints,
                $at: &Loc<'_>,
                $errors: &mut Errors,
            ) -> Option<Self> {
                $decode
            }

            fn meets(&self, constraints: &Constraints) -> bool {
                has_allowed_length(self.len(), constraints)
            }
        }
    };
}

decode!(FrozenSet [+ Ord], true, "frozenset[{}]", Accepts::LENGTH, |input, constraints, at, errors| {
    decode_set(&FROZEN_SET, BTreeSet::len, input, constraints, at, errors).map(Self)
});

decode!(Deque [], false, "deque[{}]", Accepts::LENGTH, |input, constraints, at, errors| {
    errors.fits(Exactness::Lax);
    decode_list(&DEQUE, input, constraints, at, errors).map(|items| Self(items.into()))
});

decode!(VariadicTuple [], false, "tuple[{}, ...]", Accepts::LENGTH, |input, constraints, at, errors| {
    errors.fits(Exactness::Lax);
    let Value::Array(items) = input else {
        return errors.add("tuple_type", at, "Input should be a valid tuple", input, &[]);
    };
    let start = errors.len();
    let mut tuple = Vec::new();
    for (index, item) in items.iter().enumerate() {
        tuple.extend(T::decode(&item, &Constraints::NONE, &at.index(index), errors));
        // Only valid items count.
        if let Some(max) = constraints.max_length.filter(|&max| tuple.len() > max) {
            errors.truncate(start);
            return too_long("Tuple", max, Some(items.len()), input, at, errors);
        }
        if stops_early(constraints, errors) {
            break;
        }
    }
    if let Some(min) = constraints.min_length.filter(|&min| tuple.len() < min) {
        return too_short("Tuple", min, tuple.len(), input, at, errors);
    }
    (errors.len() == start).then_some(Self(tuple))
});

decode!(Sequence [], false, "json-or-python[json=list[{0}],python=chain[is-instance[Sequence],\
    function-wrap[sequence_validator()]]]", Accepts::LENGTH, |input, constraints, at, errors| {
    match input {
        Value::Array(_) => {}
        _ if errors.is_json => {}
        Value::Str(_) | Value::Surrogates(_) => {
            let msg = "'str' instances are not allowed as a Sequence value";
            return errors.add("sequence_str", at, msg, input, &[("type_name", "str".into())]);
        }
        _ => {
            let msg = "Input should be an instance of Sequence";
            return errors.add("is_instance_of", at, msg, input, &[("class", "Sequence".into())]);
        }
    }
    let items: Vec<T> = Vec::decode(input, &Constraints::NONE, at, errors)?;
    if let Some(min) = constraints.min_length.filter(|&min| items.len() < min) {
        return too_short("Value", min, items.len(), input, at, errors);
    }
    match constraints.max_length.filter(|&max| items.len() > max) {
        Some(max) => too_long("Value", max, Some(items.len()), input, at, errors),
        None => Some(Self(items)),
    }
});

//! `list`, `set`, `dict` and `tuple`.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{BuildHasher, Hash};

use indexmap::IndexMap;

use super::text::plural;
use crate::constraints::{Accepts, Constraints};
use crate::decode::{Decode, NO_PATH_PARAMETER, decode_path_parameter};
use crate::dialect::{Switch, has};
use crate::errors::{Errors, Exactness, Loc};
use crate::matched::PathParams;
use crate::openapi::{self, OperationDocument, RefOrSchema};
use crate::value::Value;

/// Adds `too_long`; `actual` is unknown where duplicates don't count.
pub(crate) fn too_long<T>(
    field_type: &'static str,
    max: usize,
    actual: Option<usize>,
    input: &Value,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<T> {
    let more = actual.map_or("more".into(), |actual| actual.to_string());
    let msg = format!(
        "{field_type} should have at most {max} item{} after validation, not {more}",
        plural(max)
    );
    let ctx = [
        ("field_type", field_type.into()),
        ("max_length", max.into()),
        ("actual_length", actual.map_or(Value::Null, Into::into)),
    ];
    errors.add("too_long", at, msg, input, &ctx)
}

pub(super) fn too_short<T>(
    field_type: &'static str,
    min: usize,
    actual: usize,
    input: &Value,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<T> {
    let msg = format!(
        "{field_type} should have at least {min} item{} after validation, not {actual}",
        plural(min)
    );
    let ctx = [
        ("field_type", field_type.into()),
        ("min_length", min.into()),
        ("actual_length", actual.into()),
    ];
    errors.add("too_short", at, msg, input, &ctx)
}

/// Whether the rest of a collection cannot change the answer: it has as many errors as it may have,
/// and there is no length beyond which they would not count.
pub(super) fn stops_early(constraints: &Constraints, errors: &Errors) -> bool {
    errors.is_full() && constraints.max_length.is_none()
}

pub(super) fn has_allowed_length(length: usize, constraints: &Constraints) -> bool {
    constraints.min_length.is_none_or(|min| length >= min)
        && constraints.max_length.is_none_or(|max| length <= max)
}

/// A kind of Python's collections, in the words of its errors.
pub(super) struct Class {
    /// The type of the error of what is none.
    pub kind: &'static str,
    pub message: &'static str,
    /// What errors of its length call it.
    pub name: &'static str,
}

const LIST: Class =
    Class { kind: "list_type", message: "Input should be a valid list", name: "List" };
const SET: Class = Class { kind: "set_type", message: "Input should be a valid set", name: "Set" };

/// Decodes the items of a list in their order.
pub(super) fn decode_list<T: Decode>(
    class: &Class,
    input: &Value,
    constraints: &Constraints,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<Vec<T>> {
    let Value::Array(items) = input else {
        return errors.add(class.kind, at, class.message, input, &[]);
    };
    let start = errors.len();
    let mut list = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let item = T::decode(&item, &Constraints::NONE, &at.index(index), errors);
        if let Some(max) = constraints.max_length.filter(|&max| index >= max) {
            errors.truncate(start);
            return too_long(class.name, max, Some(items.len()), input, at, errors);
        }
        if errors.len() == start {
            list.extend(item);
        } else if stops_early(constraints, errors) {
            break;
        }
    }
    if errors.len() > start {
        return None;
    }
    match constraints.min_length.filter(|&min| list.len() < min) {
        Some(min) => too_short(class.name, min, list.len(), input, at, errors),
        None => Some(list),
    }
}

/// Decodes the items of a list into a set.
pub(super) fn decode_set<T: Decode, S: Default + Extend<T>>(
    class: &Class,
    length: fn(&S) -> usize,
    input: &Value,
    constraints: &Constraints,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<S> {
    errors.fits(Exactness::Lax);
    let Value::Array(items) = input else {
        return errors.add(class.kind, at, class.message, input, &[]);
    };
    let start = errors.len();
    let mut set = S::default();
    for (index, item) in items.iter().enumerate() {
        set.extend(T::decode(&item, &Constraints::NONE, &at.index(index), errors));
        if stops_early(constraints, errors) {
            break;
        }
        if let Some(max) = constraints.max_length.filter(|&max| length(&set) > max) {
            errors.truncate(start);
            return too_long(class.name, max, None, input, at, errors);
        }
    }
    if errors.len() > start {
        return None;
    }
    match constraints.min_length.filter(|&min| length(&set) < min) {
        Some(min) => too_short(class.name, min, length(&set), input, at, errors),
        None => Some(set),
    }
}

impl<T: Decode> Decode for Vec<T> {
    const ACCEPTS: Accepts = Accepts::LENGTH.and(T::ACCEPTS.in_strict());
    const SEQUENCE: bool = true;

    fn json_schema() -> RefOrSchema {
        openapi::array(T::json_schema(), false)
    }

    fn name(_: &Constraints) -> Cow<'static, str> {
        format!("list[{}]", T::name(&Constraints::NONE)).into()
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        decode_list(&LIST, input, constraints, at, errors)
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        has_allowed_length(self.len(), constraints)
    }
}

/// Sets of Rust, which have other names and other orders than Python's.
macro_rules! set {
    ($(#[$doc:meta])* $set:ty, [$($generics:tt)*]) => {
$(#[$doc])*
impl<$($generics)*> Decode for $set {
    const ACCEPTS: Accepts = Accepts::LENGTH;
    const SEQUENCE: bool = true;

    fn json_schema() -> RefOrSchema {
        openapi::array(T::json_schema(), true)
    }

    fn name(_: &Constraints) -> Cow<'static, str> {
        format!("set[{}]", T::name(&Constraints::NONE)).into()
    }

    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self> {
        decode_set(&SET, Self::len, input, constraints, at, errors)
    }

    fn meets(&self, constraints: &Constraints) -> bool {
        has_allowed_length(self.len(), constraints)
    }
}
    };
}

set!(
    /// A set: in the order of its values, where Python has none.
    BTreeSet<T>, [T: Decode + Ord]
);
set!(
    /// A set without an order.
    HashSet<T, S>, [T: Decode + Hash + Eq, S: BuildHasher + Default]
);

/// Decodes the entries of a dictionary in their order.
fn decode_entries<K: Decode, V: Decode, M: Extend<(K, V)>>(
    map: &mut M,
    length: fn(&M) -> usize,
    input: &Value,
    constraints: &Constraints,
    at: &Loc<'_>,
    errors: &mut Errors,
) -> Option<()> {
    let Value::Object(fields) = input else {
        return errors.add("dict_type", at, "Input should be a valid dictionary", input, &[]);
    };
    let start = errors.len();
    let max = constraints.max_length;
    let is_counted_last = has(Switch::DictionariesAreCountedLast);
    for (name, value) in fields {
        if stops_early(constraints, errors) {
            break;
        }
        let at_value = at.field(&name);
        let text = if name.is_lone() { Value::Surrogates } else { Value::Str };
        let key = text(name.clone());
        let key = K::decode(&key, &Constraints::NONE, &at_value.field("[key]"), errors);
        let value = V::decode(&value, &Constraints::NONE, &at_value, errors);
        if let (Some(key), Some(value)) = (key, value) {
            map.extend([(key, value)]);
            if let Some(max) = max.filter(|&max| length(map) > max && !is_counted_last) {
                errors.truncate(start);
                return too_long("Dictionary", max, None, input, at, errors);
            }
        }
    }
    if errors.len() > start {
        return None;
    }
    if let Some(max) = max.filter(|&max| length(map) > max) {
        return too_long("Dictionary", max, Some(length(map)), input, at, errors);
    }
    match constraints.min_length.filter(|&min| length(map) < min) {
        Some(min) => too_short("Dictionary", min, length(map), input, at, errors),
        None => Some(()),
    }
}

macro_rules! dictionary {
    ($map:ty, [$($generics:tt)*]) => {
        impl<$($generics)*> Decode for $map {
            // Keys are texts, which strictly are nothing else.
            const ACCEPTS: Accepts = if K::ACCEPTS.has(Accepts::TEXT) {
                Accepts::LENGTH.and(V::ACCEPTS.in_strict())
            } else {
                Accepts::LENGTH
            };

            fn json_schema() -> RefOrSchema {
                openapi::dictionary(K::json_schema(), V::json_schema())
            }

            fn name(_: &Constraints) -> Cow<'static, str> {
                let none = &Constraints::NONE;
                format!("dict[{},{}]", K::name(none), V::name(none)).into()
            }

            fn decode(
                input: &Value,
                constraints: &Constraints,
                at: &Loc<'_>,
                errors: &mut Errors,
            ) -> Option<Self> {
                let mut map = Self::default();
                decode_entries(&mut map, Self::len, input, constraints, at, errors)?;
                Some(map)
            }

            fn meets(&self, constraints: &Constraints) -> bool {
                has_allowed_length(self.len(), constraints)
            }
        }
    };
}

dictionary!(IndexMap<K, V, S>, [K: Decode + Hash + Eq, V: Decode, S: BuildHasher + Default]);
dictionary!(HashMap<K, V, S>, [K: Decode + Hash + Eq, V: Decode, S: BuildHasher + Default]);
dictionary!(BTreeMap<K, V>, [K: Decode + Ord, V: Decode]);

macro_rules! tuple {
    ($length:literal, $($T:ident $value:ident $index:tt),*) => {
        impl<$($T: Decode),*> Decode for ($($T,)*) {
            const ACCEPTS: Accepts = Accepts::NONE;
            const SEQUENCE: bool = true;
            const PATH_PARAMETERS: usize =
                if false $(|| $T::PATH_PARAMETERS == NO_PATH_PARAMETER)* {
                    NO_PATH_PARAMETER
                } else {
                    $length
                };

            fn decode_path(parameters: &PathParams, errors: &mut Errors) -> Option<Self> {
                $(let $value = decode_path_parameter::<$T>(parameters, $index, errors);)*
                Some(($($value?,)*))
            }

            fn describe_path(operation: &mut OperationDocument<'_>) {
                $(operation.path_parameter($T::json_schema());)*
            }

            fn json_schema() -> RefOrSchema {
                openapi::tuple([$($T::json_schema()),*])
            }

            fn name(_: &Constraints) -> Cow<'static, str> {
                let names = [$($T::name(&Constraints::NONE)),*];
                format!("tuple[{}]", names.join(", ")).into()
            }

            fn decode(
                input: &Value,
                _: &Constraints,
                at: &Loc<'_>,
                errors: &mut Errors,
            ) -> Option<Self> {
                errors.fits(Exactness::Lax);
                let Value::Array(items) = input else {
                    return errors.add("tuple_type", at, "Input should be a valid tuple", input, &[]);
                };
                let start = errors.len();
                let mut items_left = items.iter();
                $(let $value: Option<$T> = match items_left.next() {
                    Some(item) => {
                        $T::decode(&item, &Constraints::NONE, &at.index($index), errors)
                    }
                    None => errors.missing(&at.index($index), input),
                };)*
                if items_left.next().is_some() {
                    errors.truncate(start);
                    return too_long("Tuple", $length, Some(items.len()), input, at, errors);
                }
                Some(($($value?,)*))
            }
        }
    };
}

tuple!(1, A a 0);
tuple!(2, A a 0, B b 1);
tuple!(3, A a 0, B b 1, C c 2);
tuple!(4, A a 0, B b 1, C c 2, D d 3);
tuple!(5, A a 0, B b 1, C c 2, D d 3, E e 4);
tuple!(6, A a 0, B b 1, C c 2, D d 3, E e 4, F f 5);
tuple!(7, A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6);
tuple!(8, A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7);
tuple!(9, A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8);
tuple!(10, A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9);
tuple!(11, A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10);
tuple!(12, A a 0, B b 1, C c 2, D d 3, E e 4, F f 5, G g 6, H h 7, I i 8, J j 9, K k 10, L l 11);

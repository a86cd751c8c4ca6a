//! Schemas of types of other crates, and of what may hold them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::marker::PhantomData;

use indexmap::IndexMap;
use utoipa::__dev::ComposeSchema;
use utoipa::openapi::{RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use uuid::Uuid;

use super::collection;
use super::documented::{Documented, Foreign};
use super::library_types::text;
#[cfg(feature = "json-text")]
use super::shapes::json_text;
use super::shapes::{array, dictionary, optional, tuple};
use super::visit::typed;
use crate::optional::Patch;
use crate::selected::Selected;
#[cfg(feature = "json-text")]
use crate::types::JsonText;
use crate::types::{Deque, FrozenSet, Sequence, VariadicTuple};

macro_rules! foreign {
    ($([$($generics:tt)*] $type:ty, $via:ty => $schema:expr;)*) => {$(
        impl<$($generics)*> Foreign<$via> for $type {
            fn foreign_schema() -> RefOr<Schema> {
                $schema
            }
        }
    )*};
}

/// A map with a foreign value, or with a foreign key and any value.
#[derive(Debug)]
pub struct ViaValue<Via>(PhantomData<Via>);

#[cfg(feature = "json-text")]
foreign! {
    [T: Documented<Via>, Via] JsonText<T>, Via => json_text(T::schema());
}

foreign! {
    [] Uuid, () => text("uuid").into();
    [] Cow<'_, str>, () => typed(Type::String).into();
    [T: Documented<Via>, Via] &T, Via => T::schema();
    [T: Foreign<Via>, Via] Box<T>, Via => T::foreign_schema();
    [T: Foreign<Via>, Via] Option<T>, Via => optional(T::foreign_schema());
    [T: Foreign<Via>, Via] Vec<T>, Via => array(T::foreign_schema(), false);
    [T: Documented<Via>, Via] Selected<T>, Via => T::schema();
    [T: Documented<Via>, Via] FrozenSet<T>, Via => array(T::schema(), true);
    [T: Documented<Via>, Via] Deque<T>, Via => array(T::schema(), false);
    [T: Documented<Via>, Via] VariadicTuple<T>, Via => array(T::schema(), false);
    [T: Documented<Via>, Via] Sequence<T>, Via => array(T::schema(), false);
    [T: Foreign<Via>, Via] BTreeSet<T>, Via => array(T::foreign_schema(), true);
    [T: Foreign<Via>, Via, S] HashSet<T, S>, Via => array(T::foreign_schema(), true);
    [K: ToSchema, V: Foreign<Via>, Via, S] HashMap<K, V, S>, ViaValue<Via> =>
        dictionary(collection::documented::<K>(), V::foreign_schema());
    [K: ToSchema, V: Foreign<Via>, Via] BTreeMap<K, V>, ViaValue<Via> =>
        dictionary(collection::documented::<K>(), V::foreign_schema());
    [K: ToSchema, V: Foreign<Via>, Via] IndexMap<K, V>, ViaValue<Via> =>
        dictionary(collection::documented::<K>(), V::foreign_schema());
    [K: Foreign<Via>, V: Documented<OfValue>, Via, OfValue, S] HashMap<K, V, S>, (Via, OfValue) =>
        dictionary(K::foreign_schema(), V::schema());
    [K: Foreign<Via>, V: Documented<OfValue>, Via, OfValue] BTreeMap<K, V>, (Via, OfValue) =>
        dictionary(K::foreign_schema(), V::schema());
    [K: Foreign<Via>, V: Documented<OfValue>, Via, OfValue] IndexMap<K, V>, (Via, OfValue) =>
        dictionary(K::foreign_schema(), V::schema());
}

#[cfg(feature = "datetime")]
foreign! {
    [] chrono::DateTime<chrono::Utc>, () => text("date-time").into();
}

macro_rules! tuple {
    ($($T:ident $Via:ident)*) => {
        impl<$($T: Documented<$Via>, $Via),*> Foreign<($($Via,)*)> for ($($T,)*) {
            fn foreign_schema() -> RefOr<Schema> {
                tuple([$($T::schema()),*])
            }
        }
    };
}

tuple!(A ViaA);
tuple!(A ViaA B ViaB);
tuple!(A ViaA B ViaB C ViaC);
tuple!(A ViaA B ViaB C ViaC D ViaD);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG H ViaH);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG H ViaH I ViaI);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG H ViaH I ViaI J ViaJ);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG H ViaH I ViaI J ViaJ K ViaK);
tuple!(A ViaA B ViaB C ViaC D ViaD E ViaE F ViaF G ViaG H ViaH I ViaI J ViaJ K ViaK L ViaL);

/// As of an `Option`.
impl<T: ComposeSchema> ComposeSchema for Patch<T> {
    fn compose(generics: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        Option::<T>::compose(generics)
    }
}

impl<T: ToSchema> ToSchema for Patch<T>
where
    Self: PartialSchema,
{
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl<T: Foreign<Via>, Via> Foreign<Via> for Patch<T> {
    fn foreign_schema() -> RefOr<Schema> {
        optional(T::foreign_schema())
    }
}

//! Answers with some of the fields of a model: `response_model_include`, `response_model_exclude`.

use std::fmt::Display;

use serde::ser::{Serialize, SerializeMap, SerializeStruct, Serializer};

/// What has fields of which an answer may leave some out: structs with named fields, by the derives.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no fields of which some could be left out",
    label = "a struct with named fields and `#[derive(Decode)]` or `#[derive(Schema)]` has some; in a \
             list each item is a `Selected`"
)]
pub trait Fielded {
    /// The fields' names in Rust, and as they are written.
    const NAMES: &'static [(&'static str, &'static str)];
}

/// A model of which an answer has only some fields, as with `response_model_include` and
/// `response_model_exclude`: the document describes the whole of it.
///
/// Fields are called as in Rust; what is no field is passed over, as by FastAPI.
///
/// ```
/// use fastapi_compat::{Json, Schema, Selected, get};
/// use serde::Serialize;
///
/// #[derive(Schema, Serialize)]
/// struct User {
///     name: String,
///     email: String,
/// }
///
/// #[get("/users/me", id = "me")]
/// async fn me() -> Json<Selected<User>> {
///     let user = User { name: "a".to_owned(), email: "a@example.com".to_owned() };
///     Json(Selected::exclude(user, &["email"]))
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Selected<T> {
    value: T,
    names: &'static [&'static str],
    are_included: bool,
}

impl<T: Fielded> Selected<T> {
    /// Only these fields.
    pub fn include(value: T, names: &'static [&'static str]) -> Self {
        Self { value, names, are_included: true }
    }

    /// All but these fields.
    pub fn exclude(value: T, names: &'static [&'static str]) -> Self {
        Self { value, names, are_included: false }
    }
}

impl<T: Serialize + Fielded> Serialize for Selected<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { names, are_included, .. } = *self;
        self.value.serialize(Filter { inner: serializer, names, are_included, fields: T::NAMES })
    }
}

/// Writes a struct, or a map that stands for one, without some of its fields.
struct Filter<S> {
    inner: S,
    names: &'static [&'static str],
    are_included: bool,
    fields: &'static [(&'static str, &'static str)],
}

impl<S> Filter<S> {
    fn has(&self, written: &str) -> bool {
        let field = self.fields.iter().find(|(_, name)| *name == written);
        // What has no field is called as it is written.
        let name = field.map_or(written, |(name, _)| name);
        self.names.contains(&name) == self.are_included
    }
}

impl<S: SerializeStruct> SerializeStruct for Filter<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), S::Error> {
        if self.has(key) { self.inner.serialize_field(key, value) } else { Ok(()) }
    }

    fn skip_field(&mut self, key: &'static str) -> Result<(), S::Error> {
        self.inner.skip_field(key)
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.inner.end()
    }
}

/// A model with `#[serde(flatten)]` writes itself as a map.
struct FilterMap<S> {
    filter: Filter<S>,
    is_kept: bool,
}

impl<S: SerializeMap> SerializeMap for FilterMap<S> {
    type Ok = S::Ok;
    type Error = S::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), S::Error> {
        // Keys of models are texts.
        let name = serde_json::to_value(key).map_err(serde::ser::Error::custom)?;
        self.is_kept = name.as_str().is_none_or(|name| self.filter.has(name));
        if self.is_kept { self.filter.inner.serialize_key(key) } else { Ok(()) }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), S::Error> {
        if self.is_kept { self.filter.inner.serialize_value(value) } else { Ok(()) }
    }

    fn end(self) -> Result<S::Ok, S::Error> {
        self.filter.inner.end()
    }
}

/// What is written as it is: no model.
macro_rules! delegated {
    ($($method:ident($($argument:ident: $type:ty),*);)*) => {$(
        fn $method(self $(, $argument: $type)*) -> Result<S::Ok, S::Error> {
            self.inner.$method($($argument),*)
        }
    )*};
}

impl<S: Serializer> Serializer for Filter<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = S::SerializeSeq;
    type SerializeTuple = S::SerializeTuple;
    type SerializeTupleStruct = S::SerializeTupleStruct;
    type SerializeTupleVariant = S::SerializeTupleVariant;
    type SerializeMap = FilterMap<S::SerializeMap>;
    type SerializeStruct = Filter<S::SerializeStruct>;
    type SerializeStructVariant = S::SerializeStructVariant;

    delegated! {
        serialize_bool(value: bool);
        serialize_i8(value: i8);
        serialize_i16(value: i16);
        serialize_i32(value: i32);
        serialize_i64(value: i64);
        serialize_i128(value: i128);
        serialize_u8(value: u8);
        serialize_u16(value: u16);
        serialize_u32(value: u32);
        serialize_u64(value: u64);
        serialize_u128(value: u128);
        serialize_f32(value: f32);
        serialize_f64(value: f64);
        serialize_char(value: char);
        serialize_str(value: &str);
        serialize_bytes(value: &[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(name: &'static str);
        serialize_unit_variant(name: &'static str, index: u32, variant: &'static str);
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.serialize_some(value)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_struct(name, value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.inner.serialize_newtype_variant(name, index, variant, value)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<S::SerializeSeq, S::Error> {
        self.inner.serialize_seq(length)
    }

    fn serialize_tuple(self, length: usize) -> Result<S::SerializeTuple, S::Error> {
        self.inner.serialize_tuple(length)
    }

    fn serialize_tuple_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<S::SerializeTupleStruct, S::Error> {
        self.inner.serialize_tuple_struct(name, length)
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<S::SerializeTupleVariant, S::Error> {
        self.inner.serialize_tuple_variant(name, index, variant, length)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let Self { inner, names, are_included, fields } = self;
        let filter = Filter { inner: inner.serialize_map(None)?, names, are_included, fields };
        Ok(FilterMap { filter, is_kept: true })
    }

    fn serialize_struct(
        self,
        name: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStruct, S::Error> {
        let Self { inner, names, are_included, fields } = self;
        let inner = inner.serialize_struct(name, length)?;
        Ok(Filter { inner, names, are_included, fields })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<S::SerializeStructVariant, S::Error> {
        self.inner.serialize_struct_variant(name, index, variant, length)
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.inner.collect_str(value)
    }
}

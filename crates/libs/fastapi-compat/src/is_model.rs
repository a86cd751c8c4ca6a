//! What serde makes of a value, without writing it.

use std::fmt;

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

/// Whether a value is a struct: in FastAPI a model, which pydantic writes.
pub(crate) fn is_model(value: &impl Serialize) -> bool {
    value.serialize(Kind).is_err_and(|kind| kind == Found::Struct)
}

/// Finds out what kind of value there is, and nothing else.
struct Kind;

#[derive(Debug, PartialEq, Eq)]
enum Found {
    Struct,
    Other,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

impl std::error::Error for Found {}

impl serde::ser::Error for Found {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

macro_rules! other {
    ($($method:ident($($argument:ty),*);)*) => {$(
        fn $method(self, $(_: $argument),*) -> Result<(), Found> {
            Err(Found::Other)
        }
    )*};
}

type Nothing = Impossible<(), Found>;

impl Serializer for Kind {
    type Ok = ();
    type Error = Found;
    type SerializeSeq = Nothing;
    type SerializeTuple = Nothing;
    type SerializeTupleStruct = Nothing;
    type SerializeTupleVariant = Nothing;
    type SerializeMap = Nothing;
    type SerializeStruct = Nothing;
    type SerializeStructVariant = Nothing;

    other! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Found> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<(), Found> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Found> {
        Err(Found::Other)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Nothing, Found> {
        Err(Found::Other)
    }

    fn serialize_tuple(self, _: usize) -> Result<Nothing, Found> {
        Err(Found::Other)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Nothing, Found> {
        Err(Found::Other)
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Nothing, Found> {
        Err(Found::Other)
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Nothing, Found> {
        Err(Found::Other)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Nothing, Found> {
        Err(Found::Struct)
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Nothing, Found> {
        Err(Found::Other)
    }
}

//! From a value to a Rust type by pydantic's lax rules, collecting every error.

use std::any::type_name;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::constraints::{Accepts, Constraints};
use crate::errors::{Errors, Exactness, Loc};
use crate::matched::PathParams;
use crate::openapi::{OperationDocument, RefOrSchema};
use crate::value::Value;
use crate::value_serde::SHALLOW;

/// [`Decode::PATH_PARAMETERS`] of a model, which is none: no path has so many.
pub const NO_PATH_PARAMETER: usize = 1000;

/// A type that a request can carry.
///
/// The derive of the same name implements it. A type with rules of its own implements it by hand, and
/// [`decode_by_rules!`](crate::decode_by_rules!) gives it what fields, bodies and documents need besides.
#[diagnostic::on_unimplemented(
    message = "a request cannot carry a value of type `{Self}`",
    label = "add `#[derive(Decode)]` to `{Self}`",
    note = "types of Python that have no counterpart, and what to write instead, are in \
            `fastapi_compat::refused`"
)]
pub trait Decode: Sized {
    /// Whether parameters of the same name make one value of this type: a list.
    const SEQUENCE: bool = false;

    /// Whether it is `bool`, which a form may leave out.
    #[doc(hidden)]
    const IS_CHECKBOX: bool = false;

    /// Whether it is a text with JSON of such a list in it.
    #[doc(hidden)]
    const JSON_OF_SEQUENCE: bool = false;

    /// Which constraints [`Self::decode`] and [`Self::meets`] heed; the derive refuses others on
    /// fields of this type.
    const ACCEPTS: Accepts = Accepts::ALL;

    /// What pydantic calls the type where it names the choices of a union.
    fn name(constraints: &Constraints) -> Cow<'static, str>;

    /// Decodes `input`, or adds what is wrong with it to `errors` and gives `None`.
    fn decode(
        input: &Value,
        constraints: &Constraints,
        at: &Loc<'_>,
        errors: &mut Errors,
    ) -> Option<Self>;

    /// What the value is when its field is absent; `None` if the field is required.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether a value that serde has read meets the constraints, so that [`Self::decode`] would
    /// give the same value.
    fn meets(&self, _constraints: &Constraints) -> bool {
        true
    }

    /// How many parameters of the path `Path<Self>` is: tuples are as many as they have elements.
    #[doc(hidden)]
    const PATH_PARAMETERS: usize = 1;

    #[doc(hidden)]
    fn decode_path(parameters: &PathParams, errors: &mut Errors) -> Option<Self> {
        decode_path_parameter(parameters, 0, errors)
    }

    #[doc(hidden)]
    fn describe_path(operation: &mut OperationDocument<'_>) {
        operation.path_parameter(Self::json_schema());
    }

    /// The schema of the type in the OpenAPI document: for one that has utoipa's trait otherwise than by
    /// [`decode_by_rules!`](crate::decode_by_rules!), `<Self as fastapi_compat::Documented<_>>::schema()`.
    fn json_schema() -> RefOrSchema;
}

/// Decodes a parameter of the path; their number is checked when the router is built.
pub(crate) fn decode_path_parameter<T: Decode>(
    parameters: &PathParams,
    index: usize,
    errors: &mut Errors,
) -> Option<T> {
    let (name, value) = (parameters.names.get(index)?, parameters.values.get(index)?);
    T::decode(value, &Constraints::NONE, &Loc::root("path").field(name), errors)
}

/// Which constraints a type heeds, where the code of a derive cannot know whether a request can
/// carry it: what it heeds, or, of a type that only answers carry, all.
#[derive(Debug)]
pub struct Accepted<T>(PhantomData<T>);

impl<T: Decode> Accepted<T> {
    /// Found before that of the trait.
    pub const ACCEPTS: Accepts = T::ACCEPTS;
}

/// For types without [`Decode`].
pub trait AcceptsAny {
    /// All: such a type is checked by no constraint of ours.
    const ACCEPTS: Accepts = Accepts::ALL;
}

impl<T> AcceptsAny for Accepted<T> {}

/// Decodes a type that may hold its own kind and has no fields; the derive calls it for structs of one
/// value and for unions. `is_alias` is whether Python has no class for it.
pub fn decode_recursive<T>(
    is_alias: bool,
    input: &Value,
    at: &Loc<'_>,
    errors: &mut Errors,
    decode: impl FnOnce(&mut Errors) -> Option<T>,
) -> Option<T> {
    if !is_alias {
        // As of a model: in Python an instance of the class would fit better.
        errors.fits(Exactness::Strict);
    }
    errors.within((type_name::<T>(), is_alias), at, input, decode)
}

/// The name of a type that may hold its own kind without a model between: where it stands in itself,
/// pydantic writes dots.
pub fn recursive_name<T>(name: impl FnOnce() -> Cow<'static, str>) -> Cow<'static, str> {
    thread_local! {
        static NAMED: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    }
    let this = type_name::<T>();
    if NAMED.with_borrow(|named| named.contains(&this)) {
        return "...".into();
    }
    NAMED.with_borrow_mut(|named| named.push(this));
    let name = name();
    NAMED.with_borrow_mut(Vec::pop);
    name
}

/// A type of which a text in the attributes is the default.
#[diagnostic::on_unimplemented(
    message = "the default of a field of type `{Self}` is no text",
    label = "only a `String` has a text for its default",
    note = "write an expression of the type, such as `default = {Self}::new(\"text\")` or \
            `default = {Self}(\"text\".into())`"
)]
pub trait DefaultText {
    /// The default.
    fn of(text: &'static str) -> Self;
}

impl DefaultText for String {
    fn of(text: &'static str) -> Self {
        text.to_owned()
    }
}

/// The default of a field that is written as a text.
pub fn default_text<T: DefaultText>(text: &'static str) -> T {
    T::of(text)
}

/// Reads a field that must be given: serde alone takes an absent `Option` for null.
pub fn required<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    T::deserialize(deserializer)
}

/// serde's way to a type that is decoded by Python's rules.
pub fn deserialize_by_rules<'de, T: Decode, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let mut errors = Errors::default();
    let decoded = T::decode(&value, &Constraints::NONE, &Loc::root("body"), &mut errors);
    // The caller decodes it the slow way then, which gives the errors.
    decoded.ok_or_else(|| serde::de::Error::custom("not by the rules"))
}

/// Gives types that implement [`Decode`] by hand the rest of what the derive gives: serde's `Deserialize`,
/// which reads by the same rules, and utoipa's `ToSchema`, which is [`Decode::json_schema`]. With
/// serde's own derive instead, a body would be read by serde's rules.
///
/// ```
/// use std::borrow::Cow;
///
/// use fastapi_compat::openapi::RefOrSchema;
/// use fastapi_compat::{Constraints, Decode, Errors, Loc, Value, decode_by_rules};
///
/// /// A text or a number, which is written as a text.
/// struct Label(String);
///
/// impl Decode for Label {
///     fn name(_: &Constraints) -> Cow<'static, str> {
///         "str".into()
///     }
///
///     fn decode(
///         input: &Value,
///         _: &Constraints,
///         at: &Loc<'_>,
///         errors: &mut Errors,
///     ) -> Option<Self> {
///         match input {
///             Value::Str(text) => Some(Self(text.to_string())),
///             Value::Int(number) => Some(Self(number.to_string())),
///             _ => errors.add("label", at, "Input should be a text or a number", input, &[]),
///         }
///     }
///
///     fn json_schema() -> RefOrSchema {
///         String::json_schema()
///     }
/// }
///
/// decode_by_rules!(Label);
///
/// #[derive(Decode)]
/// struct Item {
///     label: Label,
/// }
/// ```
#[macro_export]
macro_rules! decode_by_rules {
    ($($type:ty),+ $(,)?) => {$(
        impl<'de> $crate::__private::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::__private::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                $crate::__private::deserialize_by_rules(deserializer)
            }
        }

        impl $crate::__private::utoipa::__dev::ComposeSchema for $type {
            fn compose(
                _: ::std::vec::Vec<$crate::openapi::RefOrSchema>,
            ) -> $crate::openapi::RefOrSchema {
                $crate::__private::inlined::<Self>(<Self as $crate::Decode>::json_schema)
            }
        }

        impl $crate::__private::utoipa::ToSchema for $type {
            fn name() -> ::std::borrow::Cow<'static, str> {
                $crate::__private::component_name(::core::stringify!($type)).into()
            }
        }
    )+};
}

/// The same of a type that takes less in strict models.
#[cfg(feature = "url")]
pub(crate) fn deserialize_strictly<'de, T: Decode, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Value::deserialize(deserializer)?;
    let mut errors = Errors::strict();
    let decoded = T::decode(&value, &Constraints::NONE, &Loc::root("body"), &mut errors);
    decoded.ok_or_else(|| serde::de::Error::custom("not by the rules"))
}

/// Reads a struct from an object and nothing else; serde alone would take a list as well.
pub struct ObjectOnly<T>(PhantomData<T>);

impl<T> ObjectOnly<T> {
    /// A visitor for `Deserializer::deserialize_map`.
    #[expect(clippy::new_without_default, reason = "only the derive's code makes one")]
    pub fn new() -> Self {
        Self(PhantomData)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectOnly<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        let _nested = Nested::new().ok_or_else(|| serde::de::Error::custom("deep"))?;
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

/// Counts how deep models are nested that serde reads: it recurses on the stack of any thread.
struct Nested;

thread_local! {
    static DEPTH: Cell<usize> = const { Cell::new(0) };
}

impl Nested {
    /// `None` if they are nested too deep.
    fn new() -> Option<Self> {
        let depth = DEPTH.get();
        (depth < SHALLOW).then(|| {
            DEPTH.set(depth + 1);
            Self
        })
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        DEPTH.set(DEPTH.get() - 1);
    }
}

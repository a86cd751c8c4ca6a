//! What the attributes find out about the types in a handler's signature, whatever they are called there: an
//! alias of `Call` is one, and another type of that name is none.
//!
//! Inherent items come before those of a trait, so [`Probe<Call<…>>`](Probe) has its own, and every
//! other type what [`Unknown`] has.

use std::marker::PhantomData;

use crate::body::Embedded;
use crate::extract::{Call, Inputs};
use crate::form::Form;
use crate::openapi::{Describe, OperationDocument};
use crate::params::{Cookie, Header, Path, Query};
use crate::response::Json;

/// A type of an argument.
#[derive(Debug)]
pub struct Probe<T: ?Sized>(PhantomData<fn() -> Box<T>>);

/// What is so of types of which nothing is known.
pub trait Unknown {
    /// Whether it is [`Call`].
    const IS_CALL: bool = false;
    /// Whether it is one of our inputs, outside of [`Call`].
    const IS_INPUT: bool = false;
    /// Whether it stands in the document.
    const IS_DESCRIBED: bool = false;
    /// Whether it is an extractor of axum's that stands in the document.
    const IS_OF_AXUM: bool = false;
    /// How many parameters of the path it takes.
    const PATH_PARAMETERS: usize = 0;
    /// Describes it.
    const DESCRIBE: fn(&mut OperationDocument<'_>) = |_| {};

    /// Compiles if the types in it are what they must be.
    fn check(&self) {}
}

impl<T: ?Sized> Unknown for Probe<T> {}

impl<T: ?Sized> Probe<T> {
    /// A probe of the type.
    #[expect(clippy::new_without_default, reason = "only the attributes' code makes one")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<T: Describe> Probe<T> {
    /// It is known to the document.
    pub const IS_DESCRIBED: bool = true;
    /// How many parameters of the path it takes.
    pub const PATH_PARAMETERS: usize = T::PATH_PARAMETERS;
    /// Describes it.
    pub const DESCRIBE: fn(&mut OperationDocument<'_>) = T::describe;
}

impl<D, I> Probe<Call<D, I>> {
    /// It is a `Call`.
    pub const IS_CALL: bool = true;

    /// Compiles if the dependency and the inputs are what they must be.
    pub const fn check(&self)
    where
        D: Describe,
        I: Inputs,
    {
    }
}

macro_rules! inputs {
    ($($input:ident),*) => {$(
        impl<T> Probe<$input<T>> {
            /// It is an input.
            pub const IS_INPUT: bool = true;
        }
    )*};
}

inputs!(Path, Query, Header, Cookie, Json, Embedded, Form);

macro_rules! of_axum {
    ($($extractor:ty),*) => {$(
        impl<T> Probe<$extractor> {
            /// It is an extractor of axum's.
            pub const IS_OF_AXUM: bool = true;
        }
    )*};
}

of_axum!(axum::extract::Path<T>);
#[cfg(feature = "axum-extractors")]
of_axum!(axum::extract::Query<T>, axum::extract::Form<T>, axum::Json<T>);

/// The type of an answer.
#[derive(Debug)]
pub struct AnswerProbe<T>(PhantomData<fn() -> T>);

/// What is so of answers of which nothing is known.
pub trait UnknownAnswer {
    /// Whether the handler chooses the status.
    const SETS_STATUS: bool = false;
}

impl<T> UnknownAnswer for AnswerProbe<T> {}

impl<T> AnswerProbe<(http::StatusCode, T)> {
    /// The handler chooses the status.
    pub const SETS_STATUS: bool = true;
}

impl<T, E> AnswerProbe<Result<(http::StatusCode, T), E>> {
    /// The handler chooses the status.
    pub const SETS_STATUS: bool = true;
}

/// How values of a type are written.
#[derive(Debug)]
pub struct Written<T>(PhantomData<fn() -> T>);

/// What is so of types that are written as pydantic writes them, as far as is known.
pub trait WrittenByRules {
    /// Whether chrono writes it.
    const BY_CHRONO: bool = false;
}

impl<T> WrittenByRules for Written<T> {}

#[cfg(feature = "datetime")]
impl Written<chrono::DateTime<chrono::Utc>> {
    /// chrono writes it.
    pub const BY_CHRONO: bool = true;
}

//! What handlers answer, in the document.

use axum::body::Body;
use axum::response::{Html, Redirect, Response};
use http::{HeaderMap, StatusCode};
use utoipa::openapi::Type;
use utoipa::openapi::schema::SchemaType;

use super::collection;
use super::dialect::{name, title};
use super::documented::Documented;
use super::operation::{Describe, OperationDocument};
use super::visit::typed;
use crate::background::Background;
use crate::cookie::{SetCookie, SetCookies};
use crate::encoded::Encoded;
#[cfg(feature = "files")]
use crate::file::FileResponse;
use crate::response::{Json, MediaResponse, MediaType, NoContent, RedirectResponse};

impl<T: Documented<Via>, Via> Describe<Via> for Answer<Json<T>> {
    fn describe(operation: &mut OperationDocument<'_>) {
        let mut schema = collection::output(T::schema);
        if schema == utoipa::openapi::schema::empty().into() {
            // `-> None`
            schema = typed(SchemaType::AnyValue).into();
        } else {
            name(&mut schema, &format!("Response {}", title(operation.id)));
        }
        operation.answer("application/json", schema);
    }
}

/// An answer whose status the handler chooses: the document has the attribute's.
impl<T, Via> Describe<Via> for Answer<(StatusCode, T)>
where
    Answer<T>: Describe<Via>,
{
    fn describe(operation: &mut OperationDocument<'_>) {
        Answer::<T>::describe(operation);
    }
}

/// What a handler answers, as against what it is given: `Json` is either.
#[derive(Debug)]
pub struct Answer<T>(T);

impl<T, E, Via> Describe<Via> for Answer<Result<T, E>>
where
    Answer<T>: Describe<Via>,
{
    fn describe(operation: &mut OperationDocument<'_>) {
        Answer::<T>::describe(operation);
    }
}

impl<T> Describe for Answer<Html<T>> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.answer("text/html", typed(Type::String).into());
    }
}

/// `PlainTextResponse`
impl Describe for Answer<String> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.answer("text/plain", typed(Type::String).into());
    }
}

/// `PlainTextResponse`
impl Describe for Answer<&'static str> {
    fn describe(operation: &mut OperationDocument<'_>) {
        Answer::<String>::describe(operation);
    }
}

/// Answers without a type: nothing, a file or a stream, and being sent elsewhere.
macro_rules! untyped_answers {
    ($($type:ty),*) => {$(
        impl Describe for Answer<$type> {
            fn describe(operation: &mut OperationDocument<'_>) {
                operation.untyped_answer();
            }
        }
    )*};
}

untyped_answers!(NoContent, Body, Redirect);

/// `RedirectResponse`, whose status is 307 unless the attribute has another one.
impl Describe for Answer<RedirectResponse> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.default_status(StatusCode::TEMPORARY_REDIRECT);
        operation.untyped_answer();
    }
}

/// `FileResponse`
#[cfg(feature = "files")]
impl Describe for Answer<FileResponse> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.untyped_answer();
    }
}

/// A response class with a media type.
impl<M: MediaType> Describe for Answer<MediaResponse<M>> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.answer(M::MEDIA_TYPE, typed(Type::String).into());
    }
}

/// An answer with cookies.
macro_rules! answers_with {
    ($($part:ty),*) => {$(
        impl<T, Via> Describe<Via> for Answer<($part, T)>
        where
            Answer<T>: Describe<Via>,
        {
            fn describe(operation: &mut OperationDocument<'_>) {
                Answer::<T>::describe(operation);
            }
        }
    )*};
}

answers_with!(SetCookie, SetCookies, HeaderMap);

/// An answer with a task behind it.
impl<T, Via> Describe<Via> for Answer<Background<T>>
where
    Answer<T>: Describe<Via>,
{
    fn describe(operation: &mut OperationDocument<'_>) {
        Answer::<T>::describe(operation);
    }
}

/// An answer of which nothing is known.
impl Describe for Answer<Response> {
    fn describe(operation: &mut OperationDocument<'_>) {
        operation.answer("application/json", typed(SchemaType::AnyValue).into());
    }
}

/// An answer without a return type.
impl<T> Describe for Answer<Encoded<T>> {
    fn describe(operation: &mut OperationDocument<'_>) {
        Answer::<Response>::describe(operation);
    }
}

/// An answer with headers.
impl<H, V, const N: usize, T, Via> Describe<Via> for Answer<([(H, V); N], T)>
where
    Answer<T>: Describe<Via>,
{
    fn describe(operation: &mut OperationDocument<'_>) {
        Answer::<T>::describe(operation);
    }
}

//! Dependencies with inputs and dependencies of their own.

use std::future::Future;

use axum::extract::{FromRef, FromRequestParts};
use axum::response::{IntoResponse, Response};
use http::request::Parts;

use crate::errors::Errors;
use crate::extract::{Dependency, Inputs, alone};
use crate::openapi::{Describe, OperationDocument};
use crate::security::SecurityScopes;

/// What a function in `Depends(…)` is: a value that is made of inputs and of other dependencies, or
/// refuses the request.
///
/// As in FastAPI, errors of its inputs are reported together with those of the handler's, before them;
/// it is not called then. It is called once for each request, however often it is depended on.
///
/// ```
/// use fastapi_compat::{
///     ApiKeyHeader, ApiKeyName, Call, Decode, Dependent, Depends, HttpError, Json, Query, get,
/// };
/// use http::StatusCode;
///
/// #[derive(Decode)]
/// struct Page {
///     #[schema(ge = 1, default = 1)]
///     page: i64,
/// }
///
/// struct Key;
///
/// impl ApiKeyName for Key {
///     const NAME: &'static str = "x-key";
/// }
///
/// #[derive(Clone)]
/// struct Offset(i64);
///
/// impl Dependent for Offset {
///     type State = ();
///     type Dependency = ApiKeyHeader<Key>;
///     type Inputs = Query<Page>;
///     type Rejection = HttpError;
///
///     async fn call(
///         key: ApiKeyHeader<Key>,
///         Query(page): Query<Page>,
///         (): (),
///     ) -> Result<Self, HttpError> {
///         if key.key != "swordfish" {
///             return Err(HttpError::new(StatusCode::FORBIDDEN, "Wrong key"));
///         }
///         Ok(Self((page.page - 1) * 100))
///     }
/// }
///
/// #[get("/items")]
/// async fn items(Call(Depends(offset), ()): Call<Depends<Offset>>) -> Json<i64> {
///     Json(offset.0)
/// }
/// ```
pub trait Dependent: Clone + Send + Sync + 'static {
    /// What it needs of the router's state: all of it, or a part by [`FromRef`].
    type State: Send + Sync;
    /// What it depends on: `()` for nothing, a tuple for several.
    type Dependency: Dependency<Self::State>;
    /// Its parameters: `()` for none, a tuple for several; never the body.
    type Inputs: Inputs<Read = ()> + Send;
    /// The answer if it refuses.
    type Rejection: IntoResponse;

    /// Makes it, or refuses the request.
    fn call(
        dependency: Self::Dependency,
        inputs: Self::Inputs,
        state: Self::State,
    ) -> impl Future<Output = Result<Self, Self::Rejection>> + Send;
}

/// `Depends(…)` of a [`Dependent`].
#[derive(Clone, Copy, Debug)]
pub struct Depends<T>(pub T);

/// What was made for this request, and with which scopes.
#[derive(Clone)]
struct Made<T>(T, SecurityScopes);

impl<S, T> Dependency<S> for Depends<T>
where
    S: Send + Sync,
    T: Dependent,
    T::State: FromRef<S>,
{
    async fn resolve(
        parts: &mut Parts,
        state: &S,
        errors: &mut Errors,
    ) -> Result<Option<Self>, Response> {
        let scopes = parts.extensions.get::<SecurityScopes>();
        if let Some(Made(made, with)) = parts.extensions.get::<Made<T>>()
            && scopes.is_none_or(|scopes| scopes == with)
        {
            return Ok(Some(Self(made.clone())));
        }
        let state = T::State::from_ref(state);
        let before = errors.len();
        let dependency = T::Dependency::resolve(parts, &state, errors).await?;
        let inputs = T::Inputs::decode((), parts, errors);
        let (Some(dependency), Some(inputs)) = (dependency, inputs) else { return Ok(None) };
        if errors.len() > before {
            return Ok(None);
        }
        let made = T::call(dependency, inputs, state).await.map_err(IntoResponse::into_response)?;
        let scopes = parts.extensions.get().cloned().unwrap_or_default();
        parts.extensions.insert(Made(made.clone(), scopes));
        Ok(Some(Self(made)))
    }
}

/// Outside of [`Call`](crate::Call) its errors are reported alone.
impl<S, T> FromRequestParts<S> for Depends<T>
where
    S: Send + Sync,
    T: Dependent,
    T::State: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let mut errors = Errors::default();
        let made = Self::resolve(parts, state, &mut errors).await?;
        alone(made, errors)
    }
}

impl<T: Dependent> Describe for Depends<T> {
    const PATH_PARAMETERS: usize = {
        let (own, others) = (T::Inputs::PATH_PARAMETERS, T::Dependency::PATH_PARAMETERS);
        if own > others { own } else { others }
    };

    fn describe(operation: &mut OperationDocument<'_>) {
        operation.restart_path();
        T::Inputs::describe(operation);
        operation.restart_path();
        T::Dependency::describe(operation);
    }
}

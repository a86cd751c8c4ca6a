//! The inputs of a handler, decoded in FastAPI's order.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use http::{StatusCode, header};

use crate::dry_run::{DryRun, WouldAct};
use crate::errors::Errors;
use crate::openapi::{Describe, OperationDocument};
use crate::response::internal_server_error;

/// Everything a handler needs of the request, in FastAPI's order: the body is read and its syntax
/// checked; then the caller, as any dependency, may refuse; then all inputs are validated together
/// and every error is reported at once.
///
/// `D` is the dependency (`()` for none), `I` one input or a tuple of them in the order path,
/// query, body.
#[derive(Debug)]
pub struct Call<D, I = ()>(pub D, pub I);

/// What must be there before a handler is called, and may refuse the request.
///
/// One that needs the database may leave that to the handler, which reads everything in one
/// statement. Then [`Dependency::complete`] gives the rejection that comes before any error of
/// the inputs.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no dependency of a handler with the state `{S}`",
    note = "a dependency, `D` in `Call<D, I>`, implements `FromRequestParts<{S}>`, `Describe` and \
            `Dependency<{S}>`, or is `Depends<T>` of a `Dependent`; `()` is none, and a tuple is \
            several"
)]
pub trait Dependency<S>: FromRequestParts<S> + Describe + Send {
    /// Reads it from the head of the request; `Err` is the answer to one that it refuses. `None` if
    /// inputs of its own are not valid, whose errors it adds to `errors`.
    #[doc(hidden)]
    fn resolve(
        parts: &mut Parts,
        state: &S,
        errors: &mut Errors,
    ) -> impl Future<Output = Result<Option<Self>, Response>> + Send
    where
        S: Sync,
    {
        _ = errors;
        async {
            match Self::from_request_parts(parts, state).await {
                Ok(dependency) => Ok(Some(dependency)),
                Err(rejection) => Err(rejection.into_response()),
            }
        }
    }

    /// Called when the inputs are not valid, before the errors are sent.
    fn complete(&self, _: &S) -> impl Future<Output = Result<(), Response>> + Send {
        async { Ok(()) }
    }
}

impl<S: Send + Sync> Dependency<S> for () {}

impl<D: Describe, I: Inputs> Describe for Call<D, I> {
    const PATH_PARAMETERS: usize = if D::PATH_PARAMETERS > I::PATH_PARAMETERS {
        D::PATH_PARAMETERS
    } else {
        I::PATH_PARAMETERS
    };

    fn describe(operation: &mut OperationDocument<'_>) {
        I::describe(operation);
        operation.restart_path();
        D::describe(operation);
    }
}

impl<S, D, I> FromRequest<S> for Call<D, I>
where
    S: Send + Sync,
    D: Dependency<S>,
    I: Inputs,
{
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let read = I::read(&parts, body).await?;
        let mut errors = Errors::default();
        let dependency = D::resolve(&mut parts, state, &mut errors).await?;
        let is_dry_run = parts.extensions.get::<DryRun>().is_some();
        let (is_decoded, dependency) = match (dependency, I::decode(read, &parts, &mut errors)) {
            (Some(dependency), Some(inputs)) if errors.is_empty() && !is_dry_run => {
                return Ok(Self(dependency, inputs));
            }
            (dependency, inputs) => (inputs.is_some() && dependency.is_some(), dependency),
        };
        if let Some(dependency) = dependency {
            dependency.complete(state).await?;
        }
        Err(match refuse(errors) {
            Some(_) if parts.extensions.get::<Handshake>().is_some() => refused_handshake(),
            Some(refusal) => refusal,
            None if is_decoded => WouldAct.into_response(),
            None => undecoded(),
        })
    }
}

/// The 422, if there are errors.
fn refuse(errors: Errors) -> Option<Response> {
    (!errors.is_empty()).then(|| errors.into_response())
}

/// The 500 when a type of the program was not decoded and added no error.
fn undecoded() -> Response {
    tracing::error!("an input was not decoded and no error was added: see `Decode::decode`");
    internal_server_error()
}

/// The value of an input outside of [`Call`], or the answer to the request.
#[expect(clippy::result_large_err, reason = "an answer is large")]
pub(crate) fn alone<T>(decoded: Option<T>, errors: Errors) -> Result<T, Response> {
    match (refuse(errors), decoded) {
        (Some(refusal), _) => Err(refusal),
        (None, Some(value)) => Ok(value),
        (None, None) => Err(undecoded()),
    }
}

/// An input that reads the body is an extractor of axum's on its own as well: with FastAPI's 422, but
/// without the errors of other inputs.
macro_rules! body_extractor {
    ($name:ident [$($bound:tt)*]) => {
        impl<S: Send + Sync, T: $($bound)*> axum::extract::FromRequest<S> for $name<T> {
            type Rejection = axum::response::Response;

            async fn from_request(
                request: axum::extract::Request,
                _: &S,
            ) -> Result<Self, Self::Rejection> {
                let (parts, body) = request.into_parts();
                let read = <Self as $crate::extract::Input>::read(&parts, body).await?;
                let mut errors = $crate::errors::Errors::default();
                let decoded = <Self as $crate::extract::Input>::decode(read, &parts, &mut errors);
                $crate::extract::alone(decoded, errors)
            }
        }

        impl<T: $($bound)*> $crate::openapi::Describe for $name<T> {
            fn describe(operation: &mut OperationDocument<'_>) {
                <Self as $crate::extract::Input>::describe(operation);
            }
        }
    };
}

pub(crate) use body_extractor;

/// In the extensions of a request: it is the handshake of a WebSocket.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Handshake;

/// The answer to a handshake that is refused: uvicorn's to an application that closes what it has not
/// accepted, which Starlette does with code 1008 where inputs are not valid, and without a route.
pub(crate) fn refused_handshake() -> Response {
    let kind = (header::CONTENT_TYPE, "text/plain; charset=utf-8");
    (StatusCode::FORBIDDEN, [kind]).into_response()
}

/// One input of a handler.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no input of a handler",
    label = "inputs are `Path`, `Query`, `Header`, `Cookie`, `Json`, `Embedded` and `Form` of fastapi-compat",
    note = "their models are structs with `#[derive(Decode)]`; axum's own extractors stand before `Call`"
)]
pub trait Input: Sized {
    /// How many parameters of the path it takes.
    const PATH_PARAMETERS: usize = 0;

    /// What is left of the body when it has been read.
    type Read: Send;

    /// Reads the body, if this input is one, as far as its syntax goes.
    fn read(parts: &Parts, body: Body)
    -> impl Future<Output = Result<Self::Read, Response>> + Send;

    /// Decodes what was read, or `None` when it is wrong; each error is added to `errors`.
    fn decode(read: Self::Read, parts: &Parts, errors: &mut Errors) -> Option<Self>;

    /// Adds it to the operation in the document.
    fn describe(operation: &mut OperationDocument<'_>);
}

/// The inputs of a handler: one, or a tuple of which the last may be the body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the inputs of a `Call`",
    label = "one input, or a tuple in the order path, query, header, cookie, body",
    note = "the body (`Json`, `Embedded`, `Form`) is the last of the tuple, and there is only one: \
            `Call<(), (Query<Q>, Json<B>)>`",
    note = "the others are `Path`, `Query`, `Header` and `Cookie`, whose models have `#[derive(Decode)]`; \
            there are at most five"
)]
pub trait Inputs: Sized {
    /// How many parameters of the path they take.
    const PATH_PARAMETERS: usize = 0;

    /// What is left of the body when it has been read.
    type Read: Send;

    /// Reads the body, if the last of them is one, as far as its syntax goes; `Err` is the answer to a
    /// body that cannot be read.
    fn read(parts: &Parts, body: Body)
    -> impl Future<Output = Result<Self::Read, Response>> + Send;

    /// Decodes all of them, or `None` when at least one is wrong; each error is added to `errors`, in
    /// the order of the inputs.
    fn decode(read: Self::Read, parts: &Parts, errors: &mut Errors) -> Option<Self>;

    /// What the document says of them.
    fn describe(operation: &mut OperationDocument<'_>);
}

/// No input.
impl Inputs for () {
    type Read = ();

    async fn read(_: &Parts, _: Body) -> Result<(), Response> {
        Ok(())
    }

    fn decode((): (), _: &Parts, _: &mut Errors) -> Option<Self> {
        Some(())
    }

    fn describe(_: &mut OperationDocument<'_>) {}
}

impl<A: Input> Inputs for A {
    const PATH_PARAMETERS: usize = A::PATH_PARAMETERS;

    type Read = A::Read;

    async fn read(parts: &Parts, body: Body) -> Result<Self::Read, Response> {
        A::read(parts, body).await
    }

    fn decode(read: Self::Read, parts: &Parts, errors: &mut Errors) -> Option<Self> {
        A::decode(read, parts, errors)
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        A::describe(operation);
    }
}

/// An input that has nothing to do with the body.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no parameter of a handler",
    label = "only the last input of a `Call` may be the body: `Call<(), (Query<Q>, Json<B>)>`",
    note = "parameters are `Path`, `Query`, `Header` and `Cookie`, whose models have `#[derive(Decode)]`"
)]
pub trait Parameter: Sized {
    /// How many parameters of the path it takes.
    const PATH_PARAMETERS: usize = 0;

    /// Decodes it from the head of the request, or `None` when it is wrong; each error is added to
    /// `errors`.
    fn from_parts(parts: &Parts, errors: &mut Errors) -> Option<Self>;

    /// What the document says of it.
    fn describe(operation: &mut OperationDocument<'_>);
}

impl<P: Parameter> Input for P {
    const PATH_PARAMETERS: usize = P::PATH_PARAMETERS;

    type Read = ();

    async fn read(_: &Parts, _: Body) -> Result<(), Response> {
        Ok(())
    }

    fn decode((): (), parts: &Parts, errors: &mut Errors) -> Option<Self> {
        P::from_parts(parts, errors)
    }

    fn describe(operation: &mut OperationDocument<'_>) {
        P::describe(operation);
    }
}

macro_rules! inputs {
    ($($P:ident $p:ident),+; $L:ident $l:ident) => {
        impl<$($P: Parameter,)+ $L: Input> Inputs for ($($P,)+ $L) {
            const PATH_PARAMETERS: usize =
                $($P::PATH_PARAMETERS +)+ $L::PATH_PARAMETERS;

            type Read = $L::Read;

            async fn read(parts: &Parts, body: Body) -> Result<Self::Read, Response> {
                $L::read(parts, body).await
            }

            fn decode(read: Self::Read, parts: &Parts, errors: &mut Errors) -> Option<Self> {
                $(let $p = $P::from_parts(parts, errors);)+
                let $l = $L::decode(read, parts, errors);
                Some(($($p?,)+ $l?))
            }

            fn describe(operation: &mut OperationDocument<'_>) {
                $($P::describe(operation);)+
                $L::describe(operation);
            }
        }
    };
}

inputs!(A a; Z z);
inputs!(A a, B b; Z z);
inputs!(A a, B b, C c; Z z);
inputs!(A a, B b, C c, D d; Z z);

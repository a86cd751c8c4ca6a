//! The inputs of a handler, decoded in FastAPI's order.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;

use crate::errors::Errors;
use crate::openapi::{Describe, OperationDocument};

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
/// One that needs the database may leave that to the handler, which asks for everything in one
/// statement. Then it says in [`Dependency::complete`] what it would have said before any fault of
/// the inputs.
pub trait Dependency<S>: FromRequestParts<S> + Send {
    /// Called when the inputs are not valid, before the client is told.
    fn complete(&self, _: &S) -> impl Future<Output = Result<(), Response>> + Send {
        async { Ok(()) }
    }
}

impl<S: Send + Sync> Dependency<S> for () {}

impl<D: Describe<ViaD>, I: Describe<ViaI>, ViaD, ViaI> Describe<(ViaD, ViaI)> for Call<D, I> {
    fn describe(operation: &mut OperationDocument<'_>) {
        D::describe(operation);
        I::describe(operation);
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
        let dependency =
            D::from_request_parts(&mut parts, state).await.map_err(IntoResponse::into_response)?;
        let is_dry_run = parts.extensions.get::<DryRun>().is_some();
        let mut errors = Errors::default();
        if let Some(inputs) = I::decode(read, &parts, &mut errors)
            && errors.is_empty()
            && !is_dry_run
        {
            return Ok(Self(dependency, inputs));
        }
        dependency.complete(state).await?;
        Err(if errors.is_empty() { WouldAct.into_response() } else { errors.into_response() })
    }
}

/// In the extensions of a request: read it, let the caller in and validate it, but do not act.
#[derive(Clone, Copy, Debug)]
pub struct DryRun;

/// In the extensions of the answer to a request that was only tried: it would have been acted upon.
#[derive(Clone, Copy, Debug)]
pub struct WouldAct;

impl IntoResponse for WouldAct {
    fn into_response(self) -> Response {
        let mut response = StatusCode::NO_CONTENT.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// One input of a handler.
pub trait Input: Sized {
    /// What is left of the body when it has been read.
    type Read: Send;

    /// Reads the body, if this input is one, as far as its syntax goes.
    fn read(parts: &Parts, body: Body)
    -> impl Future<Output = Result<Self::Read, Response>> + Send;

    fn decode(read: Self::Read, parts: &Parts, errors: &mut Errors) -> Option<Self>;
}

/// The inputs of a handler: one, or a tuple of which the last may be the body.
pub trait Inputs: Sized {
    type Read: Send;

    fn read(parts: &Parts, body: Body)
    -> impl Future<Output = Result<Self::Read, Response>> + Send;

    fn decode(read: Self::Read, parts: &Parts, errors: &mut Errors) -> Option<Self>;
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
}

impl<A: Input> Inputs for A {
    type Read = A::Read;

    async fn read(parts: &Parts, body: Body) -> Result<Self::Read, Response> {
        A::read(parts, body).await
    }

    fn decode(read: Self::Read, parts: &Parts, errors: &mut Errors) -> Option<Self> {
        A::decode(read, parts, errors)
    }
}

/// An input that has nothing to do with the body.
pub trait Parameter: Sized {
    fn from_parts(parts: &Parts, errors: &mut Errors) -> Option<Self>;
}

impl<P: Parameter> Input for P {
    type Read = ();

    async fn read(_: &Parts, _: Body) -> Result<(), Response> {
        Ok(())
    }

    fn decode((): (), parts: &Parts, errors: &mut Errors) -> Option<Self> {
        P::from_parts(parts, errors)
    }
}

macro_rules! inputs {
    ($($P:ident $p:ident),+; $L:ident $l:ident) => {
        impl<$($P: Parameter,)+ $L: Input> Inputs for ($($P,)+ $L) {
            type Read = $L::Read;

            async fn read(parts: &Parts, body: Body) -> Result<Self::Read, Response> {
                $L::read(parts, body).await
            }

            fn decode(read: Self::Read, parts: &Parts, errors: &mut Errors) -> Option<Self> {
                $(let $p = $P::from_parts(parts, errors);)+
                let $l = $L::decode(read, parts, errors);
                Some(($($p?,)+ $l?))
            }
        }
    };
}

inputs!(A a; Z z);
inputs!(A a, B b; Z z);
inputs!(A a, B b, C c; Z z);
inputs!(A a, B b, C c, D d; Z z);

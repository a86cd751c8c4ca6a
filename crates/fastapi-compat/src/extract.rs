//! The inputs of a handler, decoded in FastAPI's order.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use crate::decode::{Constraints, Decode, Fields, Model};
use crate::errors::{Errors, Loc, unreadable_body};
use crate::form::pairs;
use crate::json::{self, MAX_DEPTH, MAX_INT_DIGITS};
use crate::response::{HttpError, Json};
use crate::router::PathParams;
use crate::value::Value;

/// Everything a handler needs of the request, in FastAPI's order: the body is read and its syntax
/// checked; then the caller, as any dependency, may refuse; then all inputs are validated together
/// and every error is reported at once.
///
/// `D` is the dependency (`()` for none), `I` one input or a tuple of them in the order path,
/// query, body.
#[derive(Debug)]
pub struct Call<D, I>(pub D, pub I);

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
        let mut errors = Errors::default();
        if let Some(inputs) = I::decode(read, &parts, &mut errors)
            && errors.is_empty()
        {
            return Ok(Self(dependency, inputs));
        }
        dependency.complete(state).await?;
        Err(errors.into_response())
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

impl<A: Parameter, B: Input> Inputs for (A, B) {
    type Read = B::Read;

    async fn read(parts: &Parts, body: Body) -> Result<Self::Read, Response> {
        B::read(parts, body).await
    }

    fn decode(read: Self::Read, parts: &Parts, errors: &mut Errors) -> Option<Self> {
        let (a, b) = (A::from_parts(parts, errors), B::decode(read, parts, errors));
        Some((a?, b?))
    }
}

impl<A: Parameter, B: Parameter, C: Input> Inputs for (A, B, C) {
    type Read = C::Read;

    async fn read(parts: &Parts, body: Body) -> Result<Self::Read, Response> {
        C::read(parts, body).await
    }

    fn decode(read: Self::Read, parts: &Parts, errors: &mut Errors) -> Option<Self> {
        let (a, b) = (A::from_parts(parts, errors), B::from_parts(parts, errors));
        let c = C::decode(read, parts, errors);
        Some((a?, b?, c?))
    }
}

/// The parameter of the path, for a route that has one.
#[derive(Debug)]
pub struct Path<T>(pub T);

impl<T: Decode> Parameter for Path<T> {
    fn from_parts(parts: &Parts, errors: &mut Errors) -> Option<Self> {
        let (name, value) = parts.extensions.get::<PathParams>()?.first()?;
        let root = Loc::root("path");
        T::decode(&Value::from(value), &Constraints::NONE, &root.field(name), errors).map(Self)
    }
}

/// The parameters of the query as a model; of a repeated parameter the last counts.
#[derive(Debug)]
pub struct Query<T>(pub T);

impl<T: Model> Parameter for Query<T> {
    fn from_parts(parts: &Parts, errors: &mut Errors) -> Option<Self> {
        let query = Parameters(pairs(parts.uri.query().unwrap_or_default().as_bytes()));
        T::from_fields(&query, &Loc::root("query"), errors).map(Self)
    }
}

/// Named values of which the last counts.
pub(crate) struct Parameters(pub Vec<(String, Value)>);

impl Fields for Parameters {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn whole(&self) -> &Value {
        &Value::Null
    }
}

/// A JSON body that has been read: most are valid as they stand, the others have to be looked at
/// again, with patience.
#[derive(Debug)]
pub enum JsonBody<T> {
    Valid(T),
    Explain(Option<Value>),
}

impl<T: Decode + DeserializeOwned + Send> Input for Json<T> {
    type Read = JsonBody<T>;

    async fn read(parts: &Parts, body: Body) -> Result<JsonBody<T>, Response> {
        let body = read_body(parts, body).await?;
        if body.is_empty() {
            return Ok(JsonBody::Explain(None));
        }
        if !is_json(&parts.headers) {
            let text = String::from_utf8_lossy(&body).into_owned();
            return Ok(JsonBody::Explain(Some(Value::Str(text))));
        }
        if let Some(value) = decode_strictly(&body) {
            return Ok(JsonBody::Valid(value));
        }
        let value = json::decode(&body).map_err(IntoResponse::into_response)?;
        Ok(JsonBody::Explain(Some(value)))
    }

    fn decode(read: JsonBody<T>, _: &Parts, errors: &mut Errors) -> Option<Self> {
        let root = Loc::root("body");
        match read {
            JsonBody::Valid(value) => Some(Self(value)),
            JsonBody::Explain(Some(value)) => {
                T::decode(&value, &Constraints::NONE, &root, errors).map(Self)
            }
            JsonBody::Explain(None) => errors.missing(&root, &Value::Null),
        }
    }
}

/// The fast path: serde reads what needs no leniency. It accepts less than Python and gives the
/// same value, except that it does not mind long integers and deep nesting in fields that nobody
/// reads.
fn decode_strictly<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    if body.len() > MAX_DEPTH
        && body.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() > MAX_DEPTH
    {
        return None;
    }
    if body.len() > MAX_INT_DIGITS
        && body.split(|byte| !byte.is_ascii_digit()).any(|run| run.len() > MAX_INT_DIGITS)
    {
        return None;
    }
    serde_json::from_str(std::str::from_utf8(body).ok()?).ok()
}

/// `application/json` or `application/*+json`, in any case and with any parameters.
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = value.unwrap_or_default().split(';').next().unwrap_or_default();
    let Some((kind, subtype)) = media_type.trim().split_once('/') else {
        return false;
    };
    let subtype = subtype.to_ascii_lowercase();
    kind.eq_ignore_ascii_case("application")
        && !subtype.contains('/')
        && (subtype == "json" || subtype.ends_with("+json"))
}

/// The largest body in bytes; put into the extensions of requests by the service.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimit(pub usize);

impl Default for BodyLimit {
    /// 2 MiB.
    fn default() -> Self {
        Self(2 * 1024 * 1024)
    }
}

/// Reads the whole body: 413 beyond the limit, 400 if the client breaks off.
pub(crate) async fn read_body(parts: &Parts, body: Body) -> Result<Bytes, Response> {
    let limit = parts.extensions.get::<BodyLimit>().copied().unwrap_or_default();
    let announced = parts.headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok());
    if announced.and_then(|v| v.parse().ok()).is_some_and(|length: usize| length > limit.0) {
        return Err(too_large());
    }
    match Limited::new(body, limit.0).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(too_large()),
        Err(_) => Err(unreadable_body()),
    }
}

fn too_large() -> Response {
    HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large").into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_json_by_its_content_type() {
        for (value, expected) in [
            ("application/json", true),
            ("APPLICATION/JSON; charset=latin-1", true),
            ("application/vnd.api+json", true),
            ("application/jsonx", false),
            ("text/json", false),
            ("json", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, value.parse().unwrap())]);
            assert_eq!(is_json(&headers), expected, "{value}");
        }
    }
}

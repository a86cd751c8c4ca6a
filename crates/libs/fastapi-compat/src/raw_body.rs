//! Bodies that the handler reads itself.

use axum::body::Body;
use axum::response::Response;
use bytes::Bytes;
use http::request::Parts;

use crate::errors::Errors;
use crate::extract::Input;
use crate::openapi::OperationDocument;
use crate::read_body::read_body;

/// The body as it was sent, whatever is in it: what a function of FastAPI that takes `Request` gets of
/// `await request.body()`. The document does not show it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawBody(pub Bytes);

impl Input for RawBody {
    type Read = Bytes;

    async fn read(parts: &Parts, body: Body) -> Result<Bytes, Response> {
        read_body(parts, body).await
    }

    fn decode(read: Bytes, _: &Parts, _: &mut Errors) -> Option<Self> {
        Some(Self(read))
    }

    fn describe(_: &mut OperationDocument<'_>) {}
}

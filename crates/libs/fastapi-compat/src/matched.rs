//! What routing leaves in the extensions of a request.

use std::sync::Arc;

use axum::extract::{FromRequestParts, RawPathParams};
use futures_util::FutureExt;
use http::request::Parts;

use crate::value::Value;

/// The operation that a request belongs to; in the extensions of the request and of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// As in the OpenAPI document.
    pub id: Arc<str>,
    /// The path with its parameters in braces, without convertors.
    pub path: Arc<str>,
}

/// The parameters that the path of a request holds, percent-decoded, in their order.
#[derive(Clone, Debug)]
pub struct PathParams {
    pub(crate) names: Arc<[Arc<str>]>,
    pub(crate) values: Vec<Value>,
}

impl PathParams {
    /// The parameters of a route in a router that is not ours, such as utoipa-axum's.
    pub(crate) fn of_axum(parts: &Parts) -> Option<Self> {
        let mut parts = parts.clone();
        let parameters = RawPathParams::from_request_parts(&mut parts, &()).now_or_never()?.ok()?;
        let (names, values): (Vec<Arc<str>>, _) =
            parameters.iter().map(|(name, value)| (name.into(), Value::from(value))).unzip();
        Some(Self { names: names.into(), values })
    }
}

//! Applications and directories below a path: Starlette's `Mount`.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::Map;
use http::Uri;
use http::uri::PathAndQuery;
use percent_encoding::utf8_percent_encode;
use tower::Service;

use crate::matched::PathParams;
use crate::template::LITERAL;
use crate::value::Value;

/// The parameter that holds the rest of the path. Extractors of axum's do not see it.
pub(crate) const REST: &str = "__private__axum_fallback";

/// Calls a service with the rest of the path.
#[derive(Clone, Debug)]
pub(crate) struct Mounted<T>(pub(crate) T);

impl<T> Service<Request> for Mounted<T>
where
    T: Service<Request, Error = Infallible>,
    T::Response: IntoResponse,
{
    type Response = Response;
    type Error = Infallible;
    type Future =
        Map<T::Future, fn(Result<T::Response, Infallible>) -> Result<Response, Infallible>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        // Starlette's arithmetic leaves a path with a newline at its end as it is.
        let is_left = request.uri().path().to_ascii_uppercase().ends_with("%0A");
        if let Some(parameters) = request.extensions_mut().remove::<PathParams>()
            && !is_left
            && let Some(Value::Str(rest)) = parameters.values.last()
        {
            take_prefix(&mut request, rest);
        }
        self.0.call(request).map(|answer| answer.map(IntoResponse::into_response))
    }
}

fn take_prefix(request: &mut Request, rest: &str) {
    let mut path = format!("/{}", utf8_percent_encode(rest, LITERAL));
    if let Some(query) = request.uri().query() {
        path.push('?');
        path.push_str(query);
    }
    let Ok(path) = PathAndQuery::try_from(path) else { return };
    let mut parts = request.uri().clone().into_parts();
    parts.path_and_query = Some(path);
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

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
        // Starlette counts from the end, where the parameter does not hold a last newline.
        let has_newline = request.uri().path().to_ascii_uppercase().ends_with("%0A");
        if let Some(parameters) = request.extensions_mut().remove::<PathParams>()
            && let Some(Value::Str(rest)) = parameters.values.last()
        {
            match (has_newline, rest.starts_with('/')) {
                (false, _) => set_path(&mut request, &format!("/{}", &**rest)),
                (true, true) => set_path(&mut request, &format!("{}\n", &**rest)),
                (true, false) => {}
            }
        }
        self.0.call(request).map(|answer| answer.map(IntoResponse::into_response))
    }
}

pub(crate) fn set_path(request: &mut Request, path: &str) {
    let mut path = utf8_percent_encode(path, LITERAL).to_string();
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

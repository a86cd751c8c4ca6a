//! What uvicorn's HTTP parser refuses before any application sees it.

use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, Method, StatusCode, header};

/// Refuses methods that the parser does not know: the outermost layer.
pub async fn refuse_unknown_methods(request: Request, next: Next) -> Response {
    if is_known(request.method()) { next.run(request).await } else { invalid_request() }
}

/// Methods that uvicorn's HTTP parser knows beyond those that have names in `http`.
const OTHER_METHODS: [&str; 26] = [
    "COPY",
    "LOCK",
    "MKCOL",
    "MOVE",
    "PROPFIND",
    "PROPPATCH",
    "SEARCH",
    "UNLOCK",
    "BIND",
    "REBIND",
    "UNBIND",
    "ACL",
    "REPORT",
    "MKACTIVITY",
    "CHECKOUT",
    "MERGE",
    "M-SEARCH",
    "NOTIFY",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "PURGE",
    "MKCALENDAR",
    "LINK",
    "UNLINK",
    "SOURCE",
    "QUERY",
];

fn is_known(method: &Method) -> bool {
    use Method as M;

    [M::GET, M::HEAD, M::POST, M::PUT, M::DELETE, M::PATCH, M::OPTIONS, M::TRACE, M::CONNECT]
        .contains(method)
        || OTHER_METHODS.contains(&method.as_str())
}

/// uvicorn's answer to what is not HTTP.
fn invalid_request() -> Response {
    let close = [(header::CONNECTION, HeaderValue::from_static("close"))];
    (StatusCode::BAD_REQUEST, close, "Invalid HTTP request received.").into_response()
}

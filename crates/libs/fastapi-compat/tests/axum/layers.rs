//! Layers of tower and tower-http around our router and on its operations.

use std::sync::Arc;
use std::time::Duration;

use axum::BoxError;
use axum::error_handling::HandleErrorLayer;
use tokio::sync::Barrier;
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;

use super::*;

#[get("/quick")]
async fn quick() -> &'static str {
    "quick"
}

#[get("/slow")]
async fn slow() -> &'static str {
    tokio::time::sleep(Duration::from_mins(1)).await;
    "slow"
}

#[tokio::test]
async fn timeout() {
    let limit = Duration::from_millis(50);
    let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, limit);
    let app = Router::new().routes(routes![quick, slow]).layer(timeout).with_state(());
    assert_eq!(read(&app, "/slow").await.0, 504);
    assert_eq!(read(&app, "/quick").await, ok("quick"));
}

#[derive(Clone)]
struct Seven;

impl MakeRequestId for Seven {
    fn make_request_id<B>(&mut self, _: &http::Request<B>) -> Option<RequestId> {
        Some(RequestId::new(HeaderValue::from_static("7")))
    }
}

#[get("/id")]
async fn id(Extension(id): Extension<RequestId>) -> String {
    id.header_value().to_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn request_id() {
    let layers = ServiceBuilder::new()
        .layer(SetRequestIdLayer::x_request_id(Seven))
        .layer(PropagateRequestIdLayer::x_request_id());
    let app: axum::Router = Router::new().routes(routes![id]).with_state(()).layer(layers);
    let (_, body, headers) = send(&app, request("GET", "/id")).await;
    assert_eq!((body.as_str(), &headers["x-request-id"]), ("7", &HeaderValue::from_static("7")));
    let (status, _, headers) = send(&app, request("GET", "/none")).await;
    assert_eq!((status.as_u16(), headers.contains_key("x-request-id")), (404, true));
}

#[get("/sensitive")]
async fn sensitive(headers: http::HeaderMap) -> String {
    headers[header::AUTHORIZATION].is_sensitive().to_string()
}

#[tokio::test]
async fn sensitive_headers() {
    let layer = SetSensitiveRequestHeadersLayer::new([header::AUTHORIZATION]);
    let app = Router::new().routes(routes![sensitive]).layer(layer).with_state(());
    let mut request = request("GET", "/sensitive");
    request.headers_mut().insert(header::AUTHORIZATION, HeaderValue::from_static("Bearer a"));
    assert_eq!(send(&app, request).await.1, "true");
}

#[tokio::test]
async fn set_header() {
    let value = HeaderValue::from_static("no-store");
    let layer = SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, value);
    let one = Router::new().routes(routes![quick]).route_layer(layer);
    let app = Router::new().routes(routes![id]).merge(one).with_state(());
    assert_eq!(send(&app, request("GET", "/quick")).await.2[header::CACHE_CONTROL], "no-store");
    assert!(!send(&app, request("GET", "/id")).await.2.contains_key(header::CACHE_CONTROL));
}

#[get("/held")]
async fn held(Extension(barrier): Extension<Arc<Barrier>>) -> &'static str {
    barrier.wait().await;
    barrier.wait().await;
    "held"
}

#[tokio::test]
async fn concurrency_limit_and_load_shed() {
    let overloaded = async |_: BoxError| StatusCode::SERVICE_UNAVAILABLE;
    let layers = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(overloaded))
        .load_shed()
        .layer(GlobalConcurrencyLimitLayer::new(1));
    let barrier = Arc::new(Barrier::new(2));
    let app: axum::Router = Router::new()
        .routes(routes![quick, held])
        .layer(Extension(Arc::clone(&barrier)))
        .with_state(())
        .layer(layers);
    let first = tokio::spawn({
        let app = app.clone();
        async move { read(&app, "/held").await }
    });
    barrier.wait().await;
    assert_eq!(read(&app, "/quick").await.0, 503, "while another request is served");
    barrier.wait().await;
    assert_eq!(first.await.unwrap(), ok("held"));
    assert_eq!(read(&app, "/quick").await, ok("quick"));
}

//! Each option of `CorsOptions`, one at a time.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use fastapi_compat::layers::{CorsLayer, CorsOptions};
use http::{HeaderMap, Request};
use tower::ServiceExt;

const ORIGIN: &str = "https://app.example.com";

fn options() -> CorsOptions {
    CorsOptions { allow_origins: vec![ORIGIN.to_owned()], ..CorsOptions::default() }
}

async fn send(options: &CorsOptions, request: http::request::Builder) -> Response {
    let layer = CorsLayer::new(options).unwrap();
    let app = Router::new().route("/", get(async || "read")).layer(layer);
    app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap()
}

/// The headers of the answer to a page of this origin.
async fn read(options: &CorsOptions, origin: &str) -> HeaderMap {
    send(options, Request::get("/").header("origin", origin)).await.headers().clone()
}

/// Status and headers of the answer to a browser that asks first.
async fn preflight(options: &CorsOptions, more: &[(&str, &str)]) -> (u16, HeaderMap) {
    let mut request = Request::options("/").header("origin", ORIGIN);
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    let answer = send(options, request).await;
    (answer.status().as_u16(), answer.headers().clone())
}

const METHOD: &str = "access-control-request-method";

#[tokio::test]
async fn allow_origins() {
    let headers = read(&options(), ORIGIN).await;
    assert_eq!(headers["access-control-allow-origin"], ORIGIN);
    let headers = read(&options(), "https://elsewhere.example").await;
    assert!(!headers.contains_key("access-control-allow-origin"));
    let all = CorsOptions { allow_origins: vec!["*".to_owned()], ..CorsOptions::default() };
    let headers = read(&all, "https://elsewhere.example").await;
    assert_eq!(headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn allow_origin_regex() {
    let regex = Some(r"https://[a-z]+\.example\.org".to_owned());
    let options = CorsOptions { allow_origin_regex: regex, ..CorsOptions::default() };
    let headers = read(&options, "https://a.example.org").await;
    assert_eq!(headers["access-control-allow-origin"], "https://a.example.org");
    let headers = read(&options, "https://a.example.organic").await;
    assert!(!headers.contains_key("access-control-allow-origin"), "it has to match as a whole");
}

#[tokio::test]
async fn allow_methods() {
    assert_eq!(preflight(&options(), &[(METHOD, "PUT")]).await.0, 400);
    let options = CorsOptions { allow_methods: vec!["GET".into(), "PUT".into()], ..options() };
    let (status, headers) = preflight(&options, &[(METHOD, "PUT")]).await;
    assert_eq!(
        (status, headers["access-control-allow-methods"].to_str().unwrap()),
        (200, "GET, PUT")
    );
}

#[tokio::test]
async fn allow_headers() {
    let asked = [(METHOD, "GET"), ("access-control-request-headers", "x-a")];
    assert_eq!(preflight(&options(), &asked).await.0, 400);
    let options = CorsOptions { allow_headers: vec!["X-A".into()], ..options() };
    let (status, headers) = preflight(&options, &asked).await;
    let allowed = "Accept, Accept-Language, Content-Language, Content-Type, X-A";
    assert_eq!((status, headers["access-control-allow-headers"].to_str().unwrap()), (200, allowed));
}

#[tokio::test]
async fn allow_credentials() {
    assert!(!read(&options(), ORIGIN).await.contains_key("access-control-allow-credentials"));
    let options = CorsOptions { allow_credentials: true, ..options() };
    let headers = read(&options, ORIGIN).await;
    assert_eq!(headers["access-control-allow-credentials"], "true");
}

#[tokio::test]
async fn allow_private_network() {
    let asked = [(METHOD, "GET"), ("access-control-request-private-network", "true")];
    assert_eq!(preflight(&options(), &asked).await.0, 400);
    let options = CorsOptions { allow_private_network: true, ..options() };
    let (status, headers) = preflight(&options, &asked).await;
    assert_eq!(
        (status, headers["access-control-allow-private-network"].to_str().unwrap()),
        (200, "true")
    );
}

#[tokio::test]
async fn expose_headers() {
    let exposed = vec!["X-Total".to_owned(), "X-Page".to_owned()];
    let options = CorsOptions { expose_headers: exposed, ..options() };
    let headers = read(&options, ORIGIN).await;
    assert_eq!(headers["access-control-expose-headers"], "X-Total, X-Page");
}

#[tokio::test]
async fn max_age() {
    let (_, headers) = preflight(&options(), &[(METHOD, "GET")]).await;
    assert_eq!(headers["access-control-max-age"], "600");
    let options = CorsOptions { max_age: 5, ..options() };
    let (_, headers) = preflight(&options, &[(METHOD, "GET")]).await;
    assert_eq!(headers["access-control-max-age"], "5");
}

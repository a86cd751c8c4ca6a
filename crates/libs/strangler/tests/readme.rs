//! The example of the README works.

#![expect(clippy::unwrap_used, reason = "a test ends so")]

#[path = "../examples/proxy.rs"]
#[expect(dead_code, reason = "`main` is not called")]
mod proxy;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::routing::get;
use tower::ServiceExt;

async fn read(app: &Router, path: &str) -> (u16, String) {
    let request = Request::get(path).header("host", "localhost").body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[test]
fn the_example_stands_in_the_readme() {
    let code = include_str!("../examples/proxy.rs").split_once("\n\n").unwrap().1;
    assert!(include_str!("../README.md").contains(code), "copy examples/proxy.rs into README.md");
}

#[tokio::test]
async fn the_example_forwards_to_the_old_service() {
    let old = Router::new()
        .route("/items/", get(async || "of the old service"))
        .route("/users/", get(async || "users of the old service"));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, old).await });
    let (service, page) = proxy::app(url.parse().unwrap(), "a password").unwrap();
    assert_eq!(read(&service, "/items/").await, (200, "of the old service".into()));
    assert_eq!(read(&service, "/users/").await, (200, "users of the old service".into()));
    assert_eq!(read(&page, "/_molt").await.0, 401);
}

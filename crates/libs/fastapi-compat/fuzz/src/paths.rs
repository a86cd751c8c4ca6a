//! Paths: decoded, matched, and answered.

use std::sync::LazyLock;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, Uri};
use fastapi_compat::{Json, Path, Router, get, routes};
use futures_util::FutureExt;
use percent_encoding::percent_decode;
use tower::ServiceExt;

#[get("/items/me")]
async fn me() -> Json<String> {
    Json("me".into())
}

#[get("/items/{id}")]
async fn item(Path(id): Path<String>) -> Json<String> {
    Json(id)
}

#[get("/numbers/{number:int}/")]
async fn number(Path(number): Path<i64>) -> Json<i64> {
    Json(number)
}

#[get("/ids/{id:uuid}.json")]
async fn id(Path(id): Path<String>) -> Json<String> {
    Json(id)
}

#[get("/files/{name:path}")]
async fn file(Path(name): Path<String>) -> Json<String> {
    Json(name)
}

static ROUTER: LazyLock<axum::Router> =
    LazyLock::new(|| Router::new().routes(routes![me, item, number, id, file]).with_state(()));

/// Each target is answered, never by 500; what a handler gets of the path is what stands in it, decoded.
pub fn answered(bytes: &[u8]) {
    let Ok(uri) = Uri::try_from(bytes) else { return };
    let path = percent_decode(uri.path().as_bytes()).decode_utf8_lossy().into_owned();
    let Ok(request) = Request::get(uri).body(Body::empty()) else { return };
    let answer = async move {
        let Ok(answer) = ROUTER.clone().oneshot(request).await;
        let status = answer.status();
        (status, to_bytes(answer.into_body(), usize::MAX).await.unwrap_or_default())
    };
    let (status, body) = answer.now_or_never().expect("nothing waits");
    assert!(!status.is_server_error(), "{status}: {path}");
    if status == StatusCode::OK {
        // A UUID is written anew.
        for start in ["/items/", "/files/"] {
            if let Some(rest) = path.strip_prefix(start) {
                let value: String = serde_json::from_slice(&body).expect("a text");
                // As in Starlette, whose expressions end with `$`, a newline may follow.
                let is_it = rest == value || rest.strip_suffix('\n') == Some(&value);
                assert!(is_it, "{path:?} {value:?}");
            }
        }
    }
}

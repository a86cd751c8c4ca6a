//! Methods of operations, WebSockets, redirects, dependencies, tasks.

use std::sync::atomic::{AtomicBool, Ordering};

use fastapi_compat::openapi::Info;
use fastapi_compat::{
    Background, Dependent, Depends, HttpError, RedirectResponse, SetCookie, api_route, websocket,
};

use super::*;

static DONE: AtomicBool = AtomicBool::new(false);

#[get("/background")]
async fn with_task() -> Background<Json<bool>> {
    Background::new(Json(DONE.load(Ordering::SeqCst)), async {
        DONE.store(true, Ordering::SeqCst);
    })
}

#[tokio::test]
async fn background_tasks_run_behind_the_answer() {
    let app: axum::Router = Router::new().routes(routes![with_task]).with_state(());
    let response = app.clone().oneshot(request("GET", "/background")).await.unwrap();
    tokio::task::yield_now().await;
    assert!(!DONE.load(Ordering::SeqCst), "the answer has not been read");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    assert_eq!(&body[..], b"false");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert!(DONE.load(Ordering::SeqCst));
}

#[api_route("/both", methods = ["GET", "POST"])]
async fn both() -> Json<bool> {
    Json(true)
}

#[tokio::test]
async fn several_methods() {
    let router = Router::new().routes(routes![both]);
    let operations: Vec<_> = router.operations().map(|(id, method, _)| (id, method)).collect();
    let id = "both_both_get".to_owned();
    assert_eq!(operations, [(id.clone(), http::Method::GET), (id, http::Method::POST)]);
    let app: axum::Router = router.with_state(());
    for (method, status) in [("GET", 200), ("POST", 200), ("PUT", 405)] {
        let (given, _, headers) = send(&app, request(method, "/both")).await;
        let allow = headers.get("allow").map(|allow| allow.to_str().unwrap());
        assert_eq!((given.as_u16(), allow), (status, (status == 405).then_some("GET, POST")));
    }
}

#[get("/slash/")]
async fn slash() -> Json<bool> {
    Json(true)
}

#[tokio::test]
async fn without_slash_redirects() {
    let router = Router::new().routes(routes![slash]).redirect_slashes(false);
    let app: axum::Router = router.with_state(());
    assert_eq!(read(&app, "/slash").await.0, 404);
    assert_eq!(read(&app, "/slash/").await.0, 200);
}

#[tokio::test]
async fn redirects_of_a_nested_router_name_its_prefix() {
    let inner: axum::Router = Router::new().routes(routes![slash]).with_state(());
    let app = axum::Router::new().nest("/outer", inner.clone());
    let mounted: axum::Router = Router::new().mount("/outer", inner).with_state(());
    for app in [app, mounted] {
        let mut request = request("GET", "/outer/slash");
        request.headers_mut().insert("host", "a".parse().unwrap());
        let (status, _, headers) = send(&app, request).await;
        assert_eq!(
            (status.as_u16(), &headers["location"]),
            (307, &"http://a/outer/slash/".parse().unwrap())
        );
    }
}

#[get("/elsewhere", status = 303)]
async fn elsewhere() -> RedirectResponse {
    RedirectResponse::new("/a b")
}

#[get("/cookie")]
async fn bad_cookie() -> (SetCookie, Json<bool>) {
    (SetCookie::new("a b", ""), Json(true))
}

#[tokio::test]
async fn redirects_and_cookies() {
    let app: axum::Router = Router::new().routes(routes![elsewhere, bad_cookie]).with_state(());
    let (status, _, headers) = send(&app, request("GET", "/elsewhere")).await;
    assert_eq!((status.as_u16(), &headers["location"]), (303, &"/a%20b".parse().unwrap()));
    assert_eq!(read(&app, "/cookie").await.0, 500);
}

#[websocket("/ws/{n}")]
async fn ws(upgrade: WebSocketUpgrade, Call((), Path(_)): Call<(), Path<i64>>) -> Response {
    upgrade.on_upgrade(async |_| {})
}

#[tokio::test]
async fn websockets_are_apart_from_requests() {
    let router = Router::new().routes(routes![ws]);
    let document = router.document(&Info { title: "", version: "", token_url: "" }).unwrap();
    assert!(document.paths.paths.is_empty());
    let app: axum::Router = router.with_state(());
    assert_eq!(read(&app, "/ws/1").await.0, 404);
    let mut request = request("GET", "/nothing");
    request.headers_mut().insert("upgrade", "websocket".parse().unwrap());
    request.headers_mut().insert("connection", "keep-alive, Upgrade".parse().unwrap());
    assert_eq!(send(&app, request).await.0.as_u16(), 403);
}

static CALLS: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

#[derive(Clone)]
struct Counted(usize);

impl Dependent for Counted {
    type State = ();
    type Dependency = ();
    type Inputs = ();
    type Rejection = HttpError;

    async fn call((): (), (): (), (): ()) -> Result<Self, HttpError> {
        Ok(Self(CALLS.fetch_add(1, Ordering::SeqCst)))
    }
}

#[derive(Clone)]
struct Around(usize);

impl Dependent for Around {
    type State = ();
    type Dependency = Depends<Counted>;
    type Inputs = ();
    type Rejection = HttpError;

    async fn call(Depends(inner): Depends<Counted>, (): (), (): ()) -> Result<Self, HttpError> {
        Ok(Self(inner.0))
    }
}

#[get("/depends")]
async fn depends(
    Call((Depends(around), Depends(counted)), ()): Call<(Depends<Around>, Depends<Counted>)>,
) -> Json<bool> {
    Json(around.0 == counted.0)
}

#[tokio::test]
async fn a_dependency_is_called_once_for_each_request() {
    let app: axum::Router = Router::new().routes(routes![depends]).with_state(());
    for _ in 0..3 {
        assert_eq!(read(&app, "/depends").await, ok("true"));
    }
    assert_eq!(CALLS.load(Ordering::SeqCst), 3);
}

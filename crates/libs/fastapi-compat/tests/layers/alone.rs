//! Each layer alone in a plain axum application.

use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::response::Response;
use axum::routing::{any, get, post};
use axum::{Router, ServiceExt as _};
use fastapi_compat::layers::{
    BodyLimitLayer, CorsLayer, CorsOptions, GzipLayer, HttpsRedirectLayer, ProxyHeadersLayer,
    RunToCompletionLayer, StrictRequestsLayer, TrustedHostLayer, TrustedProxies, catch_panic,
    client_disconnected,
};
use fastapi_compat::{Background, Call, Json, routes};
use http::{Request, StatusCode, header};
use http_body_util::BodyExt;
use tokio::io::AsyncWriteExt;
use tokio_util::task::TaskTracker;
use tower::{Layer, Service, ServiceExt};

async fn send(app: Router, request: http::request::Builder, body: &'static str) -> Response {
    app.oneshot(request.body(Body::from(body)).unwrap()).await.unwrap()
}

async fn text(response: Response) -> String {
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn cors() {
    let options = CorsOptions {
        allow_origins: vec!["https://app.example.com".to_owned()],
        ..CorsOptions::default()
    };
    let app = Router::new()
        .route("/", get(async || ([(header::VARY, "Accept")], "read")))
        .layer(CorsLayer::new(&options).unwrap());
    let request = Request::get("/").header("origin", "https://app.example.com");
    let answer = send(app.clone(), request, "").await;
    assert_eq!(answer.headers()["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(answer.headers()["vary"], "Accept, Origin");
    let preflight = Request::options("/")
        .header("origin", "https://elsewhere.example")
        .header("access-control-request-method", "POST");
    let answer = send(app, preflight, "").await;
    assert_eq!(answer.status(), 400);
    assert_eq!(text(answer).await, "Disallowed CORS origin, method");
}

#[tokio::test]
async fn without_cors_nothing_is_added() {
    let app = Router::new().route("/", get(async || "read")).layer(catch_panic());
    let answer = send(app, Request::get("/").header("origin", "https://a.example"), "").await;
    assert!(!answer.headers().contains_key("vary"));
    assert!(!answer.headers().contains_key("access-control-allow-credentials"));
}

#[tokio::test]
async fn proxy_headers() {
    let address = async |ConnectInfo(client): ConnectInfo<SocketAddr>| client.ip().to_string();
    let app = Router::new()
        .route("/", get(address))
        .layer(ProxyHeadersLayer::new(TrustedProxies::new(["10.0.0.0/8"])));
    let request = |peer: [u8; 4]| {
        Request::get("/")
            .extension(ConnectInfo(SocketAddr::from((peer, 4711))))
            .header("x-forwarded-for", "6.6.6.6, 203.0.113.9")
    };
    assert_eq!(text(send(app.clone(), request([10, 0, 0, 9]), "").await).await, "203.0.113.9");
    assert_eq!(text(send(app, request([11, 0, 0, 9]), "").await).await, "11.0.0.9");
}

#[tokio::test]
async fn redirects_go_to_the_scheme_of_the_client() {
    #[fastapi_compat::get("/items/")]
    async fn read_items(Call((), ()): Call<()>) -> Json<bool> {
        Json(true)
    }
    let app = fastapi_compat::Router::new()
        .routes(routes![read_items])
        .with_state(())
        .layer(ProxyHeadersLayer::new(TrustedProxies::new(["10.0.0.9"])));
    let request = Request::get("/items")
        .extension(ConnectInfo(SocketAddr::from(([10, 0, 0, 9], 4711))))
        .header("host", "api.example.com")
        .header("x-forwarded-proto", "https");
    let answer = send(app, request, "").await;
    assert_eq!(answer.headers()["location"], "https://api.example.com/items/");
}

#[tokio::test]
async fn body_limit() {
    #[fastapi_compat::post("/ours")]
    async fn ours(Call((), Json(text)): Call<(), Json<String>>) -> Json<String> {
        Json(text)
    }
    let app = fastapi_compat::Router::new()
        .routes(routes![ours])
        .with_state(())
        .route("/axums", post(async |body: Bytes| body))
        .layer(BodyLimitLayer::new(10));
    let json = |path| Request::post(path).header("content-type", "application/json");
    assert_eq!(send(app.clone(), json("/ours"), r#""12345678""#).await.status(), 200);
    let answer = send(app.clone(), json("/ours"), r#""123456789""#).await;
    assert_eq!(answer.status(), 413);
    assert_eq!(answer.headers()["connection"], "close");
    assert_eq!(text(answer).await, r#"{"detail":"Request Entity Too Large"}"#);
    assert_eq!(send(app.clone(), json("/axums"), "0123456789").await.status(), 200);
    assert_eq!(send(app, json("/axums"), "0123456789a").await.status(), 413);
}

#[tokio::test]
async fn panics() {
    async fn handler() -> StatusCode {
        panic!("on purpose")
    }
    let app = Router::new().route("/", get(handler)).layer(catch_panic());
    let answer = send(app, Request::get("/"), "").await;
    assert_eq!(answer.status(), 500);
    assert_eq!(text(answer).await, "Internal Server Error");
}

#[tokio::test]
async fn strict_requests() {
    let app = Router::new().route("/", any(async || "any")).layer(StrictRequestsLayer);
    for method in ["GET", "PROPFIND", "QUERY"] {
        assert_eq!(send(app.clone(), Request::builder().method(method), "").await.status(), 200);
    }
    let twice = Request::get("/").header("transfer-encoding", "chunked");
    for request in [
        Request::builder().method("FOO").uri("/"),
        Request::builder().method("get").uri("/"),
        Request::builder().method("CONNECT").uri("host:1"),
        Request::get("host"),
        Request::get("/\u{e9}"),
        Request::get("/?\u{e9}"),
        twice.header("transfer-encoding", "chunked"),
    ] {
        let answer = send(app.clone(), request, "").await;
        assert_eq!(answer.status(), 400);
        assert_eq!(answer.headers()["connection"], "close");
        assert_eq!(text(answer).await, "Invalid HTTP request received.");
    }
}

/// What a server does whose handler sleeps a while, for a client that disconnects before it ends: how
/// many handlers began, ended, and knew that the client had disconnected.
async fn disconnect(request: &str, layered: bool) -> [usize; 3] {
    let counts: Arc<[AtomicUsize; 3]> = Arc::default();
    let seen = Arc::clone(&counts);
    let handler = async move |body: Bytes| {
        assert_eq!(body, "body");
        seen[0].fetch_add(1, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_millis(200)).await;
        seen[1].fetch_add(1, Ordering::Relaxed);
        seen[2].fetch_add(usize::from(client_disconnected()), Ordering::Relaxed);
    };
    let tasks = TaskTracker::new();
    let app = Router::new().route("/", any(handler));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    if layered {
        let app = RunToCompletionLayer::tracked_by(tasks.clone()).layer(app);
        tokio::spawn(axum::serve(listener, app.into_make_service()).into_future());
    } else {
        tokio::spawn(axum::serve(listener, app).into_future());
    }
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(client);
    tokio::time::sleep(Duration::from_millis(50)).await;
    tasks.close();
    tasks.wait().await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    counts.each_ref().map(|count| count.load(Ordering::Relaxed))
}

#[tokio::test]
async fn run_to_completion() {
    let request = |method: &str, length: usize| {
        format!("{method} / HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\nbody")
    };
    let (post, get) = (request("POST", 4), request("GET", 4));
    assert_eq!(disconnect(&post, true).await, [1, 1, 1], "a write is finished");
    assert_eq!(disconnect(&post, false).await, [1, 0, 0], "without the layer it is not");
    assert_eq!(disconnect(&get, true).await, [1, 0, 0], "a read is cancelled");
    let half = request("POST", 5);
    assert_eq!(disconnect(&half, true).await, [0, 0, 0], "half a body is none");
}

#[tokio::test]
async fn run_to_completion_of_what_was_never_polled() {
    let (ended, end) = tokio::sync::oneshot::channel();
    let ended = Arc::new(std::sync::Mutex::new(Some(ended)));
    let handler = async move |body: Bytes| _ = ended.lock().unwrap().take().unwrap().send(body);
    let mut app = RunToCompletionLayer::new().layer(Router::new().route("/", post(handler)));
    drop(app.call(Request::post("/").body(Body::from("body")).unwrap()));
    assert_eq!(end.await.unwrap(), "body");
}

#[tokio::test]
async fn tasks_behind_answers_are_waited_for() {
    let (begin, gate) = tokio::sync::watch::channel(false);
    let done = Arc::new(AtomicUsize::new(0));
    let handler = {
        let done = Arc::clone(&done);
        async move || {
            let (mut gate, done) = (gate.clone(), Arc::clone(&done));
            Background::new("answered", async move {
                gate.wait_for(|open| *open).await.unwrap();
                done.fetch_add(1, Ordering::SeqCst);
            })
        }
    };
    let tasks = TaskTracker::new();
    let router = Router::new().route("/", get(handler.clone()).post(handler));
    let app = RunToCompletionLayer::tracked_by(tasks.clone()).layer(router);
    for method in ["GET", "POST"] {
        let request = Request::builder().method(method).uri("/").body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(text(response).await, "answered");
    }
    // A client that leaves before the answer.
    let mut left = app;
    drop(left.call(Request::post("/").body(Body::empty()).unwrap()));
    tasks.close();
    assert!(tokio::time::timeout(Duration::from_millis(50), tasks.wait()).await.is_err());
    assert_eq!(done.load(Ordering::SeqCst), 0);
    begin.send(true).unwrap();
    tasks.wait().await;
    assert_eq!(done.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn gzip() {
    let app = Router::new()
        .route("/long", get(async || "a".repeat(1000)))
        .route("/short", get(async || "a"))
        .layer(GzipLayer::new());
    let accepts = |path| Request::get(path).header("accept-encoding", "gzip");
    let answer = send(app.clone(), accepts("/long"), "").await;
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.headers()["vary"], "Accept-Encoding");
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    let mut plain = String::new();
    flate2::read::GzDecoder::new(&*bytes).read_to_string(&mut plain).unwrap();
    assert_eq!(plain, "a".repeat(1000));
    let answer = send(app.clone(), accepts("/short"), "").await;
    assert!(!answer.headers().contains_key("content-encoding"));
    let answer = send(app, Request::get("/long"), "").await;
    assert_eq!(text(answer).await, "a".repeat(1000));
}

#[tokio::test]
async fn trusted_hosts() {
    let layer = TrustedHostLayer::new(["www.example.com", "*.example.org"]).unwrap();
    let app = Router::new().route("/", get(async || "read")).layer(layer);
    for (host, status) in [
        ("www.example.com", 200),
        ("a.example.org:8000", 200),
        ("elsewhere.example", 400),
        ("example.com", 307),
    ] {
        let answer = send(app.clone(), Request::get("/").header("host", host), "").await;
        assert_eq!(answer.status(), status, "{host}");
        if status == 307 {
            assert_eq!(answer.headers()["location"], "http://www.example.com/");
        }
    }
}

#[tokio::test]
async fn https_redirect() {
    let app = Router::new().route("/", get(async || "read")).layer(HttpsRedirectLayer);
    let answer = send(app, Request::get("/?a=b").header("host", "example.com"), "").await;
    assert_eq!(answer.status(), 307);
    assert_eq!(answer.headers()["location"], "https://example.com/?a=b");
}

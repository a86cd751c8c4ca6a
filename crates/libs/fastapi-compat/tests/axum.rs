//! What a person knows of axum works as axum documents it: its extractors and layers beside ours.
//! The README's table names these tests.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::collections::HashMap;
use std::net::SocketAddr;

use axum::body::{Body, to_bytes};
use axum::extract::ws::WebSocketUpgrade;
use axum::extract::{
    ConnectInfo, Extension, MatchedPath, Multipart, OriginalUri, Path as AxumPath,
    Query as AxumQuery, Request, State,
};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum_extra::TypedHeader;
use axum_extra::headers::UserAgent;
use fastapi_compat::{
    Bearer, Call, Cookie, Decode, DryRun, Embedded, Errors, Form, Header, Json, LocalAddr, Path,
    Query, Router, WouldAct, get, post, put, routes,
};
use http::{HeaderValue, Method, StatusCode, Uri, header};
use serde::Deserialize;
use tower::ServiceExt;

async fn send(app: &axum::Router, request: Request) -> (StatusCode, String, http::HeaderMap) {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts.status, String::from_utf8(body.to_vec()).unwrap(), parts.headers)
}

fn request(method: &str, path: &str) -> Request {
    Request::builder().method(method).uri(path).body(Body::empty()).unwrap()
}

/// Status and body of a GET.
async fn read(app: &axum::Router, path: &str) -> (u16, String) {
    let (status, body, _) = send(app, request("GET", path)).await;
    (status.as_u16(), body)
}

fn ok(body: &str) -> (u16, String) {
    (200, body.to_owned())
}

mod extractors {
    use super::*;

    #[get("/{owner}/items/{id}")]
    async fn tuple(AxumPath((owner, id)): AxumPath<(String, u32)>) -> String {
        format!("{owner} {id}")
    }

    #[derive(Deserialize)]
    struct Ids {
        owner: String,
        id: u32,
    }

    #[get("/struct/{owner}/{id}")]
    async fn named(AxumPath(Ids { owner, id }): AxumPath<Ids>) -> String {
        format!("{owner} {id}")
    }

    #[get("/map/{owner}/{id}")]
    async fn map(AxumPath(all): AxumPath<HashMap<String, String>>) -> String {
        format!("{} {}", all["owner"], all["id"])
    }

    #[tokio::test]
    async fn axum_path() {
        let app = Router::new().routes(routes![named, map, tuple]).with_state(());
        assert_eq!(read(&app, "/a/items/7").await, ok("a 7"));
        assert_eq!(read(&app, "/struct/a/7").await, ok("a 7"));
        assert_eq!(read(&app, "/map/a/7").await, ok("a 7"));
        assert_eq!(read(&app, "/map/%C3%A9%2F%20/7").await.0, 404, "%2F is a slash for Starlette");
        assert_eq!(read(&app, "/map/%C3%A9%20%25/7").await, ok("é % 7"));
        assert_eq!(read(&app, "/map/%FF/7").await, ok("\u{fffd} 7"));
    }

    #[get("/query")]
    async fn query(AxumQuery(query): AxumQuery<HashMap<String, String>>) -> String {
        query["a"].clone()
    }

    #[get("/state")]
    async fn state(State(state): State<&'static str>) -> String {
        state.to_owned()
    }

    #[get("/extension")]
    async fn extension(Extension(number): Extension<u8>) -> String {
        number.to_string()
    }

    #[tokio::test]
    async fn axum_query_state_and_extension() {
        let app = Router::new().routes(routes![query, state, extension]).layer(Extension(7_u8));
        let app = app.with_state("shared");
        assert_eq!(read(&app, "/query?a=%C3%A9").await, ok("é"));
        assert_eq!(read(&app, "/state").await, ok("shared"));
        assert_eq!(read(&app, "/extension").await, ok("7"));
    }

    #[get("/peer")]
    async fn peer(ConnectInfo(peer): ConnectInfo<SocketAddr>) -> String {
        peer.ip().to_string()
    }

    #[get("/socket")]
    async fn socket(upgrade: WebSocketUpgrade) -> Response {
        upgrade.on_upgrade(async |mut socket| {
            if let Some(Ok(message)) = socket.recv().await {
                let _ = socket.send(message).await;
            }
        })
    }

    /// Over a real connection.
    #[tokio::test]
    async fn axum_connect_info_and_web_socket() {
        use futures_util::{SinkExt, StreamExt};
        use tokio_tungstenite::tungstenite::Message;

        let app = Router::new().routes(routes![peer, socket]).with_state(());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let service = app.clone().into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(axum::serve(listener, service).into_future());
        let url = format!("ws://{address}/socket");
        let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        socket.send(Message::text("echo")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::text("echo"));

        let mut request = request("GET", "/peer");
        request.extensions_mut().insert(ConnectInfo(address));
        assert_eq!(send(&app, request).await.1, "127.0.0.1");
    }

    #[post("/multipart")]
    async fn multipart(mut fields: Multipart) -> String {
        fields.next_field().await.unwrap().unwrap().text().await.unwrap()
    }

    #[tokio::test]
    async fn axum_multipart() {
        let app = Router::new().routes(routes![multipart]).with_state(());
        let body = "--x\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nb\r\n--x--\r\n";
        let request = Request::post("/multipart")
            .header(header::CONTENT_TYPE, "multipart/form-data; boundary=x")
            .body(Body::from(body));
        assert_eq!(send(&app, request.unwrap()).await.1, "b");
    }

    #[get("/matched/{id}")]
    async fn matched(path: MatchedPath, OriginalUri(original): OriginalUri, uri: Uri) -> String {
        format!("{} {original} {uri}", path.as_str())
    }

    #[tokio::test]
    async fn axum_matched_path_and_original_uri() {
        let app = Router::new().routes(routes![matched]).prefix("/api").with_state(());
        assert_eq!(
            read(&app, "/api/matched/7?a=b").await,
            ok("/api/matched/{id} /api/matched/7?a=b /api/matched/7?a=b")
        );
        // The URI stays as it came, however it is encoded for axum's matcher.
        assert_eq!(
            read(&app, "/%61pi/matched/%37?a=%62").await,
            ok("/api/matched/{id} /%61pi/matched/%37?a=%62 /%61pi/matched/%37?a=%62")
        );
    }

    #[get("/agent")]
    #[axum::debug_handler]
    async fn agent(TypedHeader(agent): TypedHeader<UserAgent>) -> String {
        agent.to_string()
    }

    #[tokio::test]
    async fn axum_extra_and_debug_handler() {
        let app = Router::new().routes(routes![agent]).with_state(());
        let mut request = request("GET", "/agent");
        request.headers_mut().insert(header::USER_AGENT, HeaderValue::from_static("tests/1"));
        assert_eq!(send(&app, request).await.1, "tests/1");
        // A handler is an ordinary function.
        assert_eq!(agent(TypedHeader(UserAgent::from_static("me"))).await, "me");
    }
}

mod inputs {
    use super::*;

    #[derive(Decode)]
    struct Q {
        #[schema(ge = 1)]
        n: i64,
    }

    #[get("/query")]
    async fn query(Query(q): Query<Q>) -> Json<i64> {
        Json(q.n)
    }

    #[get("/header")]
    async fn head(Header(q): Header<Q>) -> Json<i64> {
        Json(q.n)
    }

    #[get("/cookie")]
    async fn cookie(Cookie(q): Cookie<Q>) -> Json<i64> {
        Json(q.n)
    }

    #[get("/path/{n}")]
    async fn path(Path(n): Path<i64>) -> Json<i64> {
        Json(n)
    }

    #[get("/paths/{n}/{m}")]
    async fn paths(Path((n, m)): Path<(i64, String)>) -> Json<String> {
        Json(format!("{n} {m}"))
    }

    #[post("/json")]
    async fn json(Json(q): Json<Q>) -> Json<i64> {
        Json(q.n)
    }

    #[post("/embedded")]
    async fn embedded(Embedded(q): Embedded<Q>) -> Json<i64> {
        Json(q.n)
    }

    #[post("/form")]
    async fn form(Form(q): Form<Q>) -> Json<i64> {
        Json(q.n)
    }

    /// Each of ours stands alone in a signature, with FastAPI's 422.
    #[tokio::test]
    async fn alone_in_a_signature() {
        let all = routes![query, head, cookie, path, paths, json, embedded, form];
        let app = Router::new().routes(all).with_state(());
        assert_eq!(read(&app, "/query?n=3").await, ok("3"));
        let (status, body) = read(&app, "/query?n=0").await;
        assert_eq!(status, 422);
        assert!(body.contains(r#""type":"greater_than_equal","loc":["query","n"]"#), "{body}");
        assert_eq!(read(&app, "/path/3").await, ok("3"));
        assert!(read(&app, "/path/x").await.1.contains(r#"["path","n"]"#));
        assert_eq!(read(&app, "/paths/3/x").await, ok(r#""3 x""#));
        for path in ["/header", "/cookie"] {
            assert_eq!(read(&app, path).await.0, 422);
            let mut request = request("GET", path);
            request.headers_mut().insert("n", HeaderValue::from_static("3"));
            request.headers_mut().insert("cookie", HeaderValue::from_static("n=3"));
            assert_eq!(send(&app, request).await.1, "3");
        }
        for (path, kind, body) in [
            ("/json", "application/json", r#"{"n": 3}"#),
            ("/embedded", "application/json", r#"{"n": 3}"#),
            ("/form", "application/x-www-form-urlencoded", "n=3"),
        ] {
            let request = Request::post(path).header(header::CONTENT_TYPE, kind);
            assert_eq!(send(&app, request.body(Body::from(body)).unwrap()).await.1, "3");
            assert_eq!(send(&app, super::request("POST", path)).await.0, 422);
        }
    }

    #[get("/made", status = 201)]
    async fn made() -> Json<bool> {
        Json(true)
    }

    #[get("/chosen", status = 201)]
    async fn chosen() -> (StatusCode, Json<bool>) {
        (StatusCode::OK, Json(true))
    }

    #[get("/anything")]
    async fn anything() -> impl IntoResponse {
        (StatusCode::IM_A_TEAPOT, "tea")
    }

    #[tokio::test]
    async fn answers() {
        let app = Router::new().routes(routes![made, chosen, anything]).with_state(());
        assert_eq!(read(&app, "/made").await, (201, "true".to_owned()));
        assert_eq!(read(&app, "/chosen").await, (200, "true".to_owned()));
        assert_eq!(read(&app, "/anything").await, (418, "tea".to_owned()));
    }

    struct Silent;

    impl Decode for Silent {
        fn json_schema() -> fastapi_compat::openapi::RefOrSchema {
            <bool as fastapi_compat::Documented<_>>::schema()
        }

        fn name(_: &fastapi_compat::Constraints) -> std::borrow::Cow<'static, str> {
            "silent".into()
        }

        fn decode(
            _: &fastapi_compat::Value,
            _: &fastapi_compat::Constraints,
            _: &fastapi_compat::Loc<'_>,
            _: &mut Errors,
        ) -> Option<Self> {
            None
        }
    }

    #[get("/silent/{a}")]
    async fn silent(Call((), Path(_)): Call<(), Path<Silent>>) -> Json<bool> {
        Json(true)
    }

    #[tokio::test]
    async fn a_type_that_does_not_say_what_is_wrong_is_a_500() {
        let app = Router::new().routes(routes![silent]).with_state(());
        assert_eq!(read(&app, "/silent/a").await, (500, "Internal Server Error".to_owned()));
    }

    type Alias<T> = fastapi_compat::Call<(), T>;

    #[put("/alias")]
    async fn alias(Alias { 1: Query(_), .. }: Alias<Query<Q>>) -> Json<bool> {
        Json(true)
    }

    mod own {
        /// Another type of that name.
        pub(super) struct Call;

        impl<S: Sync> axum::extract::FromRequestParts<S> for Call {
            type Rejection = std::convert::Infallible;

            async fn from_request_parts(
                _: &mut http::request::Parts,
                _: &S,
            ) -> Result<Self, Self::Rejection> {
                Ok(Self)
            }
        }
    }

    #[put("/own")]
    async fn own_call(_: own::Call) -> Json<bool> {
        Json(true)
    }

    /// What is validated is decided by the type, not by what it is called.
    #[tokio::test]
    async fn a_dry_run_calls_no_handler() {
        let app = Router::new().routes(routes![alias, own_call, query]).with_state(());
        for (method, path, status, would_act) in [
            ("PUT", "/alias?n=1", 204, true),
            ("PUT", "/alias?n=0", 422, false),
            ("PUT", "/own", 204, true),
            ("GET", "/query?n=1", 204, true),
        ] {
            let mut request = request(method, path);
            request.extensions_mut().insert(DryRun);
            let response = app.clone().oneshot(request).await.unwrap();
            assert_eq!(response.status(), status, "{path}");
            assert_eq!(response.extensions().get::<WouldAct>().is_some(), would_act, "{path}");
        }
        assert_eq!(send(&app, request("PUT", "/alias?n=1")).await.1, "true");
    }
}

mod router {
    use super::*;

    #[get("/a")]
    async fn a() -> &'static str {
        "a"
    }

    #[get("/b/{id}")]
    async fn b(path: MatchedPath, uri: Uri, OriginalUri(original): OriginalUri) -> String {
        format!("{} {uri} {original}", path.as_str())
    }

    #[post("/c", status = 201)]
    async fn c() -> &'static str {
        "c"
    }

    /// Adds a header with the path that the layer sees as matched.
    async fn mark(request: Request, next: Next) -> Response {
        let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let mut response = next.run(request).await;
        let value = HeaderValue::from_str(&path.unwrap_or_default()).unwrap();
        response.headers_mut().insert("x-mark", value);
        response
    }

    async fn marked(app: &axum::Router, method: &str, path: &str) -> (u16, Option<String>) {
        let (status, _, headers) = send(app, request(method, path)).await;
        let mark = headers.get("x-mark").map(|mark| mark.to_str().unwrap().to_owned());
        (status.as_u16(), mark)
    }

    #[tokio::test]
    async fn layer() {
        let app = Router::new().routes(routes![b]).layer(from_fn(mark)).routes(routes![a]);
        let app = app.with_state(());
        assert_eq!(marked(&app, "GET", "/b/1").await, (200, Some("/b/{id}".into())));
        assert_eq!(marked(&app, "GET", "/a").await, (200, None), "added later");
        assert_eq!(marked(&app, "POST", "/b/1").await, (405, Some("/b/{id}".into())));
        assert_eq!(marked(&app, "GET", "/none").await, (404, Some(String::new())));
        assert_eq!(marked(&app, "GET", "/a/").await, (307, Some(String::new())));
    }

    #[tokio::test]
    async fn route_layer() {
        let group = Router::new().routes(routes![b, c]).route_layer(from_fn(mark));
        let app = Router::new().routes(routes![a]).merge(group).with_state(());
        assert_eq!(marked(&app, "GET", "/a").await, (200, None), "of another group");
        assert_eq!(marked(&app, "GET", "/b/1").await, (200, Some("/b/{id}".into())));
        assert_eq!(marked(&app, "POST", "/c").await, (201, Some("/c".into())));
        assert_eq!(marked(&app, "GET", "/none").await, (404, None));
    }

    #[tokio::test]
    async fn nest() {
        let inner =
            Router::new().routes(routes![b]).route("/", axum::routing::get(|| async { "root" }));
        let app = Router::new().nest("/api/{version}", inner.layer(from_fn(mark)));
        let operations: Vec<_> = app.operations().map(|(.., path)| path).collect();
        assert_eq!(operations, ["/api/{version}/b/{id}", "/api/{version}"]);
        let app = app.with_state(());
        let expected = "/api/{version}/b/{id} /b/1 /api/v1/b/1";
        assert_eq!(read(&app, "/api/v1/b/1").await, ok(expected));
        assert_eq!(read(&app, "/api/v1").await, ok("root"));
        assert_eq!(marked(&app, "POST", "/api/v1/b/1").await.0, 405);
        assert_eq!(marked(&app, "GET", "/none").await, (404, None));
    }

    #[tokio::test]
    async fn nested_fallback() {
        let gone = async |uri: Uri, OriginalUri(original): OriginalUri| {
            (StatusCode::GONE, format!("{uri} {original}"))
        };
        let with = Router::new().routes(routes![b]).fallback(gone).layer(from_fn(mark));
        let without = Router::new().routes(routes![a]);
        let outer = Router::new().nest("/{version}/with", with).nest("/without", without);
        let outer = outer.fallback(async || (StatusCode::IM_A_TEAPOT, "outer"));
        for (app, at) in [
            (outer.clone().with_state(()), ""),
            (Router::new().nest("/api", outer.clone()).with_state(()), "/api"),
            (outer.prefix("/pre").with_state(()), "/pre"),
        ] {
            let path = |path: &str| format!("{at}{path}");
            let expected = (410, format!("/none?a=1 {at}/1/with/none?a=1"));
            assert_eq!(read(&app, &path("/1/with/none?a=1")).await, expected);
            assert_eq!(marked(&app, "GET", &path("/1/with/none")).await.1, Some(String::new()));
            assert_eq!(read(&app, &path("/1/with")).await, (410, format!("/ {at}/1/with")));
            assert_eq!(send(&app, request("POST", &path("/1/with/b/1"))).await.0, 405);
            assert_eq!(read(&app, &path("/without/none")).await, (418, "outer".to_owned()));
            // The router around it has no fallback of its own.
            let expected = if at == "/api" { 404 } else { 418 };
            assert_eq!(read(&app, "/none").await.0, expected);
        }
    }

    #[tokio::test]
    async fn prefix() {
        let app = Router::new().routes(routes![b]).prefix("/api").with_state(());
        assert_eq!(read(&app, "/api/b/1").await, ok("/api/b/{id} /api/b/1 /api/b/1"));
    }

    #[tokio::test]
    async fn merge_and_fallback() {
        let other = Router::new().routes(routes![a]).fallback(async || (StatusCode::GONE, "gone"));
        let app = Router::new().routes(routes![b]).merge(other).with_state(());
        assert_eq!(read(&app, "/a").await, ok("a"));
        assert_eq!(read(&app, "/none").await, (410, "gone".to_owned()));
        assert_eq!(read(&app, "/a/").await.0, 307, "a redirect comes first");
        assert_eq!(send(&app, request("POST", "/a")).await.0, 405);
    }

    #[test]
    #[should_panic(expected = "both have a fallback")]
    fn two_fallbacks() {
        let one = || Router::<()>::new().fallback(async || "");
        let _ = one().merge(one());
    }

    #[tokio::test]
    async fn route() {
        let page = axum::routing::get(async || "page").put(async || "put");
        let app = Router::new().route("/page", page).routes(routes![a]).with_state(());
        assert_eq!(read(&app, "/page").await, ok("page"));
        assert_eq!(send(&app, request("PUT", "/page")).await.1, "put");
        assert_eq!(send(&app, request("HEAD", "/page")).await.0, 200, "as axum's get");
        let (status, body, headers) = send(&app, request("POST", "/page")).await;
        assert_eq!((status.as_u16(), body.as_str()), (405, r#"{"detail":"Method Not Allowed"}"#));
        assert_eq!(headers[header::ALLOW], "GET, HEAD, PUT");
    }

    #[get("/x/{id}")]
    async fn parameter(Path(id): Path<String>) -> String {
        id
    }

    #[get("/x/me")]
    async fn literal() -> &'static str {
        "literal"
    }

    #[post("/x/me")]
    async fn posted() -> &'static str {
        "posted"
    }

    /// Starlette's rules.
    #[tokio::test]
    async fn starlette_order() {
        let app = Router::new().routes(routes![parameter, literal, posted]).with_state(());
        assert_eq!(read(&app, "/x/me").await, ok("me"), "the first that matches");
        assert_eq!(send(&app, request("POST", "/x/me")).await.1, "posted");
        let (status, body, headers) = send(&app, request("PUT", "/x/me")).await;
        assert_eq!((status.as_u16(), body.as_str()), (405, r#"{"detail":"Method Not Allowed"}"#));
        assert_eq!(headers[header::ALLOW], "GET", "of the first route of the path");
        assert_eq!(send(&app, request("HEAD", "/x/me")).await.0, 405);
        assert_eq!(read(&app, "/%78/%6De%0A").await, ok("me\n"), "decoded before it is matched");
        assert_eq!(read(&app, "/x/%7Bid%7D").await, ok("{id}"));
        assert_eq!(read(&app, "/x/").await.0, 404);
    }

    #[tokio::test]
    async fn slash_redirects() {
        let app = Router::new().routes(routes![a]).with_state(());
        let location = async |host: &'static str, local: Option<&str>| {
            let mut request = request("GET", "/a/?b=c");
            request.headers_mut().insert(header::HOST, HeaderValue::from_static(host));
            if let Some(local) = local {
                request.extensions_mut().insert(LocalAddr(local.parse().unwrap()));
            }
            send(&app, request).await.2[header::LOCATION].to_str().unwrap().to_owned()
        };
        assert_eq!(location("h:1", None).await, "http://h:1/a?b=c");
        // FastAPI names the socket then.
        assert_eq!(location("a b", Some("127.0.0.1:8000")).await, "http://127.0.0.1:8000/a?b=c");
        assert_eq!(location("a b", Some("10.0.0.1:80")).await, "http://10.0.0.1/a?b=c");
        assert_eq!(location("a b", Some("[::1]:8000")).await, "http://[::1]:8000/a?b=c");
    }

    #[get("/files/{p:path}")]
    async fn file(Path(p): Path<String>, path: MatchedPath) -> String {
        format!("{p} {}", path.as_str())
    }

    #[get("/n/{i:int}")]
    async fn int(Path(i): Path<i64>, path: MatchedPath) -> String {
        format!("{i} {}", path.as_str())
    }

    #[get("/f/{f:float}")]
    async fn float(Path(f): Path<f64>) -> String {
        f.to_string()
    }

    #[get("/u/{u:uuid}")]
    async fn uuid(Path(u): Path<uuid::Uuid>) -> String {
        u.to_string()
    }

    #[get("/part/{name}.json")]
    async fn part(Path(name): Path<String>, AxumPath(same): AxumPath<String>) -> String {
        format!("{name} {same}")
    }

    #[get("/two/{a}-{b}/{p:path}/end")]
    async fn two(Path((a, b, p)): Path<(String, String, String)>) -> String {
        format!("{a} {b} {p}")
    }

    /// As Starlette's regular expressions match them.
    #[tokio::test]
    async fn convertors() {
        let router = Router::new().routes(routes![file, int, float, uuid, part, two]);
        let paths: Vec<_> = router.operations().map(|(.., path)| path).collect();
        assert_eq!(paths[..2], ["/files/{p}", "/n/{i}"]);
        let app = router.with_state(());
        assert_eq!(read(&app, "/files/a/b").await, ok("a/b /files/{p}"));
        assert_eq!(read(&app, "/files/").await, ok(" /files/"));
        assert_eq!(read(&app, "/files/a%2Fb%20c/").await, ok("a/b c/ /files/{p}"));
        assert_eq!(read(&app, "/files/a%0Ab").await.0, 404, "`.` is no newline");
        assert_eq!(read(&app, "/n/12").await, ok("12 /n/{i}"));
        assert_eq!(read(&app, "/n/12%0A").await, ok("12 /n/{i}"));
        assert_eq!(read(&app, "/n/-1").await.0, 404);
        assert_eq!(read(&app, "/n/x").await.0, 404);
        assert_eq!(read(&app, "/f/1.5").await, ok("1.5"));
        assert_eq!(read(&app, "/f/1.").await.0, 404);
        let id = "f47ac10b-58cc-4372-a567-0e02b2c3d479";
        assert_eq!(read(&app, &format!("/u/{}", id.replace('-', ""))).await, ok(id));
        assert_eq!(read(&app, "/u/1").await.0, 404);
        assert_eq!(read(&app, "/part/a%20b.json").await, ok("a b a b"));
        assert_eq!(read(&app, "/part/.json").await.0, 404);
        assert_eq!(read(&app, "/part/a.xml").await.0, 404);
        assert_eq!(read(&app, "/two/x-y-z/1/2/end").await, ok("x-y z 1/2"));
        assert_eq!(send(&app, request("POST", "/part/a.json")).await.0, 405);
    }

    #[get("/below/{b}", prefix_parameters = 1)]
    async fn below(Path((a, b)): Path<(i64, i64)>) -> String {
        format!("{a} {b}")
    }

    #[tokio::test]
    async fn parameters_of_a_prefix() {
        let app = Router::new().routes(routes![below]).prefix("/{a}").with_state(());
        assert_eq!(read(&app, "/1/below/2").await, ok("1 2"));
    }

    #[test]
    #[should_panic(expected = "`below` takes 2 path parameters and its route `/below/{b}` has 1")]
    fn a_prefix_that_is_missing() {
        let _: axum::Router = Router::new().routes(routes![below]).with_state(());
    }

    #[test]
    #[should_panic(expected = "stands twice")]
    fn a_name_that_stands_twice() {
        let _: axum::Router = Router::new().routes(routes![b]).prefix("/{id}").with_state(());
    }

    #[get("/secret")]
    async fn secret(Call(Bearer(token), ()): Call<Bearer>) -> String {
        token
    }

    /// A router becomes one of axum's, which takes part in others.
    #[tokio::test]
    async fn within_axum() {
        let ours: axum::Router = Router::new().routes(routes![a, secret]).with_state(());
        let app = axum::Router::new()
            .route("/theirs", axum::routing::get(async || "theirs"))
            .nest_service("/ours", ours)
            .layer(map_response(async |mut response: Response| {
                response.headers_mut().insert("x-outer", HeaderValue::from_static("1"));
                response
            }));
        assert_eq!(read(&app, "/theirs").await, ok("theirs"));
        assert_eq!(read(&app, "/ours/a").await, ok("a"));
        assert_eq!(send(&app, request("GET", "/ours/secret")).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(send(&app, request(Method::GET.as_str(), "/ours/a")).await.2["x-outer"], "1");
    }
}

mod serving {
    use std::sync::atomic::{AtomicBool, Ordering};

    use fastapi_compat::openapi::Info;
    use fastapi_compat::{
        Background, Dependent, Depends, HttpError, RedirectResponse, SetCookie, api_route,
        websocket,
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
}

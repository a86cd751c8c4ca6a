//! Methods of `Router`, and what it matches.

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
    let fallback = async |uri: Uri, OriginalUri(original): OriginalUri| {
        (StatusCode::GONE, format!("{uri} {original}"))
    };
    let with = Router::new().routes(routes![b]).fallback(fallback).layer(from_fn(mark));
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

#[tokio::test]
async fn route_layer_of_one_operation() {
    let one = Router::new().routes(routes![b]).route_layer(from_fn(mark));
    let app = Router::new().routes(routes![a]).merge(one).routes(routes![c]).with_state(());
    assert_eq!(marked(&app, "GET", "/b/1").await, (200, Some("/b/{id}".into())));
    assert_eq!(marked(&app, "GET", "/a").await, (200, None));
    assert_eq!(marked(&app, "POST", "/c").await.1, None);
}

#[tokio::test]
async fn hidden() {
    let router = Router::new().routes(routes![a]).merge(Router::new().routes(routes![c]).hidden());
    let info = fastapi_compat::openapi::Info { title: "T", version: "1", token_url: "" };
    let document = router.document(&info).unwrap();
    assert_eq!(document.paths.paths.keys().collect::<Vec<_>>(), ["/a"]);
    assert_eq!(send(&router.with_state(()), request("POST", "/c")).await.0, StatusCode::CREATED);
}

/// Routers of ours are merged and layered before they have their state.
#[tokio::test]
async fn merge_and_layer_before_the_state() {
    let router = Router::new().routes(routes![a]).merge(Router::new().routes(routes![b]));
    let outer = from_fn(async |request: Request, next: Next| {
        let is_matched = request.extensions().get::<MatchedPath>().is_some();
        let mut response = next.run(request).await;
        response.headers_mut().insert("x-outer", HeaderValue::from(u16::from(is_matched)));
        response
    });
    let app: axum::Router = router.layer(from_fn(mark)).with_state(()).layer(outer);
    assert_eq!(marked(&app, "GET", "/b/1").await, (200, Some("/b/{id}".into())));
    let (_, _, headers) = send(&app, request("GET", "/b/1")).await;
    assert_eq!(headers["x-outer"], "0", "a layer around the application comes before the routes");
}

#[test]
#[should_panic(expected = "both have a fallback")]
fn two_with_states_do_not_merge() {
    let one: axum::Router = Router::new().routes(routes![a]).with_state(());
    let other: axum::Router = Router::new().routes(routes![b]).with_state(());
    let _ = one.merge(other);
}

#[test]
#[should_panic(expected = "`{*rest}` would be literal text")]
fn a_wildcard_of_axums() {
    let route = axum::routing::get(async || "");
    let _: axum::Router = Router::new().route("/files/{*rest}", route).with_state(());
}

#[utoipa::path(get, path = "/files/{*rest}")]
async fn utoipas() -> &'static str {
    "file"
}

#[test]
#[should_panic(expected = "`{*rest}` would be literal text")]
fn a_wildcard_of_utoipas() {
    let _: axum::Router = Router::new().routes(routes![utoipas]).with_state(());
}

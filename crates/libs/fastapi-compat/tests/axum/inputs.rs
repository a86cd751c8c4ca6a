//! Our inputs without `Call`, answers, and dry runs.

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

#[get("/unwritten")]
async fn unwritten(Call((), Query(_)): Call<(), Query<Q>>) -> Result<Json<bool>, HttpError> {
    Err(HttpError::not_written("unwritten is not written yet"))
}

/// A handler that is not written has validated, and says no more.
#[tokio::test]
async fn what_is_not_written_would_act() {
    let app = Router::new().routes(routes![unwritten]).with_state(());
    for (path, status, would_act) in [("/unwritten?n=1", 501, true), ("/unwritten?n=0", 422, false)]
    {
        let response = app.clone().oneshot(request("GET", path)).await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.extensions().get::<WouldAct>().is_some(), would_act, "{path}");
    }
    let body = send(&app, request("GET", "/unwritten?n=1")).await.1;
    assert_eq!(body, r#"{"detail":"unwritten is not written yet"}"#);
}

#[post("/raw")]
async fn raw(Call((), RawBody(body)): Call<(), RawBody>) -> String {
    format!("{} bytes", body.len())
}

#[tokio::test]
async fn raw_body() {
    let app = Router::new().routes(routes![raw]).with_state(());
    let request = Request::post("/raw").body(Body::from(vec![0xFF; 3])).unwrap();
    assert_eq!(send(&app, request).await.1, "3 bytes");
}

//! The port of `probe_app.py`: what an application chooses as a whole, and what its operations choose of an
//! answer.

use axum::Extension;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use fastapi_compat::{
    Call, Decode, Dependent, Depends, Dialect, Form, HttpError, Integer, Json, Path, Query, Router,
    Schema, Switch, get, post, routes,
};
use http::{HeaderValue, StatusCode};
use proptest::prelude::*;
use proptest::sample::select;
use serde::Serialize;
use serde_json::json;
use utoipa::openapi::external_docs::ExternalDocsBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ContactBuilder, InfoBuilder, LicenseBuilder, OpenApi, ServerBuilder};

use crate::requests::{Request, encode, request, text};

#[derive(Decode, Serialize)]
struct Item {
    name: String,
    count: Option<Integer>,
    #[schema(default = vec![])]
    tags: Vec<String>,
}

#[post("/app/content-type", tags = ["items"])]
async fn content_type(Call((), Json(item)): Call<(), Json<Item>>) -> Json<Item> {
    Json(item)
}

#[derive(Decode, Serialize)]
struct WithoutNone {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<Integer>,
    #[schema(default = vec![])]
    tags: Vec<String>,
}

#[post("/app/exclude-none")]
async fn exclude_none(Call((), Json(item)): Call<(), Json<WithoutNone>>) -> Json<WithoutNone> {
    Json(item)
}

#[derive(Decode, Serialize)]
struct WithoutDefaults {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<Integer>,
    #[schema(default = vec![])]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<String>,
}

#[post("/app/exclude-defaults")]
async fn exclude_defaults(
    Call((), Json(item)): Call<(), Json<WithoutDefaults>>,
) -> Json<WithoutDefaults> {
    Json(item)
}

#[derive(Decode)]
struct Cents(#[schema(ge = 0, le = 1_000_000)] Integer);

#[derive(Serialize, Schema)]
struct Priced {
    cents: String,
}

#[get("/app/serialized/{cents}")]
async fn serialized(Call((), Path(cents)): Call<(), Path<Cents>>) -> Json<Priced> {
    let cents = cents.0.to_string().parse().unwrap_or(0_u32);
    Json(Priced { cents: format!("{}.{:02} EUR", cents / 100, cents % 100) })
}

/// What `main` has made before it serves.
#[derive(Clone)]
struct Started(&'static str);

#[get("/app/lifespan")]
async fn of_lifespan(Extension(Started(started)): Extension<Started>) -> Json<&'static str> {
    Json(started)
}

#[derive(Decode)]
struct SessionQuery {
    #[schema(ge = -1000, le = 1000)]
    v: Integer,
}

#[derive(Clone)]
struct Session(i64);

impl Dependent for Session {
    type State = ();
    type Dependency = ();
    type Inputs = Query<SessionQuery>;
    type Rejection = HttpError;

    async fn call((): (), Query(query): Query<SessionQuery>, (): ()) -> Result<Self, HttpError> {
        Ok(Self(query.v.to_string().parse::<i64>().unwrap_or_default() * 2))
    }
}

impl Session {
    /// What stands behind `yield` for an exception.
    fn ended<T>(outcome: Result<T, Teapot>) -> Result<T, HttpError> {
        outcome.map_err(|_| HttpError::new(StatusCode::CONFLICT, "rolled back"))
    }
}

#[derive(Decode)]
struct Fails {
    #[schema(default = false)]
    fails: bool,
}

#[get("/app/yielded")]
async fn yielded(
    Call(Depends(session), Query(query)): Call<Depends<Session>, Query<Fails>>,
) -> Result<Json<i64>, HttpError> {
    let doubled = session.0;
    let outcome = if query.fails { Err(Teapot("in a session".to_owned())) } else { Ok(doubled) };
    Session::ended(outcome).map(Json)
}

/// An exception with a handler of its own.
struct Teapot(String);

impl IntoResponse for Teapot {
    fn into_response(self) -> Response {
        let kind = [("x-kind", "teapot")];
        (StatusCode::IM_A_TEAPOT, kind, Json(json!({ "message": self.0 }))).into_response()
    }
}

#[get("/app/handled/{v}")]
async fn handled(Call((), Path(v)): Call<(), Path<Integer>>) -> Result<Json<Integer>, Teapot> {
    if v.to_string().starts_with('-') {
        return Err(Teapot(format!("{v} is negative")));
    }
    Ok(Json(v))
}

/// `OAuth2PasswordRequestForm`
#[derive(Decode)]
struct SignIn {
    #[schema(pattern = "^password$")]
    #[expect(dead_code, reason = "only checked")]
    grant_type: Option<String>,
    username: String,
    #[schema(format = "password")]
    password: String,
    #[schema(default = "")]
    scope: String,
    client_id: Option<String>,
    #[schema(format = "password")]
    #[expect(dead_code, reason = "only checked")]
    client_secret: Option<String>,
}

#[post("/app/sign-in", tags = ["users", "sign-in"])]
async fn sign_in(Call((), Form(form)): Call<(), Form<SignIn>>) -> Json<Vec<Option<String>>> {
    let given = [Some(form.username), Some(form.password), form.client_id];
    let scopes = form.scope.split_whitespace().map(|scope| Some(scope.to_owned()));
    Json(given.into_iter().chain(scopes).collect())
}

#[derive(Decode)]
struct Texts {
    v: String,
}

#[get("/app/default-class")]
async fn default_class(Call((), Query(query)): Call<(), Query<Texts>>) -> String {
    query.v
}

#[get("/app/hidden-router")]
async fn hidden_router(Call((), Query(query)): Call<(), Query<Texts>>) -> Json<String> {
    Json(query.v)
}

#[post("/app/examples", openapi_extra = json!({"requestBody": {"content": {"application/json": {
    "examples": {
        "plain": {"summary": "A plain one", "value": {"name": "chair"}},
        "wrong": {"value": {"name": 1}},
    },
}}}}))]
async fn examples(Call((), Json(item)): Call<(), Json<Item>>) -> Json<Item> {
    Json(item)
}

fn unique_id(name: &str, tags: &[&str], _: &str, _: &http::Method) -> String {
    tags.iter().chain([&name]).copied().collect::<Vec<_>>().join("-")
}

fn other_id(name: &str, _: &[&str], _: &str, _: &http::Method) -> String {
    format!("other-{name}")
}

/// `strict_content_type=False`
pub(crate) const SWITCH: Switch = Switch::JsonWithoutContentType;

/// All routes, with the names of their operations.
pub(crate) fn port() -> (Router, Vec<String>) {
    let inner = async |mut response: Response| {
        response.headers_mut().insert("x-order", HeaderValue::from_static("inner"));
        response
    };
    let outer = async |mut response: Response| {
        if response.headers().get("x-order").is_some_and(|order| order == "inner") {
            response.headers_mut().insert("x-order", HeaderValue::from_static("inner, outer"));
        }
        response
    };
    let router = Router::new()
        .routes(routes![
            content_type,
            exclude_none,
            exclude_defaults,
            serialized,
            of_lifespan,
            yielded,
            handled,
            sign_in,
            examples,
        ])
        .merge(Router::new().routes(routes![default_class]).tag("texts").operation_ids(other_id))
        .merge(Router::new().routes(routes![hidden_router]).hidden())
        .operation_ids(unique_id)
        .layer(Extension(Started("started")))
        .layer(map_response(inner))
        .layer(map_response(outer))
        .dialect(Dialect::NEWEST.with(SWITCH));
    let names = router.operations().map(|(_, _, path)| path.trim_start_matches('/').to_owned());
    let names = names.collect();
    (router, names)
}

/// What the application says of itself in the document.
pub(crate) fn finish(document: &mut OpenApi) {
    let first =
        ServerBuilder::new().url("https://api.example.com").description(Some("The service"));
    let root = ServerBuilder::new().url("/prefix").build();
    document.servers = Some(vec![root, first.build(), ServerBuilder::new().url("/v1").build()]);
    let contact = ContactBuilder::new().name(Some("Support")).url(Some("https://example.com/"));
    document.info = InfoBuilder::new()
        .title("Catalogue")
        .description(Some("All that is sold."))
        .version("2.1")
        .terms_of_service(Some("https://example.com/terms"))
        .contact(Some(contact.email(Some("support@example.com")).build()))
        .license(Some(LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build()))
        .build();
    let docs =
        |url: &str, text: &str| ExternalDocsBuilder::new().url(url).description(Some(text)).build();
    let items = TagBuilder::new().name("items").description(Some("What is sold"));
    let users = docs("https://example.com/users", "More");
    let users = TagBuilder::new().name("users").external_docs(Some(users));
    document.tags = Some(vec![items.build(), users.build()]);
    document.external_docs = Some(docs("https://example.com/manual", "The manual"));
}

/// `root_path="/prefix"`: the proxy before it may have taken that away, or not.
pub(crate) fn serve(app: axum::Router) -> axum::Router {
    axum::Router::new().nest("/prefix", app.clone()).fallback_service(app)
}

/// A body with or without a content type.
fn body(path: String) -> BoxedStrategy<Vec<u8>> {
    let kinds = vec![None, Some("application/json"), Some("text/plain"), Some("")];
    let bodies = vec![
        r#"{"name":"a"}"#,
        r#"{"name":"a","count":null,"tags":[]}"#,
        r#"{"name":"a","count":3,"tags":["b"]}"#,
        r#"{"name":1}"#,
        "[]",
        "{",
        "",
    ];
    (select(kinds), select(bodies))
        .prop_map(move |(kind, body)| {
            let kind = kind.map(|kind| ("content-type", kind.as_bytes()));
            let headers: Vec<_> = kind.into_iter().collect();
            request("POST", &path, &headers, body.as_bytes())
        })
        .boxed()
}

fn sign_in_form(path: String) -> BoxedStrategy<Vec<u8>> {
    let pair = prop_oneof![
        select(vec!["username=me", "password=secret", "username=", "scope=a+b%20c", "scope="]),
        select(vec!["grant_type=password", "grant_type=other", "client_id=x", "client_secret=y"]),
    ];
    let pairs = proptest::collection::vec(pair, 0..5);
    (pairs, prop::bool::weighted(0.7))
        .prop_map(move |(mut pairs, is_whole)| {
            if is_whole {
                pairs.extend(["username=me", "password=p%C3%A9"]);
            }
            let kind: &[u8] = b"application/x-www-form-urlencoded";
            request("POST", &path, &[("content-type", kind)], pairs.join("&").as_bytes())
        })
        .boxed()
}

fn requests_to(operation: String) -> BoxedStrategy<Request> {
    let name = operation.split("/{").next().unwrap_or_default().to_owned();
    let path = format!("/{name}");
    let number =
        || prop_oneof![2 => (-2000..2_000_000_i64).prop_map(|v| v.to_string()), 1 => text("int")];
    let get = |path: String| request("GET", &path, &[], b"");
    let bytes = match name.as_str() {
        "app/serialized" | "app/handled" => {
            number().prop_map(move |v| get(format!("{path}/{}", encode(&v)))).boxed()
        }
        "app/yielded" => {
            let fails = select(vec!["", "&fails=true", "&fails=0", "&fails=x"]);
            let number =
                prop_oneof![2 => (-1500..1500_i32).prop_map(|v| v.to_string()), 1 => text("int")];
            (number, fails)
                .prop_map(move |(v, fails)| get(format!("{path}?v={}{fails}", encode(&v))))
                .boxed()
        }
        "app/default-class" | "app/hidden-router" => {
            text("str").prop_map(move |v| get(format!("{path}?v={}", encode(&v)))).boxed()
        }
        "app/lifespan" => Just(get(path)).boxed(),
        "app/sign-in" => sign_in_form(path),
        _ => body(path),
    };
    let astray = select(vec![
        "/app/lifespan/",
        "/app/none",
        "/app/sign-in",
        "/prefix/app/lifespan",
        "/prefix/app/lifespan/",
        "/prefix/app/handled/-1",
        "/prefix/app/none",
        "/prefix",
        "/prefix/",
        "/prefixapp/lifespan",
        "/prefix/prefix/app/lifespan",
    ]);
    let astray = astray.prop_map(|path| request("GET", path, &[], b""));
    let bytes = prop_oneof![15 => bytes, 1 => astray];
    bytes.prop_map(move |bytes| Request { operation: operation.clone(), bytes }).boxed()
}

/// Requests to all operations, each as often as the others.
pub(crate) fn requests(operations: &[String]) -> BoxedStrategy<Request> {
    proptest::strategy::Union::new(operations.iter().cloned().map(requests_to)).boxed()
}

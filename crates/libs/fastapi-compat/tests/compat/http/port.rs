//! The port of `probe_http.py`.

#![expect(clippy::type_complexity, reason = "signatures are what is shown")]
#![expect(clippy::many_single_char_names, reason = "they are called so in Python")]

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::ws::{CloseFrame, Message as Frame};
use axum::extract::{FromRequestParts, WebSocketUpgrade};
use axum::response::{Html, IntoResponse, Response};
use fastapi_compat::layers::{GzipLayer, HttpsRedirectLayer, TrustedHostLayer};
use fastapi_compat::openapi::{AdditionalResponse, OperationDocument};
use fastapi_compat::{
    ApiKeyCookie, ApiKeyHeader, ApiKeyName, ApiKeyQuery, Background, Basic, Bearer, Call, Cookie,
    Decode, Dependency, Dependent, Depends, Describe, EventSourceResponse, File, FileRequest,
    FileResponse, Frontend, FrontendFallback, Header, HttpBearer, HttpDigest, HttpError,
    HttpOptions, Integer, Json, JsonLines, MediaResponse, MediaType, NoContent,
    OAuth2AuthorizationCodeBearer, OAuth2Options, OAuth2PasswordBearer, OpenIdConnect,
    OpenIdConnectOptions, Path, Query, RedirectResponse, Router, SameSite, Schema, Scopes,
    Security, SecurityScopes, Selected, ServerSentEvent, SetCookie, SetCookies, StaticFiles,
    api_route, get, head, options, patch, post, routes, trace, websocket,
};
use futures_util::stream;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use indexmap::IndexMap;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Decode, Serialize, Clone)]
struct Item {
    name: String,
    #[schema(default = 1.5)]
    price: f64,
}

#[derive(Serialize, Schema)]
struct Message {
    message: String,
}

#[derive(Serialize, Schema)]
#[serde(untagged)]
enum Cell {
    Int(Integer),
    Float(f64),
    Str(String),
}

#[get("/path/tile/{z:int}/{x},{y}@{scale}x")]
async fn tile(
    Call((), Path((z, x, y, scale))): Call<(), Path<(Integer, Integer, String, f64)>>,
) -> Json<Vec<Cell>> {
    Json(vec![Cell::Int(z), Cell::Int(x), Cell::Str(y), Cell::Float(scale)])
}

#[get("/path/pair/{lon},{lat}")]
async fn pair(Call((), Path((lon, lat))): Call<(), Path<(f64, f64)>>) -> Json<Vec<f64>> {
    Json(vec![lon, lat])
}

#[get("/path/dotted/{name}.{ending}")]
async fn dotted(
    Call((), Path((name, ending))): Call<(), Path<(String, String)>>,
) -> Json<Vec<String>> {
    Json(vec![name, ending])
}

#[get("/path/six/{a}/{b}/{c}/{d}/{e}/{f}")]
async fn six(
    Call((), Path((a, b, c, d, e, f))): Call<
        (),
        Path<(Integer, Integer, Integer, Integer, Integer, Integer)>,
    >,
) -> Json<Integer> {
    let numbers = [a, b, c, d, e, f].map(|number| number.to_string().parse::<i128>());
    let sum = numbers.into_iter().map(|number| number.expect("small")).sum::<i128>();
    Json(Integer::from(i64::try_from(sum).expect("small")))
}

#[get("/path/tail/{p:path}/tail")]
async fn tail(Call((), Path(p)): Call<(), Path<String>>) -> Json<String> {
    Json(p)
}

#[derive(Serialize, Schema)]
#[serde(untagged)]
enum IntOrStr {
    Int(Integer),
    Str(String),
}

#[get("/path/prefixed/v{major:int}.{minor:int}/{rest:path}")]
async fn prefixed(
    Call((), Path((major, minor, rest))): Call<(), Path<(Integer, Integer, String)>>,
) -> Json<Vec<IntOrStr>> {
    Json(vec![IntOrStr::Int(major), IntOrStr::Int(minor), IntOrStr::Str(rest)])
}

#[get("/path/ordered/{number:int}")]
async fn ordered_int(Call((), Path(number)): Call<(), Path<Integer>>) -> Json<Integer> {
    Json(number)
}

#[get("/path/ordered/me")]
async fn ordered_me() -> Json<String> {
    Json("me".to_owned())
}

#[get("/path/ordered/{rest:path}")]
async fn ordered_rest(Call((), Path(rest)): Call<(), Path<String>>) -> Json<String> {
    Json(rest)
}

#[derive(Serialize, Schema)]
#[serde(untagged)]
enum FloatOrUuid {
    Float(f64),
    Uuid(Uuid),
}

#[get("/path/slash/{f:float}/{u:uuid}/")]
async fn slash(Call((), Path((f, u))): Call<(), Path<(f64, Uuid)>>) -> Json<Vec<FloatOrUuid>> {
    Json(vec![FloatOrUuid::Float(f), FloatOrUuid::Uuid(u)])
}

#[head("/method/head/{v}", name = "head")]
async fn head_method(Call((), Path(v)): Call<(), Path<Integer>>) -> Json<Integer> {
    Json(v)
}

#[options("/method/options", name = "options")]
async fn options_method(Call((), Json(given)): Call<(), Json<Item>>) -> Json<Item> {
    Json(given)
}

#[derive(Decode)]
struct Q {
    q: Integer,
}

#[trace("/method/trace", name = "trace")]
async fn trace_method(Call((), Query(query)): Call<(), Query<Q>>) -> Json<Integer> {
    Json(query.q)
}

#[patch("/method/patch/{v}", name = "patch")]
async fn patch_method(
    Call((), (Path(_v), Json(given))): Call<(), (Path<Integer>, Json<Item>)>,
) -> Json<Item> {
    Json(given)
}

#[api_route("/method/several/{v}", methods = ["GET", "POST", "DELETE"], id = "several")]
async fn several(Call((), Path(v)): Call<(), Path<Integer>>) -> Json<Integer> {
    Json(v)
}

#[get("/method/split")]
async fn split_get() -> Json<String> {
    Json("get".to_owned())
}

#[post("/method/split")]
async fn split_post() -> Json<String> {
    Json("post".to_owned())
}

struct Users;

impl OAuth2Options for Users {
    const TOKEN_URL: &'static str = "token";
    const REFRESH_URL: Option<&'static str> = Some("refresh");
    const SCOPES: &'static [(&'static str, &'static str)] =
        &[("me", "Read yourself."), ("items", "Read items.")];
    const SCHEME_NAME: Option<&'static str> = Some("Users");
    const DESCRIPTION: Option<&'static str> = Some("Of users");
}

struct Code;

impl OAuth2Options for Code {
    const TOKEN_URL: &'static str = "https://example.com/token";
    const AUTHORIZATION_URL: &'static str = "https://example.com/authorize";
}

#[get("/security/password")]
async fn password(Call(given, ()): Call<OAuth2PasswordBearer<Users>>) -> Json<String> {
    Json(given.token)
}

#[get("/security/code")]
async fn authorization_code(
    Call(given, ()): Call<OAuth2AuthorizationCodeBearer<Code>>,
) -> Json<String> {
    Json(given.token)
}

struct Open;

impl OpenIdConnectOptions for Open {
    const URL: &'static str = "https://example.com/openid";
    const DESCRIPTION: Option<&'static str> = Some("Open");
}

#[get("/security/open-id")]
async fn open_id(Call(given, ()): Call<OpenIdConnect<Open>>) -> Json<String> {
    Json(given.authorization)
}

#[get("/security/digest")]
async fn digest(Call(given, ()): Call<HttpDigest>) -> Json<Vec<String>> {
    Json(vec![given.scheme, given.credentials])
}

struct Jwt;

impl HttpOptions for Jwt {
    const SCHEME_NAME: Option<&'static str> = Some("Token");
    const DESCRIPTION: Option<&'static str> = Some("A JWT");
    const BEARER_FORMAT: Option<&'static str> = Some("JWT");
}

#[get("/security/jwt")]
async fn jwt(Call(given, ()): Call<HttpBearer<Jwt>>) -> Json<Vec<String>> {
    Json(vec![given.scheme, given.credentials])
}

struct Admin;

impl HttpOptions for Admin {
    const SCHEME_NAME: Option<&'static str> = Some("Admin");
    const REALM: Option<&'static str> = Some("simple");
}

#[get("/security/realm")]
async fn realm(Call(given, ()): Call<Basic<Admin>>) -> Json<Vec<String>> {
    Json(vec![given.username, given.password])
}

struct XKey;

impl ApiKeyName for XKey {
    const NAME: &'static str = "x-key";
}

struct Number;

impl ApiKeyName for Number {
    const NAME: &'static str = "number";
}

struct K;

impl ApiKeyName for K {
    const NAME: &'static str = "k";
    const SCHEME_NAME: Option<&'static str> = Some("K");
    const DESCRIPTION: Option<&'static str> = Some("A cookie");
}

struct Plain;

impl OpenIdConnectOptions for Plain {
    const URL: &'static str = "/openid";
}

#[derive(Serialize, Schema)]
struct Optionals {
    #[schema(required = true)]
    bearer: Option<String>,
    #[schema(required = true)]
    basic: Option<String>,
    #[schema(required = true)]
    digest: Option<String>,
    #[schema(required = true)]
    token: Option<String>,
    #[schema(required = true)]
    open_id: Option<String>,
    #[schema(required = true)]
    header: Option<String>,
    #[schema(required = true)]
    query: Option<String>,
    #[schema(required = true)]
    cookie: Option<String>,
}

type AllOptional = (
    Option<HttpBearer>,
    Option<Basic>,
    Option<HttpDigest>,
    Option<Bearer>,
    Option<OpenIdConnect<Plain>>,
    Option<ApiKeyHeader<XKey>>,
    Option<ApiKeyQuery<Number>>,
    Option<ApiKeyCookie<K>>,
);

#[get("/security/optional")]
async fn optional(
    Call((bearer, basic, digest, token, open_id, header, query, cookie), ()): Call<AllOptional>,
) -> Json<Optionals> {
    Json(Optionals {
        bearer: bearer.map(|given| given.credentials),
        basic: basic.map(|given| given.username),
        digest: digest.map(|given| given.credentials),
        token: token.map(|Bearer(token)| token),
        open_id: open_id.map(|given| given.authorization),
        header: header.map(|given| given.key),
        query: query.map(|given| given.key),
        cookie: cookie.map(|given| given.key),
    })
}

#[derive(Serialize, Schema, Clone)]
struct User {
    token: String,
    scopes: Vec<String>,
}

impl Dependent for User {
    type State = ();
    type Dependency = (SecurityScopes, OAuth2PasswordBearer<Users>);
    type Inputs = ();
    type Rejection = HttpError;

    async fn call((scopes, given): Self::Dependency, (): (), (): ()) -> Result<Self, HttpError> {
        if given.token == "abc" {
            let challenge = format!("Bearer scope=\"{}\"", scopes.scope_str());
            let challenge = HeaderValue::try_from(challenge).expect("scopes are ASCII");
            return Err(HttpError::new(StatusCode::UNAUTHORIZED, "Not enough permissions")
                .with_header(header::WWW_AUTHENTICATE, challenge));
        }
        let scopes = scopes.scopes.into_iter().map(str::to_owned).collect();
        Ok(Self { token: given.token, scopes })
    }
}

struct Me;

impl Scopes for Me {
    const SCOPES: &'static [&'static str] = &["me"];
}

struct ItemsAndMe;

impl Scopes for ItemsAndMe {
    const SCOPES: &'static [&'static str] = &["items", "me"];
}

#[derive(Clone)]
struct ActiveUser(User);

impl Dependent for ActiveUser {
    type State = ();
    type Dependency = Security<Depends<User>, Me>;
    type Inputs = ();
    type Rejection = HttpError;

    async fn call(
        Security(Depends(user), _): Self::Dependency,
        (): (),
        (): (),
    ) -> Result<Self, HttpError> {
        Ok(Self(user))
    }
}

#[get("/security/scoped")]
async fn scoped(
    Call(Security(Depends(user), _), ()): Call<Security<Depends<ActiveUser>, ItemsAndMe>>,
) -> Json<User> {
    Json(user.0)
}

#[derive(Decode)]
struct PageQuery {
    #[schema(ge = 1, default = 1)]
    page: i64,
    #[schema(le = 100, default = 10)]
    size: i64,
}

#[derive(Decode)]
struct PageHeader {
    x_size: Option<i64>,
}

#[derive(Clone)]
struct Page {
    page: i64,
    size: i64,
}

impl Dependent for Page {
    type State = ();
    type Dependency = ();
    type Inputs = (Query<PageQuery>, Header<PageHeader>);
    type Rejection = HttpError;

    async fn call(
        (): (),
        (Query(query), Header(headers)): Self::Inputs,
        (): (),
    ) -> Result<Self, HttpError> {
        let size = headers.x_size.filter(|&size| size != 0).unwrap_or(query.size);
        Ok(Self { page: query.page, size })
    }
}

#[derive(Decode)]
struct TokenHeader {
    x_token: String,
}

#[derive(Clone)]
struct Checked(String);

impl Dependent for Checked {
    type State = ();
    type Dependency = Depends<Page>;
    type Inputs = Header<TokenHeader>;
    type Rejection = HttpError;

    async fn call(
        Depends(page): Depends<Page>,
        Header(headers): Header<TokenHeader>,
        (): (),
    ) -> Result<Self, HttpError> {
        if headers.x_token == "abc" {
            let detail = json!({"page": page.page, "why": ["abc"], "f": 1e-7});
            return Err(HttpError::with_detail(StatusCode::BAD_REQUEST, &detail));
        }
        Ok(Self(headers.x_token))
    }
}

#[derive(Decode)]
struct ShortQ {
    #[schema(max_length = 3)]
    q: Option<String>,
}

#[get("/depends/nested/{v}", answer = "Successful Response")]
async fn nested(
    Call((Depends(token), Depends(page)), (Path(v), Query(query))): Call<
        (Depends<Checked>, Depends<Page>),
        (Path<Integer>, Query<ShortQ>),
    >,
) -> Json<Vec<fastapi_compat::Value>> {
    let all = json!([token.0, page.page, page.size, v, query.q]);
    Json(serde_json::from_value(all).expect("it is a list"))
}

#[derive(Decode)]
struct NotNegative(#[schema(ge = 0)] i64);

#[derive(Clone)]
struct ItemOf(i64);

impl Dependent for ItemOf {
    type State = ();
    type Dependency = ();
    type Inputs = Path<NotNegative>;
    type Rejection = HttpError;

    async fn call((): (), Path(v): Path<NotNegative>, (): ()) -> Result<Self, HttpError> {
        if v.0 == 5 {
            return Err(HttpError::new(StatusCode::NOT_FOUND, "No such item"));
        }
        Ok(Self(v.0.wrapping_mul(2)))
    }
}

#[get("/depends/path/{v}")]
async fn depends_path(
    Call(Depends(item), Query(query)): Call<Depends<ItemOf>, Query<Q>>,
) -> Json<Vec<Integer>> {
    Json(vec![Integer::from(item.0), query.q])
}

#[post("/depends/both/{v}")]
async fn depends_both(
    Call(Depends(item), (Path(v), Json(given))): Call<Depends<ItemOf>, (Path<Integer>, Json<Item>)>,
) -> Json<Vec<fastapi_compat::Value>> {
    let all = json!([item.0, v, given.name]);
    Json(serde_json::from_value(all).expect("it is a list"))
}

/// How often a dependency was made for the request, this time included.
struct Made(i64);

#[derive(Clone, Copy)]
struct Calls(i64);

impl<S: Sync> FromRequestParts<S> for Made {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let Calls(before) = parts.extensions.get().copied().unwrap_or(Calls(0));
        parts.extensions.insert(Calls(before + 1));
        Ok(Self(before + 1))
    }
}

impl<S: Sync> Dependency<S> for Made {}

impl Describe for Made {
    fn describe(_: &mut OperationDocument<'_>) {}
}

#[derive(Decode)]
struct Times {
    #[schema(ge = 1)]
    n: i64,
}

#[derive(Clone)]
struct Counted(i64);

impl Dependent for Counted {
    type State = ();
    type Dependency = Made;
    type Inputs = Query<Times>;
    type Rejection = HttpError;

    async fn call(count: Made, Query(times): Query<Times>, (): ()) -> Result<Self, HttpError> {
        Ok(Self(count.0.wrapping_mul(times.n)))
    }
}

#[derive(Decode)]
struct UpToNine {
    #[schema(le = 9)]
    q: Option<i64>,
}

/// `use_cache=False`: a type for each place is made once for each.
#[derive(Clone)]
struct Again<const PLACE: usize>(i64);

impl<const PLACE: usize> Dependent for Again<PLACE> {
    type State = ();
    type Dependency = Made;
    type Inputs = Query<UpToNine>;
    type Rejection = HttpError;

    async fn call(count: Made, Query(query): Query<UpToNine>, (): ()) -> Result<Self, HttpError> {
        Ok(Self(count.0.wrapping_add(query.q.unwrap_or_default())))
    }
}

type Uncached =
    (Depends<Again<1>>, Depends<Again<2>>, Depends<Again<3>>, Depends<Counted>, Depends<Counted>);

#[get("/depends/uncached")]
async fn depends_uncached(Call(all, ()): Call<Uncached>) -> Json<Vec<i64>> {
    let (Depends(first), Depends(second), Depends(third), Depends(fourth), Depends(fifth)) = all;
    Json(vec![first.0, second.0, third.0, fourth.0, fifth.0])
}

#[get("/answer/error/{v}")]
async fn error(Call((), Path(v)): Call<(), Path<i64>>) -> Result<Json<()>, HttpError> {
    let details = [
        json!("text é"),
        json!({"a": [1, 2.5, 1e22, null, true], "é": "\u{2028}\u{7f}"}),
        json!([]),
        json!(null),
        json!(3),
        json!(1e-7),
    ];
    let detail = usize::try_from(v.rem_euclid(6)).expect("below 6");
    let error = HttpError::with_detail(StatusCode::IM_A_TEAPOT, &details[detail]);
    if v.rem_euclid(2) == 0 {
        return Err(error);
    }
    let header = |name: &'static str, value| {
        (http::HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    let (one, two) = (header("x-one", "1"), header("x-two", "2"));
    Err(error.with_header(one.0, one.1).with_header(two.0, two.1))
}

#[derive(Decode)]
struct Status(#[schema(ge = 200, le = 599)] u16);

#[get("/answer/status/{v}")]
async fn error_status(Call((), Path(v)): Call<(), Path<Status>>) -> Result<Json<()>, HttpError> {
    let status = StatusCode::from_u16(v.0).expect("it is one");
    Err(HttpError::from(status).with_header("x-status".parse().expect("a name"), v.0.into()))
}

#[derive(Decode)]
struct To {
    to: String,
}

#[get("/answer/redirect")]
async fn redirect(Call((), Query(query)): Call<(), Query<To>>) -> RedirectResponse {
    RedirectResponse::new(query.to)
}

#[get("/answer/redirect-303", status = 303)]
async fn redirect_303(Call((), Query(query)): Call<(), Query<To>>) -> RedirectResponse {
    RedirectResponse::new(query.to)
}

#[get("/answer/redirect-own")]
async fn redirect_own(Call((), Query(query)): Call<(), Query<To>>) -> Response {
    RedirectResponse::new(query.to).status(StatusCode::PERMANENT_REDIRECT).into_response()
}

#[derive(Decode)]
struct CookieQuery {
    key: String,
    value: String,
    kind: i64,
}

#[get("/answer/cookie")]
async fn cookie(
    Call((), Query(query)): Call<(), Query<CookieQuery>>,
) -> (SetCookies, Json<String>) {
    let CookieQuery { key, value, kind } = query;
    let cookie = SetCookie::new(key.clone(), value.clone());
    let cookies = match kind.rem_euclid(6) {
        0 => vec![cookie],
        1 => {
            let cookie = cookie.max_age(kind).path(Some("/a")).domain("example.com");
            vec![cookie.secure().httponly()]
        }
        2 => vec![cookie.expires_in(kind).samesite(Some(SameSite::Strict))],
        3 => {
            let cookie = cookie.expires("Tue, 06 May 2031 07:08:09 GMT").path(None);
            vec![cookie.samesite(Some(SameSite::None))]
        }
        4 => {
            let cookie = SetCookie::delete(key).path(Some("/b")).domain("example.com");
            vec![cookie.secure().httponly().samesite(Some(SameSite::None))]
        }
        _ => vec![cookie.samesite(None), SetCookie::new("other", "1").max_age(0)],
    };
    (SetCookies(cookies), Json(value))
}

#[get("/answer/unmodified", status = 304)]
async fn unmodified() -> NoContent {
    NoContent
}

#[derive(Decode)]
struct V {
    v: String,
}

#[get("/answer/html")]
async fn html(Call((), Query(query)): Call<(), Query<V>>) -> Html<String> {
    Html(format!("<p>{}</p>", query.v))
}

#[get("/answer/plain")]
async fn plain(Call((), Query(query)): Call<(), Query<V>>) -> String {
    query.v
}

struct Xml;

impl MediaType for Xml {
    const MEDIA_TYPE: &'static str = "application/xml";
}

struct Csv;

impl MediaType for Csv {
    const MEDIA_TYPE: &'static str = "text/csv";
}

#[get("/answer/xml")]
async fn xml(Call((), Query(query)): Call<(), Query<V>>) -> MediaResponse<Xml> {
    MediaResponse::new(format!("<v>{}</v>", query.v))
}

#[get("/answer/csv", responses = [AdditionalResponse::new(404).model::<Message, _>()])]
async fn csv(Call((), Query(query)): Call<(), Query<V>>) -> MediaResponse<Csv> {
    MediaResponse::new(format!("v\n{}", query.v))
}

#[get("/answer/any")]
async fn any_response(Call((), Query(query)): Call<(), Query<V>>) -> Response {
    ([("content-type", "image/svg+xml"), ("x-v", "1")], query.v).into_response()
}

#[derive(Decode)]
struct Count20 {
    #[schema(ge = 0, le = 20)]
    n: i64,
}

#[get("/answer/stream", name = "stream")]
async fn answer_stream(
    Call((), Query(query)): Call<(), Query<Count20>>,
) -> (StatusCode, ([(&'static str, String); 2], Body)) {
    let parts = (0..query.n).map(|i| Ok::<_, Infallible>(format!("{i},")));
    let kind = ("content-type", "text/plain; charset=utf-8".to_owned());
    let headers = [("x-stream", query.n.to_string()), kind];
    let body = Body::from_stream(stream::iter(parts));
    (StatusCode::NON_AUTHORITATIVE_INFORMATION, (headers, body))
}

#[derive(Decode)]
struct Count {
    #[schema(ge = 0, le = 9)]
    n: i64,
}

#[derive(Decode)]
struct CountText {
    #[schema(ge = 0, le = 9)]
    n: i64,
    text: String,
}

#[derive(Decode)]
struct TextQuery {
    text: String,
}

#[expect(clippy::cast_precision_loss, reason = "they are small")]
fn halves(i: i64, of: f64) -> f64 {
    i as f64 / of
}

#[get("/answer/events")]
async fn events(Call((), Query(query)): Call<(), Query<CountText>>) -> EventSourceResponse<Item> {
    let item = move |i| Item { name: query.text.clone(), price: halves(i, 2.0) };
    EventSourceResponse::items(stream::iter((0..query.n).map(item)))
}

#[get("/answer/events-many")]
async fn events_many(
    Call((), Query(query)): Call<(), Query<Count>>,
) -> EventSourceResponse<Option<Vec<Item>>> {
    let item = |i: i64| (i > 0).then(|| vec![Item { name: i.to_string(), price: 1.5 }]);
    EventSourceResponse::items(stream::iter((0..query.n).map(item)))
}

#[get("/answer/events-own")]
async fn events_own(Call((), Query(query)): Call<(), Query<TextQuery>>) -> EventSourceResponse {
    let text = query.text;
    let event = ServerSentEvent::new;
    EventSourceResponse::new(stream::iter([
        event().data(&text).event("named").id("1").retry(5),
        event().raw_data(text.clone()).comment(text.clone()),
        event().data(&json!({"text": text, "list": [1, 1e-7, null]})),
        event().data(&Item { name: text, price: 1.5 }),
        event().data(&json!([{"a": 1}])),
        event(),
    ]))
}

#[get("/answer/lines")]
async fn lines(Call((), Query(query)): Call<(), Query<CountText>>) -> JsonLines<Item> {
    let item = move |i| Item { name: query.text.clone(), price: halves(i, 1.0) };
    JsonLines::new(stream::iter((0..query.n).map(item)))
}

#[get("/answer/lines-untyped")]
async fn lines_untyped(Call((), Query(query)): Call<(), Query<CountText>>) -> JsonLines {
    let item = move |i| json!({"text": query.text, "i": [i, halves(i, 4.0)]});
    JsonLines::untyped(stream::iter((0..query.n).map(item)))
}

#[get("/answer/file")]
async fn file(request: FileRequest) -> FileResponse {
    File::new(super::files_path("text.txt")).answer(&request).await
}

#[derive(Decode)]
struct Name {
    name: String,
}

#[get("/answer/file-named")]
async fn file_named(
    request: FileRequest,
    Call((), Query(query)): Call<(), Query<Name>>,
) -> FileResponse {
    File::new(super::files_path("large.bin")).filename(query.name).inline().answer(&request).await
}

#[head("/answer/file-head")]
async fn file_head(request: FileRequest) -> FileResponse {
    File::new(super::files_path("text.txt")).media_type("text/x-other").answer(&request).await
}

#[get("/answer/file-missing", status = 202)]
async fn file_missing(request: FileRequest) -> FileResponse {
    let file = File::new(super::files_path("page.html")).status(StatusCode::NOT_FOUND);
    file.answer(&request).await
}

#[derive(Decode)]
struct IntV {
    v: Integer,
}

#[post("/answer/background", status = 202)]
async fn background(Call((), Query(query)): Call<(), Query<IntV>>) -> Background<Json<Integer>> {
    Background::new(Json(query.v), async {})
}

#[derive(Clone, Serialize, Schema)]
struct Profile {
    #[serde(rename = "userName")]
    user_name: String,
    #[schema(default = 0)]
    v: i64,
    #[schema(default = [("a".to_owned(), 1)].into())]
    inner: IndexMap<String, i64>,
    /// Two of it.
    #[serde(rename = "doubleV")]
    #[schema(extra = json!({
        "title": "Twice", "examples": [2], "readOnly": true, "deprecated": true, "x-kind": "double",
    }))]
    double: i64,
}

fn profile(v: i64) -> Profile {
    let (user_name, inner) = ("a".to_owned(), [("a".to_owned(), 1)].into());
    Profile { user_name, v, inner, double: 2 * v }
}

#[get("/answer/selected")]
async fn selected(Call((), Query(query)): Call<(), Query<LittleV>>) -> Json<Selected<Profile>> {
    Json(Selected::include(profile(query.v.into()), &["user_name", "double"]))
}

#[get("/answer/left-out", name = "left_out")]
async fn left_out(
    Call((), Query(query)): Call<(), Query<LittleV>>,
) -> Json<Vec<Selected<Profile>>> {
    let profile = Selected::exclude(profile(query.v.into()), &["inner", "userName"]);
    Json(vec![profile.clone(), profile])
}

#[derive(Decode)]
struct LittleV {
    #[schema(ge = -1_000_000, le = 1_000_000)]
    v: i32,
}

#[derive(Decode)]
struct SmallV {
    v: i64,
}

#[get("/answer/chosen", status = 201)]
async fn chosen(
    Call((), Query(query)): Call<(), Query<SmallV>>,
) -> (StatusCode, (HeaderMap, Json<i64>)) {
    let status = u16::try_from(200 + query.v.rem_euclid(3)).expect("small");
    let mut headers = HeaderMap::new();
    headers.insert("x-chosen", query.v.into());
    (StatusCode::from_u16(status).expect("a status"), (headers, Json(query.v)))
}

#[get(
    "/document/responses/{v}",
    tags = ["own", "document"],
    responses = [
        AdditionalResponse::new(404).model::<Message, _>().description("Not there"),
        AdditionalResponse::new("4XX").description("Wrong"),
        AdditionalResponse::new(413),
        AdditionalResponse::new(418).model::<Vec<Message>, _>(),
        AdditionalResponse::new("default").model::<Message, _>(),
        AdditionalResponse::new(200).with(json!({
            "description": "An item or its picture",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {"X-Rate": {"description": "A rate", "schema": {"type": "integer"}}},
        })),
        AdditionalResponse::new(302).description("Elsewhere").with(json!({
            "links": {"next": {"operationId": "plain_answer"}},
        })),
    ]
)]
async fn document_responses(Call((), Path(v)): Call<(), Path<Integer>>) -> Json<Item> {
    Json(Item { name: v.to_string(), price: 1.5 })
}

#[get(
    "/document/explained",
    responses = [AdditionalResponse::new(422).description("Own")]
)]
async fn document_explained(Call((), Query(query)): Call<(), Query<IntV>>) -> Json<Integer> {
    Json(query.v)
}

#[derive(Decode)]
struct DefaultQ {
    #[schema(default = Integer::from(1_i64))]
    q: Integer,
}

fn extra() -> Value {
    json!({
        "x-vendor": {"a": [1]},
        "security": [],
        "tags": ["extra"],
        "externalDocs": {"url": "https://example.com/"},
        "servers": [{"url": "https://other.example.com"}],
        "parameters": [{"name": "X-More", "in": "header", "schema": {"type": "string"}}],
        "requestBody": {"content": {"application/yaml": {"schema": {"type": "object"}}}},
        "responses": {"200": {"description": "Merged"}, "503": {"description": "Busy"}},
    })
}

#[post(
    "/document/extra",
    openapi_extra = extra(),
    tags = ["own"],
    summary = "Own summary",
    deprecated
)]
async fn document_extra(
    Call((), (Query(query), Json(_))): Call<(), (Query<DefaultQ>, Json<Item>)>,
) -> Json<Integer> {
    Json(query.q)
}

#[get("/document/hidden/{v}", include_in_schema = false)]
async fn document_hidden(Call((), Path(v)): Call<(), Path<Integer>>) -> Json<Integer> {
    Json(v)
}

#[derive(Decode)]
#[expect(dead_code, reason = "only in the document")]
struct Event {
    id: Uuid,
    paid: bool,
}

/// Tell that an invoice is paid.
#[post("{$callback_url}/invoices/{$request.body.id}")]
async fn invoice_notification(Call((), Json(_)): Call<(), Json<Event>>) -> Json<Message> {
    unreachable!("a callback is only documented")
}

#[derive(Decode)]
struct CallbackQuery {
    callback_url: String,
}

#[post("/document/callbacks", callbacks = routes![invoice_notification])]
async fn document_callbacks(
    Call((), (Query(query), Json(_))): Call<(), (Query<CallbackQuery>, Json<Item>)>,
) -> Json<Message> {
    Json(Message { message: query.callback_url })
}

/// When a new user subscribes.
#[post("new-subscription", webhook, tags = ["webhooks"])]
async fn new_subscription(Call((), Json(_)): Call<(), Json<Event>>) -> Json<()> {
    unreachable!("a webhook is only documented")
}

#[derive(Decode)]
struct WsQuery {
    #[schema(ge = 2, default = 2)]
    q: i64,
}

#[derive(Decode)]
struct Session {
    session: Option<String>,
}

#[websocket("/ws/echo/{v}")]
async fn ws_echo(
    upgrade: WebSocketUpgrade,
    Call((), (Path(v), Query(query), Cookie(cookies))): Call<
        (),
        (Path<Integer>, Query<WsQuery>, Cookie<Session>),
    >,
) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        if let Some(Ok(Frame::Text(text))) = socket.recv().await {
            let session = cookies.session.unwrap_or_else(|| "None".to_owned());
            let answer = format!("{v} {} {session} {text}", query.q);
            _ = socket.send(Frame::Text(answer.into())).await;
        }
        let close = CloseFrame { code: 1001, reason: "".into() };
        _ = socket.send(Frame::Close(Some(close))).await;
    })
}

#[websocket("/ws/token")]
async fn ws_token(
    upgrade: WebSocketUpgrade,
    Call(given, ()): Call<OAuth2PasswordBearer<Users>>,
) -> Response {
    upgrade.on_upgrade(async move |mut socket| {
        _ = socket.send(Frame::Text(given.token.into())).await;
        let close = CloseFrame { code: 1000, reason: "".into() };
        _ = socket.send(Frame::Close(Some(close))).await;
    })
}

#[get("/ws/token")]
async fn ws_beside() -> Json<String> {
    Json("no socket".to_owned())
}

#[get("/items/{v}")]
async fn sub_item(Call((), Path(v)): Call<(), Path<Integer>>) -> Json<Integer> {
    Json(v)
}

#[get("/slash/")]
async fn sub_slash() -> Json<String> {
    Json("slash".to_owned())
}

#[get("/")]
async fn sub_root() -> Json<String> {
    Json("root".to_owned())
}

#[derive(Decode)]
struct UpTo100000(#[schema(le = 100_000)] i64);

#[get("/text/{n}")]
async fn text(Call((), Path(n)): Call<(), Path<UpTo100000>>) -> (HeaderMap, Json<String>) {
    let mut headers = HeaderMap::new();
    if n.0.rem_euclid(2) == 1 {
        headers.insert(header::VARY, HeaderValue::from_static("Accept"));
    }
    (headers, Json("ab".repeat(usize::try_from(n.0).unwrap_or_default())))
}

#[derive(Decode)]
struct UpTo100(#[schema(le = 100)] i64);

#[derive(Decode)]
struct Kind {
    #[schema(default = "text/plain".to_owned())]
    kind: String,
}

#[get("/stream/{n}")]
async fn text_stream(
    Call((), (Path(n), Query(query))): Call<(), (Path<UpTo100>, Query<Kind>)>,
) -> Response {
    let parts = (0..n.0).map(|i| Ok::<_, std::convert::Infallible>(format!("{i} ").repeat(10)));
    let body = Body::from_stream(stream::iter(parts));
    let kind = if query.kind.starts_with("text/") {
        format!("{}; charset=utf-8", query.kind)
    } else {
        query.kind
    };
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

fn text_app() -> axum::Router {
    let files = StaticFiles::new(super::files_path("")).expect("the folder is there");
    Router::new().routes(routes![text, text_stream]).mount("/files", files).with_state(())
}

#[get("/items/{v}", prefix_parameters = 1, tags = ["items"])]
async fn included_item(
    Call(_, Path((owner, v))): Call<ApiKeyHeader<XKey>, Path<(String, Integer)>>,
) -> Json<Vec<StrOrInt>> {
    Json(vec![StrOrInt::Str(owner), StrOrInt::Int(v)])
}

#[derive(Serialize, Schema)]
#[serde(untagged)]
enum StrOrInt {
    Str(String),
    Int(Integer),
}

#[post("/given", prefix_parameters = 1, body = "given")]
async fn included_body(
    Call(_, (Path(_), Json(given))): Call<ApiKeyHeader<XKey>, (Path<String>, Json<Vec<Integer>>)>,
) -> Json<Vec<Integer>> {
    Json(given)
}

async fn page(method: http::Method) -> String {
    format!("a page for {method}")
}

fn frontend(folder: &str) -> Frontend {
    Frontend::new(super::files_path(folder)).expect("the folder is there")
}

fn with_fallback(folder: &str, fallback: FrontendFallback) -> Frontend {
    frontend(folder).fallback(fallback).expect("the file is there")
}

/// All routes, with the names of their operations.
pub(crate) fn port() -> (Router, Vec<String>) {
    super::files();
    let described = Router::new()
        .routes(routes![
            tile,
            pair,
            dotted,
            six,
            tail,
            prefixed,
            ordered_int,
            ordered_me,
            ordered_rest,
            slash,
            head_method,
            options_method,
            trace_method,
            patch_method,
            several,
            split_get,
            split_post,
            password,
            authorization_code,
            open_id,
            digest,
            jwt,
            realm,
            optional,
            scoped,
            nested,
            depends_path,
            depends_both,
            depends_uncached,
        ])
        .routes(routes![
            error,
            error_status,
            redirect,
            redirect_303,
            redirect_own,
            cookie,
            unmodified,
            html,
            plain,
            xml,
            csv,
            any_response,
            answer_stream,
            events,
            events_many,
            events_own,
            lines,
            lines_untyped,
            file,
            file_named,
            file_head,
            file_missing,
            background,
            selected,
            left_out,
            chosen,
            document_responses,
            document_explained,
            document_extra,
            document_hidden,
            document_callbacks,
        ]);
    let sub = |redirect_slashes| -> axum::Router {
        let sub = Router::new().routes(routes![sub_item, sub_slash, sub_root]);
        sub.redirect_slashes(redirect_slashes).with_state(())
    };
    let files = || StaticFiles::new(super::files_path("")).expect("the folder is there");
    let hosts = ["test", "www.example.com", "*.Example.org"];
    let hosts = TrustedHostLayer::new(hosts).expect("the patterns are right");
    let exactly = TrustedHostLayer::new(["www.test"]).expect("the pattern is right");
    let excluded = GzipLayer::new().minimum_size(50);
    let excluded = excluded.exclude_content_types(["text/csv", "audio/*", "image/png"]);
    let included = Router::new()
        .routes(routes![included_item, included_body])
        .prefix("/v1/included/{owner}")
        .tag("included")
        .deprecated()
        .responses([AdditionalResponse::new(403).description("Not yours")]);
    let router = described
        .webhooks(routes![new_subscription])
        .routes(routes![ws_echo, ws_token, ws_beside])
        .route("/route/page", axum::routing::get(page))
        .mount("/mount/sub", sub(true))
        .mount("/mount/no-redirects", sub(false))
        .mount("/mount/static", files())
        .mount("/mount/html", files().html().follow_symlink())
        .mount("/layer/gzip", text_app().layer(GzipLayer::new().minimum_size(50).compresslevel(5)))
        .mount("/layer/trusted", text_app().layer(hosts))
        .mount("/layer/gzip-excluded", text_app().layer(excluded))
        .mount("/layer/trusted-exactly", text_app().layer(exactly.without_www_redirect()))
        .mount("/layer/https", text_app().layer(HttpsRedirectLayer))
        .frontend("/frontend/auto", frontend(""))
        .frontend("/frontend/pages", frontend("below"))
        .frontend("/frontend/index", with_fallback("", FrontendFallback::Index))
        .frontend("/frontend/none/", with_fallback("below", FrontendFallback::None))
        .merge(included);
    let mut names: Vec<_> =
        router.operations().map(|(_, _, path)| path.trim_start_matches('/').to_owned()).collect();
    names.dedup();
    let frontends = ["auto", "pages", "index", "none"];
    names.extend(frontends.map(|name| format!("frontend/{name}/{{path}}")));
    (router, names)
}

//! The port of `probe.py`: the same operations, declared once each.

mod names;
mod shapes;
mod types;

use std::collections::BTreeSet;

use axum::response::Redirect;
use fastapi_compat::openapi::Answer;
use fastapi_compat::{
    AnyUrl, ApiKeyCookie, ApiKeyHeader, ApiKeyName, ApiKeyQuery, Basic, Bearer, Call, Cookie, Date,
    DateTime, Decimal, Decode, Describe, Documented, Duration, EmailStr, Embedded, Form, Header,
    HttpBearer, HttpUrl, Integer, Json, Model, NoContent, Outline, Patch, Path, Query, Router,
    Schema, Time, UploadFile, Value, delete, get, post, put, routes,
};
use http::Method;
use indexmap::IndexMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

#[derive(Decode, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
    Green,
    #[serde(rename = "dark blue")]
    DarkBlue,
}

#[derive(Decode, Serialize)]
#[serde(rename_all = "lowercase")]
enum Solo {
    Only,
}

#[derive(Decode, PartialEq, Eq, Hash, Serialize)]
struct AtLeastTwo(#[schema(min_length = 2)] String);

#[derive(Decode, PartialEq, Eq, Hash, Serialize)]
struct WithAnA(#[schema(pattern = "^a")] String);

#[derive(Clone, Copy, Decode)]
enum Level {
    Low = 1,
    High = 10,
}

impl Serialize for Level {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(*self as i64)
    }
}

#[derive(Decode, Serialize)]
#[schema(literal)]
#[serde(rename_all = "lowercase")]
enum Letter {
    A,
    B,
    #[serde(rename = "it's")]
    Its,
}

#[derive(Decode, Serialize)]
#[schema(literal)]
enum Only {
    #[serde(rename = "only")]
    Only,
}

#[derive(Clone, Copy, Decode)]
#[schema(literal)]
enum Number {
    One = 1,
    Two = 2,
}

impl Serialize for Number {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(*self as i64)
    }
}

/// What an operation answers to what it was given.
trait Echo {
    type Answer: Serialize;

    fn echo(self) -> Self::Answer;
}

macro_rules! echo_themselves {
    ($($type:ty),*) => {$(
        impl Echo for $type {
            type Answer = Self;

            fn echo(self) -> Self {
                self
            }
        }
    )*};
}

use echo_themselves;

echo_themselves!(
    Nullable,
    Defaults,
    RootModels,
    Named,
    Nested,
    Recursive,
    Alias,
    Camel,
    Forbid,
    Update,
    Described,
    Vec<Inner>,
    Integer,
    Option<Inner>
);

/// Sets have no order in Python; their operations answer with lists.
macro_rules! echo_lists {
    ($($type:ty),*) => {$(
        impl Echo for $type {
            type Answer = Vec<Integer>;

            fn echo(self) -> Vec<Integer> {
                self.v.into_iter().collect()
            }
        }
    )*};
}

echo_lists!(SetInt, SetBounds);

/// Declares a model with one field, `v`.
macro_rules! models {
    ($($(#[$attribute:meta])* $name:ident($type:ty);)*) => {$(
        #[derive(Decode, Serialize)]
        struct $name {
            $(#[$attribute])*
            v: $type,
        }

        impl From<$type> for $name {
            fn from(v: $type) -> Self {
                Self { v }
            }
        }
    )*};
}

/// Declares models that are answered as they are.
macro_rules! echoed_models {
    ($($(#[$attribute:meta])* $name:ident($type:ty);)*) => {
        models!($($(#[$attribute])* $name($type);)*);
        echo_themselves!($($name),*);
    };
}

models! {
    SetInt(BTreeSet<Integer>);
    #[schema(min_length = 2, max_length = 3)]
    SetBounds(BTreeSet<Integer>);
}

echoed_models! {
    Str(String);
    #[schema(min_length = 2, max_length = 5)]
    StrLength(String);
    #[schema(pattern = r"^[a-z]+\d*$")]
    StrPattern(String);
    #[schema(min_length = 1, max_length = 4)]
    #[schema(strip_whitespace)]
    StrStrip(String);
    #[schema(to_upper)]
    StrUpper(String);
    #[schema(to_lower, strip_whitespace)]
    StrLower(String);
    Int(Integer);
    #[schema(ge = 0, le = 100)]
    IntBounds(Integer);
    #[schema(gt = -5, lt = 10)]
    IntOpen(Integer);
    #[schema(multiple_of = 5)]
    IntMultiple(Integer);
    Int32(i32);
    Float(f64);
    #[schema(ge = 0.5, lt = 9.5)]
    FloatBounds(f64);
    #[schema(gt = -1, le = 10)]
    FloatOpen(f64);
    #[schema(multiple_of = 0.5)]
    FloatMultiple(f64);
    #[schema(allow_inf_nan = false)]
    FloatFinite(f64);
    Bool(bool);
    Dec(Decimal);
    #[schema(max_digits = 5, decimal_places = 2)]
    DecDigits(Decimal);
    #[schema(decimal_places = 1)]
    DecPlaces(Decimal);
    #[schema(gt = "0.1", le = "100")]
    DecBounds(Decimal);
    #[schema(multiple_of = "0.05")]
    DecMultiple(Decimal);
    Datetime(DateTime);
    DateModel(Date);
    #[schema(ge = "2000-01-01", lt = "2030-01-01")]
    DateBounds(Date);
    TimeModel(Time);
    Timedelta(Duration);
    UuidModel(Uuid);
    Email(EmailStr);
    UrlAny(AnyUrl);
    UrlHttp(HttpUrl);
    EnumStr(Color);
    EnumInt(Level);
    EnumOne(Solo);
    LiteralStr(Letter);
    LiteralOne(Only);
    LiteralInt(Number);
    AnyModel(Value);
    OptionalInt(Option<Integer>);
    ListInt(Vec<Integer>);
    #[schema(min_length = 1, max_length = 3)]
    ListBounds(Vec<String>);
    ListConstrained(Vec<Short>);
    ListNested(Vec<Vec<bool>>);
    DictInt(IndexMap<String, Integer>);
    DictKeys(IndexMap<Integer, f64>);
    DictUuid(IndexMap<Uuid, Integer>);
    DictEnum(IndexMap<Color, Integer>);
    DictShort(IndexMap<AtLeastTwo, Integer>);
    DictPattern(IndexMap<WithAnA, Integer>);
    #[schema(min_length = 1, max_length = 2)]
    DictBounds(IndexMap<String, String>);
    TupleModel((Integer, String, bool));
    UnionScalar(IntOrStr);
    UnionNumber(AnyNumber);
    UnionConstrained(Constrained);
    #[schema(required = true)]
    UnionList(Option<ListOrInt>);
    UnionDate(DateIntOrColor);
    UnionModel(SmallLargeOrOther);
    UnionTagged(Pet);
    UnionTags(BirdOrCat);
    GenericModel(PageOrBool);
}

#[derive(Decode, Serialize)]
struct Short(#[schema(max_length = 2)] String);

// `str | None` without a default: it must be given.
#[derive(Decode, Serialize)]
struct Nullable {
    #[schema(required = true, max_length = 3)]
    v: Option<String>,
}

#[derive(Decode, Serialize)]
struct Defaults {
    #[schema(default = Integer::from(7))]
    v: Integer,
    #[schema(default = "text")]
    w: String,
}

#[derive(Decode, Serialize)]
struct Inner {
    #[schema(min_length = 1)]
    name: String,
    #[schema(default = Integer::from(0))]
    count: Integer,
}

#[derive(Decode, Serialize)]
struct Recursive {
    #[schema(min_length = 1)]
    name: String,
    parent: Option<Box<Recursive>>,
    #[schema(default_factory = Vec::new())]
    children: Vec<Recursive>,
}

/// Fields that are called like what code around them may use.
#[derive(Decode, Serialize)]
struct Named {
    at: Integer,
    errors: String,
    #[schema(default = false)]
    fields: bool,
    r#type: Option<String>,
    #[schema(default = Integer::from(1))]
    input: Integer,
    #[schema(default = Integer::from(1))]
    #[serde(rename = "self")]
    self_: Integer,
}

#[derive(Decode, Serialize)]
struct Nested {
    inner: Inner,
    #[schema(default_factory = vec![])]
    others: Vec<Inner>,
    maybe: Option<Inner>,
}

#[derive(Decode, Serialize)]
struct Alias {
    #[serde(rename = "userName")]
    user_name: String,
    #[serde(rename = "item-count")]
    #[schema(default = Integer::from(1))]
    item_count: Integer,
}

#[derive(Decode, Serialize)]
#[serde(rename_all = "camelCase")]
struct Camel {
    full_name: String,
    #[schema(default = false)]
    is_on: bool,
}

#[derive(Decode, Serialize)]
#[serde(deny_unknown_fields)]
struct Forbid {
    v: Integer,
    w: Option<String>,
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum IntOrStr {
    Int(Integer),
    Str(String),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum AnyNumber {
    Bool(bool),
    Int(Integer),
    Float(f64),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum Constrained {
    #[schema(ge = 10)]
    Int(Integer),
    #[schema(max_length = 2)]
    Str(String),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum ListOrInt {
    #[schema(min_length = 1, max_length = 3)]
    List(Vec<Integer>),
    Int(Integer),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum DateIntOrColor {
    Date(Date),
    Int(Integer),
    Color(Color),
}

#[derive(Decode, Serialize)]
struct Small {
    a: Integer,
}

#[derive(Decode, Serialize)]
struct Large {
    a: Integer,
    #[schema(default = "")]
    b: String,
}

#[derive(Decode, Serialize)]
struct Other {
    c: f64,
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum SmallLargeOrOther {
    Small(Small),
    Large(Large),
    Other(Other),
}

#[derive(Decode, Serialize)]
#[schema(literal)]
#[serde(rename_all = "lowercase")]
enum CatKind {
    Cat,
}

#[derive(Decode, Serialize)]
struct Cat {
    kind: CatKind,
    #[schema(default = Integer::from(9))]
    lives: Integer,
}

#[derive(Decode, Serialize)]
#[schema(literal)]
#[serde(rename_all = "lowercase")]
enum DogKind {
    Dog,
}

#[derive(Decode, Serialize)]
struct Dog {
    kind: DogKind,
    name: String,
}

#[derive(Decode, Serialize)]
#[schema(literal)]
#[serde(rename_all = "lowercase")]
enum BirdKind {
    Owl,
    Duck,
}

#[derive(Decode, Serialize)]
struct Bird {
    kind: BirdKind,
    #[schema(default = Integer::from(2))]
    wings: Integer,
}

#[derive(Decode, Serialize)]
#[schema(discriminator = "kind")]
#[serde(untagged)]
enum BirdOrCat {
    #[serde(rename = "owl")]
    Owl(Bird),
    #[serde(rename = "duck")]
    Duck(Bird),
    #[serde(rename = "cat")]
    Cat(Cat),
}

#[derive(Decode, Serialize)]
#[schema(discriminator = "kind")]
#[serde(untagged)]
enum Pet {
    #[serde(rename = "cat")]
    Cat(Cat),
    #[serde(rename = "dog")]
    Dog(Dog),
}

#[derive(Decode, Serialize)]
#[serde(rename = "Page[Inner]")]
struct PageOfInner {
    items: Vec<Inner>,
    total: Integer,
}

#[derive(Decode, Serialize)]
#[serde(rename = "Page[int]")]
struct PageOfInt {
    items: Vec<Integer>,
    total: Integer,
}

/// Not more than two.
#[derive(Decode, Serialize)]
#[serde(rename = "Numbers")]
struct Numbers(#[schema(max_length = 2)] Vec<Integer>);

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum NumbersOrBool {
    Numbers(Numbers),
    Bool(bool),
}

#[derive(Decode, Serialize)]
struct RootModels {
    v: Numbers,
    w: Option<NumbersOrBool>,
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum PageOrBool {
    Inner(PageOfInner),
    Int(PageOfInt),
    Bool(bool),
}

/// What the document says besides.
#[derive(Decode, Serialize)]
#[schema(extra = json!({"examples": [{"v": 1}]}))]
struct Described {
    /// Any.
    ///
    /// But positive.
    #[schema(ge = 1, extra = json!({"title": "The number", "examples": [1, 2]}))]
    v: Integer,
    #[schema(max_length = 3, extra = json!({"deprecated": true}))]
    w: Option<String>,
    /// Its color
    #[schema(default = Color::Red)]
    color: Color,
}

#[derive(Decode)]
struct DescribedQuery {
    /// Any.
    #[schema(ge = 1, extra = json!({"title": "The number"}))]
    v: Integer,
    #[schema(max_length = 3, extra = json!({"deprecated": true}))]
    w: Option<String>,
    /// Its color
    #[schema(default = Color::Red)]
    #[serde(rename = "the-color")]
    color: Color,
}

#[derive(Decode, Serialize)]
struct Update {
    #[schema(min_length = 1)]
    #[serde(skip_serializing_if = "is_absent")]
    title: Patch<String>,
    #[serde(skip_serializing_if = "is_absent")]
    price: Patch<f64>,
}

fn is_absent<T>(patch: &Patch<T>) -> bool {
    matches!(patch, Patch::Absent)
}

#[derive(Serialize, Schema)]
struct Several {
    inner: Inner,
    importance: Integer,
    note: Option<String>,
}

async fn body<T>(Call((), Json(given)): Call<(), Json<T>>) -> Json<T::Answer>
where
    T: Decode + Echo + DeserializeOwned + Send + 'static,
{
    Json(given.echo())
}

async fn path<T, M>(Call((), Path(v)): Call<(), Path<T>>) -> Json<M>
where
    T: Decode,
    M: From<T> + Serialize,
{
    Json(v.into())
}

async fn query<T>(Call((), Query(given)): Call<(), Query<T>>) -> Json<T::Answer>
where
    T: Model + IntoParams + Echo,
{
    Json(given.echo())
}

async fn header<T>(Call((), Header(given)): Call<(), Header<T>>) -> Json<T::Answer>
where
    T: Model + IntoParams + Echo,
{
    Json(given.echo())
}

async fn cookie<T>(Call((), Cookie(given)): Call<(), Cookie<T>>) -> Json<T::Answer>
where
    T: Model + IntoParams + Echo,
{
    Json(given.echo())
}

async fn form<T>(Call((), Form(given)): Call<(), Form<T>>) -> Json<T::Answer>
where
    T: Model + ToSchema + Echo,
{
    Json(given.echo())
}

#[derive(Decode)]
struct SeveralFields {
    inner: Inner,
    #[schema(gt = 0)]
    importance: Integer,
    note: Option<String>,
}

#[post("/body/several")]
async fn several(Call((), Embedded(given)): Call<(), Embedded<SeveralFields>>) -> Json<Several> {
    let SeveralFields { inner, importance, note } = given;
    Json(Several { inner, importance, note })
}

#[derive(Decode)]
struct Positive(#[schema(ge = 1)] Integer);

#[derive(Decode)]
struct EverythingQuery {
    #[schema(lt = 10)]
    q: f64,
}

#[derive(Decode)]
struct EverythingHeader {
    #[schema(min_length = 3)]
    x_token: String,
}

#[derive(Decode)]
struct EverythingCookie {
    session: String,
}

#[derive(Serialize, Schema)]
struct Everything {
    v: Integer,
    q: f64,
    x_token: String,
    session: String,
    body: Inner,
}

type EverythingInputs = (
    Path<Positive>,
    Query<EverythingQuery>,
    Header<EverythingHeader>,
    Cookie<EverythingCookie>,
    Json<Inner>,
);

#[put("/everything/{v}")]
async fn everything(
    Call((), (Path(v), Query(query), Header(header), Cookie(cookie), Json(body))): Call<
        (),
        EverythingInputs,
    >,
) -> Json<Everything> {
    let (q, x_token, session) = (query.q, header.x_token, cookie.session);
    Json(Everything { v: v.0, q, x_token, session, body })
}

#[derive(Decode)]
struct Upload {
    file: UploadFile,
    #[schema(min_length = 2)]
    note: String,
    more: Option<Vec<UploadFile>>,
}

#[derive(Serialize, Schema)]
struct Uploaded {
    note: String,
    #[schema(required = true)]
    filename: Option<String>,
    #[schema(required = true)]
    content_type: Option<String>,
    #[schema(required = true)]
    size: Option<Integer>,
    more: Vec<Option<String>>,
}

/// Take a file.
///
/// And perhaps more.
#[post("/form/file")]
async fn upload(Call((), Form(given)): Call<(), Form<Upload>>) -> Json<Uploaded> {
    let Upload { file, note, more } = given;
    Json(Uploaded {
        note,
        filename: Some(file.filename().to_owned()),
        content_type: file.content_type().map(ToOwned::to_owned),
        size: i64::try_from(file.content().len()).ok().map(Into::into),
        more: more
            .unwrap_or_default()
            .iter()
            .map(|file| Some(file.filename().to_owned()))
            .collect(),
    })
}

#[get("/query/described", summary = "In short", deprecated, answer = "The same")]
async fn described(Call((), Query(given)): Call<(), Query<DescribedQuery>>) -> Json<Described> {
    let DescribedQuery { v, w, color } = given;
    Json(Described { v, w, color })
}

#[derive(Decode)]
struct First(
    /// The first
    #[schema(ge = 2)]
    Integer,
);

#[derive(Decode)]
struct Third(#[schema(max_length = 4)] String);

#[derive(Serialize, Schema)]
#[serde(untagged)]
enum Number3 {
    Int(Integer),
    Float(f64),
    Str(String),
}

#[get("/path/three/{v}/{w}/{x}")]
async fn three(
    Call((), Path((v, w, x))): Call<(), Path<(First, f64, Third)>>,
) -> Json<Vec<Number3>> {
    Json(vec![Number3::Int(v.0), Number3::Float(w), Number3::Str(x.0)])
}

#[derive(Serialize, Schema)]
#[serde(untagged)]
enum Number4 {
    Bool(bool),
    Int(Integer),
    Float(f64),
    Str(String),
}

#[get("/path/four/{v}/{w}/{x}/{y}")]
async fn four(
    Call((), Path((v, w, x, y))): Call<(), Path<(Integer, f64, String, bool)>>,
) -> Json<Vec<Number4>> {
    Json(vec![Number4::Int(v), Number4::Float(w), Number4::Str(x), Number4::Bool(y)])
}

#[get("/path/rest/{v:path}")]
async fn rest(Call((), Path(v)): Call<(), Path<String>>) -> Json<String> {
    Json(v)
}

#[get("/path/part/{v}.json")]
async fn part(Call((), Path(v)): Call<(), Path<String>>) -> Json<String> {
    Json(v)
}

#[get("/path/int-convertor/{v:int}")]
async fn int_convertor(Call((), Path(v)): Call<(), Path<Integer>>) -> Json<Integer> {
    Json(v)
}

#[get("/path/float-convertor/{v:float}")]
async fn float_convertor(Call((), Path(v)): Call<(), Path<f64>>) -> Json<f64> {
    Json(v)
}

#[get("/path/uuid-convertor/{v:uuid}")]
async fn uuid_convertor(Call((), Path(v)): Call<(), Path<Uuid>>) -> Json<Uuid> {
    Json(v)
}

#[get("/path/int-text/{v:int}")]
async fn int_text(Call((), Path(v)): Call<(), Path<String>>) -> Json<String> {
    Json(v)
}

#[derive(Decode)]
struct Four(#[schema(max_length = 4)] Option<String>);

#[post("/body/optional-scalar", body = "given")]
async fn optional_scalar(Call((), Json(given)): Call<(), Json<Four>>) -> Json<Option<String>> {
    Json(given.0)
}

#[post("/body/nothing")]
async fn nothing(Call((), Json(_given)): Call<(), Json<Inner>>) -> Json<()> {
    Json(())
}

#[delete("/path/no-content/{v}", status = 204)]
async fn no_content(Call((), Path(_v)): Call<(), Path<Integer>>) -> NoContent {
    NoContent
}

#[get("/path/text/{v}", id = "sayIt")]
async fn text(Call((), Path(v)): Call<(), Path<Integer>>) -> String {
    format!("é {v}")
}

#[get("/path/elsewhere/{v}", status = 303)]
async fn elsewhere(Call((), Path(v)): Call<(), Path<Integer>>) -> Redirect {
    Redirect::to(&format!("/path/text/{v}"))
}

#[get("/security/http-bearer")]
async fn http_bearer(Call(given, ()): Call<HttpBearer>) -> Json<String> {
    Json(given.credentials)
}

struct NumberKey;

impl ApiKeyName for NumberKey {
    const NAME: &'static str = "number";
}

#[get("/security/api-key-query")]
async fn api_key_query(Call(given, ()): Call<ApiKeyQuery<NumberKey>>) -> Json<String> {
    Json(given.key)
}

struct K;

impl ApiKeyName for K {
    const NAME: &'static str = "k";
}

#[get("/security/api-key-cookie")]
async fn api_key_cookie(Call(given, ()): Call<ApiKeyCookie<K>>) -> Json<String> {
    Json(given.key)
}

#[derive(Decode)]
struct TwoQuery {
    number: Integer,
}

#[get("/security/two")]
async fn two(
    Call((Bearer(token), given), Query(query)): Call<(Bearer, ApiKeyHeader<XKey>), Query<TwoQuery>>,
) -> Json<Vec<String>> {
    Json(vec![token, given.key, query.number.to_string()])
}

#[get("/security/bearer")]
async fn bearer(Call(Bearer(token), ()): Call<Bearer>) -> Json<String> {
    Json(token)
}

#[get("/security/basic")]
async fn basic(Call(given, ()): Call<Basic>) -> Json<Vec<String>> {
    Json(vec![given.username, given.password])
}

struct XKey;

impl ApiKeyName for XKey {
    const NAME: &'static str = "x-key";
}

#[derive(Decode)]
struct KeyQuery {
    #[schema(ge = 3)]
    number: Integer,
}

/// Answer with the key.
#[post("/security/api-key", status = 201)]
async fn api_key(
    Call(given, Query(query)): Call<ApiKeyHeader<XKey>, Query<KeyQuery>>,
) -> Json<Vec<String>> {
    Json(vec![given.key, query.number.to_string()])
}

/// The routes, and the names of the operations.
#[derive(Default)]
struct Routes {
    router: Router,
    names: Vec<String>,
}

impl Routes {
    /// Adds an operation whose handler is generic.
    fn add<H, A, I, O, Via>(&mut self, outline: Outline, handler: H)
    where
        H: axum::handler::Handler<A, ()>,
        A: 'static,
        I: Describe,
        Answer<O>: Describe<Via>,
    {
        self.names.push(outline.path().trim_start_matches('/').to_owned());
        let router = std::mem::take(&mut self.router);
        self.router = router.operation(outline.describes::<I, Answer<O>, Via>(), handler);
    }

    fn body<T, Via>(&mut self, name: &str, function: &'static str)
    where
        T: Decode + Echo + DeserializeOwned + Send + 'static,
        T::Answer: Documented<Via>,
    {
        let outline = Outline::new(Method::POST, format!("/body/{name}"), function);
        let outline = outline.body_name("given");
        self.add::<_, _, Call<(), Json<T>>, Json<T::Answer>, _>(outline, body::<T>);
    }

    fn path<T, M>(&mut self, name: &str)
    where
        T: Decode + Send + 'static,
        M: From<T> + ToSchema + Serialize + Send + 'static,
    {
        let outline = Outline::new(Method::GET, format!("/path/{name}/{{v}}"), "operation");
        self.add::<_, _, Call<(), Path<T>>, Json<M>, _>(outline, path::<T, M>);
    }

    fn cookie<T, Via>(&mut self, name: &str)
    where
        T: Model + IntoParams + Echo + Send + 'static,
        T::Answer: Documented<Via>,
    {
        let outline = Outline::new(Method::GET, format!("/cookie/{name}"), "operation");
        self.add::<_, _, Call<(), Cookie<T>>, Json<T::Answer>, _>(outline, cookie::<T>);
    }

    fn parameters<T, Via>(&mut self, name: &str)
    where
        T: Model + IntoParams + ToSchema + Echo + Send + 'static,
        T::Answer: Documented<Via>,
    {
        let outline = |method, kind| Outline::new(method, format!("/{kind}/{name}"), "operation");
        self.add::<_, _, Call<(), Query<T>>, Json<T::Answer>, _>(
            outline(Method::GET, "query"),
            query::<T>,
        );
        self.add::<_, _, Call<(), Header<T>>, Json<T::Answer>, _>(
            outline(Method::GET, "header"),
            header::<T>,
        );
        self.add::<_, _, Call<(), Form<T>>, Json<T::Answer>, _>(
            outline(Method::POST, "form"),
            form::<T>,
        );
    }
}

/// All routes, with the names of their operations.
pub(crate) fn port() -> (Router, Vec<String>) {
    let mut all = Routes::default();

    // Registers a model for bodies, and for the other places that are named.
    macro_rules! register {
        ($($name:literal $model:ty $(, $kind:ident)*;)*) => {$(
            all.body::<$model, _>($name, "operation");
            $(all.$kind::<$model, _>($name);)*
        )*};
    }
    register! {
        "str" Str, parameters, cookie;
        "str-length" StrLength, parameters, cookie;
        "str-pattern" StrPattern, parameters, cookie;
        "str-strip" StrStrip, parameters, cookie;
        "str-upper" StrUpper;
        "str-lower" StrLower;
        "int" Int, parameters, cookie;
        "int-bounds" IntBounds, parameters, cookie;
        "int-open" IntOpen;
        "int-multiple" IntMultiple;
        "int-32" Int32;
        "float" Float, parameters, cookie;
        "float-bounds" FloatBounds;
        "float-open" FloatOpen;
        "float-multiple" FloatMultiple, parameters, cookie;
        "float-finite" FloatFinite;
        "bool" Bool, parameters, cookie;
        "decimal" Dec, parameters, cookie;
        "decimal-digits" DecDigits, parameters, cookie;
        "decimal-places" DecPlaces;
        "decimal-bounds" DecBounds;
        "decimal-multiple" DecMultiple;
        "datetime" Datetime, parameters, cookie;
        "date" DateModel, parameters, cookie;
        "date-bounds" DateBounds;
        "time" TimeModel, parameters, cookie;
        "timedelta" Timedelta, parameters, cookie;
        "uuid" UuidModel, parameters, cookie;
        "email" Email, parameters, cookie;
        "url-any" UrlAny;
        "url-http" UrlHttp, parameters, cookie;
        "enum-str" EnumStr, parameters, cookie;
        "enum-int" EnumInt, parameters, cookie;
        "enum-one" EnumOne;
        "literal-str" LiteralStr, parameters, cookie;
        "literal-one" LiteralOne;
        "literal-int" LiteralInt;
        "any" AnyModel;
        "optional" OptionalInt, parameters, cookie;
        "nullable" Nullable, parameters, cookie;
        "defaults" Defaults, parameters, cookie;
        "list" ListInt, parameters;
        "list-bounds" ListBounds, parameters;
        "list-constrained" ListConstrained;
        "list-nested" ListNested;
        "set" SetInt, parameters;
        "set-bounds" SetBounds;
        "dict" DictInt;
        "dict-keys" DictKeys;
        "dict-uuid" DictUuid;
        "dict-enum" DictEnum;
        "dict-short" DictShort;
        "dict-pattern" DictPattern;
        "dict-bounds" DictBounds;
        "tuple" TupleModel;
        "named" Named;
        "nested" Nested;
        "recursive" Recursive;
        "alias" Alias;
        "camel" Camel;
        "forbid" Forbid;
        "union-scalar" UnionScalar, parameters, cookie;
        "union-number" UnionNumber;
        "union-constrained" UnionConstrained;
        "union-list" UnionList;
        "union-date" UnionDate;
        "union-model" UnionModel;
        "union-tagged" UnionTagged;
        "union-tags" UnionTags;
        "generic" GenericModel;
        "root" RootModels;
        "described" Described;
    }
    all.body::<Vec<Inner>, _>("list-of-models", "list_of_models");
    all.body::<Integer, _>("scalar", "scalar");
    all.body::<Option<Inner>, _>("optional-model", "optional_model");
    all.body::<Update, _>("patch", "patch");

    all.path::<String, Str>("str");
    all.path::<Length, StrLength>("str-length");
    all.path::<Shaped, StrPattern>("str-pattern");
    all.path::<Stripped, StrStrip>("str-strip");
    all.path::<Integer, Int>("int");
    all.path::<Percent, IntBounds>("int-bounds");
    all.path::<f64, Float>("float");
    all.path::<Halves, FloatMultiple>("float-multiple");
    all.path::<bool, Bool>("bool");
    all.path::<Decimal, Dec>("decimal");
    all.path::<Price, DecDigits>("decimal-digits");
    all.path::<DateTime, Datetime>("datetime");
    all.path::<Date, DateModel>("date");
    all.path::<Time, TimeModel>("time");
    all.path::<Duration, Timedelta>("timedelta");
    all.path::<Uuid, UuidModel>("uuid");
    all.path::<EmailStr, Email>("email");
    all.path::<HttpUrl, UrlHttp>("url-http");
    all.path::<Color, EnumStr>("enum-str");
    all.path::<Level, EnumInt>("enum-int");
    all.path::<Letter, LiteralStr>("literal-str");
    all.path::<IntOrStr, UnionScalar>("union-scalar");
    types::register(&mut all);
    shapes::register(&mut all);
    names::register(&mut all);

    let security =
        routes![bearer, http_bearer, basic, two, api_key, api_key_query, api_key_cookie,];
    let others = Router::new()
        .routes(routes![
            described,
            three,
            four,
            rest,
            part,
            int_convertor,
            float_convertor,
            uuid_convertor,
            int_text,
            no_content,
            optional_scalar,
            nothing,
            text,
            elsewhere,
            several,
            everything,
            upload,
        ])
        .merge(Router::new().routes(security).tag("security"));
    let paths = others.operations().map(|(_, _, path)| path.trim_start_matches('/').to_owned());
    all.names.extend(paths);
    let router = all.router.merge(others);
    (router, all.names)
}

/// Declares a constrained type for paths, and the model that answers with it.
macro_rules! constrained {
    ($($(#[$attribute:meta])* $name:ident($type:ty) => $model:ident;)*) => {$(
        #[derive(Decode)]
        struct $name($(#[$attribute])* $type);

        impl From<$name> for $model {
            fn from(value: $name) -> Self {
                Self { v: value.0 }
            }
        }
    )*};
}

constrained! {
    #[schema(min_length = 2, max_length = 5)]
    Length(String) => StrLength;
    #[schema(pattern = r"^[a-z]+\d*$")]
    Shaped(String) => StrPattern;
    #[schema(min_length = 1, max_length = 4, strip_whitespace)]
    Stripped(String) => StrStrip;
    #[schema(ge = 0, le = 100)]
    Percent(Integer) => IntBounds;
    #[schema(multiple_of = 0.5)]
    Halves(f64) => FloatMultiple;
    #[schema(max_digits = 5, decimal_places = 2)]
    Price(Decimal) => DecDigits;
}

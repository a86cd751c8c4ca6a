//! The port of `probe_types.py`: types, models and validators.

use fastapi_compat::{
    AnyHttpUrl, AnyWebsocketUrl, AwareDatetime, Base64Bytes, Base64Str, Base64UrlBytes,
    Base64UrlStr, ByteSize, ByteString, Call, Date, DateTime, Decimal, Decode, Dump, Duration,
    Encoded, FileUrl, Form, FtpUrl, FutureDate, FutureDatetime, Header, Integer, Invalid,
    IpAnyAddress, IpAnyInterface, IpAnyNetwork, Ipv4Address, Ipv4Interface, Ipv4Network,
    Ipv6Address, Ipv6Interface, Ipv6Network, Json, JsonText, NaiveDatetime, PastDate, PastDatetime,
    Query, Router, SecretBytes, SecretStr, Time, Uuid1, Uuid3, Uuid4, Uuid5, Uuid6, Uuid7, Uuid8,
    Value, WebsocketUrl, get, post, routes,
};
use indexmap::IndexMap;
use serde::Serialize;
use uuid::Uuid;

use super::{Echo, Inner, Routes, echo_themselves};

#[derive(Decode, Serialize)]
struct Names {
    #[serde(rename(deserialize = "a"), alias = "b")]
    n: Integer,
    #[serde(rename(deserialize = "mm", serialize = "MM"))]
    #[schema(default = Integer::from(1))]
    m: Integer,
    #[serde(rename = "kk")]
    #[schema(default = Integer::from(2))]
    k: Integer,
}

#[derive(Decode, Serialize)]
#[serde(deny_unknown_fields)]
struct NamesForbid {
    #[serde(rename = "a", alias = "n")]
    n: Integer,
    #[serde(rename = "userName", alias = "user_name")]
    #[schema(default = "x")]
    user_name: String,
}

#[derive(Decode, Serialize)]
struct ExtraAllow {
    v: Integer,
    #[schema(default = "w")]
    w: String,
    #[serde(flatten)]
    extra: IndexMap<String, Value>,
}

#[derive(Decode, Serialize)]
struct ExtraTyped {
    v: Integer,
    #[serde(flatten)]
    extra: IndexMap<String, Integer>,
}

#[derive(Decode, Serialize)]
struct NotNull {
    #[schema(nullable = false)]
    v: Option<Integer>,
    #[schema(nullable = false, max_length = 3)]
    w: Option<String>,
    #[schema(default_factory = Integer::from(7))]
    f: Integer,
}

fn default_inner() -> Inner {
    Inner { name: "default".into(), count: 0.into() }
}

#[derive(Decode, Serialize)]
struct DefaultModel {
    #[schema(default = default_inner())]
    v: Inner,
    #[schema(default = [("a".to_owned(), 1.into())].into())]
    w: IndexMap<String, Integer>,
}

#[derive(Decode)]
#[schema(literal)]
enum AOrOne {
    #[serde(rename = "a")]
    A,
    #[schema(value = 1)]
    One,
}

#[derive(Decode, Serialize)]
#[schema(strict)]
struct Strict {
    i: Integer,
    #[schema(default = 1.5)]
    f: f64,
    #[schema(default = "s")]
    s: String,
    #[schema(default = true)]
    b: bool,
    #[schema(default = vec![])]
    items: Vec<Integer>,
    #[schema(default = IndexMap::new())]
    d: IndexMap<String, Integer>,
    o: Option<Integer>,
    inner: Option<Inner>,
    #[schema(default = AOrOne::A)]
    t: AOrOne,
}

#[derive(Decode, Serialize)]
struct StrictFields {
    #[schema(strict)]
    v: Integer,
    #[schema(strict, default = true)]
    w: bool,
    #[schema(strict, ge = 0, default = 0.5)]
    x: f64,
    #[schema(default = vec![])]
    y: Vec<Integer>,
}

#[derive(Decode)]
#[schema(literal)]
enum True {
    #[schema(value = true)]
    True,
}

#[derive(Decode)]
#[schema(literal)]
enum OneAOrTrue {
    #[schema(value = 1)]
    One,
    #[serde(rename = "a")]
    A,
    #[schema(value = true)]
    True,
}

#[derive(Decode)]
#[schema(literal)]
enum FalseOrTrue {
    #[schema(value = false)]
    False,
    #[schema(value = true)]
    True,
}

#[derive(Decode)]
#[schema(plain)]
enum Plain {
    One = 1,
    Two = 2,
}

#[derive(Decode)]
enum Mixed {
    One = 1,
    #[serde(rename = "x")]
    X,
}

#[derive(Decode)]
#[schema(literal)]
enum TagOne {
    #[schema(value = 1)]
    One,
}

#[derive(Decode)]
#[schema(literal)]
enum TagTwo {
    #[schema(value = 2)]
    Two,
}

/// Writes what an enumeration stands for.
macro_rules! written {
    ($($name:ident { $($variant:ident => $value:expr),* })*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let value = match self {
                    $(Self::$variant => Value::from($value),)*
                };
                value.serialize(serializer)
            }
        }
    )*};
}

written! {
    AOrOne { A => "a", One => 1_i64 }
    True { True => true }
    OneAOrTrue { One => 1_i64, A => "a", True => true }
    FalseOrTrue { False => false, True => true }
    Plain { One => 1_i64, Two => 2_i64 }
    Mixed { One => 1_i64, X => "x" }
    TagOne { One => 1_i64 }
    TagTwo { Two => 2_i64 }
}

#[derive(Decode, Serialize)]
struct LiteralBool {
    v: True,
    #[schema(default = OneAOrTrue::A)]
    w: OneAOrTrue,
    #[schema(default = FalseOrTrue::False)]
    x: FalseOrTrue,
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum PlainOrStr {
    Plain(Plain),
    Str(String),
}

#[derive(Decode, Serialize)]
struct Enums {
    v: Plain,
    #[schema(default = Mixed::X)]
    w: Mixed,
    #[schema(default = PlainOrStr::Str("x".into()))]
    x: PlainOrStr,
}

#[derive(Decode, Serialize)]
struct One {
    t: TagOne,
    n: Integer,
}

#[derive(Decode, Serialize)]
struct Two {
    t: TagTwo,
    n: String,
}

#[derive(Decode, Serialize)]
#[schema(discriminator = "t")]
#[serde(untagged)]
enum OneOrTwo {
    #[schema(tag = 1)]
    One(One),
    #[schema(tag = 2)]
    Two(Two),
}

#[derive(Decode, Serialize)]
struct TagsInt {
    v: OneOrTwo,
}

#[derive(Decode, Serialize)]
#[schema(before = check_before, after = check_after)]
struct Validated {
    #[schema(after = check_number)]
    n: Integer,
    #[schema(before = check_text, max_length = 3)]
    s: String,
    #[schema(default = "x")]
    p: String,
}

fn check_number(number: Integer) -> Result<Integer, Invalid> {
    match number {
        Integer::Small(1) => Err("no one".into()),
        Integer::Small(2) => Err(Invalid::assertion("no two")),
        Integer::Small(7) => {
            Err(Invalid::custom("no_seven", "no seven", [("what", "seven".into())]))
        }
        number => plus_one(&number),
    }
}

pub(super) fn plus_one(number: &Integer) -> Result<Integer, Invalid> {
    let digits: num_bigint::BigInt = number.to_string().parse().map_err(|_| "no number")?;
    (digits + 1_i64).to_string().parse().map_err(|_| "no number".into())
}

fn stripped(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c))
}

fn check_text(text: &Value) -> Result<Value, Invalid> {
    match text {
        Value::Int(_) | Value::BigInt(_) => Err("a number".into()),
        Value::Str(text) => Ok(stripped(text).into()),
        other => Ok(other.clone()),
    }
}

fn check_before(given: &Value) -> Result<Value, Invalid> {
    match given {
        Value::Object(fields) if fields.get("bad").is_some() => Err("bad".into()),
        other => Ok(other.clone()),
    }
}

fn check_after(model: Validated) -> Result<Validated, Invalid> {
    if model.n == 11.into() { Err("the model".into()) } else { Ok(model) }
}

fn even(number: Integer) -> Result<Integer, Invalid> {
    if number.to_string().ends_with(['1', '3', '5', '7', '9']) {
        return Err("odd".into());
    }
    Ok(number)
}

#[expect(clippy::unnecessary_wraps, reason = "a validator may refuse")]
fn trimmed(given: &Value) -> Result<Value, Invalid> {
    match given {
        Value::Str(text) => Ok(stripped(text).into()),
        other => Ok(other.clone()),
    }
}

#[derive(Decode, Serialize)]
struct Even(#[schema(after = even)] Integer);

#[derive(Decode, Serialize)]
struct Trimmed(#[schema(before = trimmed, max_length = 2)] String);

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum TrimmedOrBool {
    Trimmed(Trimmed),
    Bool(bool),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum ValidatedOrInt {
    Validated(Validated),
    Int(Integer),
}

#[derive(Decode, Serialize)]
struct Annotations {
    v: Vec<Even>,
    w: Option<Even>,
    #[schema(default = TrimmedOrBool::Bool(true))]
    x: TrimmedOrBool,
    #[schema(default = ValidatedOrInt::Int(1.into()))]
    y: ValidatedOrInt,
}

#[derive(Decode, Serialize)]
#[schema(dataclass)]
struct Data {
    n: Integer,
    #[schema(default = "x")]
    s: String,
}

#[derive(Decode, Serialize)]
#[schema(typed_dict)]
struct Typed {
    n: Integer,
    #[schema(nullable = false)]
    #[serde(skip_serializing_if = "Option::is_none")]
    s: Option<String>,
}

#[derive(Decode, Serialize)]
struct Classes {
    v: Data,
    w: Typed,
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum IpSecretOrBytes {
    Ip(Ipv4Address),
    Secret(SecretStr),
    Bytes(ByteString),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum InnerOrInt {
    Inner(Inner),
    Int(Integer),
}

#[derive(Decode)]
struct JsonForm {
    v: JsonText<Vec<Integer>>,
}

#[derive(Decode)]
struct JsonModel {
    v: JsonText<Inner>,
}

#[post("/body/json-model", name = "operation", body = "given")]
async fn json_model(Call((), Json(given)): Call<(), Json<JsonModel>>) -> Json<Inner> {
    Json(given.v.0)
}

#[post("/form/json", name = "operation")]
async fn json_form(Call((), Form(given)): Call<(), Form<JsonForm>>) -> Json<Vec<Integer>> {
    Json(given.v.0)
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum IdOrInt {
    Id(Uuid),
    Int(Integer),
}

/// Declares models with one field, `v`, that are answered as they are.
macro_rules! models {
    ($($(#[$attribute:meta])* $name:ident($type:ty);)*) => {
        $(
            #[derive(Decode, Serialize)]
            struct $name {
                $(#[$attribute])*
                v: $type,
            }
        )*
        echo_themselves!($($name),*);
    };
}

echo_themselves!(
    Names,
    NamesForbid,
    ExtraAllow,
    ExtraTyped,
    NotNull,
    DefaultModel,
    Strict,
    StrictFields,
    LiteralBool,
    Enums,
    TagsInt,
    Validated,
    Annotations,
    Classes,
    Data,
    Params,
    ParamsForbid,
    ParamsAllow,
    ParamsValidated,
    Cookies,
    CookiesForbid,
    CookiesAllow
);

models! {
    Uuid1Model(Uuid1);
    Uuid3Model(Uuid3);
    Uuid4Model(Uuid4);
    Uuid5Model(Uuid5);
    Uuid6Model(Uuid6);
    Uuid7Model(Uuid7);
    Uuid8Model(Uuid8);
    Ip4(Ipv4Address);
    Ip6(Ipv6Address);
    IpAny(IpAnyAddress);
    Network4(Ipv4Network);
    Network6(Ipv6Network);
    NetworkAny(IpAnyNetwork);
    Interface4(Ipv4Interface);
    Interface6(Ipv6Interface);
    InterfaceAny(IpAnyInterface);
    #[schema(min_length = 2)]
    SecretStrModel(SecretStr);
    #[schema(max_length = 3)]
    SecretBytesModel(SecretBytes);
    Bytes(ByteString);
    #[schema(min_length = 2, max_length = 3)]
    BytesLength(ByteString);
    DatetimeAware(AwareDatetime);
    DatetimeNaive(NaiveDatetime);
    DatetimePast(PastDatetime);
    DatetimeFuture(FutureDatetime);
    DatePast(PastDate);
    DateFuture(FutureDate);
    ByteSizeModel(ByteSize);
    Base64(Base64Bytes);
    Base64StrModel(Base64Str);
    Base64Url(Base64UrlBytes);
    Base64UrlStrModel(Base64UrlStr);
    JsonInt(JsonText<Integer>);
    JsonList(JsonText<Vec<InnerOrInt>>);
    JsonAny(JsonText<Value>);
    UrlAnyHttp(AnyHttpUrl);
    UrlFile(FileUrl);
    UrlFtp(FtpUrl);
    UrlWebsocket(WebsocketUrl);
    UrlAnyWebsocket(AnyWebsocketUrl);
    DictDates(IndexMap<Date, Integer>);
    DictDatetimes(IndexMap<DateTime, Integer>);
    DictTimes(IndexMap<Time, Integer>);
    DictDurations(IndexMap<Duration, Integer>);
    DictUuid4(IndexMap<Uuid4, Integer>);
    UnionIp(IpSecretOrBytes);
    UnionIds(IdOrInt);
}

#[derive(Decode, Serialize)]
#[schema(model)]
struct Params {
    v: Integer,
    #[schema(default = vec![])]
    w: Vec<String>,
    #[schema(default = "d", max_length = 3)]
    x_y: String,
    #[serde(rename = "Z_z")]
    #[schema(default = Integer::from(1))]
    z: Integer,
    #[serde(rename(deserialize = "a"), alias = "b")]
    #[schema(default = Integer::from(2))]
    c: Integer,
}

#[derive(Decode, Serialize)]
#[serde(deny_unknown_fields)]
struct ParamsForbid {
    v: Integer,
    #[schema(default = vec![])]
    w: Vec<String>,
    #[schema(default = "d", max_length = 3)]
    x_y: String,
    #[serde(rename = "Z_z")]
    #[schema(default = Integer::from(1))]
    z: Integer,
    #[serde(rename(deserialize = "a"), alias = "b")]
    #[schema(default = Integer::from(2))]
    c: Integer,
}

#[derive(Decode, Serialize)]
struct ParamsAllow {
    v: Integer,
    #[schema(default = vec![])]
    w: Vec<String>,
    #[schema(default = "d", max_length = 3)]
    x_y: String,
    #[serde(rename = "Z_z")]
    #[schema(default = Integer::from(1))]
    z: Integer,
    #[serde(rename(deserialize = "a"), alias = "b")]
    #[schema(default = Integer::from(2))]
    c: Integer,
    #[serde(flatten)]
    extra: IndexMap<String, Value>,
}

#[derive(Decode, Serialize)]
#[schema(model, convert_underscores = false)]
#[serde(rename = "Params")]
struct ParamsUnderscores {
    v: Integer,
    #[schema(default = vec![])]
    w: Vec<String>,
    #[schema(default = "d", max_length = 3)]
    x_y: String,
    #[serde(rename = "Z_z")]
    #[schema(default = Integer::from(1))]
    z: Integer,
    #[serde(rename(deserialize = "a"), alias = "b")]
    #[schema(default = Integer::from(2))]
    c: Integer,
}

#[derive(Decode, Serialize)]
#[schema(model)]
struct Cookies {
    v: Integer,
    #[schema(default = "d", max_length = 3)]
    x_y: String,
}

#[derive(Decode, Serialize)]
#[serde(deny_unknown_fields)]
struct CookiesForbid {
    v: Integer,
    #[schema(default = "d", max_length = 3)]
    x_y: String,
}

#[derive(Decode, Serialize)]
struct CookiesAllow {
    v: Integer,
    #[schema(default = "d", max_length = 3)]
    x_y: String,
    #[serde(flatten)]
    extra: IndexMap<String, Value>,
}

#[derive(Decode, Serialize)]
#[schema(after = check)]
struct ParamsValidated {
    v: Integer,
}

fn check(model: ParamsValidated) -> Result<ParamsValidated, Invalid> {
    if model.v == 5.into() { Err("five".into()) } else { Ok(model) }
}

#[get("/header/model-underscores", name = "operation")]
async fn underscores(Call((), Header(given)): Call<(), Header<ParamsUnderscores>>) -> Json<Params> {
    let ParamsUnderscores { v, w, x_y, z, c } = given;
    Json(Params { v, w, x_y, z, c })
}

/// As FastAPI documents `list[int | str]`.
type IntsAndTexts = Vec<super::IntOrStr>;

#[derive(Decode)]
struct QueryNames {
    #[serde(rename = "a", alias = "b")]
    v: Integer,
    #[serde(rename = "Z_z")]
    #[schema(default = "z")]
    x_y: String,
}

#[get("/query/model-names", name = "operation")]
async fn query_names(Call((), Query(given)): Call<(), Query<QueryNames>>) -> Json<IntsAndTexts> {
    Json(vec![super::IntOrStr::Int(given.v), super::IntOrStr::Str(given.x_y)])
}

#[derive(Decode)]
struct HeaderNames {
    #[serde(rename = "a", alias = "x_y")]
    v: Integer,
    #[serde(rename = "Z_z")]
    #[schema(default = "z")]
    z: String,
    #[schema(default = "w", convert_underscores = false)]
    w: String,
}

#[get("/header/model-names", name = "operation")]
async fn header_names(
    Call((), Header(given)): Call<(), Header<HeaderNames>>,
) -> Json<IntsAndTexts> {
    use super::IntOrStr::{Int, Str};

    Json(vec![Int(given.v), Str(given.z), Str(given.w)])
}

#[derive(Decode)]
struct HiddenQuery {
    #[schema(nullable = false)]
    v: Option<Integer>,
    #[schema(nullable = false)]
    w: Option<Vec<String>>,
    #[schema(default_factory = Integer::from(3))]
    c: Integer,
}

#[get("/query/model-hidden", name = "operation")]
async fn hidden_query(Call((), Query(given)): Call<(), Query<HiddenQuery>>) -> Json<Vec<Value>> {
    let texts =
        |texts: Vec<String>| Value::from(texts.into_iter().map(Value::from).collect::<Vec<_>>());
    Json(vec![
        given.v.map_or(Value::Null, Into::into),
        given.w.map_or(Value::Null, texts),
        given.c.into(),
    ])
}

#[derive(Decode)]
struct HiddenForm {
    #[schema(nullable = false)]
    v: Option<Integer>,
    #[schema(nullable = false)]
    x_y: Option<String>,
}

#[post("/form/model-hidden", name = "operation")]
async fn hidden_form(Call((), Form(given)): Call<(), Form<HiddenForm>>) -> Json<Vec<Value>> {
    Json(vec![given.v.map_or(Value::Null, Into::into), given.x_y.map_or(Value::Null, Into::into)])
}

#[derive(Decode)]
struct DefaultBody(#[schema(default = default_inner())] Inner);

#[post("/body/default-body", name = "operation", body = "given")]
async fn default_body(Call((), Json(given)): Call<(), Json<DefaultBody>>) -> Json<Inner> {
    Json(given.0)
}

#[derive(Decode)]
struct DefaultList(#[schema(default = vec![1.into(), 2.into()])] Vec<Integer>);

#[post("/body/default-list", name = "operation", body = "given")]
async fn default_list(Call((), Json(given)): Call<(), Json<DefaultList>>) -> Json<Vec<Integer>> {
    Json(given.0)
}

#[derive(Decode)]
struct HiddenBody(#[schema(nullable = false)] Option<Inner>);

#[post("/body/hidden-body", name = "operation", body = "given")]
async fn hidden_body(Call((), Json(given)): Call<(), Json<HiddenBody>>) -> Json<Option<Inner>> {
    Json(given.0)
}

#[derive(Decode, Serialize)]
struct Dumped {
    f: f64,
    d: Decimal,
    t: Duration,
    at: DateTime,
    time: Time,
    #[schema(default = Date::from(first_day()))]
    day: Date,
    #[schema(default = vec![])]
    items: Vec<Decimal>,
    #[schema(default = 1_000_000_000_000_000_000_000_000_000_000_i128.to_string().parse().unwrap_or(Integer::Small(0)))]
    big: Integer,
}

fn first_day() -> chrono::NaiveDate {
    chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap_or_default()
}

#[post("/body/encoded-dump", name = "operation", body = "given")]
async fn encoded_dump(Call((), Json(given)): Call<(), Json<Dumped>>) -> Encoded<Dump<Dumped>> {
    Encoded(Dump(given))
}

#[post("/body/encoded-model", name = "operation", body = "given")]
async fn encoded_model(Call((), Json(given)): Call<(), Json<Dumped>>) -> Encoded<Dumped> {
    Encoded(given)
}

/// A `dict` whose values are of any type.
struct Dict(Dumped);

impl Serialize for Dict {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;

        let Self(given) = self;
        let mut dict = serializer.serialize_map(None)?;
        dict.serialize_entry("given", given)?;
        dict.serialize_entry("d", &given.d)?;
        dict.serialize_entry("t", &(&given.t, &given.at))?;
        dict.serialize_entry(&given.t, &given.time)?;
        dict.serialize_entry(&given.day, &given.f)?;
        dict.end()
    }
}

#[post("/body/encoded-dict", name = "operation", body = "given")]
async fn encoded_dict(Call((), Json(given)): Call<(), Json<Dumped>>) -> Encoded<Dict> {
    Encoded(Dict(given))
}

/// Adds all operations.
pub(super) fn register(all: &mut Routes) {
    macro_rules! bodies {
        ($($name:literal $model:ty;)*) => {
            $(all.body::<$model, _>($name, "operation");)*
        };
    }
    bodies! {
        "names" Names;
        "names-forbid" NamesForbid;
        "extra-allow" ExtraAllow;
        "extra-typed" ExtraTyped;
        "not-null" NotNull;
        "default-model" DefaultModel;
        "strict" Strict;
        "strict-fields" StrictFields;
        "literal-bool" LiteralBool;
        "enums" Enums;
        "tags-int" TagsInt;
        "validated" Validated;
        "annotations" Annotations;
        "classes" Classes;
        "data-class" Data;
        "uuid-1" Uuid1Model;
        "uuid-3" Uuid3Model;
        "uuid-4" Uuid4Model;
        "uuid-5" Uuid5Model;
        "uuid-6" Uuid6Model;
        "uuid-7" Uuid7Model;
        "uuid-8" Uuid8Model;
        "ip-4" Ip4;
        "ip-6" Ip6;
        "ip-any" IpAny;
        "network-4" Network4;
        "network-6" Network6;
        "network-any" NetworkAny;
        "interface-4" Interface4;
        "interface-6" Interface6;
        "interface-any" InterfaceAny;
        "secret-str" SecretStrModel;
        "secret-bytes" SecretBytesModel;
        "bytes" Bytes;
        "bytes-length" BytesLength;
        "datetime-aware" DatetimeAware;
        "datetime-naive" DatetimeNaive;
        "datetime-past" DatetimePast;
        "datetime-future" DatetimeFuture;
        "date-past" DatePast;
        "date-future" DateFuture;
        "byte-size" ByteSizeModel;
        "base-64" Base64;
        "base-64-str" Base64StrModel;
        "base-64-url" Base64Url;
        "base-64-url-str" Base64UrlStrModel;
        "json-int" JsonInt;
        "json-list" JsonList;
        "json-any" JsonAny;
        "url-any-http" UrlAnyHttp;
        "url-file" UrlFile;
        "url-ftp" UrlFtp;
        "url-websocket" UrlWebsocket;
        "url-any-websocket" UrlAnyWebsocket;
        "dict-dates" DictDates;
        "dict-datetimes" DictDatetimes;
        "dict-times" DictTimes;
        "dict-durations" DictDurations;
        "dict-uuid-4" DictUuid4;
        "union-ip" UnionIp;
        "union-ids" UnionIds;
    }
    all.parameters::<Params, _>("model");
    all.parameters::<ParamsForbid, _>("model-forbid");
    all.parameters::<ParamsAllow, _>("model-allow");
    all.parameters::<ParamsValidated, _>("model-validated");
    all.cookie::<Cookies, _>("model-cookies");
    all.cookie::<CookiesForbid, _>("model-cookies-forbid");
    all.cookie::<CookiesAllow, _>("model-cookies-allow");
    let others = Router::new().routes(routes![
        underscores,
        query_names,
        header_names,
        hidden_query,
        hidden_form,
        json_form,
        json_model,
        default_body,
        default_list,
        hidden_body,
        encoded_dump,
        encoded_model,
        encoded_dict,
    ]);
    let paths = others.operations().map(|(_, _, path)| path.trim_start_matches('/').to_owned());
    all.names.extend(paths);
    all.router = std::mem::take(&mut all.router).merge(others);
}

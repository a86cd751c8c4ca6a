//! The port of `probe_names.py`: other names for what the rest has.

use std::collections::BTreeSet;

use fastapi_compat::{
    AnyUrl, ByteString, Call, Date, Decimal, Decode, Embedded, Form, FrozenSet, Header, Integer,
    Json, Query, Router, Value, get, post, routes,
};
use serde::Serialize;
use serde_json::json;

use super::{Echo, Pet, Routes, echo_themselves};

#[derive(Decode, Serialize)]
struct Constrained {
    #[schema(ge = 1, lt = 100, multiple_of = 2, default = Integer::from(2))]
    i: Integer,
    #[schema(gt = 0, le = 10, allow_inf_nan = false, default = 1.5)]
    f: f64,
    #[schema(max_digits = 5, decimal_places = 2, ge = "0")]
    d: Option<Decimal>,
    #[schema(gt = "2000-01-01")]
    day: Option<Date>,
    #[schema(min_length = 1, max_length = 2, default = vec![1.into()])]
    items: Vec<Integer>,
    #[schema(min_length = 1, max_length = 1)]
    one: Option<BTreeSet<Integer>>,
    #[schema(min_length = 1, max_length = 1)]
    same: Option<FrozenSet<Integer>>,
    #[schema(min_length = 1, max_length = 3)]
    b: Option<ByteString>,
    #[schema(strip_whitespace, to_upper, min_length = 1, max_length = 4, pattern = "^[A-Z]+$")]
    #[schema(default = "A")]
    s: String,
    #[schema(to_lower, strict, default = "a")]
    t: String,
}

#[derive(Decode, Serialize)]
struct Signs {
    #[schema(gt = 0, default = Integer::from(1))]
    a: Integer,
    #[schema(lt = 0, default = Integer::from(-1))]
    b: Integer,
    #[schema(ge = 0, default = Integer::from(0))]
    c: Integer,
    #[schema(le = 0, default = Integer::from(0))]
    d: Integer,
    #[schema(gt = 0, default = 0.5)]
    e: f64,
    #[schema(lt = 0, default = -0.5)]
    f: f64,
    #[schema(ge = 0, default = 0.5)]
    g: f64,
    #[schema(le = 0, default = -0.5)]
    h: f64,
    #[schema(allow_inf_nan = false, default = 0.5)]
    i: f64,
    #[schema(allow_inf_nan = false, default = 0.5)]
    j: f64,
}

#[derive(Decode, Serialize)]
struct StrictNames {
    #[schema(strict, default = Integer::from(1))]
    a: Integer,
    #[schema(strict, default = 0.5)]
    b: f64,
    #[schema(strict, default = true)]
    c: bool,
    #[schema(strict, default = "d")]
    d: String,
    #[schema(strict, default = Integer::from(1))]
    e: Integer,
    #[schema(strict, pattern = "^a", default = "a")]
    f: String,
}

/// What a `ConfigDict` says of all texts stands at each.
#[derive(Decode, Serialize)]
struct Short(#[schema(strip_whitespace, to_lower, min_length = 1, max_length = 3)] String);

#[derive(Decode, Serialize)]
#[schema(extra = json!({"title": "Configured title"}))]
struct Configured {
    /// What `s` is.
    #[schema(strip_whitespace, to_lower, min_length = 1, max_length = 3)]
    s: String,
    #[schema(allow_inf_nan = false, default = 0.5, extra = json!({"x-unit": "m"}))]
    f: f64,
    #[schema(default = vec![])]
    many: Vec<Short>,
}

#[derive(Decode, Serialize)]
struct Loud {
    #[schema(to_upper)]
    v: String,
}

#[derive(Decode, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Pascal {
    full_name: String,
    #[schema(default = false)]
    is_on: bool,
}

#[derive(Decode, Serialize)]
struct Snake {
    #[serde(rename = "full_name", alias = "fullName")]
    full_name: String,
    #[schema(default = Integer::from(0))]
    n: Integer,
}

#[derive(Decode, Serialize)]
#[serde(rename_all(deserialize = "camelCase", serialize = "PascalCase"))]
struct Generated {
    full_name: String,
    #[schema(default = false)]
    is_on: bool,
}

#[derive(Decode, Serialize)]
struct UrlLength {
    #[schema(max_length = 20)]
    v: AnyUrl,
}

#[derive(Decode, Serialize)]
#[schema(dataclass)]
struct Dataclass {
    n: Integer,
    #[schema(max_length = 2, default = "x")]
    s: String,
}

echo_themselves!(
    Constrained,
    Signs,
    StrictNames,
    Configured,
    Loud,
    Pascal,
    Snake,
    Generated,
    UrlLength,
    Dataclass,
    Pet
);

/// Files, of which only the content counts.
#[derive(Decode)]
struct Bytes {
    #[schema(max_length = 20)]
    file: ByteString,
    more: Option<Vec<ByteString>>,
    #[schema(default = ByteString(b"none".to_vec()))]
    note: ByteString,
}

#[post("/form/bytes", name = "operation")]
async fn bytes(Call((), Form(given)): Call<(), Form<Bytes>>) -> Json<Vec<Integer>> {
    let more = given.more.unwrap_or_default();
    let all = [&given.file].into_iter().chain(&more).chain([&given.note]);
    let length = |bytes: &ByteString| i64::try_from(bytes.0.len()).unwrap_or_default();
    Json(all.map(|bytes| Integer::from(length(bytes))).collect())
}

#[derive(Decode)]
struct NamedQuery {
    #[schema(max_digits = 4, decimal_places = 2, ge = "0", lt = "50")]
    d: Decimal,
    #[schema(allow_inf_nan = false, gt = 0, le = 100, multiple_of = 0.5, default = 1.0)]
    #[schema(extra = json!({"examples": [1.5]}))]
    f: f64,
    #[schema(min_length = 1, pattern = "^a", default = "a", extra = json!({"x-kind": "text"}))]
    s: String,
    #[serde(rename(serialize = "ii"))]
    #[schema(strict, default = Integer::from(1))]
    i: Integer,
}

#[derive(Decode)]
struct NamedHeader {
    /// Given.
    #[schema(extra = json!({"title": "A header", "deprecated": true}))]
    h: Option<String>,
}

#[get("/query/arguments", name = "operation")]
async fn named(
    Call((), (Query(query), Header(header))): Call<(), (Query<NamedQuery>, Header<NamedHeader>)>,
) -> Json<Vec<Value>> {
    let NamedQuery { f, s, d, i } = query;
    let values = json!([Value::Float(f), s, d, i, header.h]);
    Json(serde_json::from_value(values).unwrap_or_default())
}

#[derive(Decode)]
struct EmbeddedBody {
    #[schema(extra = json!({"title": "The body"}))]
    given: Generated,
}

#[post("/body/embedded", name = "operation")]
async fn embedded(Call((), Embedded(body)): Call<(), Embedded<EmbeddedBody>>) -> Json<Generated> {
    Json(body.given)
}

/// Adds all operations.
pub(super) fn register(all: &mut Routes) {
    all.body::<Constrained, _>("constrained", "operation");
    all.body::<Signs, _>("signs", "operation");
    all.body::<StrictNames, _>("strict-names", "operation");
    all.body::<Configured, _>("configured", "operation");
    all.body::<Loud, _>("loud", "operation");
    all.body::<Pascal, _>("pascal", "operation");
    all.body::<Snake, _>("snake", "operation");
    all.body::<Generated, _>("generated", "operation");
    all.body::<UrlLength, _>("url-length", "operation");
    all.body::<Dataclass, _>("pydantic-dataclass", "operation");
    all.body::<Pet, _>("discriminated-body", "operation");
    let others = Router::new().routes(routes![bytes, named, embedded]);
    let paths = others.operations().map(|(_, _, path)| path.trim_start_matches('/').to_owned());
    all.names.extend(paths);
    all.router = std::mem::take(&mut all.router).merge(others);
}

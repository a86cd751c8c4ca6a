//! The port of `probe_shapes.py`: collections, addresses, aliases, choices and validators around the
//! rules.

use std::collections::BTreeSet;

use fastapi_compat::{
    AmqpDsn, AnyUrl, Call, ClickHouseDsn, CockroachDsn, Decode, Deque, Form, FrozenSet, Handler,
    Integer, Invalid, Json, KafkaDsn, MariaDBDsn, MongoDsn, MySQLDsn, NatsDsn, PostgresDsn, Query,
    RedisDsn, Router, Sequence, SnowflakeDsn, Value, VariadicTuple, get, post, routes,
};
use indexmap::IndexMap;
use serde::Serialize;

use super::types::plus_one;
use super::{Echo, Inner, Routes};

#[derive(Decode)]
#[schema(named_tuple)]
struct Point {
    x: Integer,
    #[schema(default = "x", max_length = 3)]
    name: String,
    inner: Option<Inner>,
}

#[derive(Decode)]
#[schema(named_tuple)]
struct Size {
    #[schema(ge = 0)]
    width: f64,
    /// How high.
    #[serde(rename = "heightCm")]
    #[schema(default = 1.5)]
    height_cm: f64,
}

#[derive(Decode, Serialize)]
struct NamedTuples {
    v: Point,
    #[schema(default = vec![])]
    w: Vec<Size>,
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum PointInnerOrBool {
    Point(Point),
    Inner(Inner),
    Bool(bool),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum InnerOrPoint {
    Inner(Inner),
    Point(Point),
}

type Floats = IndexMap<String, f64>;

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum FloatsOrSize {
    Floats(Floats),
    Size(Size),
}

#[derive(Decode, Serialize)]
#[serde(rename = "Choices")]
struct Choices {
    v: PointInnerOrBool,
    w: Option<InnerOrPoint>,
    x: Option<FloatsOrSize>,
}

#[derive(Decode, Serialize)]
#[schema(typed_dict)]
struct Row {
    a: Integer,
}

#[derive(Decode, Serialize)]
struct Record {
    a: Integer,
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum FloatsOrRecord {
    Floats(Floats),
    Record(Record),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum FloatsOrRow {
    Floats(Floats),
    Row(Row),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum FloatsOrRecords {
    Floats(Vec<Floats>),
    Records(Vec<Record>),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum RecordOrInts {
    Record(Record),
    Ints(IndexMap<String, Integer>),
}

#[derive(Decode, Serialize)]
#[serde(rename = "Natural")]
struct Natural(#[schema(ge = 0)] Integer);

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum FloatWholeOrBool {
    Float(f64),
    Whole(Natural),
    Bool(bool),
}

#[derive(Decode, Serialize)]
struct Exact {
    v: FloatsOrRecord,
    w: Option<FloatsOrRow>,
    x: Option<FloatsOrRecords>,
    y: Option<RecordOrInts>,
    z: Option<FloatWholeOrBool>,
}

/// Declares models whose fields are read by paths.
macro_rules! alias_paths {
    ($($(#[$attribute:meta])* $name:ident { $($more:tt)* })*) => {$(
        #[derive(Decode, Serialize)]
        $(#[$attribute])*
        struct $name {
            #[schema(validation_alias = ["x", "y", 1])]
            v: Integer,
            #[schema(validation_alias = ("b", ["names", 0]), default = "d")]
            w: String,
            #[schema(validation_alias = (["names", 1], "c"), default = Integer::from(1))]
            z: Integer,
            #[schema(validation_alias = ["o"], default = Integer::from(2))]
            only: Integer,
            #[schema(validation_alias = ["user", "name"], default = "u")]
            #[serde(rename(serialize = "userName"))]
            user_name: String,
            $($more)*
        }
    )*};
}

alias_paths! {
    AliasPaths {}
    #[serde(deny_unknown_fields)]
    AliasPathsForbid {}
    AliasPathsAllow {
        #[serde(flatten)]
        extra: IndexMap<String, Value>,
    }
}

#[derive(Decode)]
#[schema(literal)]
enum IsCat {
    #[serde(rename = "cat")]
    Cat,
}

#[derive(Decode)]
#[schema(literal)]
enum IsDog {
    #[serde(rename = "dog")]
    Dog,
}

#[derive(Decode)]
#[schema(literal)]
#[serde(rename_all = "lowercase")]
enum IsBlack {
    Black,
}

#[derive(Decode)]
#[schema(literal)]
#[serde(rename_all = "lowercase")]
enum IsWhite {
    White,
}

/// Writes literals of one value.
macro_rules! written {
    ($($name:ident $text:literal),*) => {$(
        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str($text)
            }
        }
    )*};
}

written!(IsCat "cat", IsDog "dog", IsBlack "black", IsWhite "white");

#[derive(Decode, Serialize)]
struct Kitten {
    kind: IsCat,
    #[schema(default = Integer::from(9))]
    lives: Integer,
}

#[derive(Decode, Serialize)]
struct Puppy {
    kind: IsDog,
    name: String,
}

fn pet_kind(given: &Value) -> Option<Value> {
    match given {
        Value::Object(fields) if fields.get("lives").is_some() => Some("cat".into()),
        Value::Object(fields) => Some(fields.get("kind")?.into_owned()),
        Value::Str(_) | Value::Surrogates(_) => Some("text".into()),
        Value::Int(_) | Value::BigInt(_) => Some(given.clone()),
        _ => None,
    }
}

#[derive(Decode, Serialize)]
#[schema(discriminator = pet_kind)]
#[serde(untagged)]
enum Pet {
    #[schema(tag = "cat")]
    Kitten(Kitten),
    #[schema(tag = "dog")]
    Puppy(Puppy),
    #[schema(tag = "text")]
    Text(String),
}

#[derive(Decode, Serialize)]
#[schema(discriminator = pet_kind)]
#[serde(untagged)]
enum CatOrShort {
    #[schema(tag = "cat")]
    Kitten(Kitten),
    #[schema(tag = "text", max_length = 2)]
    Text(String),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum CatShortOrInt {
    CatOrShort(CatOrShort),
    Int(Integer),
}

#[derive(Decode, Serialize)]
struct Discriminated {
    v: Pet,
    #[schema(default = vec![])]
    w: Vec<CatShortOrInt>,
}

#[derive(Decode, Serialize)]
struct Black {
    kind: IsCat,
    color: IsBlack,
    name: String,
}

#[derive(Decode, Serialize)]
struct White {
    kind: IsCat,
    color: IsWhite,
    n: Integer,
}

#[derive(Decode, Serialize)]
#[schema(discriminator = "color")]
#[serde(untagged)]
enum BlackOrWhite {
    #[serde(rename = "black")]
    Black(Black),
    #[serde(rename = "white")]
    White(White),
}

#[derive(Decode, Serialize)]
#[schema(discriminator = "kind")]
#[serde(untagged)]
enum AnyPet {
    #[serde(rename = "cat")]
    Kitten(BlackOrWhite),
    #[serde(rename = "dog")]
    Puppy(Puppy),
}

#[derive(Decode, Serialize)]
#[serde(rename = "Nested")]
struct NestedPets {
    v: AnyPet,
}

fn wrapped(given: &Value, mut rules: Handler<'_, Integer>) -> Result<Integer, Invalid> {
    rules.call(given)
}

fn first(given: &Value, mut rules: Handler<'_, String>) -> Result<String, Invalid> {
    rules.call(given).or_else(|_| match given {
        Value::Str(text) => {
            let first: String = text.chars().take(2).collect();
            rules.call(&first.as_str().into())
        }
        given => rules.call(given),
    })
}

fn check_number(given: &Value, mut rules: Handler<'_, Integer>) -> Result<Integer, Invalid> {
    if matches!(given, Value::Str(text) if text.as_str() == "skip") {
        return Ok(0.into());
    }
    match rules.call(given)? {
        Integer::Small(3) => Err("three".into()),
        Integer::Small(7) => Err(Invalid::custom("no_seven", "no seven", [])),
        number => plus_one(&number),
    }
}

fn check_items(
    given: &Value,
    mut rules: Handler<'_, Vec<Integer>>,
) -> Result<Vec<Integer>, Invalid> {
    match given {
        // A `bool` is an `int`.
        Value::Int(_) | Value::BigInt(_) | Value::Bool(_) => {
            rules.call(&Value::Array(vec![given.clone()].into()))
        }
        given => rules.call(given),
    }
}

#[derive(Decode, Serialize)]
struct Around(#[schema(wrap = wrapped)] Integer);

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum AroundOrBool {
    Around(Around),
    Bool(bool),
}

#[derive(Decode, Serialize)]
struct Wrapped {
    #[schema(wrap = check_number)]
    n: Integer,
    #[schema(wrap = first, max_length = 2, default = "x")]
    s: String,
    #[schema(wrap = check_items, default = vec![])]
    items: Vec<Integer>,
    #[schema(default = AroundOrBool::Bool(true))]
    x: AroundOrBool,
}

#[derive(Decode, Serialize)]
#[schema(wrap = check)]
struct Whole {
    n: Integer,
}

fn check(given: &Value, mut rules: Handler<'_, Whole>) -> Result<Whole, Invalid> {
    match given {
        Value::Str(text) if text.as_str() == "a" => return Ok(Whole { n: 5.into() }),
        Value::Object(fields) if fields.get("bad").is_some() => return Err("bad".into()),
        _ => {}
    }
    let model = rules.call(given)?;
    if model.n == 10.into() { Err(Invalid::assertion("ten")) } else { Ok(model) }
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum WholeOrInt {
    Whole(Whole),
    Int(Integer),
}

#[derive(Decode, Serialize)]
struct Wholes {
    v: Whole,
    #[schema(default = WholeOrInt::Int(1.into()))]
    w: WholeOrInt,
}

#[derive(Decode, Serialize)]
#[schema(strict)]
struct StrictUrl {
    v: AnyUrl,
    w: Option<PostgresDsn>,
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum SequencesOrBool {
    Tuple(VariadicTuple<f64>),
    Sequence(Sequence<Integer>),
    Deque(Deque<String>),
    Bool(bool),
}

#[derive(Decode, Serialize)]
struct Positive(#[schema(ge = 1)] Integer);

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum DequeOrList {
    Deque(Deque<Positive>),
    List(Vec<Integer>),
}

#[derive(Decode, Serialize)]
#[serde(untagged)]
enum AnyDsn {
    Postgres(PostgresDsn),
    Redis(RedisDsn),
    Bool(bool),
}

/// Declares models with one field, `v`.
macro_rules! models {
    ($($(#[$attribute:meta])* $name:ident($type:ty);)*) => {$(
        #[derive(Decode, Serialize)]
        struct $name {
            $(#[$attribute])*
            v: $type,
        }
    )*};
}

macro_rules! echoed {
    ($($type:ident),*) => {$(
        impl Echo for $type {
            type Answer = Self;

            fn echo(self) -> Self {
                self
            }
        }
    )*};
}

models! {
    FrozenSetModel(FrozenSet<Integer>);
    #[schema(min_length = 1, max_length = 2)]
    FrozenSetBounds(FrozenSet<Integer>);
    DequeModel(Deque<Integer>);
    #[schema(min_length = 1, max_length = 2)]
    DequeBounds(Deque<Integer>);
    VariadicTupleModel(VariadicTuple<Integer>);
    #[schema(min_length = 2, max_length = 3)]
    VariadicTupleBounds(VariadicTuple<Integer>);
    SequenceModel(Sequence<Integer>);
    #[schema(min_length = 1, max_length = 2)]
    SequenceBounds(Sequence<Integer>);
    MutableSequence(Vec<Integer>);
    Mapping(IndexMap<String, Integer>);
    MutableMapping(IndexMap<String, Integer>);
    AbstractSet(FrozenSet<Integer>);
    MutableSet(BTreeSet<Integer>);
    UnionSequences(SequencesOrBool);
    UnionDeque(DequeOrList);
    DsnPostgres(PostgresDsn);
    DsnCockroach(CockroachDsn);
    DsnAmqp(AmqpDsn);
    DsnRedis(RedisDsn);
    DsnMongo(MongoDsn);
    DsnKafka(KafkaDsn);
    DsnNats(NatsDsn);
    DsnMysql(MySQLDsn);
    DsnMariaDb(MariaDBDsn);
    DsnClickHouse(ClickHouseDsn);
    DsnSnowflake(SnowflakeDsn);
    DsnAny(AnyDsn);
}

echoed!(
    DequeModel,
    DequeBounds,
    VariadicTupleModel,
    VariadicTupleBounds,
    SequenceModel,
    SequenceBounds,
    MutableSequence,
    Mapping,
    MutableMapping,
    UnionSequences,
    UnionDeque,
    DsnPostgres,
    DsnCockroach,
    DsnAmqp,
    DsnRedis,
    DsnMongo,
    DsnKafka,
    DsnNats,
    DsnMysql,
    DsnMariaDb,
    DsnClickHouse,
    DsnSnowflake,
    DsnAny,
    NamedTuples,
    Choices,
    Exact,
    AliasPaths,
    AliasPathsForbid,
    AliasPathsAllow,
    Discriminated,
    Wrapped,
    Wholes,
    StrictUrl
);

/// Sets have no order in Python; their operations answer with lists.
macro_rules! echo_lists {
    ($($type:ident),*) => {$(
        impl Echo for $type {
            type Answer = Vec<Integer>;

            fn echo(self) -> Vec<Integer> {
                self.v.into_iter().collect()
            }
        }
    )*};
}

echo_lists!(FrozenSetModel, FrozenSetBounds, AbstractSet, MutableSet);

#[post("/body/named-tuple", name = "operation", body = "given")]
async fn named_tuple(Call((), Json(given)): Call<(), Json<NamedTuples>>) -> Json<Point> {
    Json(given.v)
}

#[post(
    "/body/nested-discriminators",
    name = "operation",
    body = "given",
    include_in_schema = false
)]
async fn nested(Call((), Json(given)): Call<(), Json<NestedPets>>) -> Json<NestedPets> {
    Json(given)
}

#[get("/query/model-paths", name = "operation")]
async fn query_paths(Call((), Query(given)): Call<(), Query<AliasPaths>>) -> Json<AliasPaths> {
    Json(given)
}

#[post("/form/model-paths", name = "operation")]
async fn form_paths(
    Call((), Form(given)): Call<(), Form<AliasPathsForbid>>,
) -> Json<AliasPathsForbid> {
    Json(given)
}

/// Adds all operations.
pub(super) fn register(all: &mut Routes) {
    macro_rules! bodies {
        ($($name:literal $model:ty;)*) => {
            $(all.body::<$model, _>($name, "operation");)*
        };
    }
    bodies! {
        "named-tuples" NamedTuples;
        "union-named-tuples" Choices;
        "union-exact" Exact;
        "alias-paths" AliasPaths;
        "alias-paths-forbid" AliasPathsForbid;
        "alias-paths-allow" AliasPathsAllow;
        "discriminated" Discriminated;
        "wrapped" Wrapped;
        "wrapped-models" Wholes;
        "url-strict" StrictUrl;
        "deque" DequeModel;
        "deque-bounds" DequeBounds;
        "variadic-tuple" VariadicTupleModel;
        "variadic-tuple-bounds" VariadicTupleBounds;
        "sequence" SequenceModel;
        "sequence-bounds" SequenceBounds;
        "mutable-sequence" MutableSequence;
        "mapping" Mapping;
        "mutable-mapping" MutableMapping;
        "abstract-set" AbstractSet;
        "mutable-set" MutableSet;
        "union-sequences" UnionSequences;
        "union-deque" UnionDeque;
        "dsn-postgres" DsnPostgres;
        "dsn-cockroach" DsnCockroach;
        "dsn-amqp" DsnAmqp;
        "dsn-redis" DsnRedis;
        "dsn-mongo" DsnMongo;
        "dsn-kafka" DsnKafka;
        "dsn-nats" DsnNats;
        "dsn-mysql" DsnMysql;
        "dsn-maria-db" DsnMariaDb;
        "dsn-click-house" DsnClickHouse;
        "dsn-snowflake" DsnSnowflake;
        "dsn-any" DsnAny;
        "frozen-set" FrozenSetModel;
        "frozen-set-bounds" FrozenSetBounds;
    }
    all.parameters::<FrozenSetModel, _>("frozen-set");
    all.parameters::<FrozenSetBounds, _>("frozen-set-bounds");
    all.parameters::<DequeModel, _>("deque");
    all.parameters::<VariadicTupleBounds, _>("variadic-tuple-bounds");
    all.parameters::<SequenceModel, _>("sequence");
    let others = Router::new().routes(routes![named_tuple, nested, query_paths, form_paths]);
    let paths = others.operations().map(|(_, _, path)| path.trim_start_matches('/').to_owned());
    all.names.extend(paths);
    all.router = std::mem::take(&mut all.router).merge(others);
}

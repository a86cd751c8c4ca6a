//! What a model cannot mean is refused, where Python would refuse it or do something else.
use fastapi_compat::{Decode, Integer, Value};
use indexmap::IndexMap;
use uuid::Uuid;

#[derive(Decode)]
struct NotNull {
    #[schema(nullable = false)]
    number: i64,
}

#[derive(Decode)]
struct StrictField {
    #[schema(strict)]
    id: Uuid,
}

#[derive(Decode)]
#[schema(strict)]
struct StrictModel {
    number: Integer,
    id: Option<Uuid>,
}

#[derive(Decode)]
#[serde(deny_unknown_fields)]
struct Both {
    #[serde(flatten)]
    extra: IndexMap<String, Value>,
}

#[derive(Decode)]
struct KeptInAList {
    #[serde(flatten)]
    extra: Vec<Value>,
}

#[derive(Decode)]
enum Names {
    #[serde(alias = "b")]
    A,
}

#[derive(Decode)]
#[serde(rename(serialize = "Item", deserialize = "NewItem"))]
struct TwoNames {
    number: Integer,
}

#[derive(Decode)]
enum Tagged {
    #[schema(tag = 1)]
    Number(Integer),
}

#[derive(Decode)]
struct File {
    path: std::path::PathBuf,
    address: std::net::IpAddr,
}

fn main() {}

//! What cannot be said of types, inputs and answers.
use std::path::PathBuf;

use fastapi_compat::{
    Bearer, ByteString, Call, Decode, Header, Json, NoContent, Path, Pattern, Query, Selected, get,
};

#[derive(Decode)]
struct Upload {
    target: PathBuf,
}

#[derive(Decode)]
struct Search {
    by: Pattern,
}

type StrictBytes = ByteString;

#[derive(Decode)]
struct Strictly {
    #[schema(strict)]
    bytes: StrictBytes,
}

#[derive(Decode)]
#[schema(literal)]
enum Nothing {
    #[schema(value = None)]
    None,
}

#[derive(Decode)]
#[schema(discriminator = "kind")]
enum Pet {
    #[serde(rename = "text")]
    Text(String),
}

#[derive(Decode)]
#[schema(discriminator = "kind", custom_error_type = "no_pet")]
enum Animal {
    Pet(Pet),
}

#[derive(Decode)]
struct Page {
    page: i64,
}

#[get("/model/{page}")]
async fn model_in_the_path(_: Call<(), Path<Page>>) -> NoContent {
    NoContent
}

#[get("/models/{page}/{id}")]
async fn models_in_the_path(_: Call<(), Path<(Page, i64)>>) -> NoContent {
    NoContent
}

#[get("/axum")]
async fn axums_json() -> axum::Json<i64> {
    axum::Json(1)
}

#[get("/numbers")]
async fn numbers() -> Json<Selected<Vec<i64>>> {
    Json(Selected::include(vec![1], &["a"]))
}

type Queries = (Query<Page>, Query<Page>, Query<Page>, Query<Page>, Query<Page>, Header<Page>);

#[get("/inputs")]
async fn six_inputs(_: Call<(), Queries>) -> NoContent {
    NoContent
}

type Dependencies =
    (Bearer, Bearer, Bearer, Bearer, Bearer, Bearer, Bearer, Bearer, Bearer);

#[get("/dependencies")]
async fn nine_dependencies(_: Call<Dependencies>) -> NoContent {
    NoContent
}

#[rustfmt::skip]
type Thirteen = (i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64, i64);

#[get("/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}")]
async fn thirteen_parameters(_: Call<(), Path<Thirteen>>) -> NoContent {
    NoContent
}

fn main() {}

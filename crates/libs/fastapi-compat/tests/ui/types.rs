//! Types of Python that requests cannot carry here.
use std::path::PathBuf;

use fastapi_compat::{Decode, Handler, Integer, Invalid, Json, Selected, Value, get};

#[derive(Decode)]
struct Upload {
    target: PathBuf,
}

#[derive(Decode)]
struct Search {
    expression: regex::Regex,
}

#[derive(Decode)]
struct LastName {
    #[schema(validation_alias = ["names", -1])]
    name: String,
}

fn around(given: &Value, mut rules: Handler<'_, Integer>) -> Result<Integer, Invalid> {
    rules.call(given)
}

fn even(number: Integer) -> Result<Integer, Invalid> {
    Ok(number)
}

#[derive(Decode)]
struct Both {
    #[schema(wrap = around, after = even)]
    number: Integer,
}

#[derive(Decode)]
struct Cat {
    kind: String,
}

#[derive(Decode)]
#[schema(discriminator = "kind")]
enum Pet {
    #[serde(rename = "cat")]
    Cat(Cat),
    #[serde(rename = "text")]
    Text(String),
}

#[derive(Decode)]
#[schema(named_tuple)]
struct Point {
    x: i64,
}

#[derive(Decode)]
#[schema(strict)]
struct Points {
    point: Point,
}

#[get("/numbers")]
async fn numbers() -> Json<Selected<Vec<i64>>> {
    Json(Selected::include(vec![1], &["a"]))
}

fn main() {}

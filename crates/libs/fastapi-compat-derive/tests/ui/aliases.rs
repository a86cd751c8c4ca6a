//! Paths of aliases, and validators around others.
use fastapi_compat::{Decode, Handler, Integer, Invalid, Value};

#[derive(Decode)]
struct LastName {
    #[schema(validation_alias = ["names", -1])]
    name: String,
}

#[derive(Decode)]
struct Names {
    #[schema(validation_alias = ["names", 0])]
    #[serde(alias = "name")]
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

fn main() {}

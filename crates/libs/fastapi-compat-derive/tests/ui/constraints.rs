//! A constraint belongs to types that have what it constrains.
use fastapi_compat::Decode;

#[derive(Decode)]
struct Model {
    #[schema(min_length = 1)]
    number: i64,
    #[schema(ge = 1)]
    text: String,
    #[schema(max_digits = 3)]
    flag: Option<bool>,
    #[schema(pattern = "a")]
    list: Vec<String>,
}

#[derive(Decode)]
struct Short(#[schema(max_length = 2)] f64);

fn main() {}

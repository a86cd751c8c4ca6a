//! A constraint belongs to types that have what it constrains, also in what only answers carry.
use fastapi_compat::Schema;

#[derive(Schema)]
struct Constrained {
    #[schema(min_length = 1)]
    number: i64,
    #[schema(ge = 1)]
    text: Option<String>,
}

#[derive(Schema)]
struct Short(#[schema(max_length = 2)] f64);

#[derive(Schema)]
enum Either {
    #[schema(multiple_of = 2)]
    Flag(bool),
    Text(String),
}

fn main() {}

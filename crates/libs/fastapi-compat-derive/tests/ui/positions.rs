//! An attribute that would have no effect in its position is refused.
use fastapi_compat::Decode;

#[derive(Decode)]
#[schema(min_length = 1)]
struct Model {
    text: String,
}

#[derive(Decode)]
enum Color {
    #[schema(max_length = 3)]
    Red,
}

#[derive(Decode)]
enum Either {
    #[schema(required = true)]
    Text(String),
    Number(i64),
}

fn main() {}

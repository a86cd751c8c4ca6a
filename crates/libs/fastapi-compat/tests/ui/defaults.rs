//! A default is of the field's type.
use fastapi_compat::Decode;

#[derive(Decode)]
struct Model {
    #[schema(default = "one")]
    number: i64,
    #[schema(default = 1)]
    text: String,
    #[schema(default = 5)]
    perhaps: Option<String>,
}

fn main() {}

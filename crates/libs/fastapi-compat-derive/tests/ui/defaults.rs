//! A default is of the field's type.
use fastapi_compat::Decode;

#[derive(Decode)]
struct Model {
    #[schema(default = "one")]
    number: i64,
}

#[derive(Decode)]
struct Second {
    #[schema(default = 1)]
    text: String,
}

#[derive(Decode)]
struct Third {
    #[schema(default = 5)]
    perhaps: Option<String>,
}

#[derive(Decode)]
struct Short(String);

#[derive(Decode)]
struct Fourth {
    #[schema(default = "ab")]
    short: Short,
}

fn main() {}

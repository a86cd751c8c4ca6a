//! What only answers carry is held to the same rules: constraints and defaults are of the field's type.
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

#[derive(Schema)]
struct Default {
    #[schema(default = "ab")]
    short: Short,
    #[schema(default_factory = 1)]
    text: String,
}

#[derive(Schema)]
struct Literal {
    #[schema(default = "one")]
    number: i64,
}

fn main() {}

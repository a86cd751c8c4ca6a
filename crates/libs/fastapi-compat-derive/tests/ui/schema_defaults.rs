//! A default of what only answers carry is of the field's type, too.
use fastapi_compat::Schema;

#[derive(Schema)]
struct Short(String);

#[derive(Schema)]
struct Model {
    #[schema(default = "ab")]
    short: Short,
}

#[derive(Schema)]
struct Factory {
    #[schema(default_factory = 1)]
    text: String,
}

#[derive(Schema)]
struct Literal {
    #[schema(default = "one")]
    number: i64,
}

fn main() {}

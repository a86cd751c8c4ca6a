//! A literal stands where it is used, and has no component that could show more than its values.
use fastapi_compat::Schema;

#[derive(Schema)]
#[schema(literal, extra = fastapi_compat::json!({"examples": ["a"]}))]
enum Kind {
    A,
    B,
}

fn main() {}

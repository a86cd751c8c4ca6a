//! A named tuple in a strict model, whose strictness it would inherit.
use fastapi_compat::Decode;

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

fn main() {}

//! What FastAPI's rules cost: a valid body of 1 KB and of 100 KB against plain serde_json into the
//! same struct, an answer of 20 errors, and what pydantic takes for the same.
//!
//! `cargo bench --package fastapi-compat`

#![expect(clippy::expect_used, reason = "a benchmark ends where something is missing")]
#![expect(clippy::result_large_err, reason = "an answer is large")]

use std::collections::BTreeMap;
use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};

use axum::body::Body;
use axum::response::IntoResponse;
use criterion::{BatchSize, Criterion, Throughput};
use fastapi_compat::{Decode, Errors, Input, Json};
use futures_util::FutureExt;
use http::Request;
use http::request::Parts;
use serde::Deserialize;
use serde_json::json;

/// Declares the same struct with FastAPI's rules and without.
macro_rules! both {
    ($($(#[$rule:meta])* $field:ident: $type:ty,)*) => {
        #[derive(Decode)]
        #[expect(dead_code, reason = "only decoded")]
        struct Item {
            $($(#[$rule])* $field: $type,)*
        }

        #[derive(Deserialize)]
        #[expect(dead_code, reason = "only decoded")]
        struct Plain {
            $($field: $type,)*
        }
    };
}

both! {
    #[schema(min_length = 1, max_length = 255)]
    title: String,
    description: Option<String>,
    #[schema(ge = 0)]
    price: f64,
    #[schema(ge = 0, le = 1_000_000)]
    quantity: i64,
    available: bool,
    tags: Vec<String>,
}

fn body(items: usize, valid: bool) -> String {
    let item = |index: usize| {
        json!({
            "title": if valid { format!("Item number {index}") } else { String::new() },
            "description": "A description of some length, as people write them.",
            "price": if valid { json!(9.99) } else { json!("dear") },
            "quantity": if valid { json!(index) } else { json!(-1) },
            "available": if valid { json!(true) } else { json!("perhaps") },
            "tags": ["red", "small", "on sale"],
        })
    };
    json!((0..items).map(item).collect::<Vec<_>>()).to_string()
}

/// A request, which is made before the time is taken.
fn request(body: &str) -> (Parts, Body) {
    let request = Request::post("/").header("content-type", "application/json");
    request.body(Body::from(body.to_owned())).expect("a request").into_parts()
}

/// The whole way of a body: bytes to the value, or to the answer that explains.
fn decode(parts: &Parts, body: Body) -> Result<Vec<Item>, axum::response::Response> {
    let read = Json::<Vec<Item>>::read(parts, body).now_or_never().expect("the body is there")?;
    let mut errors = Errors::default();
    Json::decode(read, parts, &mut errors)
        .map(|Json(items)| items)
        .ok_or_else(|| errors.into_response())
}

/// What pydantic takes, in microseconds.
fn pydantic(bodies: &BTreeMap<&str, String>) -> BTreeMap<String, f64> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/cost.py");
    let default = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../target/venv/bin/python");
    let python = std::env::var_os("TESTBED_PYTHON").unwrap_or_else(|| default.into());
    let mut python = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts: run `make venv`");
    let input = serde_json::to_vec(bodies).expect("texts");
    python.stdin.take().expect("a pipe").write_all(&input).expect("Python reads");
    let output = python.wait_with_output().expect("Python answers");
    serde_json::from_slice(&output.stdout).expect("Python measured")
}

fn main() {
    let bodies: BTreeMap<_, _> = [
        ("valid, 1 KB", body(6, true)),
        ("valid, 100 KB", body(600, true)),
        ("20 errors", body(5, false)),
    ]
    .into();
    let mut criterion = Criterion::default().configure_from_args();
    for (name, body) in &bodies {
        let mut group = criterion.benchmark_group(*name);
        group.throughput(Throughput::Bytes(body.len() as u64));
        group.bench_function("fastapi-compat", |bencher| {
            bencher.iter_batched(
                || request(body),
                |(parts, body)| (decode(&parts, black_box(body)), parts),
                BatchSize::SmallInput,
            );
        });
        let (parts, whole) = request(body);
        if decode(&parts, whole).is_ok() {
            group.bench_function("serde_json", |bencher| {
                bencher.iter_batched(
                    || body.clone().into_bytes(),
                    |body| (serde_json::from_slice::<Vec<Plain>>(black_box(&body)), body),
                    BatchSize::SmallInput,
                );
            });
        }
        group.finish();
    }
    criterion.final_summary();
    for (name, micros) in pydantic(&bodies) {
        println!("{name}: pydantic {micros:.1} µs");
    }
}

//! What it costs to find an operation: a request to one of 10, of 100 and of 1,000, and how much
//! more the last costs than the first.
//!
//! `cargo bench --package fastapi-compat --bench routes`

#![expect(clippy::expect_used, reason = "a benchmark ends where something is missing")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use axum::body::Body;
use criterion::Criterion;
use fastapi_compat::{Call, Json, Outline, Path, Router};
use futures_util::FutureExt;
use http::{Method, Request};
use tower::ServiceExt;

async fn read(Call((), Path(id)): Call<(), Path<i64>>) -> Json<i64> {
    Json(id)
}

async fn read_two(Call((), Path((id, _))): Call<(), Path<(i64, i64)>>) -> Json<i64> {
    Json(id)
}

/// What the paths of the operations look like, with a number for `#`.
const PATHS: [(&str, &str); 6] = [
    ("plain", "/api/v1/resource-#/{id}"),
    ("behind a convertor", "/api/v1/{id:int}/resource-#"),
    ("in a segment", "/api/v1/{id}-resource-#.json"),
    ("behind several segments", "/api/v1/{id:path}/resource-#"),
    ("between two parameters", "/api/v1/{id}-resource-#-{part}"),
    ("between several segments and a parameter", "/api/v1/{id:path}/resource-#/{part}"),
];

/// A router of so many operations, of each resource two.
fn router(path: &str, count: usize) -> axum::Router {
    let mut router = Router::new();
    for number in 0..count / 2 {
        for method in [Method::GET, Method::PUT] {
            let path = path.replace('#', &number.to_string());
            let is_one = path.matches('{').count() == 1;
            let outline = Outline::new(method, path, "read").validated();
            router = if is_one {
                router.operation(outline, read)
            } else {
                router.operation(outline, read_two)
            };
        }
    }
    router.with_state(())
}

/// A request to the path of an operation.
fn answer(router: &axum::Router, path: &str) {
    let request = Request::put(path).body(Body::empty()).expect("a request");
    let response = router.clone().oneshot(request).now_or_never().expect("nothing is waited for");
    assert_eq!(black_box(response).expect("an answer").status(), 200);
}

/// The shortest of some rounds.
fn time(router: &axum::Router, path: &str) -> Duration {
    let round = || {
        let start = Instant::now();
        (0..10_000).for_each(|_| answer(router, path));
        start.elapsed() / 10_000
    };
    (0..20).map(|_| round()).min().expect("there are rounds")
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let counts = [10, 100, 1000];
    let mut grown = Vec::new();
    for (name, path) in PATHS {
        // Of each router the last operation.
        let last = counts.map(|count| {
            let number = (count / 2 - 1).to_string();
            let mut request = path.to_owned();
            while let Some(parameter) = request.find('{').zip(request.find('}')) {
                request.replace_range(parameter.0..=parameter.1, "7");
            }
            (router(path, count), request.replace('#', &number))
        });
        for ((router, path), count) in last.iter().zip(counts) {
            let name = format!("{name}, one of {count} operations");
            criterion.bench_function(&name, |bencher| bencher.iter(|| answer(router, path)));
        }
        let [few, _, many] = last.map(|(router, path)| time(&router, &path));
        let ratio = many.as_secs_f64() / few.as_secs_f64();
        println!("{name}: 1,000 operations cost {ratio:.2} x of 10: {many:?} and {few:?}");
        if ratio >= 1.2 {
            grown.push(name);
        }
    }
    criterion.final_summary();
    assert!(grown.is_empty(), "dispatch grows with the number of operations: {grown:?}");
}

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

/// A router of so many operations, of each resource two.
fn router(count: usize) -> axum::Router {
    let mut router = Router::new();
    for number in 0..count / 2 {
        for method in [Method::GET, Method::PUT] {
            let path = format!("/api/v1/resource-{number}/{{id}}");
            router = router.operation(Outline::new(method, path, "read").validated(), read);
        }
    }
    router.with_state(())
}

/// A request to the last of so many operations.
fn answer(router: &axum::Router, count: usize) {
    let path = format!("/api/v1/resource-{}/7", count / 2 - 1);
    let request = Request::put(path).body(Body::empty()).expect("a request");
    let response = router.clone().oneshot(request).now_or_never().expect("nothing is waited for");
    assert_eq!(black_box(response).expect("an answer").status(), 200);
}

/// The shortest of some rounds.
fn time(router: &axum::Router, count: usize) -> Duration {
    let round = || {
        let start = Instant::now();
        (0..10_000).for_each(|_| answer(router, count));
        start.elapsed() / 10_000
    };
    (0..20).map(|_| round()).min().expect("there are rounds")
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let counts = [10, 100, 1000];
    let routers = counts.map(router);
    for (router, count) in routers.iter().zip(counts) {
        let name = format!("one of {count} operations");
        criterion.bench_function(&name, |bencher| bencher.iter(|| answer(router, count)));
    }
    criterion.final_summary();
    let [few, _, many] = [0, 1, 2].map(|index| time(&routers[index], counts[index]));
    let ratio = many.as_secs_f64() / few.as_secs_f64();
    println!("1,000 operations cost {ratio:.2} x of 10: {many:?} and {few:?}");
    assert!(ratio < 1.2, "dispatch grows with the number of operations");
}

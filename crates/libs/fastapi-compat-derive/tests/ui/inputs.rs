//! Inputs that are checked together are in one `Call`, the body last.
use fastapi_compat::{Bearer, Call, Decode, Json, Query, get, post};

#[derive(Decode)]
struct Q {
    n: i64,
}

#[derive(Decode)]
struct B {
    n: i64,
}

#[post("/order")]
async fn body_first(Call((), (Json(b), Query(q))): Call<(), (Json<B>, Query<Q>)>) -> Json<i64> {
    Json(b.n + q.n)
}

#[post("/apart")]
async fn apart(Query(q): Query<Q>, Json(b): Json<B>) -> Json<i64> {
    Json(b.n + q.n)
}

#[get("/dependency")]
async fn dependency(_: Bearer, Query(q): Query<Q>) -> Json<i64> {
    Json(q.n)
}

#[get("/first")]
async fn first(Call((), Query(q)): Call<(), Query<Q>>, _: http::Method) -> Json<i64> {
    Json(q.n)
}

fn main() {}

//! The model of an input has `#[derive(Decode)]`.
use fastapi_compat::{Call, Json, Query, get};

struct Q {
    n: i64,
}

#[get("/query")]
async fn query(Call((), Query(q)): Call<(), Query<Q>>) -> Json<i64> {
    Json(q.n)
}

fn main() {}

//! `Path` takes as many parameters as the route has.
use fastapi_compat::{Call, Json, Path, get};

#[get("/short/{a}")]
async fn too_many(Call((), Path((a, b))): Call<(), Path<(i64, i64)>>) -> Json<i64> {
    Json(a + b)
}

#[get("/last/{a}/{b}")]
async fn too_few(Call((), Path(a)): Call<(), Path<i64>>) -> Json<i64> {
    Json(a)
}

#[get("/none")]
async fn none(Path(a): Path<i64>) -> Json<i64> {
    Json(a)
}

fn main() {}

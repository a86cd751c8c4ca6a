//! Paths are Starlette's.
use fastapi_compat::{Json, Path, get};

#[get("/items/{id:integer}")]
async fn convertor(Path(id): Path<i64>) -> Json<i64> {
    Json(id)
}

#[get("/items/{id}/{id}")]
async fn twice(Path((id, _)): Path<(i64, i64)>) -> Json<i64> {
    Json(id)
}

#[get("items")]
async fn no_slash() -> Json<i64> {
    Json(1)
}

#[get("/files/{*rest}")]
async fn wildcard() -> Json<i64> {
    Json(1)
}

#[get("/items/:id")]
async fn colon() -> Json<i64> {
    Json(1)
}

fn main() {}

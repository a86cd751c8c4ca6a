//! An answer is of a type that the document can describe.
use fastapi_compat::{Json, get};

struct Answer;

impl axum::response::IntoResponse for Answer {
    fn into_response(self) -> axum::response::Response {
        axum::response::Response::default()
    }
}

#[get("/own")]
async fn own() -> Answer {
    Answer
}

#[get("/none")]
async fn none() {}

#[get("/generic")]
async fn generic<T: Default + serde::Serialize>() -> Json<T> {
    Json(T::default())
}

#[get("/sync")]
fn sync() -> Json<bool> {
    Json(true)
}

fn main() {}

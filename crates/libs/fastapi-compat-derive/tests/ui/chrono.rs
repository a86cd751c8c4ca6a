//! chrono's moments are not written as pydantic writes them.
use chrono::{DateTime, Utc};
use fastapi_compat::{Json, Schema, get};
use serde::Serialize;

#[derive(Serialize, Schema)]
struct Item {
    created_at: DateTime<Utc>,
    changed_at: Option<DateTime<Utc>>,
    #[serde(serialize_with = "fastapi_compat::serialize_datetime")]
    read_at: DateTime<Utc>,
}

#[derive(Serialize, Schema)]
struct Moment(DateTime<Utc>);

#[get("/moments")]
async fn moments() -> Json<Vec<DateTime<Utc>>> {
    Json(vec![])
}

fn main() {}

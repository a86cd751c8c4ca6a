//! A service: two operations, `/openapi.json`, `/docs` and CORS.

use std::error::Error;

use fastapi_compat::layers::{CorsLayer, CorsOptions};
use fastapi_compat::openapi::Info;
use fastapi_compat::{Call, Decode, Json, Path, Router, Schema, get, put, routes};
use serde::Serialize;
use utoipa_swagger_ui::SwaggerUi;

/// What a client sends.
#[derive(Decode)]
struct ItemUpdate {
    #[schema(min_length = 1, max_length = 255)]
    title: String,
    #[schema(ge = 0, default = 1)]
    quantity: i64,
}

/// What a client gets.
#[derive(Serialize, Schema)]
struct Item {
    id: i64,
    title: String,
    quantity: i64,
}

/// Read an item.
#[get("/items/{id}")]
async fn read_item(Path(id): Path<i64>) -> Json<Item> {
    Json(Item { id, title: "a chair".into(), quantity: 1 })
}

/// Change an item.
#[put("/items/{id}")]
async fn update_item(
    Call((), (Path(id), Json(update))): Call<(), (Path<i64>, Json<ItemUpdate>)>,
) -> Json<Item> {
    Json(Item { id, title: update.title, quantity: update.quantity })
}

/// The whole application.
pub(crate) fn app() -> Result<axum::Router, Box<dyn Error>> {
    let router = Router::new().routes(routes![read_item, update_item]);
    let info = Info { title: "Items", version: "1.0.0", token_url: "" };
    let docs = SwaggerUi::new("/docs").url("/openapi.json", router.document(&info)?);
    let cors = CorsLayer::new(&CorsOptions {
        allow_origins: vec!["https://app.example.com".into()],
        allow_methods: vec!["*".into()],
        ..CorsOptions::default()
    })?;
    Ok(axum::Router::new().merge(docs).merge(router.with_state(())).layer(cors))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
    axum::serve(listener, app()?).await?;
    Ok(())
}

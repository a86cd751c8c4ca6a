//! The README of the macros: its example compiles and works, and it names every macro.

#![expect(clippy::unwrap_used, reason = "a test ends so")]

use axum::body::{Body, to_bytes};
use http::Request;
use serde_json::{Value, json};
use tower::ServiceExt;

// [example]
use axum::extract::WebSocketUpgrade;
use axum::response::Response;
use fastapi_compat::{
    Call, Decode, Json, NoContent, Path, Router, Schema, api_route, put, routes, websocket,
};
use serde::Serialize;

/// What a client sends.
#[derive(Decode)]
#[serde(deny_unknown_fields)]
struct ItemUpdate {
    #[schema(min_length = 1, max_length = 255, strip_whitespace)]
    title: String,
    #[schema(ge = 0, default = 1)]
    quantity: i64,
    #[serde(alias = "colour")]
    color: Option<Color>,
}

/// `class Color(str, Enum)`
#[derive(Decode, Serialize)]
#[serde(rename_all = "lowercase")]
enum Color {
    Red,
    Blue,
}

/// What a client gets.
#[derive(Serialize, Schema)]
struct Item {
    id: i64,
    title: String,
    quantity: i64,
    color: Option<Color>,
}

/// Change an item.
#[put("/items/{id:int}", tags = ["items"])]
async fn update_item(
    Call((), (Path(id), Json(update))): Call<(), (Path<i64>, Json<ItemUpdate>)>,
) -> Json<Item> {
    let ItemUpdate { title, quantity, color } = update;
    Json(Item { id, title, quantity, color })
}

#[api_route("/ping", methods = ["GET", "HEAD"], status = 204, include_in_schema = false)]
async fn ping() -> NoContent {
    NoContent
}

#[websocket("/rooms/{id}")]
async fn room(upgrade: WebSocketUpgrade, Call((), Path(_)): Call<(), Path<i64>>) -> Response {
    upgrade.on_upgrade(async |_| {})
}

fn router() -> Router {
    Router::new().routes(routes![update_item, ping, room])
}
// [end]

const README: &str = include_str!("../../fastapi-compat-derive/README.md");

#[test]
fn the_example_stands_in_the_readme() {
    let example = include_str!("derive_readme.rs").split_once("// [example]\n").unwrap().1;
    let example = example.split_once("// [end]").unwrap().0;
    let readme = README.split_once("```rust\n").unwrap().1.split_once("```").unwrap().0;
    assert_eq!(readme, example, "copy tests/derive_readme.rs into the README of the macros");
}

#[test]
fn the_readme_names_every_macro() {
    let source = include_str!("../../fastapi-compat-derive/src/lib.rs");
    let methods = source.split_once("operations!(").unwrap().1;
    let methods = methods.split_once(");").unwrap().0.split_whitespace();
    let derives = source.split("#[proc_macro_derive(").skip(1);
    let derives = derives.map(|rest| rest.split_once(',').unwrap().0);
    let functions = source.split("\npub fn ").skip(1);
    let functions = functions.map(|rest| rest.split_once('(').unwrap().0);
    let functions = functions.filter(|name| !name.starts_with("derive_"));
    let names: Vec<_> = methods.chain(derives).chain(functions).collect();
    assert!(["get", "Decode", "api_route", "routes"].iter().all(|name| names.contains(name)));
    for name in names {
        let is_named =
            ["[", "(", "`"].iter().any(|before| README.contains(&format!("{before}{name}")));
        assert!(is_named, "the README does not name `{name}`");
    }
}

async fn send(request: http::request::Builder, body: &str) -> (u16, Value) {
    let app = router().with_state(());
    let request = request.header("content-type", "application/json");
    let response = app.oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

#[tokio::test]
async fn the_example_works() {
    let put = || Request::put("/items/7");
    let (status, body) = send(put(), r#"{"title": " a chair ", "colour": "red"}"#).await;
    let item = json!({"id": 7, "title": "a chair", "quantity": 1, "color": "red"});
    assert_eq!((status, body), (200, item));
    let (status, body) = send(put(), r#"{"title": " ", "color": "green", "size": 1}"#).await;
    let kinds: Vec<_> = body["detail"].as_array().unwrap().iter().map(|e| &e["type"]).collect();
    let expected = ["string_too_short", "enum", "extra_forbidden"];
    assert_eq!((status, json!(kinds)), (422, json!(expected)));
    assert_eq!(send(Request::put("/items/a"), "{}").await.0, 404, "a convertor decides the route");
    assert_eq!(send(Request::head("/ping"), "").await.0, 204);
    assert_eq!(send(Request::get("/rooms/1"), "").await.0, 404, "it is no handshake");
}

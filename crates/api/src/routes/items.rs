use chrono::{DateTime, Utc};
use domain::{Item, ItemChanges, ItemPage};
use fastapi_compat::{
    Call, Decode, Json, Patch, Path, Query, Router, Schema, delete, get, post, put, routes,
    serialize_datetime,
};
use serde::Serialize;
use uuid::Uuid;

use super::Message;
use crate::deps::{CallerId, Page};
use crate::{App, Error, Result};

pub(super) fn router() -> Router<App> {
    Router::new()
        .routes(routes![read_items, read_item, create_item, update_item, delete_item])
        .prefix("/items")
        .tag("items")
}

#[derive(Serialize, Schema)]
struct ItemPublic {
    #[schema(min_length = 1, max_length = 255)]
    title: String,
    #[schema(max_length = 255)]
    description: Option<String>,
    id: Uuid,
    owner_id: Uuid,
    #[serde(serialize_with = "serialize_datetime")]
    created_at: Option<DateTime<Utc>>,
}

impl From<Item> for ItemPublic {
    fn from(Item { id, title, description, owner_id, created_at }: Item) -> Self {
        Self { title, description, id, owner_id, created_at }
    }
}

#[derive(Serialize, Schema)]
struct ItemsPublic {
    data: Vec<ItemPublic>,
    count: i64,
}

#[derive(Decode)]
struct ItemCreate {
    #[schema(min_length = 1, max_length = 255, storable = 255)]
    title: String,
    #[schema(max_length = 255, storable = 255)]
    description: Option<String>,
}

#[derive(Decode)]
struct ItemUpdate {
    #[schema(min_length = 1, max_length = 255, storable = 255)]
    title: Patch<String>,
    #[schema(max_length = 255, storable = 255)]
    description: Patch<String>,
}

/// List one's own items, or everybody's for a superuser, the newest first.
#[get("/")]
async fn read_items(
    app: App,
    Call(CallerId(caller), Query(page)): Call<CallerId, Query<Page>>,
) -> Result<Json<ItemsPublic>> {
    let page = app.storage.items_for(caller, page.into()).await?;
    let ItemPage { items, count } = page.authorized()?;
    Ok(Json(ItemsPublic { data: items.into_iter().map(Into::into).collect(), count }))
}

/// Show an item.
#[get("/{id}")]
async fn read_item(
    app: App,
    Call(caller, Path(id)): Call<CallerId, Path<Uuid>>,
) -> Result<Json<ItemPublic>> {
    Ok(Json(accessible_item(&app, caller, id).await?.into()))
}

/// Create an item of one's own.
#[post("/")]
async fn create_item(
    app: App,
    Call(CallerId(caller), Json(new)): Call<CallerId, Json<ItemCreate>>,
) -> Result<Json<ItemPublic>> {
    let item = Item::new(caller, new.title, new.description);
    Ok(Json(app.storage.create_item(item).await?.authorized()?.into()))
}

/// Change an item: the fields that the request names.
#[put("/{id}")]
async fn update_item(
    app: App,
    Call(caller, (Path(id), Json(update))): Call<CallerId, (Path<Uuid>, Json<ItemUpdate>)>,
) -> Result<Json<ItemPublic>> {
    accessible_item(&app, caller, id).await?;
    let changes =
        ItemChanges { title: update.title.value(), description: update.description.nullable() };
    let item = app.storage.update_item(id, &changes).await?;
    Ok(Json(item.ok_or(Error::ItemNotFound)?.into()))
}

/// Delete an item.
#[delete("/{id}")]
async fn delete_item(
    app: App,
    Call(caller, Path(id)): Call<CallerId, Path<Uuid>>,
) -> Result<Json<Message>> {
    accessible_item(&app, caller, id).await?;
    app.storage.delete_item(id).await?;
    Ok(Message::new("Item deleted successfully"))
}

async fn accessible_item(app: &App, CallerId(caller): CallerId, id: Uuid) -> Result<Item> {
    let item = app.storage.item_for(caller, id).await?;
    item.authorized()?.ok_or(Error::ItemNotFound)
}

use async_trait::async_trait;
use domain::{ForCaller, Item, ItemChanges, ItemPage, Items, Page, StorageError};
use sqlx::{query, query_as};
use uuid::Uuid;

use crate::{Sqlite, timestamp};

#[async_trait]
impl Items for Sqlite {
    async fn item_for(
        &self,
        caller: Uuid,
        id: Uuid,
    ) -> Result<ForCaller<Option<Item>>, StorageError> {
        let reading = self.session.deferred().await?;
        let Some(caller) = reading.caller(caller).await? else {
            return Ok(ForCaller::unknown());
        };
        let item = query_as!(
            Item,
            "SELECT id, title, description, owner_id, created_at FROM item WHERE id = $1",
            id.simple(),
        );
        Ok(ForCaller::new(caller, reading.fetch_optional("item_for", item).await?))
    }

    async fn items_for(
        &self,
        caller: Uuid,
        page: Page,
    ) -> Result<ForCaller<ItemPage>, StorageError> {
        let reading = self.session.deferred().await?;
        let Some(caller) = reading.caller(caller).await? else {
            return Ok(ForCaller::unknown());
        };
        // Not `is_superuser OR owner_id = …`, for which no index would do.
        let (count, items) = if caller.is_superuser {
            let count =
                query!(r#"SELECT count(*) AS "count!: i64" FROM item"#).map(|row| row.count);
            let items = query_as!(
                Item,
                "SELECT id, title, description, owner_id, created_at FROM item
                ORDER BY created_at DESC, id LIMIT $2 OFFSET $1",
                page.skip,
                page.limit,
            );
            let count = reading.fetch_optional("count_all_items", count).await?;
            (count, reading.fetch_all("all_items", items).await?)
        } else {
            let owner = caller.id.simple();
            let count =
                query!(r#"SELECT count(*) AS "count!: i64" FROM item WHERE owner_id = $1"#, owner,)
                    .map(|row| row.count);
            let items = query_as!(
                Item,
                "SELECT id, title, description, owner_id, created_at FROM item WHERE owner_id = $1
                ORDER BY created_at DESC, id LIMIT $3 OFFSET $2",
                owner,
                page.skip,
                page.limit,
            );
            let count = reading.fetch_optional("count_own_items", count).await?;
            (count, reading.fetch_all("own_items", items).await?)
        };
        Ok(ForCaller::new(caller, ItemPage { items, count: count.unwrap_or_default() }))
    }

    async fn create_item(&self, item: Item) -> Result<ForCaller<Item>, StorageError> {
        let writing = self.session.begin().await?;
        let owner = writing.caller(item.owner_id).await?;
        if owner.is_some_and(|owner| owner.is_active) {
            let statement = query!(
                "INSERT INTO item (id, title, description, owner_id, created_at)
                VALUES ($1, $2, $3, $4, $5)",
                item.id.simple(),
                item.title,
                item.description,
                item.owner_id.simple(),
                timestamp(item.created_at),
            );
            writing.execute("create_item", statement).await?;
        }
        writing.commit().await?;
        Ok(owner.map_or_else(ForCaller::unknown, |owner| ForCaller::new(owner, item)))
    }

    async fn update_item(
        &self,
        id: Uuid,
        changes: &ItemChanges,
    ) -> Result<Option<Item>, StorageError> {
        let statement = query_as!(
            Item,
            "UPDATE item SET
                title = coalesce($2, title),
                description = CASE WHEN $3 THEN $4 ELSE description END
            WHERE id = $1 RETURNING id, title, description, owner_id, created_at",
            id.simple(),
            changes.title.as_deref(),
            changes.description.is_some(),
            changes.description.as_ref().and_then(Option::as_deref),
        );
        self.session.fetch_optional("update_item", statement).await
    }

    async fn delete_item(&self, id: Uuid) -> Result<(), StorageError> {
        let statement = query!("DELETE FROM item WHERE id = $1", id.simple());
        self.session.execute("delete_item", statement).await
    }
}

use async_trait::async_trait;
use domain::{Caller, Item, ItemChanges, ItemPage, Items, Page, StorageError};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::errors::storage_error;
use crate::{Sqlite, timestamp};

#[async_trait]
impl Items for Sqlite {
    async fn item_for(
        &self,
        caller: Uuid,
        id: Uuid,
    ) -> Result<(Option<Caller>, Option<Item>), StorageError> {
        let Some(caller) = self.caller(caller).await? else { return Ok((None, None)) };
        let item = query_as!(Item, "SELECT * FROM item WHERE id = $1", id.simple())
            .fetch_optional(&self.pool)
            .await
            .map_err(storage_error)?;
        Ok((Some(caller), item))
    }

    async fn items_for(&self, caller: Uuid, page: Page) -> Result<Option<ItemPage>, StorageError> {
        let Some(caller) = self.caller(caller).await? else { return Ok(None) };
        // Not `is_superuser OR owner_id = …`, for which no index would do.
        let (count, items) = if caller.is_superuser {
            let count = query_scalar!(r#"SELECT count(*) AS "count!: i64" FROM item"#);
            let items = query_as!(
                Item,
                "SELECT * FROM item ORDER BY created_at DESC, id LIMIT $2 OFFSET $1",
                page.skip,
                page.limit,
            );
            (count.fetch_one(&self.pool).await, items.fetch_all(&self.pool).await)
        } else {
            let owner = caller.id.simple();
            let count = query_scalar!(
                r#"SELECT count(*) AS "count!: i64" FROM item WHERE owner_id = $1"#,
                owner
            );
            let items = query_as!(
                Item,
                "SELECT * FROM item WHERE owner_id = $1
                ORDER BY created_at DESC, id LIMIT $3 OFFSET $2",
                owner,
                page.skip,
                page.limit,
            );
            (count.fetch_one(&self.pool).await, items.fetch_all(&self.pool).await)
        };
        let (items, count) = (items.map_err(storage_error)?, count.map_err(storage_error)?);
        Ok(Some(ItemPage { caller, items, count }))
    }

    async fn create_item(&self, item: &Item) -> Result<Option<Caller>, StorageError> {
        let owner = self.caller(item.owner_id).await?;
        if owner.is_some_and(|owner| owner.is_active) {
            query!(
                "INSERT INTO item (id, title, description, owner_id, created_at)
                VALUES ($1, $2, $3, $4, $5)",
                item.id.simple(),
                item.title,
                item.description,
                item.owner_id.simple(),
                timestamp(item.created_at),
            )
            .execute(&self.pool)
            .await
            .map_err(storage_error)?;
        }
        Ok(owner)
    }

    async fn update_item(
        &self,
        id: Uuid,
        changes: &ItemChanges,
    ) -> Result<Option<Item>, StorageError> {
        query_as!(
            Item,
            "UPDATE item SET
                title = coalesce($2, title),
                description = CASE WHEN $3 THEN $4 ELSE description END
            WHERE id = $1 RETURNING *",
            id.simple(),
            changes.title.as_deref(),
            changes.description.is_some(),
            changes.description.as_ref().and_then(Option::as_deref),
        )
        // To its end: a commit that fails comes after the row.
        .fetch_all(&self.pool)
        .await
        .map_err(storage_error)
        .map(|mut changed| changed.pop())
    }

    async fn delete_item(&self, id: Uuid) -> Result<(), StorageError> {
        query!("DELETE FROM item WHERE id = $1", id.simple())
            .execute(&self.pool)
            .await
            .map_err(storage_error)?;
        Ok(())
    }
}

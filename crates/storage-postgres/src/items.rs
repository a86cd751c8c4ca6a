use async_trait::async_trait;
use domain::{Caller, Item, ItemChanges, Items, Page, StorageError};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::Postgres;
use crate::errors::storage_error;

#[async_trait]
impl Items for Postgres {
    async fn item_for(
        &self,
        caller: Uuid,
        id: Uuid,
    ) -> Result<(Option<Caller>, Option<Item>), StorageError> {
        let row = query!(
            r#"SELECT caller.id AS caller_id, is_active, is_superuser,
                item.id AS "id?", title AS "title?", description, owner_id AS "owner_id?",
                item.created_at
            FROM "user" AS caller LEFT JOIN item ON item.id = $2 WHERE caller.id = $1"#,
            caller,
            id,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(storage_error)?;
        let Some(row) = row else { return Ok((None, None)) };
        let caller =
            Caller { id: row.caller_id, is_active: row.is_active, is_superuser: row.is_superuser };
        let item = match (row.id, row.title, row.owner_id) {
            (Some(id), Some(title), Some(owner_id)) => {
                let (description, created_at) = (row.description, row.created_at);
                Some(Item { id, title, description, owner_id, created_at })
            }
            _ => None,
        };
        Ok((Some(caller), item))
    }

    async fn items(
        &self,
        owner: Option<Uuid>,
        page: Page,
    ) -> Result<(Vec<Item>, i64), StorageError> {
        // Two statements for each: one with `$1 IS NULL OR …` would use no index.
        let (count, items) = if let Some(owner) = owner {
            let count = query_scalar!(
                r#"SELECT count(*) AS "count!" FROM item WHERE owner_id = $1"#,
                owner
            );
            let items = query_as!(
                Item,
                "SELECT * FROM item WHERE owner_id = $1
                ORDER BY created_at DESC, id OFFSET $2 LIMIT $3",
                owner,
                page.skip,
                page.limit,
            );
            (count.fetch_one(&self.pool).await, items.fetch_all(&self.pool).await)
        } else {
            let count = query_scalar!(r#"SELECT count(*) AS "count!" FROM item"#);
            let items = query_as!(
                Item,
                "SELECT * FROM item ORDER BY created_at DESC, id OFFSET $1 LIMIT $2",
                page.skip,
                page.limit,
            );
            (count.fetch_one(&self.pool).await, items.fetch_all(&self.pool).await)
        };
        Ok((items.map_err(storage_error)?, count.map_err(storage_error)?))
    }

    async fn create_item(&self, item: &Item) -> Result<Option<Caller>, StorageError> {
        query_as!(
            Caller,
            r#"WITH caller AS (SELECT id, is_active, is_superuser FROM "user" WHERE id = $4),
            created AS (
                INSERT INTO item (id, title, description, owner_id, created_at)
                SELECT $1, $2, $3, id, $5 FROM caller WHERE is_active
            )
            SELECT * FROM caller"#,
            item.id,
            item.title,
            item.description,
            item.owner_id,
            item.created_at,
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(storage_error)
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
            id,
            changes.title.as_deref(),
            changes.description.is_some(),
            changes.description.as_ref().and_then(Option::as_deref),
        )
        .fetch_optional(&self.pool)
        .await
        .map_err(storage_error)
    }

    async fn delete_item(&self, id: Uuid) -> Result<(), StorageError> {
        query!("DELETE FROM item WHERE id = $1", id)
            .execute(&self.pool)
            .await
            .map_err(storage_error)?;
        Ok(())
    }
}

use async_trait::async_trait;
use domain::{Item, ItemChanges, Items, Page, StorageError};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::errors::storage_error;
use crate::{Sqlite, timestamp};

#[async_trait]
impl Items for Sqlite {
    async fn item(&self, id: Uuid) -> Result<Option<Item>, StorageError> {
        query_as!(Item, "SELECT * FROM item WHERE id = $1", id.simple())
            .fetch_optional(&self.pool)
            .await
            .map_err(storage_error)
    }

    async fn items(
        &self,
        owner: Option<Uuid>,
        page: Page,
    ) -> Result<(Vec<Item>, i64), StorageError> {
        let count = query_scalar!(
            r#"SELECT count(*) AS "count!: i64" FROM item WHERE $1 IS NULL OR owner_id = $1"#,
            owner.map(Uuid::simple),
        )
        .fetch_one(&self.pool)
        .await
        .map_err(storage_error)?;
        let items = query_as!(
            Item,
            "SELECT * FROM item WHERE $1 IS NULL OR owner_id = $1
            ORDER BY created_at DESC, id LIMIT $3 OFFSET $2",
            owner.map(Uuid::simple),
            page.skip,
            page.limit,
        )
        .fetch_all(&self.pool)
        .await
        .map_err(storage_error)?;
        Ok((items, count))
    }

    async fn create_item(&self, item: &Item) -> Result<(), StorageError> {
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
        Ok(())
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
        .fetch_optional(&self.pool)
        .await
        .map_err(storage_error)
    }

    async fn delete_item(&self, id: Uuid) -> Result<(), StorageError> {
        query!("DELETE FROM item WHERE id = $1", id.simple())
            .execute(&self.pool)
            .await
            .map_err(storage_error)?;
        Ok(())
    }
}

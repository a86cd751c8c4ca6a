use async_trait::async_trait;
use domain::{Caller, Item, ItemChanges, ItemPage, Items, Page, StorageError};
use sqlx::{query, query_as};
use uuid::Uuid;

use crate::pool::Pool;
use crate::{Postgres, of_replica};

#[async_trait]
impl Items for Postgres {
    async fn item_for(
        &self,
        caller: Uuid,
        id: Uuid,
    ) -> Result<(Option<Caller>, Option<Item>), StorageError> {
        let row = self
            .pool
            .fetch_optional(query!(
                r#"SELECT caller.id AS caller_id, is_active, is_superuser,
                item.id AS "id?", title AS "title?", description, owner_id AS "owner_id?",
                item.created_at
            FROM "user" AS caller LEFT JOIN item ON item.id = $2 WHERE caller.id = $1"#,
                caller,
                id,
            ))
            .await?;
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

    async fn items_for(&self, caller: Uuid, page: Page) -> Result<Option<ItemPage>, StorageError> {
        if let Some(replica) = &self.replica {
            match of_replica(items_of(replica, caller, page).await) {
                // A caller whom it does not know may have signed up a moment ago.
                Some(Ok(None)) | None => {}
                Some(items) => return items,
            }
        }
        items_of(&self.pool, caller, page).await
    }

    async fn create_item(&self, item: &Item) -> Result<Option<Caller>, StorageError> {
        self.pool
            .fetch_optional(query_as!(
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
            ))
            .await
    }

    async fn update_item(
        &self,
        id: Uuid,
        changes: &ItemChanges,
    ) -> Result<Option<Item>, StorageError> {
        self.pool
            .fetch_optional(query_as!(
                Item,
                "UPDATE item SET
                title = coalesce($2, title),
                description = CASE WHEN $3 THEN $4 ELSE description END
            WHERE id = $1 RETURNING *",
                id,
                changes.title.as_deref(),
                changes.description.is_some(),
                changes.description.as_ref().and_then(Option::as_deref),
            ))
            .await
    }

    async fn delete_item(&self, id: Uuid) -> Result<(), StorageError> {
        self.pool.execute(query!("DELETE FROM item WHERE id = $1", id)).await
    }
}

async fn items_of(pool: &Pool, caller: Uuid, page: Page) -> Result<Option<ItemPage>, StorageError> {
    // Not `is_superuser OR owner_id = …`, for which no index would do.
    let found = query!(
        r#"SELECT id, is_active, is_superuser, CASE
            WHEN is_superuser THEN (SELECT count(*) FROM item)
            ELSE (SELECT count(*) FROM item WHERE owner_id = caller.id)
        END AS "count!" FROM "user" AS caller WHERE id = $1"#,
        caller,
    );
    let Some(found) = pool.fetch_optional(found).await? else { return Ok(None) };
    let (is_active, is_superuser) = (found.is_active, found.is_superuser);
    let items = if is_superuser {
        let items = query_as!(
            Item,
            "SELECT * FROM item ORDER BY created_at DESC, id OFFSET $1 LIMIT $2",
            page.skip,
            page.limit,
        );
        pool.fetch_all(items).await?
    } else {
        let items = query_as!(
            Item,
            "SELECT * FROM item WHERE owner_id = $1
            ORDER BY created_at DESC, id OFFSET $2 LIMIT $3",
            caller,
            page.skip,
            page.limit,
        );
        pool.fetch_all(items).await?
    };
    let caller = Caller { id: found.id, is_active, is_superuser };
    Ok(Some(ItemPage { caller, items, count: found.count }))
}

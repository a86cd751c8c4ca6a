use async_trait::async_trait;
use domain::{Caller, ForCaller, Item, ItemChanges, ItemPage, Items, Page, StorageError};
use sqlx::{query, query_as};
use uuid::Uuid;

use crate::session::Session;
use crate::{Postgres, of_replica};

/// The item of a row of an outer join; nothing if the row has none.
macro_rules! item {
    ($row:expr) => {
        match ($row.id, $row.title, $row.owner_id) {
            (Some(id), Some(title), Some(owner_id)) => Some(Item {
                id,
                title,
                description: $row.description,
                owner_id,
                created_at: $row.created_at,
            }),
            _ => None,
        }
    };
}

#[async_trait]
impl Items for Postgres {
    async fn item_for(
        &self,
        caller: Uuid,
        id: Uuid,
    ) -> Result<ForCaller<Option<Item>>, StorageError> {
        let statement = || {
            query!(
                r#"SELECT caller.id AS caller_id, is_active, is_superuser,
                item.id AS "id?", title AS "title?", description, owner_id AS "owner_id?",
                item.created_at
            FROM "user" AS caller LEFT JOIN item ON item.id = $2 WHERE caller.id = $1"#,
                caller,
                id,
            )
        };
        let row = self.session.fetch_optional("item_for", statement).await?;
        let Some(row) = row else { return Ok(ForCaller::unknown()) };
        let caller =
            Caller { id: row.caller_id, is_active: row.is_active, is_superuser: row.is_superuser };
        Ok(ForCaller::new(caller, item!(row)))
    }

    async fn items_for(
        &self,
        caller: Uuid,
        page: Page,
    ) -> Result<ForCaller<ItemPage>, StorageError> {
        // Never of a replica, which may not know yet that a permission was withdrawn.
        let statement = || {
            query_as!(
                Caller,
                r#"SELECT id, is_active, is_superuser FROM "user" WHERE id = $1"#,
                caller,
            )
        };
        let caller = self.session.fetch_optional("caller", statement).await?;
        let Some(caller) = caller else { return Ok(ForCaller::unknown()) };
        let mut list = None;
        if let Some(replica) = &self.replica {
            list = of_replica(items_of(replica, caller, page).await).transpose()?.flatten();
        }
        // The replica may be unavailable, or not know a caller who signed up a moment ago.
        if list.is_none() {
            list = items_of(&self.session, caller, page).await?;
        }
        let Some((items, count)) = list else { return Ok(ForCaller::unknown()) };
        Ok(ForCaller::new(caller, ItemPage { items, count }))
    }

    async fn create_item(&self, item: Item) -> Result<ForCaller<Item>, StorageError> {
        let statement = || {
            query_as!(
                Caller,
                r#"WITH caller AS (SELECT id, is_active, is_superuser FROM "user" WHERE id = $4),
            created AS (
                INSERT INTO item (id, title, description, owner_id, created_at)
                SELECT $1, $2, $3, id, $5 FROM caller WHERE is_active
            )
            SELECT id, is_active, is_superuser FROM caller"#,
                item.id,
                item.title,
                item.description,
                item.owner_id,
                item.created_at,
            )
        };
        let owner = self.session.fetch_optional("create_item", statement).await?;
        Ok(owner.map_or_else(ForCaller::unknown, |owner| ForCaller::new(owner, item)))
    }

    async fn update_item(
        &self,
        id: Uuid,
        changes: &ItemChanges,
    ) -> Result<Option<Item>, StorageError> {
        let statement = || {
            query_as!(
                Item,
                "UPDATE item SET
                title = coalesce($2, title),
                description = CASE WHEN $3 THEN $4 ELSE description END
            WHERE id = $1 RETURNING id, title, description, owner_id, created_at",
                id,
                changes.title.as_deref(),
                changes.description.is_some(),
                changes.description.as_ref().and_then(Option::as_deref),
            )
        };
        self.session.fetch_optional("update_item", statement).await
    }

    async fn delete_item(&self, id: Uuid) -> Result<(), StorageError> {
        let statement = || query!("DELETE FROM item WHERE id = $1", id);
        self.session.execute("delete_item", statement).await
    }
}

/// A page and the length of the whole list, by one statement: of one moment. Nothing if the caller
/// is not there.
async fn items_of(
    session: &Session,
    caller: Caller,
    page: Page,
) -> Result<Option<(Vec<Item>, i64)>, StorageError> {
    // Not `is_superuser OR owner_id = …`, for which no index would do.
    let rows = if caller.is_superuser {
        let statement = || {
            query!(
                r#"SELECT (SELECT count(*) FROM item) AS "count!", page.id AS "id?",
                    title AS "title?", description, owner_id AS "owner_id?", page.created_at
                FROM "user" AS caller LEFT JOIN (
                    SELECT id, title, description, owner_id, created_at FROM item
                    ORDER BY created_at DESC, id OFFSET $2 LIMIT $3
                ) AS page ON true WHERE caller.id = $1 ORDER BY page.created_at DESC, page.id"#,
                caller.id,
                page.skip,
                page.limit,
            )
            .map(|row| (row.count, item!(row)))
        };
        session.fetch_all("all_items", statement).await?
    } else {
        let statement = || {
            query!(
                r#"SELECT (SELECT count(*) FROM item WHERE owner_id = $1) AS "count!",
                    page.id AS "id?", title AS "title?", description, owner_id AS "owner_id?",
                    page.created_at
                FROM "user" AS caller LEFT JOIN (
                    SELECT id, title, description, owner_id, created_at FROM item
                    WHERE owner_id = $1 ORDER BY created_at DESC, id OFFSET $2 LIMIT $3
                ) AS page ON true WHERE caller.id = $1 ORDER BY page.created_at DESC, page.id"#,
                caller.id,
                page.skip,
                page.limit,
            )
            .map(|row| (row.count, item!(row)))
        };
        session.fetch_all("own_items", statement).await?
    };
    let Some(&(count, _)) = rows.first() else { return Ok(None) };
    Ok(Some((rows.into_iter().filter_map(|(_, item)| item).collect(), count)))
}

//! Connections to PostgreSQL with the statements that the service has.

use tokio_postgres::{Client, NoTls, Statement};

/// A connection. What is sent by it is pipelined.
pub(crate) struct Connection {
    pub client: Client,
    pub caller: Statement,
    pub user: Statement,
    pub item: Statement,
    pub own_items: Statement,
    pub all_items: Statement,
    pub create: Statement,
    pub update: Statement,
}

impl Connection {
    pub(crate) async fn open(url: &str) -> Result<Self, tokio_postgres::Error> {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
        tokio::task::spawn_local(connection);
        let caller = r#"SELECT id, is_active, is_superuser FROM "user" WHERE id = $1"#;
        let user = r#"SELECT id, email, is_active, is_superuser, full_name, hashed_password, created_at
            FROM "user" WHERE id = $1"#;
        let item = r#"SELECT caller.id AS caller_id, is_active, is_superuser, item.id, title,
            description, owner_id, item.created_at
            FROM "user" AS caller LEFT JOIN item ON item.id = $2 WHERE caller.id = $1"#;
        let page = |of: &str| {
            format!(
                r#"SELECT (SELECT count(*) FROM item {of}), page.id, title, description, owner_id,
                page.created_at FROM "user" AS caller LEFT JOIN (
                    SELECT id, title, description, owner_id, created_at FROM item {of}
                    ORDER BY created_at DESC, id OFFSET $2 LIMIT $3
                ) AS page ON true WHERE caller.id = $1 ORDER BY page.created_at DESC, page.id"#
            )
        };
        let create = r#"WITH caller AS (SELECT id, is_active, is_superuser FROM "user" WHERE id = $4),
            created AS (
                INSERT INTO item (id, title, description, owner_id, created_at)
                SELECT $1, $2, $3, id, $5 FROM caller WHERE is_active
            )
            SELECT id, is_active, is_superuser FROM caller"#;
        let update = "UPDATE item SET title = coalesce($2, title),
            description = CASE WHEN $3 THEN $4 ELSE description END
            WHERE id = $1 RETURNING id, title, description, owner_id, created_at";
        Ok(Self {
            caller: client.prepare(caller).await?,
            user: client.prepare(user).await?,
            item: client.prepare(item).await?,
            own_items: client.prepare(&page("WHERE owner_id = $1")).await?,
            all_items: client.prepare(&page("")).await?,
            create: client.prepare(create).await?,
            update: client.prepare(update).await?,
            client,
        })
    }
}

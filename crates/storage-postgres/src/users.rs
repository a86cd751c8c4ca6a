use async_trait::async_trait;
use domain::{HashedPassword, Page, StorageError, User, UserChanges, Users};
use sqlx::{query, query_as, query_scalar};
use uuid::Uuid;

use crate::pool::Pool;
use crate::{Postgres, of_replica};

#[async_trait]
impl Users for Postgres {
    async fn user(&self, id: Uuid) -> Result<Option<User>, StorageError> {
        self.pool.fetch_optional(query_as!(User, r#"SELECT * FROM "user" WHERE id = $1"#, id)).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StorageError> {
        // No stored text has a U+0000, and PostgreSQL cannot even be asked.
        if email.contains('\0') {
            return Ok(None);
        }
        self.pool
            .fetch_optional(query_as!(User, r#"SELECT * FROM "user" WHERE email = $1"#, email))
            .await
    }

    async fn users(&self, page: Page) -> Result<(Vec<User>, i64), StorageError> {
        if let Some(replica) = &self.replica
            && let Some(users) = of_replica(users_of(replica, page).await)
        {
            return users;
        }
        users_of(&self.pool, page).await
    }

    async fn create_user(&self, user: &User) -> Result<(), StorageError> {
        self.pool
            .execute(query!(
                r#"INSERT INTO "user"
                (id, email, is_active, is_superuser, full_name, hashed_password, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)"#,
                user.id,
                user.email,
                user.is_active,
                user.is_superuser,
                user.full_name,
                user.hashed_password.as_str(),
                user.created_at,
            ))
            .await
    }

    async fn update_user(
        &self,
        id: Uuid,
        changes: &UserChanges,
    ) -> Result<Option<User>, StorageError> {
        self.pool
            .fetch_optional(query_as!(
                User,
                r#"UPDATE "user" SET
                email = coalesce($2, email),
                is_active = coalesce($3, is_active),
                is_superuser = coalesce($4, is_superuser),
                full_name = CASE WHEN $5 THEN $6 ELSE full_name END,
                hashed_password = coalesce($7, hashed_password)
            WHERE id = $1 RETURNING *"#,
                id,
                changes.email.as_deref(),
                changes.is_active,
                changes.is_superuser,
                changes.full_name.is_some(),
                changes.full_name.as_ref().and_then(Option::as_deref),
                changes.hashed_password.as_ref().map(HashedPassword::as_str),
            ))
            .await
    }

    async fn delete_user(&self, id: Uuid) -> Result<(), StorageError> {
        self.pool.execute(query!(r#"DELETE FROM "user" WHERE id = $1"#, id)).await
    }
}

async fn users_of(pool: &Pool, page: Page) -> Result<(Vec<User>, i64), StorageError> {
    let count = query_scalar!(r#"SELECT count(*) AS "count!" FROM "user""#);
    let count = pool.fetch_count(count).await?;
    let users = query_as!(
        User,
        r#"SELECT * FROM "user" ORDER BY created_at DESC, id OFFSET $1 LIMIT $2"#,
        page.skip,
        page.limit,
    );
    Ok((pool.fetch_all(users).await?, count))
}

use async_trait::async_trait;
use domain::{HashedPassword, Page, StorageError, User, UserChanges, Users};
use sqlx::{query, query_as};
use uuid::Uuid;

use crate::{Sqlite, timestamp};

#[async_trait]
impl Users for Sqlite {
    async fn user(&self, id: Uuid) -> Result<Option<User>, StorageError> {
        let statement = query_as!(
            User,
            "SELECT id, email, is_active, is_superuser, full_name, hashed_password, created_at
            FROM user WHERE id = $1",
            id.simple(),
        );
        self.session.fetch_optional("user", statement).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StorageError> {
        let statement = query_as!(
            User,
            "SELECT id, email, is_active, is_superuser, full_name, hashed_password, created_at
            FROM user WHERE email = $1",
            email,
        );
        self.session.fetch_optional("user_by_email", statement).await
    }

    async fn users(&self, page: Page) -> Result<(Vec<User>, i64), StorageError> {
        let reading = self.session.deferred().await?;
        let count = query!(r#"SELECT count(*) AS "count!: i64" FROM user"#).map(|row| row.count);
        let count = reading.fetch_optional("count_users", count).await?.unwrap_or_default();
        let users = query_as!(
            User,
            "SELECT id, email, is_active, is_superuser, full_name, hashed_password, created_at
            FROM user ORDER BY created_at DESC, id LIMIT $2 OFFSET $1",
            page.skip,
            page.limit,
        );
        Ok((reading.fetch_all("users", users).await?, count))
    }

    async fn create_user(&self, user: &User) -> Result<(), StorageError> {
        let statement = query!(
            "INSERT INTO user
                (id, email, is_active, is_superuser, full_name, hashed_password, created_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7)",
            user.id.simple(),
            user.email,
            user.is_active,
            user.is_superuser,
            user.full_name,
            user.hashed_password.as_str(),
            timestamp(user.created_at),
        );
        self.session.execute("create_user", statement).await
    }

    async fn update_user(
        &self,
        id: Uuid,
        changes: &UserChanges,
    ) -> Result<Option<User>, StorageError> {
        let statement = query_as!(
            User,
            "UPDATE user SET
                email = coalesce($2, email),
                is_active = coalesce($3, is_active),
                is_superuser = coalesce($4, is_superuser),
                full_name = CASE WHEN $5 THEN $6 ELSE full_name END,
                hashed_password = coalesce($7, hashed_password)
            WHERE id = $1 RETURNING
                id, email, is_active, is_superuser, full_name, hashed_password, created_at",
            id.simple(),
            changes.email.as_deref(),
            changes.is_active,
            changes.is_superuser,
            changes.full_name.is_some(),
            changes.full_name.as_ref().and_then(Option::as_deref),
            changes.hashed_password.as_ref().map(HashedPassword::as_str),
        );
        self.session.fetch_optional("update_user", statement).await
    }

    async fn delete_user(&self, id: Uuid) -> Result<(), StorageError> {
        let statement = query!("DELETE FROM user WHERE id = $1", id.simple());
        self.session.execute("delete_user", statement).await
    }
}

use async_trait::async_trait;
use domain::{HashedPassword, Page, StorageError, User, UserChanges, Users};
use sqlx::{query, query_as};
use uuid::Uuid;

use crate::session::Session;
use crate::{Postgres, of_replica};

#[async_trait]
impl Users for Postgres {
    async fn user(&self, id: Uuid) -> Result<Option<User>, StorageError> {
        let statement = || {
            query_as!(
                User,
                r#"SELECT id, email, is_active, is_superuser, full_name, hashed_password, created_at
                FROM "user" WHERE id = $1"#,
                id,
            )
        };
        self.session.fetch_optional("user", statement).await
    }

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StorageError> {
        // No stored text has a U+0000, and PostgreSQL refuses the question.
        if email.contains('\0') {
            return Ok(None);
        }
        let statement = || {
            query_as!(
                User,
                r#"SELECT id, email, is_active, is_superuser, full_name, hashed_password, created_at
                FROM "user" WHERE email = $1"#,
                email,
            )
        };
        self.session.fetch_optional("user_by_email", statement).await
    }

    async fn users(&self, page: Page) -> Result<(Vec<User>, i64), StorageError> {
        if let Some(replica) = &self.replica
            && let Some(users) = of_replica(users_of(replica, page).await)
        {
            return users;
        }
        users_of(&self.session, page).await
    }

    async fn create_user(&self, user: &User) -> Result<(), StorageError> {
        let statement = || {
            query!(
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
            )
        };
        self.session.execute("create_user", statement).await
    }

    async fn update_user(
        &self,
        id: Uuid,
        changes: &UserChanges,
    ) -> Result<Option<User>, StorageError> {
        let statement = || {
            query_as!(
                User,
                r#"UPDATE "user" SET
                email = coalesce($2, email),
                is_active = coalesce($3, is_active),
                is_superuser = coalesce($4, is_superuser),
                full_name = CASE WHEN $5 THEN $6 ELSE full_name END,
                hashed_password = coalesce($7, hashed_password)
            WHERE id = $1 RETURNING
                id, email, is_active, is_superuser, full_name, hashed_password, created_at"#,
                id,
                changes.email.as_deref(),
                changes.is_active,
                changes.is_superuser,
                changes.full_name.is_some(),
                changes.full_name.as_ref().and_then(Option::as_deref),
                changes.hashed_password.as_ref().map(HashedPassword::as_str),
            )
        };
        self.session.fetch_optional("update_user", statement).await
    }

    async fn delete_user(&self, id: Uuid) -> Result<(), StorageError> {
        let statement = || query!(r#"DELETE FROM "user" WHERE id = $1"#, id);
        self.session.execute("delete_user", statement).await
    }
}

/// A page and the number of all, by one statement: of one moment.
async fn users_of(session: &Session, page: Page) -> Result<(Vec<User>, i64), StorageError> {
    let statement = || {
        query!(
            r#"SELECT count AS "count!", id AS "id?", email AS "email?", is_active AS "is_active?",
                is_superuser AS "is_superuser?", full_name, hashed_password AS "hashed_password?",
                created_at
            FROM (SELECT count(*) FROM "user") AS whole LEFT JOIN (
                SELECT id, email, is_active, is_superuser, full_name, hashed_password, created_at
                FROM "user" ORDER BY created_at DESC, id OFFSET $1 LIMIT $2
            ) AS page ON true ORDER BY created_at DESC, id"#,
            page.skip,
            page.limit,
        )
    };
    let rows = session.fetch_all("users", statement).await?;
    let count = rows.first().map_or(0, |row| row.count);
    let users = rows.into_iter().filter_map(|row| {
        Some(User {
            id: row.id?,
            email: row.email?,
            is_active: row.is_active?,
            is_superuser: row.is_superuser?,
            full_name: row.full_name,
            hashed_password: row.hashed_password?.into(),
            created_at: row.created_at,
        })
    });
    Ok((users.collect(), count))
}

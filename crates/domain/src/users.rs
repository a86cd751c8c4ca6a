//! Users.

use std::fmt;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::errors::StorageError;
use crate::page::Page;

#[derive(Clone, Debug, PartialEq)]
pub struct User {
    pub id: Uuid,
    /// Normalised; unique among users.
    pub email: String,
    pub is_active: bool,
    pub is_superuser: bool,
    pub full_name: Option<String>,
    pub hashed_password: HashedPassword,
    /// Null in rows that are older than the column.
    pub created_at: Option<DateTime<Utc>>,
}

impl User {
    /// A new active user without privileges.
    pub fn new(email: String, full_name: Option<String>, hashed_password: HashedPassword) -> Self {
        Self {
            id: Uuid::new_v4(),
            email,
            is_active: true,
            is_superuser: false,
            full_name,
            hashed_password,
            created_at: Some(crate::now()),
        }
    }
}

/// The user that makes a request: what the rules need to know of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    pub id: Uuid,
    pub is_active: bool,
    pub is_superuser: bool,
}

impl From<&User> for Caller {
    fn from(user: &User) -> Self {
        Self { id: user.id, is_active: user.is_active, is_superuser: user.is_superuser }
    }
}

/// A password hash in the PHC string format; `Debug` does not show it.
#[derive(Clone, PartialEq)]
pub struct HashedPassword(String);

impl HashedPassword {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for HashedPassword {
    fn from(hash: String) -> Self {
        Self(hash)
    }
}

impl fmt::Debug for HashedPassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashedPassword(…)")
    }
}

/// The fields to change; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserChanges {
    pub email: Option<String>,
    pub is_active: Option<bool>,
    pub is_superuser: Option<bool>,
    pub full_name: Option<Option<String>>,
    pub hashed_password: Option<HashedPassword>,
}

/// The port through which users are stored; every method is atomic.
#[async_trait]
pub trait Users: Send + Sync {
    async fn user(&self, id: Uuid) -> Result<Option<User>, StorageError>;

    async fn user_by_email(&self, email: &str) -> Result<Option<User>, StorageError>;

    /// A page, the newest first, and the number of all users at the same moment.
    async fn users(&self, page: Page) -> Result<(Vec<User>, i64), StorageError>;

    /// Fails with [`StorageError::Conflict`] if the e-mail is taken.
    async fn create_user(&self, user: &User) -> Result<(), StorageError>;

    /// The user after the change, `None` if there is none; fails with [`StorageError::Conflict`] if
    /// the e-mail is taken.
    async fn update_user(
        &self,
        id: Uuid,
        changes: &UserChanges,
    ) -> Result<Option<User>, StorageError>;

    /// Deletes the user and all their items.
    async fn delete_user(&self, id: Uuid) -> Result<(), StorageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_hash_is_not_shown() {
        let user = User::new("a@b.co".into(), None, "$argon2id$secret".to_owned().into());
        assert!(!format!("{user:?}").contains("secret"));
    }
}

//! Items, which belong to users.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::storage::{Page, StorageError};
use crate::users::User;

#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: Uuid,
    pub title: String,
    pub description: Option<String>,
    pub owner_id: Uuid,
    /// Null in rows that are older than the column.
    pub created_at: Option<DateTime<Utc>>,
}

impl Item {
    pub fn new(owner: &User, title: String, description: Option<String>) -> Self {
        Self {
            id: Uuid::new_v4(),
            title,
            description,
            owner_id: owner.id,
            created_at: Some(crate::now()),
        }
    }

    /// Whether a user may see and change this item: its owner and superusers may.
    pub fn accessible_to(&self, user: &User) -> bool {
        self.owner_id == user.id || user.is_superuser
    }
}

/// The fields to change; `None` leaves a field as it is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemChanges {
    pub title: Option<String>,
    pub description: Option<Option<String>>,
}

/// The port through which items are stored; every method is atomic.
#[async_trait]
pub trait Items: Send + Sync {
    async fn item(&self, id: Uuid) -> Result<Option<Item>, StorageError>;

    /// A page of the owner's items, or of everybody's, the newest first; and the number of all.
    async fn items(
        &self,
        owner: Option<Uuid>,
        page: Page,
    ) -> Result<(Vec<Item>, i64), StorageError>;

    /// Fails with [`StorageError::OwnerGone`] if the owner has been deleted meanwhile.
    async fn create_item(&self, item: &Item) -> Result<(), StorageError>;

    /// The item after the change, `None` if there is none.
    async fn update_item(
        &self,
        id: Uuid,
        changes: &ItemChanges,
    ) -> Result<Option<Item>, StorageError>;

    async fn delete_item(&self, id: Uuid) -> Result<(), StorageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_accessible_to_its_owner_and_to_superusers() {
        let user = |email: &str| User::new(email.to_owned(), None, String::new().into());
        let (owner, other) = (user("owner@b.co"), user("other@b.co"));
        let superuser = User { is_superuser: true, ..user("super@b.co") };
        let item = Item::new(&owner, "a title".into(), None);
        assert!(item.accessible_to(&owner));
        assert!(!item.accessible_to(&other));
        assert!(item.accessible_to(&superuser));
    }
}

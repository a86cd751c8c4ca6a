//! Items, which belong to users.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::access::{Access, ForCaller};
use crate::errors::StorageError;
use crate::page::Page;
use crate::users::Caller;

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
    pub fn new(owner_id: Uuid, title: String, description: Option<String>) -> Self {
        Self { id: Uuid::new_v4(), title, description, owner_id, created_at: Some(crate::now()) }
    }
}

/// Its owner and superusers may see and change an item.
impl Access for Item {
    fn is_allowed(&self, caller: Caller) -> bool {
        self.owner_id == caller.id || caller.is_superuser
    }
}

/// A part of a list of items.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemPage {
    pub items: Vec<Item>,
    /// The length of the whole list, at the same moment.
    pub count: i64,
}

/// The storage selects what the caller may see.
impl Access for ItemPage {
    fn is_allowed(&self, _: Caller) -> bool {
        true
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
    /// The item for a caller, if there is one.
    async fn item_for(
        &self,
        caller: Uuid,
        id: Uuid,
    ) -> Result<ForCaller<Option<Item>>, StorageError>;

    /// A page of the caller's own items, or of all items for a superuser, the newest first. Items may
    /// come from a replica and be a moment old, the caller never does.
    async fn items_for(
        &self,
        caller: Uuid,
        page: Page,
    ) -> Result<ForCaller<ItemPage>, StorageError>;

    /// Stores the item if its owner is active, and gives it for them, in one step; fails with
    /// [`StorageError::MissingReference`] if the owner is deleted at the same moment.
    async fn create_item(&self, item: Item) -> Result<ForCaller<Item>, StorageError>;

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
        let caller = || Caller { id: Uuid::new_v4(), is_active: true, is_superuser: false };
        let (owner, other) = (caller(), caller());
        let superuser = Caller { is_superuser: true, ..caller() };
        let item = Item::new(owner.id, "a title".into(), None);
        assert!(item.is_allowed(owner));
        assert!(!item.is_allowed(other));
        assert!(item.is_allowed(superuser));
    }
}

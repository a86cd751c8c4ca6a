//! Items, each with its owner.

use std::sync::Arc;

use domain::{Caller, Denied, ForCaller, Item, ItemChanges, Page, Storage, UserChanges};
use uuid::Uuid;

use crate::{ALL, user};

pub(crate) async fn suite(storage: &Arc<dyn Storage>) {
    items_are_stored_and_found(storage).await;
    lists_come_newest_first_and_by_page(storage).await;
    items_go_with_their_owner(storage).await;
    inactive_owners_get_no_items(storage).await;
}

/// The item as a superuser finds it.
async fn item(storage: &Arc<dyn Storage>, id: Uuid) -> Option<Item> {
    let changes = UserChanges { is_superuser: Some(true), ..UserChanges::default() };
    let caller = user(storage).await.id;
    storage.update_user(caller, &changes).await.unwrap().unwrap();
    storage.item_for(caller, id).await.unwrap().authorized().unwrap()
}

async fn items_are_stored_and_found(storage: &Arc<dyn Storage>) {
    let owner = user(storage).await;
    let item = Item::new(owner.id, "a title".into(), None);
    let caller = Caller::from(&owner);
    let stored = storage.create_item(item.clone()).await.unwrap();
    assert_eq!(stored, ForCaller::new(caller, item.clone()));
    let found = storage.item_for(owner.id, item.id).await.unwrap();
    assert_eq!(found, ForCaller::new(caller, Some(item.clone())));
    let found = storage.item_for(owner.id, Uuid::new_v4()).await.unwrap();
    assert_eq!(found, ForCaller::new(caller, None));
    let found = storage.item_for(Uuid::new_v4(), item.id).await.unwrap();
    assert_eq!(found, ForCaller::unknown());
    let other = user(storage).await.id;
    let found = storage.item_for(other, item.id).await.unwrap();
    assert_eq!(found.authorized(), Err(Denied::NotAllowed));
    let changes = ItemChanges { description: Some(Some("new".into())), ..ItemChanges::default() };
    let changed = Item { description: Some("new".into()), ..item };
    assert_eq!(storage.update_item(changed.id, &changes).await.unwrap().as_ref(), Some(&changed));
    storage.delete_item(changed.id).await.unwrap();
    assert_eq!(self::item(storage, changed.id).await, None);
    assert_eq!(storage.update_item(changed.id, &changes).await.unwrap(), None);
}

async fn lists_come_newest_first_and_by_page(storage: &Arc<dyn Storage>) {
    let owner = user(storage).await;
    let mut items: Vec<_> =
        (0..5).map(|n| Item::new(owner.id, format!("item {n}"), None)).collect();
    // Two of one instant: the id decides, in the same order on every backend.
    items[3].created_at = items[2].created_at;
    for item in &items {
        storage.create_item(item.clone()).await.unwrap().authorized().unwrap();
    }
    items.sort_by_key(|item| (std::cmp::Reverse(item.created_at), item.id));
    let caller = owner.id;
    let list = async |caller: Uuid, page| {
        let found = storage.items_for(caller, page).await.unwrap().authorized().unwrap();
        (found.items, found.count)
    };
    assert_eq!(list(caller, ALL).await, (items.clone(), 5));
    let page = Page { skip: 1, limit: 2 };
    assert_eq!(list(caller, page).await, (items[1..3].to_vec(), 5));
    let beyond = Page { skip: i64::MAX, limit: 1000 };
    assert_eq!(list(caller, beyond).await, (vec![], 5));
    assert_eq!(storage.items_for(Uuid::new_v4(), ALL).await.unwrap(), ForCaller::unknown());

    let changes = UserChanges { is_superuser: Some(true), ..UserChanges::default() };
    let superuser = user(storage).await.id;
    let superuser = storage.update_user(superuser, &changes).await.unwrap().unwrap();
    let own = Item::new(superuser.id, "the superuser's own".into(), None);
    storage.create_item(own.clone()).await.unwrap().authorized().unwrap();
    let (all, count) = list(superuser.id, ALL).await;
    assert_eq!(all.len(), usize::try_from(count).unwrap());
    assert!(all.contains(&own) && items.iter().all(|item| all.contains(item)));
    let (users, count) = storage.users(ALL).await.unwrap();
    assert_eq!(users.len(), usize::try_from(count).unwrap());
    assert!(users.is_sorted_by_key(|user| std::cmp::Reverse(user.created_at)));
}

async fn items_go_with_their_owner(storage: &Arc<dyn Storage>) {
    let owner = user(storage).await;
    let item = Item::new(owner.id, "a title".into(), None);
    storage.create_item(item.clone()).await.unwrap().authorized().unwrap();
    storage.delete_user(owner.id).await.unwrap();
    assert_eq!(self::item(storage, item.id).await, None);
    let late = Item::new(owner.id, "too late".into(), None);
    assert_eq!(storage.create_item(late.clone()).await.unwrap(), ForCaller::unknown());
    assert_eq!(self::item(storage, late.id).await, None);
}

async fn inactive_owners_get_no_items(storage: &Arc<dyn Storage>) {
    let owner = user(storage).await;
    let changes = UserChanges { is_active: Some(false), ..UserChanges::default() };
    let owner = storage.update_user(owner.id, &changes).await.unwrap().unwrap();
    let item = Item::new(owner.id, "not stored".into(), None);
    let stored = storage.create_item(item.clone()).await.unwrap();
    assert_eq!(stored.authorized(), Err(Denied::InactiveCaller));
    assert_eq!(self::item(storage, item.id).await, None);
}

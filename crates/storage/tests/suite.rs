//! What a backend must do: one suite, run on each.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::sync::Arc;
use std::time::Duration;

use domain::{Caller, Item, ItemChanges, Page, Storage, StorageError, User, UserChanges};
use storage::{Database, DatabaseUrl, Pool};
use testbed::Postgres;
use uuid::Uuid;

const ALL: Page = Page { skip: 0, limit: 1000 };

#[tokio::test]
async fn sqlite_in_memory() {
    suite("sqlite::memory:").await;
}

#[tokio::test]
async fn sqlite_in_a_file() {
    let folder = tempfile::tempdir().unwrap();
    suite(&format!("sqlite:///{}/suite.db", folder.path().display())).await;
}

#[tokio::test]
async fn postgres() {
    let postgres = Postgres::start().await.unwrap();
    suite(&postgres.database().await.unwrap()).await;
}

async fn suite(url: &str) {
    let url: DatabaseUrl = url.parse().unwrap();
    let pool = Pool { size: 4, patience: Duration::from_secs(5) };
    let database = Database::connect(&url, None, pool).unwrap();
    assert_ne!(database.clone().into_storage().pending_migrations().await.unwrap(), 0);
    database.migrate().await.unwrap();
    database.migrate().await.unwrap(); // a second time changes nothing
    let storage = database.into_storage();
    storage.ping().await.unwrap();
    assert_eq!(storage.pending_migrations().await.unwrap(), 0);
    let connections = storage.connections();
    assert!(connections.idle <= connections.open && connections.open <= connections.max);

    users_are_stored_and_found(&storage).await;
    an_email_belongs_to_one_user(&storage).await;
    changes_touch_what_they_name(&storage).await;
    items_are_stored_and_found(&storage).await;
    lists_come_newest_first_and_by_page(&storage).await;
    items_go_with_their_owner(&storage).await;
    inactive_owners_get_no_items(&storage).await;
}

async fn user(storage: &Arc<dyn Storage>) -> User {
    let email = format!("{}@example.com", Uuid::new_v4());
    let user = User::new(email, Some("Änne 😀".into()), "hash".to_owned().into());
    storage.create_user(&user).await.unwrap();
    user
}

async fn users_are_stored_and_found(storage: &Arc<dyn Storage>) {
    let user = user(storage).await;
    assert_eq!(storage.user(user.id).await.unwrap().as_ref(), Some(&user));
    assert_eq!(storage.user_by_email(&user.email).await.unwrap(), Some(user));
    assert_eq!(storage.user(Uuid::new_v4()).await.unwrap(), None);
    assert_eq!(storage.user_by_email("nobody@example.com").await.unwrap(), None);
    assert_eq!(storage.user_by_email("no\0body@example.com").await.unwrap(), None);
}

async fn an_email_belongs_to_one_user(storage: &Arc<dyn Storage>) {
    let (one, other) = (user(storage).await, user(storage).await);
    let twin = User { id: Uuid::new_v4(), ..one.clone() };
    assert!(matches!(storage.create_user(&twin).await, Err(StorageError::Conflict)));
    let changes = UserChanges { email: Some(one.email), ..UserChanges::default() };
    let conflict = storage.update_user(other.id, &changes).await;
    assert!(matches!(conflict, Err(StorageError::Conflict)));
}

async fn changes_touch_what_they_name(storage: &Arc<dyn Storage>) {
    let user = user(storage).await;
    let nothing = UserChanges::default();
    assert_eq!(storage.update_user(user.id, &nothing).await.unwrap().as_ref(), Some(&user));
    assert_eq!(storage.update_user(Uuid::new_v4(), &nothing).await.unwrap(), None);
    let changes = UserChanges {
        is_active: Some(false),
        is_superuser: Some(true),
        full_name: Some(None),
        hashed_password: Some("other".to_owned().into()),
        ..UserChanges::default()
    };
    let changed = User {
        is_active: false,
        is_superuser: true,
        full_name: None,
        hashed_password: "other".to_owned().into(),
        ..user
    };
    assert_eq!(storage.update_user(changed.id, &changes).await.unwrap().as_ref(), Some(&changed));
    assert_eq!(storage.user(changed.id).await.unwrap(), Some(changed));
}

/// The item as anybody finds it.
async fn item(storage: &Arc<dyn Storage>, id: Uuid) -> Option<Item> {
    let caller = user(storage).await;
    storage.item_for(caller.id, id).await.unwrap().1
}

async fn items_are_stored_and_found(storage: &Arc<dyn Storage>) {
    let owner = user(storage).await;
    let item = Item::new(owner.id, "a title".into(), None);
    assert_eq!(storage.create_item(&item).await.unwrap(), Some(Caller::from(&owner)));
    let (caller, found) = storage.item_for(owner.id, item.id).await.unwrap();
    assert_eq!((caller, found.as_ref()), (Some(Caller::from(&owner)), Some(&item)));
    let (caller, found) = storage.item_for(owner.id, Uuid::new_v4()).await.unwrap();
    assert_eq!((caller, found), (Some(Caller::from(&owner)), None));
    assert_eq!(storage.item_for(Uuid::new_v4(), item.id).await.unwrap(), (None, None));
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
        storage.create_item(item).await.unwrap();
    }
    items.sort_by_key(|item| (std::cmp::Reverse(item.created_at), item.id));
    let caller = Caller::from(&owner);
    let list = async |caller: Caller, page| {
        let found = storage.items_for(caller.id, page).await.unwrap().unwrap();
        assert_eq!(found.caller, caller);
        (found.items, found.count)
    };
    assert_eq!(list(caller, ALL).await, (items.clone(), 5));
    let page = Page { skip: 1, limit: 2 };
    assert_eq!(list(caller, page).await, (items[1..3].to_vec(), 5));
    let beyond = Page { skip: i64::MAX, limit: 1000 };
    assert_eq!(list(caller, beyond).await, (vec![], 5));
    assert_eq!(storage.items_for(Uuid::new_v4(), ALL).await.unwrap(), None);

    let changes = UserChanges { is_superuser: Some(true), ..UserChanges::default() };
    let superuser = user(storage).await.id;
    let superuser = storage.update_user(superuser, &changes).await.unwrap().unwrap();
    let own = Item::new(superuser.id, "the superuser's own".into(), None);
    storage.create_item(&own).await.unwrap();
    let (everybodys, count) = list(Caller::from(&superuser), ALL).await;
    assert_eq!(everybodys.len(), usize::try_from(count).unwrap());
    assert!(everybodys.contains(&own) && items.iter().all(|item| everybodys.contains(item)));
    let (users, count) = storage.users(ALL).await.unwrap();
    assert_eq!(users.len(), usize::try_from(count).unwrap());
    assert!(users.is_sorted_by_key(|user| std::cmp::Reverse(user.created_at)));
}

async fn items_go_with_their_owner(storage: &Arc<dyn Storage>) {
    let owner = user(storage).await;
    let item = Item::new(owner.id, "a title".into(), None);
    storage.create_item(&item).await.unwrap();
    storage.delete_user(owner.id).await.unwrap();
    assert_eq!(self::item(storage, item.id).await, None);
    let late = Item::new(owner.id, "too late".into(), None);
    assert_eq!(storage.create_item(&late).await.unwrap(), None);
    assert_eq!(self::item(storage, late.id).await, None);
}

async fn inactive_owners_get_no_items(storage: &Arc<dyn Storage>) {
    let owner = user(storage).await;
    let changes = UserChanges { is_active: Some(false), ..UserChanges::default() };
    let owner = storage.update_user(owner.id, &changes).await.unwrap().unwrap();
    let item = Item::new(owner.id, "not stored".into(), None);
    assert_eq!(storage.create_item(&item).await.unwrap(), Some(Caller::from(&owner)));
    assert_eq!(self::item(storage, item.id).await, None);
}

/// Two databases that know nothing of each other tell where something was read.
#[tokio::test]
async fn lists_come_from_the_replica_and_nothing_else_does() {
    let postgres = Postgres::start().await.unwrap();
    let pool = Pool { size: 2, patience: Duration::from_secs(5) };
    let urls = [postgres.database().await.unwrap(), postgres.database().await.unwrap()];
    let [primary_url, replica_url] = urls.map(|url| url.parse::<DatabaseUrl>().unwrap());
    let alone = |url: &DatabaseUrl| Database::connect(url, None, pool).unwrap();
    for url in [&primary_url, &replica_url] {
        alone(url).migrate().await.unwrap();
    }
    let (primary, replica) =
        (alone(&primary_url).into_storage(), alone(&replica_url).into_storage());
    let DatabaseUrl::Postgres(replica_of) = &replica_url else { unreachable!() };
    let both = Database::connect(&primary_url, Some(replica_of), pool).unwrap().into_storage();

    let user = user(&both).await;
    assert_eq!(primary.user(user.id).await.unwrap().as_ref(), Some(&user), "writes go there");
    assert_eq!(both.user(user.id).await.unwrap().as_ref(), Some(&user));
    assert_eq!(both.users(ALL).await.unwrap(), (Vec::new(), 0), "it has not come yet");
    let item = Item::new(user.id, "title".into(), None);
    both.create_item(&item).await.unwrap();
    let items = both.items_for(user.id, ALL).await.unwrap().unwrap();
    assert_eq!(items.items, [item], "the replica does not know the caller yet");
    replica.create_user(&user).await.unwrap();
    assert_eq!(both.items_for(user.id, ALL).await.unwrap().unwrap().count, 0);
    assert_eq!(both.users(ALL).await.unwrap().1, 1);

    let nowhere = "postgresql://postgres@127.0.0.1:9/none".parse().unwrap();
    let DatabaseUrl::Postgres(nowhere) = nowhere else { unreachable!() };
    let without = Database::connect(&primary_url, Some(&nowhere), pool).unwrap().into_storage();
    assert_eq!(without.users(ALL).await.unwrap().1, 1, "a replica that is away fails nothing");
}

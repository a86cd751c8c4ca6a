//! Several statements that take effect together, or not at all.

use std::sync::Arc;

use domain::{Item, Storage, StorageError, User, UserChanges};
use uuid::Uuid;

use crate::user;

pub(crate) async fn suite(storage: &Arc<dyn Storage>) {
    what_is_committed_is_there(storage).await;
    what_is_dropped_is_not(storage).await;
    a_part_can_be_undone_alone(storage).await;
    nothing_is_committed_after_an_error(storage).await;
    a_transaction_can_stand_in_for_the_storage(storage).await;
    a_rehearsal_is_undone(storage).await;
    a_rehearsal_gives_way(storage).await;
}

fn new_user() -> User {
    User::new(format!("{}@example.com", Uuid::new_v4()), None, "hash".to_owned().into())
}

async fn what_is_committed_is_there(storage: &Arc<dyn Storage>) {
    let user = new_user();
    let item = Item::new(user.id, "of a new user".into(), None);
    let transaction = storage.begin().await.unwrap();
    transaction.create_user(&user).await.unwrap();
    transaction.create_item(&item).await.unwrap();
    assert_eq!(transaction.user(user.id).await.unwrap().as_ref(), Some(&user), "it sees itself");
    transaction.commit().await.unwrap();
    assert_eq!(storage.item_for(user.id, item.id).await.unwrap().1, Some(item));
}

async fn what_is_dropped_is_not(storage: &Arc<dyn Storage>) {
    let (kept, user) = (user(storage).await, new_user());
    for _ in 0..8 {
        let transaction = storage.begin().await.unwrap();
        transaction.create_user(&user).await.unwrap();
        transaction.delete_user(kept.id).await.unwrap();
        drop(transaction);
    }
    assert_eq!(storage.user(user.id).await.unwrap(), None);
    assert_eq!(storage.user(kept.id).await.unwrap(), Some(kept));
}

async fn a_part_can_be_undone_alone(storage: &Arc<dyn Storage>) {
    let users = [new_user(), new_user(), new_user(), new_user()];
    let transaction = storage.begin().await.unwrap();
    transaction.create_user(&users[0]).await.unwrap();
    let part = transaction.begin().await.unwrap();
    part.create_user(&users[1]).await.unwrap();
    let inner = part.begin().await.unwrap();
    inner.create_user(&users[2]).await.unwrap();
    // Undone together with the error.
    assert!(inner.create_user(&users[0]).await.is_err());
    drop(inner);
    part.commit().await.unwrap();
    let part = transaction.begin().await.unwrap();
    part.create_user(&users[3]).await.unwrap();
    drop(part);
    transaction.commit().await.unwrap();
    let mut found = Vec::new();
    for user in &users {
        found.push(storage.user(user.id).await.unwrap().is_some());
    }
    assert_eq!(found, [true, true, false, false]);
}

async fn nothing_is_committed_after_an_error(storage: &Arc<dyn Storage>) {
    let (taken, user) = (user(storage).await, new_user());
    let transaction = storage.begin().await.unwrap();
    transaction.create_user(&user).await.unwrap();
    let again = User { id: Uuid::new_v4(), ..taken };
    let conflict = transaction.create_user(&again).await;
    assert!(matches!(conflict, Err(StorageError::Conflict(_))));
    assert!(transaction.commit().await.is_err());
    assert_eq!(storage.user(user.id).await.unwrap(), None);
}

/// So that a function that takes a storage can be run and undone.
async fn a_transaction_can_stand_in_for_the_storage(storage: &Arc<dyn Storage>) {
    let user = user(storage).await;
    let rename = async |storage: Arc<dyn Storage>| {
        let part = storage.begin().await.unwrap();
        let changes =
            UserChanges { full_name: Some(Some("renamed".into())), ..UserChanges::default() };
        let renamed = part.update_user(user.id, &changes).await.unwrap().unwrap();
        part.commit().await.unwrap();
        renamed.full_name
    };
    let rehearsal: Arc<dyn Storage> = Arc::from(storage.begin().await.unwrap() as Box<dyn Storage>);
    assert_eq!(rename(rehearsal).await.as_deref(), Some("renamed"));
    assert_eq!(storage.user(user.id).await.unwrap().as_ref(), Some(&user), "it was undone");
    assert_eq!(rename(Arc::clone(storage)).await.as_deref(), Some("renamed"));
}

async fn a_rehearsal_is_undone(storage: &Arc<dyn Storage>) {
    let (kept, new) = (user(storage).await, new_user());
    let rehearsal = storage.rehearse().await.unwrap();
    rehearsal.create_user(&new).await.unwrap();
    rehearsal.delete_user(kept.id).await.unwrap();
    // What a use case commits is undone with the rest.
    let part = rehearsal.begin().await.unwrap();
    part.create_user(&new_user()).await.unwrap();
    part.commit().await.unwrap();
    assert_eq!(rehearsal.user(new.id).await.unwrap().as_ref(), Some(&new), "it sees itself");
    drop(rehearsal);
    assert_eq!(storage.user(new.id).await.unwrap(), None);
    assert_eq!(storage.user(kept.id).await.unwrap(), Some(kept));
}

/// Who waits for a lock that a rehearsal has gets it soon, also where the rehearsal waits for theirs.
async fn a_rehearsal_gives_way(storage: &Arc<dyn Storage>) {
    // A database in memory has one connection.
    if storage.connections().max == 1 {
        return;
    }
    let (one, other) = (user(storage).await, user(storage).await);
    let changes = UserChanges { is_active: Some(false), ..UserChanges::default() };
    let rehearsal = storage.rehearse().await.unwrap();
    let transaction = storage.begin().await.unwrap();
    transaction.update_user(one.id, &changes).await.unwrap();
    let rehearses = async {
        // It is dropped at the end, whatever comes of it.
        let rehearsal = rehearsal;
        rehearsal.update_user(other.id, &changes).await?;
        rehearsal.update_user(one.id, &changes).await
    };
    let writes = async {
        transaction.update_user(other.id, &changes).await?;
        transaction.commit().await
    };
    let (refused, written) = tokio::join!(rehearses, writes);
    // Where there is one writer, the rehearsal may have waited until the other had ended.
    assert!(matches!(refused, Ok(_) | Err(StorageError::Unavailable(_))), "{refused:?}");
    written.unwrap();
    assert!(!storage.user(other.id).await.unwrap().unwrap().is_active);
}

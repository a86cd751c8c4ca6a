//! Users.

use std::sync::Arc;

use domain::{Storage, StorageError, User, UserChanges};
use uuid::Uuid;

use crate::user;

pub(crate) async fn suite(storage: &Arc<dyn Storage>) {
    users_are_stored_and_found(storage).await;
    an_email_belongs_to_one_user(storage).await;
    changes_touch_what_they_name(storage).await;
}

async fn users_are_stored_and_found(storage: &Arc<dyn Storage>) {
    let user = user(storage).await;
    assert_eq!(storage.user(user.id).await.unwrap().as_ref(), Some(&user));
    assert_eq!(storage.user_by_email(&user.email).await.unwrap(), Some(user));
    assert_eq!(storage.user(Uuid::new_v4()).await.unwrap(), None);
    assert_eq!(storage.user_by_email("unknown@example.com").await.unwrap(), None);
    assert_eq!(storage.user_by_email("no\0body@example.com").await.unwrap(), None);
}

async fn an_email_belongs_to_one_user(storage: &Arc<dyn Storage>) {
    let (one, other) = (user(storage).await, user(storage).await);
    let duplicate = User { id: Uuid::new_v4(), ..one.clone() };
    let is_of_email = |result| match result {
        Err(StorageError::Conflict(constraint)) => constraint.is("user", "email"),
        _ => false,
    };
    assert!(is_of_email(storage.create_user(&duplicate).await));
    let changes = UserChanges { email: Some(one.email), ..UserChanges::default() };
    let conflict = storage.update_user(other.id, &changes).await;
    assert!(is_of_email(conflict.map(drop)));
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

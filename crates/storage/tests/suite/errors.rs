//! PostgreSQL's errors, as a request meets them.

use std::time::Duration;

use domain::{StorageError, UserChanges};
use sqlx::{Connection, PgConnection, raw_sql};
use testbed::Postgres;
use tokio::time::sleep;

use crate::{migrated, user};

#[tokio::test]
async fn a_lock_that_is_not_to_be_had_is_unavailable() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    migrated(&url).await;
    let storage =
        migrated(&format!("{url}?options=-c%20lock_timeout%3D200ms")).await.into_storage();
    let user = user(&storage).await;
    let mut locker = PgConnection::connect(&url).await.unwrap();
    let mut transaction = locker.begin().await.unwrap();
    raw_sql(r#"LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE"#)
        .execute(&mut *transaction)
        .await
        .unwrap();
    let error = storage.user(user.id).await.unwrap_err();
    assert!(matches!(error, StorageError::Unavailable(_)), "{error:?}");
    assert!(format!("{error:?}").contains("55P03"), "{error:?}");
    assert!(!format!("{error:?}").contains(&user.email), "no values");
}

/// The server rolls back one of two that wait for each other; ours is repeated.
#[tokio::test]
async fn a_deadlock_is_resolved() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let storage = migrated(&url).await.into_storage();
    let user = user(&storage).await;
    let mut other = PgConnection::connect(&url).await.unwrap();
    // Ours locks the user's row and comes to the trigger's lock, which the other has.
    raw_sql(
        "CREATE TABLE gate (id int);
        CREATE FUNCTION pass() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN LOCK TABLE gate IN EXCLUSIVE MODE; RETURN NEW; END';
        CREATE TRIGGER pass AFTER UPDATE ON \"user\" FOR EACH ROW EXECUTE FUNCTION pass()",
    )
    .execute(&mut other)
    .await
    .unwrap();
    let mut transaction = other.begin().await.unwrap();
    let ours_is_the_victim =
        "SET LOCAL deadlock_timeout = '1min'; LOCK TABLE gate IN EXCLUSIVE MODE";
    raw_sql(ours_is_the_victim).execute(&mut *transaction).await.unwrap();
    let ours = tokio::spawn({
        let (storage, id) = (storage.clone(), user.id);
        let changes =
            UserChanges { full_name: Some(Some("ours".into())), ..UserChanges::default() };
        async move { storage.update_user(id, &changes).await }
    });
    sleep(Duration::from_millis(300)).await;
    raw_sql("UPDATE \"user\" SET is_active = false").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    let updated = ours.await.unwrap().unwrap().unwrap();
    assert_eq!((updated.full_name.as_deref(), updated.is_active), (Some("ours"), false));
}

/// As a database with `default_transaction_isolation` has them.
#[tokio::test]
async fn a_serialization_failure_is_repeated() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let strict = format!("{url}?options=-c%20default_transaction_isolation%3Dserializable");
    let storage = migrated(&strict).await.into_storage();
    let user = user(&storage).await;
    let mut other = PgConnection::connect(&url).await.unwrap();
    let mut transaction = other.begin().await.unwrap();
    raw_sql("UPDATE \"user\" SET is_active = false").execute(&mut *transaction).await.unwrap();
    let ours = tokio::spawn({
        let (storage, id) = (storage.clone(), user.id);
        let changes =
            UserChanges { full_name: Some(Some("ours".into())), ..UserChanges::default() };
        async move { storage.update_user(id, &changes).await }
    });
    sleep(Duration::from_millis(300)).await;
    transaction.commit().await.unwrap();
    let updated = ours.await.unwrap().unwrap().unwrap();
    assert_eq!((updated.full_name.as_deref(), updated.is_active), (Some("ours"), false));
}

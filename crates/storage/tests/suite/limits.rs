//! What PostgreSQL does for a request ends with it.

use std::time::{Duration, Instant};

use domain::StorageError;
use sqlx::{Connection, PgConnection, query_scalar, raw_sql};
use storage::{Database, Pool};
use testbed::Postgres;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use crate::{ALL, POOL, user};

/// The server's processes for this database, the one that asks apart.
async fn backends(connection: &mut PgConnection) -> i64 {
    query_scalar(
        "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn a_lock_does_not_multiply_the_connections() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let limit = Duration::from_secs(1);
    let pool = Pool { size: 3, wait: Duration::from_millis(500), statement_timeout: limit };
    let database = Database::connect(&url.parse().unwrap(), None, pool).unwrap();
    database.migrate().await.unwrap();
    let storage = database.into_storage();
    let caller = user(&storage).await.id;

    let mut locker = PgConnection::connect(&url).await.unwrap();
    let mut transaction = locker.begin().await.unwrap();
    raw_sql("LOCK TABLE item IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let (start, mut max) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(8) {
        for _ in 0..4 {
            let storage = storage.clone();
            // As requests that time out, or whose clients leave.
            tokio::spawn(timeout(limit, async move { storage.items_for(caller, ALL).await }));
        }
        for _ in 0..5 {
            sleep(Duration::from_millis(100)).await;
            max = max.max(backends(&mut transaction).await);
        }
    }
    assert!((2..=3).contains(&max), "{max} backends for a pool of 3");
    transaction.rollback().await.unwrap();
    sleep(limit).await;
    assert!(storage.items_for(caller, ALL).await.unwrap().authorized().is_ok(), "it serves again");
    assert!(storage.connections().open <= 3);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_unavailable() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let pool = Pool { statement_timeout: Duration::from_millis(300), ..POOL };
    let database = Database::connect(&url.parse().unwrap(), None, pool).unwrap();
    database.migrate().await.unwrap();
    let storage = database.into_storage();
    let caller = user(&storage).await.id;
    let mut locker = PgConnection::connect(&url).await.unwrap();
    let mut transaction = locker.begin().await.unwrap();
    raw_sql("LOCK TABLE item IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let error = storage.item_for(caller, Uuid::new_v4()).await.unwrap_err();
    assert!(matches!(error, StorageError::Unavailable(_)), "{error:?}");
    let message = format!("{error:?}");
    assert!(message.contains("item_for") && message.contains("57014"), "{message}");
}

/// Long before its own timeout.
#[tokio::test]
async fn a_statement_that_was_given_up_is_cancelled() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let storage = crate::migrated(&url).await.into_storage();
    let caller = user(&storage).await.id;
    let mut locker = PgConnection::connect(&url).await.unwrap();
    let mut transaction = locker.begin().await.unwrap();
    raw_sql("LOCK TABLE item IN ACCESS EXCLUSIVE MODE").execute(&mut *transaction).await.unwrap();
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let given_up = timeout(Duration::from_millis(300), storage.item_for(caller, Uuid::new_v4()));
    assert!(given_up.await.is_err());
    let start = Instant::now();
    loop {
        let waiting: i64 = query_scalar(waiting).fetch_one(&mut *transaction).await.unwrap();
        if waiting == 0 {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(8), "it still waits");
        sleep(Duration::from_millis(20)).await;
    }
}

/// Of a transaction that was given up, nothing is left.
#[tokio::test]
async fn a_transaction_that_was_given_up_is_rolled_back() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let pool = Pool { size: 1, ..POOL };
    let database = Database::connect(&url.parse().unwrap(), None, pool).unwrap();
    database.migrate().await.unwrap();
    let storage = database.into_storage();
    let user = user(&storage).await;
    for _ in 0..3 {
        let transaction = storage.begin().await.unwrap();
        transaction.delete_user(user.id).await.unwrap();
        drop(transaction);
        // On the same, only connection.
        assert_eq!(storage.user(user.id).await.unwrap().as_ref(), Some(&user));
    }
    let mut other = PgConnection::connect(&url).await.unwrap();
    assert_eq!(backends(&mut other).await, 1);
}

//! What a backend must do: one suite, run on each that there is.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod adoption;
mod errors;
mod items;
mod limits;
mod replica;
mod schema_change;
mod statements;
mod transactions;
mod users;

use std::sync::Arc;
use std::time::Duration;

use domain::{Migrated, Page, Storage, User};
use storage::{Database, DatabaseUrl, Pool};
use testbed::Postgres;
use uuid::Uuid;

const ALL: Page = Page { skip: 0, limit: 1000 };

const POOL: Pool =
    Pool { size: 4, wait: Duration::from_secs(5), statement_timeout: Duration::from_secs(10) };

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn sqlite_in_memory() {
    suite("sqlite::memory:").await;
}

#[cfg(feature = "sqlite")]
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
    let database = Database::connect(&url, None, POOL).unwrap();
    let pending = database.clone().into_storage().pending_migrations().await.unwrap();
    assert_ne!(pending, 0);
    assert_eq!(database.migrate().await.unwrap().applied.len(), pending);
    assert_eq!(database.migrate().await.unwrap(), Migrated::default(), "nothing is left to do");
    let storage = database.into_storage();
    storage.ping().await.unwrap();
    assert_eq!(storage.pending_migrations().await.unwrap(), 0);
    let connections = storage.connections();
    assert!(connections.idle <= connections.open && connections.open <= connections.max);

    users::suite(&storage).await;
    // [with items]
    items::suite(&storage).await;
    transactions::suite(&storage).await;
    // [end]
}

/// A new database with the schema.
async fn migrated(url: &str) -> Database {
    let database = Database::connect(&url.parse().unwrap(), None, POOL).unwrap();
    database.migrate().await.unwrap();
    database
}

async fn user(storage: &Arc<dyn Storage>) -> User {
    let email = format!("{}@example.com", Uuid::new_v4());
    let user = User::new(email, Some("Änne 😀".into()), "hash".to_owned().into());
    storage.create_user(&user).await.unwrap();
    user
}

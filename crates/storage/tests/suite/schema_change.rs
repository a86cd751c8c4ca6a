//! The schema changes while a process is at work.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use domain::{Item, ItemChanges, Storage, User, UserChanges};
// [with sqlite]
use sqlx::SqliteConnection;
// [end]
use sqlx::{Connection, PgConnection, raw_sql};
use testbed::Postgres;

use crate::{ALL, migrated, user};

const CHANGES: [&str; 6] = [
    r#"ALTER TABLE "user" ADD COLUMN nickname text"#,
    "ALTER TABLE item ADD COLUMN price integer NOT NULL DEFAULT 1",
    "CREATE INDEX ix_user_nickname ON \"user\" (nickname)",
    "CREATE TABLE parcel (id integer PRIMARY KEY)",
    "DROP INDEX ix_user_nickname",
    r#"ALTER TABLE "user" DROP COLUMN nickname"#,
];

/// The type of a result changes: plans become stale although columns are named.
const POSTGRES_CHANGES: [&str; 3] = [
    "ALTER TABLE item ALTER COLUMN title TYPE varchar(300)",
    r#"ALTER TABLE "user" ALTER COLUMN full_name TYPE text"#,
    "ALTER TABLE item ALTER COLUMN title TYPE varchar(255)",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_do_not_fail_on_postgres() {
    let postgres = Postgres::start().await.unwrap();
    let url = postgres.database().await.unwrap();
    let load = Load::start(migrated(&url).await.into_storage()).await;
    let mut connection = PgConnection::connect(&url).await.unwrap();
    for change in CHANGES.into_iter().chain(POSTGRES_CHANGES) {
        load.work().await;
        raw_sql(change).execute(&mut connection).await.unwrap();
    }
    load.stop().await;
}

// [with sqlite]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_do_not_fail_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.db").display().to_string();
    let load = Load::start(migrated(&format!("sqlite:///{path}")).await.into_storage()).await;
    let mut connection = SqliteConnection::connect(&format!("sqlite://{path}")).await.unwrap();
    for change in CHANGES {
        load.work().await;
        raw_sql(change).execute(&mut connection).await.unwrap();
    }
    load.stop().await;
}
// [end]

/// Workers that run every statement again and again; a failure or a changed answer ends the test.
struct Load {
    rounds: Arc<AtomicUsize>,
    ends: Arc<AtomicBool>,
    workers: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    async fn start(storage: Arc<dyn Storage>) -> Self {
        let (rounds, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let mut owners = Vec::new();
        for _ in 0..4 {
            let user = user(&storage).await;
            let item = Item::new(user.id, "it stays".into(), None);
            storage.create_item(item.clone()).await.unwrap().authorized().unwrap();
            owners.push((user, item));
        }
        let work = |(user, item)| {
            let (storage, rounds, ends) =
                (Arc::clone(&storage), Arc::clone(&rounds), Arc::clone(&ends));
            tokio::spawn(async move {
                while !ends.load(Ordering::Relaxed) {
                    round(&*storage, &user, &item).await;
                    rounds.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let workers = owners.into_iter().map(work).collect();
        Self { rounds, ends, workers }
    }

    /// Waits until the workers, each on a connection or another, have done a good deal.
    async fn work(&self) {
        let goal = self.rounds.load(Ordering::Relaxed) + 40;
        while self.rounds.load(Ordering::Relaxed) < goal {
            assert!(
                !self.workers.iter().any(tokio::task::JoinHandle::is_finished),
                "a worker failed"
            );
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    async fn stop(self) {
        self.work().await;
        self.ends.store(true, Ordering::Relaxed);
        for worker in self.workers {
            worker.await.unwrap();
        }
    }
}

async fn round(storage: &dyn Storage, user: &User, item: &Item) {
    assert_eq!(storage.user(user.id).await.unwrap().as_ref(), Some(user));
    assert_eq!(storage.user_by_email(&user.email).await.unwrap().as_ref(), Some(user));
    let (users, count) = storage.users(ALL).await.unwrap();
    assert_eq!((users.len(), users.contains(user)), (4, true));
    assert_eq!(count, 4);
    let same = storage.update_user(user.id, &UserChanges::default()).await.unwrap();
    assert_eq!(same.as_ref(), Some(user));
    let found = storage.item_for(user.id, item.id).await.unwrap().authorized().unwrap();
    assert_eq!(found.as_ref(), Some(item));
    let same = storage.update_item(item.id, &ItemChanges::default()).await.unwrap();
    assert_eq!(same.as_ref(), Some(item));

    let new = Item::new(user.id, "it goes".into(), Some("soon".into()));
    storage.create_item(new.clone()).await.unwrap().authorized().unwrap();
    let list = storage.items_for(user.id, ALL).await.unwrap().authorized().unwrap();
    assert_eq!((&*list.items, list.count), (&[new.clone(), item.clone()][..], 2));
    storage.delete_item(new.id).await.unwrap();
}

//! Databases that others made, or a newer version did.

use domain::{Migrated, MigrationError};
// [with sqlite]
use sqlx::SqliteConnection;
// [end]
use sqlx::{Connection, PgConnection, raw_sql};
use storage::Database;
use testbed::Postgres;

use crate::{ALL, POOL, user};

/// A table of the right columns in an order of its own, and with one more.
const OTHER_ORDER: &str = r#"CREATE TABLE "user" (
    hashed_password {text} NOT NULL,
    created_at {time},
    full_name {name},
    is_superuser boolean NOT NULL,
    is_active boolean NOT NULL,
    email {name} NOT NULL,
    note integer,
    id {id} NOT NULL,
    PRIMARY KEY (id)
)"#;

/// What a table of users may be elsewhere.
const FOREIGN: &str = r#"CREATE TABLE "user" (
    id integer NOT NULL PRIMARY KEY,
    email {name},
    full_name {name},
    hashed_password {text} NOT NULL,
    tenant integer NOT NULL,
    created_at {time}
)"#;

fn on(database: &str, sql: &str) -> String {
    let [id, name, text, time] = match database {
        "postgres" => ["uuid", "varchar(255)", "varchar", "timestamptz"],
        _ => ["CHAR(32)", "VARCHAR(255)", "VARCHAR", "DATETIME"],
    };
    let sql = sql.replace("{id}", id).replace("{name}", name);
    sql.replace("{text}", text).replace("{time}", time)
}

/// Runs the test on an empty database of each kind.
async fn each(test: impl AsyncFn(&str, &str)) {
    let postgres = Postgres::start().await.unwrap();
    test("postgres", &postgres.database().await.unwrap()).await;
    // [with sqlite]
    let folder = tempfile::tempdir().unwrap();
    test("sqlite", &format!("sqlite:///{}/test.db", folder.path().display())).await;
    // [end]
}

async fn run(url: &str, sql: String) {
    let sql = sqlx::AssertSqlSafe(sql);
    // [with sqlite]
    if let Some(path) = url.strip_prefix("sqlite:///") {
        let url = format!("sqlite://{path}?mode=rwc");
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        raw_sql(sql).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        return;
    }
    // [end]
    let mut connection = PgConnection::connect(url).await.unwrap();
    raw_sql(sql).execute(&mut connection).await.unwrap();
}

fn connect(url: &str) -> Database {
    Database::connect(&url.parse().unwrap(), None, POOL).unwrap()
}

#[tokio::test]
async fn another_order_of_columns_is_adopted_and_changes_nothing() {
    each(async |kind, url| {
        run(url, on(kind, OTHER_ORDER)).await;
        let database = connect(url);
        database.migrate().await.unwrap();
        let storage = database.into_storage();
        let user = user(&storage).await;
        assert_eq!(storage.user(user.id).await.unwrap().as_ref(), Some(&user));
        assert_eq!(storage.users(ALL).await.unwrap(), (vec![user], 1));
    })
    .await;
}

#[tokio::test]
async fn a_table_that_differs_is_refused_and_left_alone() {
    each(async |kind, url| {
        run(url, on(kind, FOREIGN)).await;
        let database = connect(url);
        let pending = database.clone().into_storage().pending_migrations().await.unwrap();
        for _ in 0..2 {
            let Err(MigrationError::Differs(differences)) = database.migrate().await else {
                panic!("{url} was adopted")
            };
            let message = differences.to_string();
            for difference in [
                "user.id is ",
                "user.email is not declared NOT NULL",
                "user has no column is_active",
                "user has no column is_superuser",
                "user.tenant, an unknown column",
            ] {
                assert!(message.contains(difference), "{message}");
            }
        }
        let storage = database.into_storage();
        assert_eq!(storage.pending_migrations().await.unwrap(), pending, "nothing is marked");
        // [with items]
        // Nor is there another table.
        run(url, "CREATE TABLE item (id integer)".into()).await;
        // [end]
    })
    .await;
}

#[tokio::test]
async fn what_a_later_version_made_is_left_alone() {
    each(async |_, url| {
        let database = connect(url);
        database.migrate().await.unwrap();
        run(
            url,
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
            VALUES (9001, 'of a later version', true, '', 0);
            ALTER TABLE \"user\" ADD COLUMN note text"
                .into(),
        )
        .await;
        let newer = Migrated { applied: Vec::new(), newer: vec![9001] };
        assert_eq!(database.migrate().await.unwrap(), newer);
        assert_eq!(database.into_storage().pending_migrations().await.unwrap(), 0);
    })
    .await;
}

#[tokio::test]
async fn of_many_that_migrate_at_once_one_does() {
    each(async |_, url| one_migrates(url).await).await;
    // [with sqlite]
    // A new file becomes one with write-ahead logging meanwhile.
    let folder = tempfile::tempdir().unwrap();
    for file in 0..20 {
        one_migrates(&format!("sqlite:///{}/{file}.db", folder.path().display())).await;
    }
    // [end]
}

async fn one_migrates(url: &str) {
    let all = [(); 4].map(|()| connect(url));
    let [one, other, third, fourth] = &all;
    let results = tokio::join!(one.migrate(), other.migrate(), third.migrate(), fourth.migrate());
    let results = [results.0, results.1, results.2, results.3];
    let migrated = results.map(|result| !result.unwrap().applied.is_empty());
    assert_eq!(migrated.iter().filter(|migrated| **migrated).count(), 1, "{migrated:?}");
}

//! The migrations, and the adoption of tables that are there already.

use std::time::Duration;

use domain::schema::{Column, Differences, Schema};
use domain::{Migrated, MigrationError, StatementError, StorageError};
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqliteRow};
use sqlx::{ConnectOptions, Error, Row, Sqlite, SqliteConnection, query, query_as};
use tokio::time::{Instant, sleep};

use crate::errors::{is_busy, storage_error};
use crate::session::Session;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/sqlite");

/// Where sqlx keeps the versions that were applied.
const TABLE: &str = "_sqlx_migrations";

/// How long to wait for another program that migrates, and how often to look.
const WAIT: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(20);

/// How many migrations are not applied.
pub(crate) async fn pending(session: &Session) -> Result<usize, StorageError> {
    let reading = session.deferred().await?;
    let table =
        query("SELECT 1 FROM sqlite_master WHERE name = '_sqlx_migrations'").map(|_: SqliteRow| ());
    let applied: Vec<i64> = match reading.fetch_optional("migrations_table", table).await? {
        Some(()) => {
            let versions = query("SELECT version FROM _sqlx_migrations WHERE success")
                .try_map(|row: SqliteRow| row.try_get(0));
            reading.fetch_all("migrations", versions).await?
        }
        None => Vec::new(),
    };
    Ok(MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version)).count())
}

/// Applies what is missing as the one that writes, which every program has to be when it
/// migrates.
pub(crate) async fn run(pool: &SqlitePool) -> Result<Migrated, MigrationError> {
    let mut transaction = begin(pool).await.map_err(failed)?;
    let applied = applied(&mut transaction).await.map_err(failed)?;
    let migrations = MIGRATIONS.iter().filter(|one| !one.migration_type.is_down_migration());
    let migrated = Migrated {
        applied: migrations
            .clone()
            .map(|one| one.version)
            .filter(|version| !applied.contains(version))
            .collect(),
        newer: applied.into_iter().filter(|version| !MIGRATIONS.version_exists(*version)).collect(),
    };

    // What cannot be part of a transaction comes after it, with all that follows.
    let pending = migrations.filter(|one| migrated.applied.contains(&one.version));
    let alone = pending.filter(|one| one.no_tx).map(|one| one.version).min();
    let last = alone.map_or(i64::MAX, |version| version - 1);
    let expected = expected(last).await.map_err(failed)?;
    let before = tables(&mut transaction).await.map_err(failed)?;
    let differences = match migrator().run_to(last, &mut *transaction).await {
        Ok(()) if migrated.applied.is_empty() => Differences::default(),
        Ok(()) => expected.differences(&tables(&mut transaction).await.map_err(failed)?),
        Err(error) => {
            // Probably a table exists that lacks what the migration needs.
            let differences = expected.only_tables_of(&before).differences(&before);
            if migrated.applied.is_empty() || differences.is_empty() {
                return Err(failed(error).into());
            }
            differences
        }
    };
    if !differences.is_empty() {
        transaction.rollback().await.map_err(failed)?;
        return Err(MigrationError::Differs(differences));
    }
    transaction.commit().await.map_err(failed)?;
    if alone.is_some() {
        migrator().run(pool).await.map_err(failed)?;
    }
    Ok(migrated)
}

/// SQLite itself does not wait where waiting could be a deadlock: of two connections that make
/// write-ahead logging the mode of a new file, one is refused at once.
async fn begin(pool: &SqlitePool) -> Result<sqlx::Transaction<'static, Sqlite>, Error> {
    let deadline = Instant::now() + WAIT;
    loop {
        match pool.begin_with("BEGIN IMMEDIATE").await {
            Err(error) if is_busy(&error) && Instant::now() < deadline => sleep(PAUSE).await,
            result => return result,
        }
    }
}

/// Versions that this program does not know were applied by a newer one, and stay.
fn migrator() -> Migrator {
    let mut migrator = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
    migrator.set_ignore_missing(true);
    migrator
}

fn failed(error: impl Into<MigrateError>) -> StorageError {
    match error.into() {
        MigrateError::Execute(error) => storage_error("migrate", error),
        error => StorageError::Internal(StatementError::new("migrate", None, error).into()),
    }
}

/// The versions of the migrations that were applied.
async fn applied(connection: &mut SqliteConnection) -> Result<Vec<i64>, MigrateError> {
    connection.ensure_migrations_table(TABLE).await?;
    let applied = connection.list_applied_migrations(TABLE).await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

/// The tables as the migrations up to this version make them: in memory.
async fn expected(last: i64) -> Result<Schema, MigrateError> {
    let mut connection = SqliteConnectOptions::new().in_memory(true).connect().await?;
    migrator().run_to(last, &mut connection).await?;
    let mut schema = tables(&mut connection).await?;
    schema.0.remove(TABLE);
    Ok(schema)
}

async fn tables(connection: &mut SqliteConnection) -> Result<Schema, Error> {
    let mut schema = Schema::default();
    let columns: Vec<(String, String, String, bool, bool)> = query_as(
        r#"SELECT made.name, has.name, upper(has.type), NOT has."notnull", has.dflt_value IS NOT NULL
        FROM sqlite_master AS made JOIN pragma_table_info(made.name) AS has
        WHERE made.type = 'table'"#,
    )
    .fetch_all(&mut *connection)
    .await?;
    for (table, name, kind, nullable, has_default) in columns {
        let table = schema.0.entry(table).or_default();
        table.columns.insert(name, Column { kind, nullable, has_default });
    }
    // An index that holds for some rows, or for an expression, is no key.
    let keys: Vec<(String, String)> = query_as(
        r#"SELECT made.name, 'PRIMARY KEY (' || group_concat(has.name, ', ' ORDER BY has.pk) || ')'
        FROM sqlite_master AS made JOIN pragma_table_info(made.name) AS has
        WHERE made.type = 'table' AND has.pk > 0 GROUP BY made.name
        UNION ALL
        SELECT made.name, 'UNIQUE (' || group_concat(has.name, ', ' ORDER BY has.seqno) || ')'
        FROM sqlite_master AS made JOIN pragma_index_list(made.name) AS key
        JOIN pragma_index_info(key.name) AS has
        WHERE made.type = 'table' AND key."unique" AND NOT key.partial AND key.origin <> 'pk'
        GROUP BY made.name, key.name HAVING count(*) = count(has.name)
        UNION ALL
        SELECT made.name, 'FOREIGN KEY (' || group_concat(key."from", ', ' ORDER BY key.seq)
            || ') REFERENCES ' || key."table" || ' (' || group_concat(key."to", ', ' ORDER BY key.seq)
            || ') ON UPDATE ' || key.on_update || ' ON DELETE ' || key.on_delete
        FROM sqlite_master AS made JOIN pragma_foreign_key_list(made.name) AS key
        WHERE made.type = 'table' GROUP BY made.name, key.id"#,
    )
    .fetch_all(&mut *connection)
    .await?;
    for (table, key) in keys {
        schema.0.entry(table).or_default().keys.insert(key);
    }
    Ok(schema)
}

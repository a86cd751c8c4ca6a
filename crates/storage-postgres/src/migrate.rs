//! The migrations, and the adoption of tables that are there already.

use domain::schema::{Column, Schema};
use domain::{Migrated, MigrationError, StatementError, StorageError};
use sqlx::migrate::{Migrate, MigrateError, Migrator};
use sqlx::postgres::PgRow;
use sqlx::{Connection, Error, PgConnection, Row, query, query_as, raw_sql};

use crate::errors::storage_error;
use crate::session::Session;

static MIGRATIONS: Migrator = sqlx::migrate!("../../migrations/postgres");

/// Where sqlx keeps the versions that were applied.
const TABLE: &str = "_sqlx_migrations";

/// How many migrations are not applied.
pub(crate) async fn pending(session: &Session) -> Result<usize, StorageError> {
    let table = || {
        query("SELECT to_regclass('_sqlx_migrations') IS NOT NULL")
            .try_map(|row: PgRow| row.try_get(0))
    };
    let applied: Vec<i64> = match session.fetch_optional("migrations_table", table).await? {
        Some(true) => {
            let versions = || {
                query("SELECT version FROM _sqlx_migrations WHERE success")
                    .try_map(|row: PgRow| row.try_get(0))
            };
            session.fetch_all("migrations", versions).await?
        }
        _ => Vec::new(),
    };
    Ok(MIGRATIONS.iter().filter(|migration| !applied.contains(&migration.version)).count())
}

/// Applies what is missing, under the lock that sqlx takes, which ends with the
/// connection.
pub(crate) async fn run(connection: &mut PgConnection) -> Result<Migrated, MigrationError> {
    connection.lock().await.map_err(failed)?;
    let result = run_locked(connection).await;
    connection.unlock().await.map_err(failed)?;
    result
}

async fn run_locked(connection: &mut PgConnection) -> Result<Migrated, MigrationError> {
    let applied = applied(connection).await.map_err(failed)?;
    let migrations = MIGRATIONS.iter().filter(|one| !one.migration_type.is_down_migration());
    let migrated = Migrated {
        applied: migrations
            .clone()
            .map(|one| one.version)
            .filter(|version| !applied.contains(version))
            .collect(),
        newer: applied.into_iter().filter(|version| !MIGRATIONS.version_exists(*version)).collect(),
    };
    let mut migrator = Migrator::with_migrations(MIGRATIONS.iter().cloned().collect());
    migrator.set_ignore_missing(true).set_locking(false);
    if migrated.applied.is_empty() {
        migrator.run(&mut *connection).await.map_err(failed)?;
        return Ok(migrated);
    }

    // What cannot be part of a transaction comes after it, with all that follows.
    let pending = migrations.filter(|one| migrated.applied.contains(&one.version));
    let alone = pending.filter(|one| one.no_tx).map(|one| one.version).min();
    let last = alone.map_or(i64::MAX, |version| version - 1);
    let expected = expected(connection, last).await.map_err(failed)?;
    let before = tables(connection, false).await.map_err(failed)?;
    let mut transaction = connection.begin().await.map_err(failed)?;
    let differences = match migrator.run_to(last, &mut *transaction).await {
        Ok(()) => expected.differences(&tables(&mut transaction, false).await.map_err(failed)?),
        Err(error) => {
            // Probably a table exists that lacks what the migration needs.
            let differences = expected.only_tables_of(&before).differences(&before);
            if differences.is_empty() {
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
        migrator.run(&mut *connection).await.map_err(failed)?;
    }
    Ok(migrated)
}

fn failed(error: impl Into<MigrateError>) -> StorageError {
    match error.into() {
        MigrateError::Execute(error) => storage_error("migrate", error),
        error => StorageError::Internal(StatementError::new("migrate", None, error).into()),
    }
}

/// The versions of the migrations that were applied.
async fn applied(connection: &mut PgConnection) -> Result<Vec<i64>, MigrateError> {
    connection.ensure_migrations_table(TABLE).await?;
    let applied = connection.list_applied_migrations(TABLE).await?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

/// The tables as the migrations up to this version make them: as temporary ones, in a transaction
/// that is rolled back.
async fn expected(connection: &mut PgConnection, last: i64) -> Result<Schema, Error> {
    let mut transaction = connection.begin().await?;
    raw_sql("SET LOCAL search_path = pg_temp").execute(&mut *transaction).await?;
    for migration in MIGRATIONS.iter().filter(|migration| migration.version <= last) {
        if !migration.no_tx && !migration.migration_type.is_down_migration() {
            raw_sql(migration.sql.clone()).execute(&mut *transaction).await?;
        }
    }
    let schema = tables(&mut transaction, true).await?;
    transaction.rollback().await?;
    Ok(schema)
}

/// The tables of a session, or those of the schema in which tables are made.
async fn tables(connection: &mut PgConnection, temporary: bool) -> Result<Schema, Error> {
    let mut schema = Schema::default();
    let columns: Vec<(String, String, String, bool, bool)> = query_as(
        "SELECT relname::text, attname::text, format_type(atttypid, atttypmod), NOT attnotnull,
            atthasdef OR attidentity <> ''
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped AND relnamespace
            = CASE WHEN $1 THEN pg_my_temp_schema() ELSE current_schema()::regnamespace::oid END",
    )
    .bind(temporary)
    .fetch_all(&mut *connection)
    .await?;
    for (table, name, kind, nullable, has_default) in columns {
        let table = schema.0.entry(table).or_default();
        table.columns.insert(name, Column { kind, nullable, has_default });
    }
    // An index that holds for some rows, or for an expression, is no key.
    let keys: Vec<(String, String)> = query_as(
        "WITH tables AS (
            SELECT oid, relname::text AS name FROM pg_class
            WHERE relkind IN ('r', 'p') AND relnamespace
                = CASE WHEN $1 THEN pg_my_temp_schema() ELSE current_schema()::regnamespace::oid END
        )
        SELECT name, CASE WHEN indisprimary THEN 'PRIMARY KEY (' ELSE 'UNIQUE (' END
            || (
                SELECT string_agg(quote_ident(attname), ', ' ORDER BY position)
                FROM unnest(indkey) WITH ORDINALITY AS key (number, position)
                JOIN pg_attribute ON attrelid = indrelid AND attnum = number
                WHERE position <= indnkeyatts
            ) || ')'
        FROM tables JOIN pg_index ON indrelid = tables.oid
        WHERE indisunique AND indisvalid AND indpred IS NULL AND indexprs IS NULL
        UNION ALL
        SELECT name, pg_get_constraintdef(pg_constraint.oid)
        FROM tables JOIN pg_constraint ON conrelid = tables.oid WHERE contype = 'f'",
    )
    .bind(temporary)
    .fetch_all(&mut *connection)
    .await?;
    for (table, key) in keys {
        schema.0.entry(table).or_default().keys.insert(key);
    }
    Ok(schema)
}

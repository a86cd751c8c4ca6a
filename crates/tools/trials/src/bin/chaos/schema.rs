//! Schemas that change while processes of two versions are at work.

use std::fs;
use std::process::Command;
use std::time::Duration;

use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row, SqliteConnection, raw_sql,
};
use tempfile::TempDir;
use testbed::{Postgres, root, rust_binary};
use tokio::time::sleep;
use trials::BoxError;
use trials::clients::Load;

use crate::scenario::{Extent, Scenario};
use crate::service::start;

/// The versions of migrations that no program here knows.
const NEWER: [i64; 4] = [9001, 9002, 9003, 9004];

/// An empty database.
enum Database {
    Postgres { _server: Box<Postgres>, url: String },
    Sqlite(TempDir),
}

impl Database {
    async fn postgres() -> Result<Self, BoxError> {
        let server = Postgres::start().await?;
        let url = server.database().await?;
        Ok(Self::Postgres { _server: Box::new(server), url })
    }

    fn sqlite() -> Result<Self, BoxError> {
        Ok(Self::Sqlite(tempfile::tempdir()?))
    }

    fn url(&self) -> String {
        match self {
            Self::Postgres { url, .. } => url.clone(),
            Self::Sqlite(folder) => format!("sqlite:///{}/molt.db", folder.path().display()),
        }
    }

    /// Runs a statement and gives the first column of its first row if it has any.
    async fn execute(&self, sql: &str) -> Result<Option<i64>, BoxError> {
        let sql = raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Postgres { url, .. } => {
                let row = sql.fetch_optional(&mut PgConnection::connect(url).await?).await?;
                Ok(row.map(|row| row.try_get(0)).transpose()?)
            }
            Self::Sqlite(folder) => {
                let row = sql.fetch_optional(&mut sqlite(folder).await?).await?;
                Ok(row.map(|row| row.try_get(0)).transpose()?)
            }
        }
    }

    /// Applies the migrations of a newer version up to this one, from files, as its `migrate` would.
    async fn migrate_to(&self, version: i64, files: &TempDir) -> Result<(), BoxError> {
        let mut migrator = Migrator::new(files.path()).await?;
        // Between its own version and the new ones, newer versions of this program may come.
        migrator.set_ignore_missing(true);
        match self {
            Self::Postgres { url, .. } => {
                migrator.run_to(version, &mut PgConnection::connect(url).await?).await?;
            }
            Self::Sqlite(folder) => migrator.run_to(version, &mut sqlite(folder).await?).await?,
        }
        Ok(())
    }

    /// The migrations of this version, and what a newer one adds: columns, an index and a table.
    fn newer_files(&self) -> Result<TempDir, BoxError> {
        let (kind, index) = match self {
            // It locks out no writer, and is no part of a transaction.
            Self::Postgres { .. } => (
                "postgres",
                "-- no-transaction\nCREATE INDEX CONCURRENTLY ix_item_title ON item (title);",
            ),
            Self::Sqlite(_) => ("sqlite", "CREATE INDEX ix_item_title ON item (title);"),
        };
        let folder = tempfile::tempdir()?;
        for file in fs::read_dir(root().join("migrations").join(kind))? {
            let file = file?;
            fs::copy(file.path(), folder.path().join(file.file_name()))?;
        }
        let expansion = [
            "ALTER TABLE item ADD COLUMN note text;",
            "ALTER TABLE \"user\" ADD COLUMN rank integer NOT NULL DEFAULT 0;",
            index,
            "CREATE TABLE audit (id integer PRIMARY KEY, what text NOT NULL);",
        ];
        for (version, sql) in NEWER.into_iter().zip(expansion) {
            fs::write(folder.path().join(format!("{version}_newer.sql")), sql)?;
        }
        Ok(folder)
    }
}

async fn sqlite(folder: &TempDir) -> Result<SqliteConnection, BoxError> {
    let options = SqliteConnectOptions::new().filename(folder.path().join("molt.db"));
    Ok(options.busy_timeout(Duration::from_secs(30)).connect().await?)
}

/// What no version uses any more is removed.
const CONTRACTION: [&str; 4] = [
    "DROP INDEX ix_item_title",
    "ALTER TABLE item DROP COLUMN note",
    "ALTER TABLE \"user\" DROP COLUMN rank",
    "DROP TABLE audit",
];

pub(crate) async fn expand_postgres(extent: Extent) -> Result<Scenario, BoxError> {
    expand("expand-postgres", &Database::postgres().await?, extent).await
}

pub(crate) async fn expand_sqlite(extent: Extent) -> Result<Scenario, BoxError> {
    expand("expand-sqlite", &Database::sqlite()?, extent).await
}

/// Columns, an index and a table are added while a process is at work; then another starts; then what
/// was added is removed under both.
async fn expand(
    name: &'static str,
    database: &Database,
    extent: Extent,
) -> Result<Scenario, BoxError> {
    let pause = extent.pick(Duration::from_millis(500), Duration::from_secs(3));
    let clients = extent.pick(2, 4);
    let old = start(&database.url(), &[]).await?;
    let of_old = Load::start(&old.url, &format!("{name}-old"), clients).await?;
    sleep(pause).await;
    let files = database.newer_files()?;
    for version in NEWER {
        database.migrate_to(version, &files).await?;
        sleep(pause).await;
    }
    let new = start(&database.url(), &[]).await?;
    let of_new = Load::start(&new.url, &format!("{name}-new"), clients).await?;
    sleep(pause).await;
    for statement in CONTRACTION {
        database.execute(statement).await?;
        sleep(pause).await;
    }
    let tally = std::sync::Arc::clone(&of_old.tally);
    let clients = of_old.stop().await;
    let mut scenario = Scenario::count(name, &[&old], tally.take(), &clients).await?;
    let tally = std::sync::Arc::clone(&of_new.tally);
    let clients = of_new.stop().await;
    scenario.add(Scenario::count(name, &[&new], tally.take(), &clients).await?);
    scenario.unaffected();
    scenario.seen = format!(
        "{} migrations to expand, {} statements to contract, two processes",
        NEWER.len(),
        CONTRACTION.len()
    );
    Ok(scenario)
}

pub(crate) async fn rollback_postgres(extent: Extent) -> Result<Scenario, BoxError> {
    rollback("rollback-postgres", &Database::postgres().await?, extent).await
}

pub(crate) async fn rollback_sqlite(extent: Extent) -> Result<Scenario, BoxError> {
    rollback("rollback-sqlite", &Database::sqlite()?, extent).await
}

/// An older image replaces a newer one, whose migrations stay: first `migrate` of the older one, then
/// its process beside the newer one, then alone.
async fn rollback(
    name: &'static str,
    database: &Database,
    extent: Extent,
) -> Result<Scenario, BoxError> {
    let pause = extent.pick(Duration::from_millis(500), Duration::from_secs(3));
    let count = extent.pick(2, 4);
    let newer = start(&database.url(), &[]).await?;
    let [.., newest] = NEWER;
    database.migrate_to(newest, &database.newer_files()?).await?;
    let of_newer = Load::start(&newer.url, &format!("{name}-newer"), count).await?;
    sleep(pause).await;
    let mut wrong = Vec::new();
    let migrate = Command::new(rust_binary()?)
        .arg("migrate")
        .env("DATABASE_URL", database.url())
        .current_dir(std::env::temp_dir())
        .output()?;
    let said = String::from_utf8_lossy(&migrate.stdout);
    if !migrate.status.success() || !said.contains(&format!("at version {newest}")) {
        let error = String::from_utf8_lossy(&migrate.stderr);
        wrong.push(format!("`migrate` of the older program: {} {said} {error}", migrate.status));
    }
    let older = start(&database.url(), &[]).await?;
    let of_older = Load::start(&older.url, &format!("{name}-older"), count).await?;
    sleep(pause).await;
    let tally = std::sync::Arc::clone(&of_newer.tally);
    let clients = of_newer.stop().await;
    let mut scenario = Scenario::count(name, &[&newer], tally.take(), &clients).await?;
    newer.stop().await;
    sleep(pause).await;
    let tally = std::sync::Arc::clone(&of_older.tally);
    let clients = of_older.stop().await;
    scenario.add(Scenario::count(name, &[&older], tally.take(), &clients).await?);
    scenario.unaffected();
    let kept =
        format!("SELECT count(*) FROM _sqlx_migrations WHERE success AND version >= {}", NEWER[0]);
    if database.execute(&kept).await? != Some(4) {
        wrong.push("the newer migrations are not recorded any more".into());
    }
    database.execute("SELECT count(note) FROM item").await?;
    scenario.wrong.extend(wrong);
    scenario.seen = "`migrate` and a process of the older version".into();
    Ok(scenario)
}

//! Schemas that change while processes of two versions are at work.

use std::process::Command;
use std::time::Duration;

use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row, raw_sql};
use tempfile::TempDir;
use testbed::{Postgres, rust, rust_binary};
use tokio::time::sleep;
use trials::BoxError;
use trials::clients::Load;

use crate::scenario::{Extent, Scenario};

const SETTINGS: [(&str, &str); 1] = [("RUST_LOG", "warn")];

/// The version of a migration that no program here knows.
const NEWER: i64 = 999_999;

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

    /// Runs a statement as a migration would, and gives the first column of its first row if it has any.
    async fn execute(&self, sql: &str) -> Result<Option<i64>, BoxError> {
        let sql = raw_sql(AssertSqlSafe(sql.to_owned()));
        match self {
            Self::Postgres { url, .. } => {
                let row = sql.fetch_optional(&mut PgConnection::connect(url).await?).await?;
                Ok(row.map(|row| row.try_get(0)).transpose()?)
            }
            Self::Sqlite(folder) => {
                let options = SqliteConnectOptions::new().filename(folder.path().join("molt.db"));
                let options = options.busy_timeout(Duration::from_secs(30));
                let row = sql.fetch_optional(&mut options.connect().await?).await?;
                Ok(row.map(|row| row.try_get(0)).transpose()?)
            }
        }
    }

    /// What a newer version adds.
    fn expansion(&self) -> Vec<String> {
        let concurrently = if matches!(self, Self::Postgres { .. }) { " CONCURRENTLY" } else { "" };
        vec![
            "ALTER TABLE item ADD COLUMN note text".into(),
            "ALTER TABLE \"user\" ADD COLUMN rank integer NOT NULL DEFAULT 0".into(),
            format!("CREATE INDEX{concurrently} ix_item_title ON item (title)"),
            "CREATE TABLE audit (id integer PRIMARY KEY, what text NOT NULL)".into(),
            format!(
                "INSERT INTO _sqlx_migrations \
                 (version, description, success, checksum, execution_time) \
                 VALUES ({NEWER}, 'newer', true, {}, 1)",
                if matches!(self, Self::Postgres { .. }) { "'\\x00'" } else { "x'00'" }
            ),
        ]
    }
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
    let old = rust(&database.url(), &SETTINGS).await?;
    let of_old = Load::start(&old.url, &format!("{name}-old"), clients).await?;
    sleep(pause).await;
    let expansion = database.expansion();
    for statement in &expansion {
        database.execute(statement).await?;
        sleep(pause).await;
    }
    let new = rust(&database.url(), &SETTINGS).await?;
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
        "{} statements to expand, {} to contract, two processes",
        expansion.len(),
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
    let newer = rust(&database.url(), &SETTINGS).await?;
    for statement in database.expansion() {
        database.execute(&statement).await?;
    }
    let of_newer = Load::start(&newer.url, &format!("{name}-newer"), count).await?;
    sleep(pause).await;
    let mut wrong = Vec::new();
    let migrate = Command::new(rust_binary()?)
        .arg("migrate")
        .env("DATABASE_URL", database.url())
        .current_dir(std::env::temp_dir())
        .output()?;
    let said = String::from_utf8_lossy(&migrate.stdout);
    if !migrate.status.success() || !said.contains("newer") {
        let error = String::from_utf8_lossy(&migrate.stderr);
        wrong.push(format!("`migrate` of the older program: {} {said} {error}", migrate.status));
    }
    let older = rust(&database.url(), &SETTINGS).await?;
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
    let kept = format!("SELECT version FROM _sqlx_migrations WHERE version = {NEWER}");
    if database.execute(&kept).await? != Some(NEWER) {
        wrong.push("the newer migration is not recorded any more".into());
    }
    database.execute("SELECT count(note) FROM item").await?;
    scenario.wrong.extend(wrong);
    scenario.seen = "`migrate` and a process of the older version".into();
    Ok(scenario)
}

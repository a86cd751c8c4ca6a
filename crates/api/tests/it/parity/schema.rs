//! Alembic and the Rust migrations make the same schema.

use std::process::Command;

use testbed::{Postgres, legacy, rust};

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn the_migrations_make_the_same_tables_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:///{}/{name}.db", folder.path().display());
    drop((legacy(&url("python"), &[]).await.unwrap(), rust(&url("rust"), &[]).await.unwrap()));
    let definitions = async |name: &str| {
        let pool = sqlx::SqlitePool::connect(&url(name).replace("sqlite:///", "sqlite://")).await;
        let query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT IN \
                     ('alembic_version', '_sqlx_migrations') ORDER BY name";
        let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(&pool.unwrap()).await.unwrap();
        // SQLite keeps `IF NOT EXISTS` out, but not the spaces and quotes.
        let bare = |sql: &String| sql.replace('"', "").split_whitespace().collect::<String>();
        rows.iter().map(bare).collect::<Vec<_>>()
    };
    let python = definitions("python").await;
    assert_eq!(python, definitions("rust").await);
    assert!(python.len() >= 2);
}

#[tokio::test]
async fn the_migrations_make_the_same_dump_on_postgres() {
    let postgres = Postgres::start().await.unwrap();
    let urls = [postgres.database().await.unwrap(), postgres.database().await.unwrap()];
    drop((legacy(&urls[0], &[]).await.unwrap(), rust(&urls[1], &[]).await.unwrap()));
    let dump = |url: &str| {
        let output = Command::new("pg_dump")
            .args(["--schema-only", "--no-owner", "--exclude-table=alembic_version"])
            .args(["--exclude-table=_sqlx_migrations", url])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let dump = String::from_utf8(output.stdout).unwrap();
        // pg_dump guards its output with a random key.
        let lines: Vec<_> = dump.lines().filter(|line| !line.contains("restrict")).collect();
        lines.join("\n")
    };
    let python = dump(&urls[0]);
    assert!(python.contains("CREATE UNIQUE INDEX ix_user_email"), "{python}");
    assert_eq!(python, dump(&urls[1]));
}

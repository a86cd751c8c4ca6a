//! Alembic and the Rust migrations make the same schema.

use std::process::Command;

use testbed::{Postgres, legacy, molt};

#[tokio::test]
async fn the_migrations_make_the_same_tables_on_sqlite() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite:///{}/{name}.db", folder.path().display());
    drop((legacy(&url("python"), &[]).await.unwrap(), molt(&url("rust"), &[]).await.unwrap()));
    let definitions = async |name: &str| {
        let pool = sqlx::SqlitePool::connect(&url(name).replace("sqlite:///", "sqlite://")).await;
        let query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name IN \
                     ('user', 'item') ORDER BY name";
        let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(&pool.unwrap()).await.unwrap();
        rows.iter().map(|sql| sql.split_whitespace().collect::<String>()).collect::<Vec<_>>()
    };
    let python = definitions("python").await;
    // SQLite keeps `IF NOT EXISTS` out, but not the spaces.
    assert_eq!(python, definitions("rust").await);
    assert!(python.len() >= 3);
}

#[tokio::test]
async fn the_migrations_make_the_same_dump_on_postgres() {
    let postgres = Postgres::start().await.unwrap();
    let (python, rust) = (postgres.database().await.unwrap(), postgres.database().await.unwrap());
    drop((legacy(&python, &[]).await.unwrap(), molt(&rust, &[]).await.unwrap()));
    let dump = |url: &str| {
        let output = Command::new("pg_dump")
            .args(["--schema-only", "--no-owner", "--table=user", "--table=item", url])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let dump = String::from_utf8(output.stdout).unwrap();
        // pg_dump guards its output with a random key.
        let lines: Vec<_> = dump.lines().filter(|line| !line.contains("restrict")).collect();
        lines.join("\n")
    };
    let python = dump(&python);
    assert!(python.contains("CREATE UNIQUE INDEX ix_user_email"), "{python}");
    assert_eq!(python, dump(&rust));
}

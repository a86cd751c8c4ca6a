//! The tables of applications of different habits, as drafted: Alembic finds no difference between
//! the migrated database and the models, the tables of python-legacy are those of `migrations/`, and
//! all statements compile and run.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::path::{Path, PathBuf};
use std::process::Command;

use scaffold::inspect::{Application, inspect};
use scaffold::tables::{Drafted, draft, write};
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection, Row, SqliteConnection};
use testbed::Postgres;

struct Sample {
    name: &'static str,
    /// From the top of the repository.
    directory: &'static str,
    app: &'static str,
    metadata: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// All its tables can be in SQLite as they are.
    is_for_sqlite: bool,
}

const SAMPLES: [Sample; 5] = [
    Sample {
        name: "legacy",
        directory: "python-legacy",
        app: "app.main:app",
        metadata: "app.models:Base.metadata",
        environment: &[],
        is_for_sqlite: true,
    },
    Sample {
        name: "bookstore",
        directory: "crates/tools/scaffold/tests/applications/bookstore",
        app: "main:app",
        metadata: "main:SQLModel.metadata",
        environment: &[],
        is_for_sqlite: true,
    },
    Sample {
        name: "surgery",
        directory: "crates/tools/scaffold/tests/applications/surgery",
        app: "main:app",
        metadata: "main:Base.metadata",
        environment: &[],
        is_for_sqlite: true,
    },
    Sample {
        name: "tenancy",
        directory: "crates/tools/scaffold/tests/applications/tenancy",
        app: "app.main:app",
        metadata: "app.core.database:Base.metadata",
        environment: &[("TENANCY_DB_DSN", "postgres://unused@127.0.0.1:1/none")],
        is_for_sqlite: false,
    },
    Sample {
        name: "warehouse",
        directory: "crates/tools/scaffold/tests/applications",
        app: "warehouse.app:create_app()",
        metadata: "warehouse.models:Base.metadata",
        environment: &[],
        is_for_sqlite: false,
    },
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

impl Sample {
    fn draft(&self) -> Drafted {
        let environment = self.environment.iter();
        let found = inspect(&Application {
            app: self.app.into(),
            python: Some(root().join("target/venv/bin/python")),
            directory: root().join(self.directory),
            metadata: Vec::new(),
            allow_connections: false,
            environment: environment
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            timeout: 120,
        });
        draft(&found.unwrap(), self.name).unwrap()
    }

    /// What Alembic would change.
    fn differences(&self, url: &str) -> Vec<String> {
        let mut command = Command::new(root().join("target/venv/bin/python"));
        command.args(["-B", "-W", "ignore"]);
        command.arg(root().join("crates/tools/scaffold/tests/applications/compare.py"));
        command.arg(url).arg(self.metadata).current_dir(root().join(self.directory));
        command.env("PYTHONPATH", ".").envs(self.environment.iter().copied());
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

async fn migrate<C: Connection + sqlx::migrate::Migrate>(connection: &mut C, folder: &Path) {
    let migrator = Migrator::new(folder).await.unwrap();
    migrator.run_direct(None, connection, false).await.unwrap();
}

/// Writes the draft in place of an older one.
fn place(folder: &Path, drafted: &Drafted) {
    let _ = std::fs::remove_dir_all(folder);
    write(folder, drafted).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn drafted_tables_are_those_of_the_models_and_their_statements_compile_and_run() {
    let postgres = Postgres::start().await.unwrap();
    let target = root().join("target/tables");
    for sample in &SAMPLES {
        let folder = target.join(sample.name);
        let drafted = sample.draft();
        place(&folder, &drafted);
        let url = postgres.database().await.unwrap();
        let mut connection = PgConnection::connect(&url).await.unwrap();
        migrate(&mut connection, &folder.join("migrations/postgres")).await;
        let alembic = url.replace("postgres://", "postgresql+psycopg://");
        let alembic = alembic.replace("postgresql://", "postgresql+psycopg://");
        assert_eq!(sample.differences(&alembic), Vec::<String>::new(), "{}", sample.name);
        if sample.name == "legacy" {
            let ours = postgres.database().await.unwrap();
            let mut ours = PgConnection::connect(&ours).await.unwrap();
            migrate(&mut ours, &root().join("migrations/postgres")).await;
            assert_eq!(schema(&mut connection).await, schema(&mut ours).await);
        }
        if sample.is_for_sqlite {
            let file = tempfile::tempdir().unwrap();
            let file = file.path().join("tables.db");
            let mut sqlite =
                SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", file.display()))
                    .await
                    .unwrap();
            migrate(&mut sqlite, &folder.join("migrations/sqlite")).await;
            let differences = sample.differences(&format!("sqlite:///{}", file.display()));
            assert_eq!(differences, Vec::<String>::new(), "{} on SQLite", sample.name);
        }
        std::fs::write(folder.join(".env"), format!("DATABASE_URL={url}\n")).unwrap();
    }
    compile_and_run(&target);
}

/// Columns, constraints and indexes, as the catalogs have them.
async fn schema(connection: &mut PgConnection) -> Vec<String> {
    let rows = sqlx::query(
        "SELECT concat_ws(' ', 'column', table_name, ordinal_position, column_name, udt_name,
            character_maximum_length, numeric_precision, numeric_scale, is_nullable, column_default)
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> '_sqlx_migrations'
        UNION ALL
        SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
        FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND conrelid <> '_sqlx_migrations'::regclass
        UNION ALL
        SELECT 'index ' || indexdef FROM pg_indexes
        WHERE schemaname = 'public' AND tablename <> '_sqlx_migrations'
        ORDER BY 1",
    )
    .fetch_all(connection)
    .await
    .unwrap();
    let found: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(found.len() > 15, "{found:?}");
    found
}

/// Checks all statements of all crates against their databases, and runs those of the warehouse.
fn compile_and_run(target: &Path) {
    let members: Vec<String> = SAMPLES.iter().map(|one| format!("{:?}", one.name)).collect();
    // The profile of the repository: what is compiled there is not compiled again.
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [{}]\n\n[profile.dev]\ndebug = \"line-tables-only\"\n\n\
         [profile.dev.build-override]\ndebug = \"line-tables-only\"\n",
        members.join(", ")
    );
    std::fs::write(target.join("Cargo.toml"), manifest).unwrap();
    std::fs::copy(root().join("Cargo.lock"), target.join("Cargo.lock")).unwrap();
    let tests = target.join("warehouse/tests");
    std::fs::create_dir_all(&tests).unwrap();
    let source = root().join("crates/tools/scaffold/tests/applications/warehouse.rs");
    std::fs::copy(source, tests.join("warehouse.rs")).unwrap();
    let manifest = target.join("warehouse/Cargo.toml");
    let mut text = std::fs::read_to_string(&manifest).unwrap();
    text += "\n[dev-dependencies]\ndotenvy = \"0.15\"\ntokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n";
    std::fs::write(manifest, text).unwrap();

    let cargo = |arguments: &[&str]| {
        let mut command = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
        command.args(arguments).args(["--offline", "--quiet", "--workspace"]).current_dir(target);
        command.env("CARGO_TARGET_DIR", root().join("target"));
        command.env_remove("SQLX_OFFLINE").env_remove("DATABASE_URL");
        let output = command.output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}{errors}", String::from_utf8_lossy(&output.stdout));
        assert!(!errors.contains("warning"), "{errors}");
    };
    cargo(&["test"]);
}

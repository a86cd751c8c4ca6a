//! The tables of applications of different habits, as drafted: Alembic finds no difference between
//! the migrated database and the models, the tables of python-legacy are those of `migrations/`, and
//! all statements compile and run. Handlers that are drafted whole answer as the applications do.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

use scaffold::cargo::cargo;
use scaffold::draft::{Draft, Handler, draft_application};
use scaffold::inspect::{Application, inspect};
use scaffold::inspection::Inspection;
use scaffold::tables::{Drafted, draft, write};
use serde_json::Value;
use sqlx::migrate::Migrator;
use sqlx::{Connection, PgConnection, Row, SqliteConnection};
use testbed::{Postgres, Service};
use toml_edit::{Array, DocumentMut, Item};

struct Sample {
    name: &'static str,
    /// From the top of the repository.
    directory: &'static str,
    app: &'static str,
    metadata: &'static str,
    environment: &'static [(&'static str, &'static str)],
    /// All its tables can be in SQLite as they are.
    is_for_sqlite: bool,
    /// Its handlers that are drafted whole are compared with Python's.
    compared: Option<Compared>,
}

/// How the requests of a comparison are made.
struct Compared {
    options: &'static [&'static str],
    /// What is answered natively when Python is gone.
    path: &'static str,
    headers: &'static str,
    /// How many handlers are whole, and how many pass on.
    handlers: [usize; 2],
}

const SAMPLES: [Sample; 5] = [
    Sample {
        name: "legacy",
        directory: "python-legacy",
        app: "app.main:app",
        metadata: "app.models:Base.metadata",
        environment: &[],
        is_for_sqlite: true,
        compared: None,
    },
    Sample {
        name: "bookstore",
        directory: "crates/tools/scaffold/tests/applications/bookstore",
        app: "main:app",
        metadata: "main:SQLModel.metadata",
        environment: &[],
        is_for_sqlite: true,
        compared: Some(Compared { options: &[], path: "/shops/", headers: "", handlers: [13, 2] }),
    },
    Sample {
        name: "surgery",
        directory: "crates/tools/scaffold/tests/applications/surgery",
        app: "main:app",
        metadata: "main:Base.metadata",
        environment: &[],
        is_for_sqlite: true,
        compared: Some(Compared {
            options: &["--sign-in", "header:X-Practice:7"],
            path: "/drugs/",
            headers: "x-practice: 7\r\n",
            handlers: [6, 4],
        }),
    },
    Sample {
        name: "tenancy",
        directory: "crates/tools/scaffold/tests/applications/tenancy",
        app: "app.main:app",
        metadata: "app.core.database:Base.metadata",
        environment: &[("TENANCY_DB_DSN", "postgres://unused@127.0.0.1:1/none")],
        is_for_sqlite: false,
        compared: None,
    },
    Sample {
        name: "warehouse",
        directory: "crates/tools/scaffold/tests/applications",
        app: "warehouse.app:create_app()",
        metadata: "warehouse.models:Base.metadata",
        environment: &[],
        is_for_sqlite: false,
        compared: Some(Compared { options: &[], path: "/sites", headers: "", handlers: [5, 4] }),
    },
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..").canonicalize().unwrap()
}

impl Sample {
    fn inspected(&self) -> Value {
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
        found.unwrap()
    }

    /// The folder of the crate of its tables.
    fn tables(&self) -> String {
        let below = if self.compared.is_some() { "/tables" } else { "" };
        format!("{}{below}", self.name)
    }

    /// Writes its crates in place of older ones; gives the crate with the handlers.
    fn write(&self, target: &Path) -> Option<Draft> {
        let found = self.inspected();
        let Some(compared) = &self.compared else {
            put(&target.join(self.name), &draft(&found, self.name).unwrap());
            return None;
        };
        let drafted = draft_application(Inspection::new(found).unwrap(), self.name, "all").unwrap();
        assert_eq!(drafted.table.handlers(), Some(compared.handlers), "{}", drafted.table);
        let _ = std::fs::remove_dir_all(target.join(self.name));
        for (name, text) in &drafted.files {
            let path = target.join(self.name).join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Some(drafted)
    }

    /// The application itself, on a database.
    async fn python(&self, url: &str) -> Service {
        let mut command = Command::new(root().join("target/venv/bin/python"));
        command.args(["-B", "-W", "ignore", "-m", "uvicorn", "--port", "0"]);
        match self.app.strip_suffix("()") {
            Some(factory) => command.args(["--factory", factory]),
            None => command.arg(self.app),
        };
        command.current_dir(root().join(self.directory)).env("DATABASE_URL", alembic(url));
        Service::start(self.name, &command, "Uvicorn running on ").await.unwrap()
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
fn put(folder: &Path, drafted: &Drafted) {
    let _ = std::fs::remove_dir_all(folder);
    write(folder, drafted).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn drafted_tables_are_those_of_the_models_and_their_statements_compile_and_run() {
    let postgres = Postgres::start().await.unwrap();
    let target = root().join("target/tables");
    let mut drafts = Vec::new();
    for sample in &SAMPLES {
        drafts.push(sample.write(&target));
        let folder = target.join(sample.tables());
        let url = postgres.database().await.unwrap();
        let mut connection = PgConnection::connect(&url).await.unwrap();
        migrate(&mut connection, &folder.join("migrations/postgres")).await;
        assert_eq!(sample.differences(&alembic(&url)), Vec::<String>::new(), "{}", sample.name);
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
    // As the Makefile builds it.
    let mut build = cargo();
    build.args(["build", "--quiet", "--workspace", "--test", "schemas", "--bin", "contract"]);
    assert!(build.current_dir(root()).status().unwrap().success());
    for (sample, draft) in SAMPLES.iter().zip(&drafts) {
        if let (Some(compared), Some(draft)) = (&sample.compared, draft) {
            compare(&postgres, &target, sample, compared, draft).await;
        }
    }
}

/// The URL as SQLAlchemy has it.
fn alembic(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    format!("postgresql+psycopg://{rest}")
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
    std::fs::write(target.join("Cargo.toml"), manifest()).unwrap();
    std::fs::copy(root().join("Cargo.lock"), target.join("Cargo.lock")).unwrap();
    let warehouse = target.join("warehouse/tables");
    let tests = warehouse.join("tests");
    std::fs::create_dir_all(&tests).unwrap();
    let source = root().join("crates/tools/scaffold/tests/applications/warehouse.rs");
    std::fs::copy(source, tests.join("warehouse.rs")).unwrap();
    let mut text = std::fs::read_to_string(warehouse.join("Cargo.toml")).unwrap();
    text += "\n[dev-dependencies]\ndotenvy = \"0.15\"\ntokio = { version = \"1\", features = [\"macros\", \"rt\"] }\n";
    std::fs::write(warehouse.join("Cargo.toml"), text).unwrap();
    let prepared = target.join("prepared");
    let _ = std::fs::remove_dir_all(&prepared);
    std::fs::create_dir_all(&prepared).unwrap();
    let mut command = cargo();
    command.args(["test", "--offline", "--quiet", "--workspace"]).current_dir(target);
    command.env("CARGO_TARGET_DIR", root().join("target")).env("UPDATE_OVERLAY", "1");
    command.env_remove("SQLX_OFFLINE").env_remove("DATABASE_URL");
    // What the database says of each statement.
    command.env("SQLX_OFFLINE_DIR", &prepared);
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}{errors}", String::from_utf8_lossy(&output.stdout));
    assert!(!errors.contains("warning"), "{errors}");
    for sample in &SAMPLES {
        described(&target.join(sample.tables()).join(".sqlx"), &prepared);
    }
}

/// The manifest of the repository, for the drafted crates: what is compiled there is not compiled
/// again.
fn manifest() -> String {
    let text = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let mut manifest: DocumentMut = text.parse().unwrap();
    let workspace = manifest["workspace"].as_table_mut().unwrap();
    workspace.remove("default-members");
    let members = SAMPLES.iter().flat_map(|sample| {
        let service = sample.compared.is_some().then(|| sample.name.to_owned());
        service.into_iter().chain([sample.tables()])
    });
    workspace.insert("members", toml_edit::value(members.collect::<Array>()));
    let dependencies = workspace["dependencies"].as_table_like_mut().unwrap();
    for (_, dependency) in dependencies.iter_mut() {
        let path = dependency.as_table_like_mut().and_then(|table| table.get_mut("path"));
        if let Some(path) = path {
            let folder = path.as_str().unwrap().to_owned();
            *path = Item::Value(root().join(folder).to_str().unwrap().into());
        }
    }
    manifest.to_string()
}

/// What a draft says of its statements is what the database says of them.
fn described(drafted: &Path, prepared: &Path) {
    let read = |path: &Path| -> Value {
        let mut value: Value =
            serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        for column in value["describe"]["columns"].as_array_mut().unwrap() {
            column.as_object_mut().unwrap().remove("origin");
        }
        value
    };
    let Ok(files) = std::fs::read_dir(drafted) else { return };
    for file in files {
        let file = file.unwrap();
        assert_eq!(read(&file.path()), read(&prepared.join(file.file_name())));
    }
}

/// Two of the application, one of them behind the drafted service on the same database: the same
/// requests to the other and to the drafted service.
async fn compare(
    postgres: &Postgres,
    target: &Path,
    sample: &Sample,
    compared: &Compared,
    draft: &Draft,
) {
    let folder = target.join(sample.name);
    let mut services = Vec::new();
    let mut urls = Vec::new();
    for _ in 0..2 {
        let url = postgres.database().await.unwrap();
        let mut connection = PgConnection::connect(&url).await.unwrap();
        migrate(&mut connection, &folder.join("tables/migrations/postgres")).await;
        services.push(sample.python(&url).await);
        urls.push(url);
    }
    let mut plan = "default: legacy\noperations:\n".to_owned();
    for row in draft.table.0.iter().filter(|row| row.handler == Some(Handler::Whole)) {
        plan.extend(["  ", &row.id, ": native\n"]);
    }
    let path = folder.join("native.yaml");
    std::fs::write(&path, plan).unwrap();
    let mut command = Command::new(root().join("target/debug").join(sample.name));
    command.env("LEGACY_URL", &services[1].url).env("DATABASE_URL", &urls[1]);
    command.env("STRANGLER_PLAN", path).env("STRANGLER_PASSWORD", "unused");
    command.env("PORT", "0").env("MANAGEMENT_PORT", "0");
    let before = format!("Before {}/: ", services[1].url);
    let rust = Service::start(sample.name, &command, &before).await.unwrap();

    let mut contract = Command::new(root().join("target/debug/contract"));
    contract.arg("run").current_dir(root());
    contract.args(["--reference", &local(&services[0].url), "--candidate", &local(&rust.url)]);
    let cases = "crates/tools/scaffold/tests/applications";
    contract.args(["--cases", &format!("{cases}/{}.yaml", sample.name)]);
    contract.arg("--generate").arg(folder.join("openapi.json")).args(["--count", "500"]);
    contract.arg("--report").arg(folder.join("report.json")).args(compared.options);
    let output = contract.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && text.contains("0 different"),
        "{text}{}\n{}",
        String::from_utf8_lossy(&output.stderr),
        rust.log()
    );
    println!("{}: {}", sample.name, text.lines().last().unwrap_or_default());

    // A request to Python gets no answer any more.
    services.remove(1).stop().await;
    let mut stream = TcpStream::connect(rust.url.trim_start_matches("http://")).unwrap();
    let Compared { path, headers, .. } = compared;
    write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n{headers}\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}{}", rust.log());
    rust.stop().await;
}

/// A host that the warehouse trusts.
fn local(url: &str) -> String {
    url.replace("127.0.0.1", "localhost")
}
